"""The alignment benchmark: reading cases, the peers, and the command from end to end."""

from __future__ import annotations

import json
import sys
from functools import cache
from math import erfc, inf, log, sqrt
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.bench.aligners import timed
from pipeline.bench.alignment import Wrong, sample, walk
from pipeline.bench.alignment_cases import read_cases
from pipeline.bench.gale_church import PRIORS, Pair, gale_church
from pipeline.bench.vecalign_style import vecalign_style
from pipeline.engines.encoders.base import SpanEncoder
from pipeline.engines.encoders.use import UseEncoder
from pipeline.errors import InputError
from pipeline.stages.align.span_vectors import summed_spans
from tests.support.encoders import WordEncoder
from tests.support.runs import mekong


def assert_partition(pairs: list[Pair], n: int, m: int) -> None:
    at = (0, 0)
    for src, tgt in pairs:
        assert (src[0], tgt[0]) == at and (src[1], tgt[1]) != at
        at = (src[1], tgt[1])
    assert at == (n, m)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 300), max_size=6), st.lists(st.integers(0, 300), max_size=6))
def test_gale_and_church_find_what_trying_everything_finds(src: list[float], tgt: list[float]) -> None:
    def cost(i: int, k: int, j: int, m: int) -> float:
        x, y = sum(src[i:k]), sum(tgt[j:m])
        delta = abs(y - x) / sqrt(6.8 * (x + y) / 2) if x + y else 0.0
        return -log(PRIORS[(k - i, m - j)]) - log(max(1e-11, erfc(delta / sqrt(2))))

    @cache
    def rest(i: int, j: int) -> float:
        if (i, j) == (len(src), len(tgt)):
            return 0.0
        return min(
            (
                cost(i, i + a, j, j + b) + rest(i + a, j + b)
                for a, b in PRIORS
                if i + a <= len(src) and j + b <= len(tgt)
            ),
            default=inf,
        )

    found = gale_church(src, tgt)
    assert_partition(found, len(src), len(tgt))
    assert sum(cost(*ours, *theirs) for ours, theirs in found) == pytest.approx(rest(0, 0))


def test_vecalign_joins_what_was_split_and_skips_what_is_missing() -> None:
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(30, 48))
    joined = np.array([*rows[:10], rows[10] + rows[11], *rows[12:20], *rows[22:]])
    joined += 0.2 * rng.normal(size=joined.shape)
    found = vecalign_style(summed_spans(rows, 4), summed_spans(joined, 4), 8)
    assert_partition(found, 30, 27)
    pairs = [(src, tgt) for src, tgt in found if src[0] < src[1] and tgt[0] < tgt[1]]
    assert ((10, 12), (10, 11)) in pairs
    assert pairs[:10] == [((i, i + 1), (i, i + 1)) for i in range(10)]
    assert pairs[-8:] == [((i, i + 1), (i - 3, i - 2)) for i in range(22, 30)]


@pytest.mark.parametrize(("n", "m"), [(0, 0), (3, 0), (0, 2), (1, 1), (900, 700), (1, 90_001)])
def test_vecalign_covers_every_unit_at_any_level(n: int, m: int) -> None:
    rng = np.random.default_rng(1)
    src, tgt = (summed_spans(rng.normal(size=(size, 4)), 2) for size in (n, m))
    assert_partition(vecalign_style(src, tgt, 4), n, m)


def test_vecalign_finds_a_long_path_from_its_halves() -> None:
    src, tgt = walk(1000)
    found = vecalign_style(src.vectors, tgt.vectors, 8)
    assert sum(ours == theirs for ours, theirs in found) > 900


CASE = {
    "id": "a",
    "src_text": "Alpha beta gamma.\nDelta epsilon zeta.\nEta theta iota.",
    "tgt_text": "Alpha beta gamma.\nDelta epsilon zeta.\nKappa lambda mu.",
    "src_spans": [[0, 17], [18, 37], [38, 53]],
    "tgt_spans": [[0, 17], [18, 37], [38, 54]],
    "links": [[[0], [0]], [[1], [1]], [[2], []], [[], [2]]],
}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "holds no case"),
        ("{", "line 1 is not JSON"),
        ("[]", "is no JSON object but a JSON list"),
        (json.dumps({**CASE, "links": [[[0], [7]]]}), "names a sentence that is not there"),
        (json.dumps({**CASE, "links": [[0, 1]]}), "not pairs of numbers"),
        (json.dumps({**CASE, "src_spans": [[0, 99]]}), "not in order inside a text of 53 characters"),
        (json.dumps({**CASE, "tgt_spans": [[18, 37], [0, 17], [38, 54]]}), "not in order"),
        (json.dumps(CASE) + "\n" + json.dumps(CASE), "'a' more than once"),
    ],
)
def test_bad_cases_are_refused_with_the_format(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "cases.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_cases(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_cases(tmp_path / "nowhere.jsonl")


def given_folder(folder: Path) -> Path:
    folder.mkdir()
    (folder / "x.de").write_text("Alpha beta.\n\nGamma delta.\n", encoding="utf-8")
    (folder / "x.fr").write_text("Alpha beta.\nGamma delta.\n", encoding="utf-8")
    (folder / "x.defr").write_text("[0]:[0]\n[1]:[]\n[2]:[1]:0.25\n", encoding="utf-8")
    return folder


def test_a_folder_gives_sentences_a_line_and_beads_by_number(tmp_path: Path) -> None:
    folder = given_folder(tmp_path / "given")
    (case,) = read_cases(folder)
    assert (case.id, case.src_lang, case.tgt_lang, case.given) == ("x", "de", "fr", True)
    assert [case.gold.src_text[slice(*span)] for span in case.gold.src_spans] == ["Alpha beta.", "", "Gamma delta."]
    assert case.gold.links == (((0,), (0,)), ((1,), ()), ((2,), (1,)))
    (folder / "x.defr").write_text("[0]:(0)\n", encoding="utf-8")
    with pytest.raises(InputError, match="line 1 is no bead"):
        read_cases(folder)


def test_a_sample_is_spread_evenly() -> None:
    wrong = [Wrong(str(number), "", "") for number in range(100)]
    assert [bead.case for bead in sample(wrong, 4)] == ["0", "25", "50", "75"]
    assert sample(wrong[:2], 5) == wrong[:2]


@pytest.fixture
def encoder(monkeypatch: pytest.MonkeyPatch) -> WordEncoder:
    found = WordEncoder(("en", "de", "fr", "th"))
    monkeypatch.setattr("pipeline.engines.encoders.load.load_encoder", lambda entry, *_, **__: found)
    monkeypatch.setitem(sys.modules, "vecalign.dp_utils", None)
    return found


def test_the_command_compares_aligners_and_says_which_are_missing(
    encoder: WordEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    thai = "ข่าวที่หนึ่ง ข่าวที่สอง"
    case = {"src_text": thai, "src_spans": [[0, len(thai)]], "links": [[[0], [0, 1, 2]]]}
    (tmp_path / "cases.jsonl").write_text(json.dumps({**CASE, **case}) + "\n", encoding="utf-8")
    out = tmp_path / "out.json"
    folder = given_folder(tmp_path / "given")
    arguments = ("bench", "align", tmp_path / "cases.jsonl", folder, "--errors", 3, "--json", out)
    assert mekong(monkeypatch, *arguments) == 0
    rows = {(row["file"], row["aligner"]): row for row in json.loads(out.read_text("utf-8"))["results"]}
    assert rows["cases.jsonl", "gale-church"]["figures"]["gold_beads"] == 1
    assert rows["given", "vecalign"]["note"] == "not installed" and rows["given", "vecalign"]["figures"] is None
    assert rows["cases.jsonl", "mekong"]["figures"]["gold_beads"] == 1
    for name in ("mekong", "gale-church", "vecalign's way"):
        assert rows["given", name]["figures"]["strict"]["r"] == 1, name
    shown = capfd.readouterr().out
    assert "given: 1 documents, 2 gold beads with two sides" in shown and "not installed" in shown


def test_a_clock_leaves_an_encoder_what_it_is() -> None:
    """Else the aligners under test would take the slow way."""
    assert isinstance(timed(UseEncoder(threads=1)), SpanEncoder)
    assert not isinstance(timed(WordEncoder(("en",))), SpanEncoder)


def test_an_installed_vecalign_is_measured(
    encoder: WordEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = ModuleType("vecalign.dp_utils")
    asked: list[dict[str, Any]] = []

    def vecalign(**arguments: Any) -> dict[int, dict[str, Any]]:
        asked.append(arguments)
        return {0: {"final_alignments": [([0], [0]), ([1], [1])]}}

    package.vecalign = vecalign  # type: ignore[attr-defined]
    package.make_alignment_types = lambda most: [(1, 1), (most - 1, 1)]  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vecalign.dp_utils", package)
    out = tmp_path / "out.json"
    assert mekong(monkeypatch, "bench", "align", given_folder(tmp_path / "given"), "--json", out) == 0
    row = json.loads(out.read_text("utf-8"))["results"][-1]
    assert row["aligner"] == "vecalign" and row["figures"]["strict"]["f1"] == 1
    assert asked[0]["final_alignment_types"] == [(1, 1)]


def test_the_programme_alone(
    encoder: WordEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.json"
    assert mekong(monkeypatch, "bench", "align", "--units", 30, "--json", out) == 0
    ours, peer, missing = json.loads(out.read_text("utf-8"))["speed"]
    assert (ours["ratio"], len(peer["seconds"]), missing["ratio"]) == (1, 3, None)
    assert "30 x 30 units" in capfd.readouterr().out


@pytest.mark.parametrize("arguments", [(), ("cases.jsonl", "--units", 5)])
def test_the_command_tells_the_format_of_cases(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], arguments: tuple[object, ...]
) -> None:
    assert mekong(monkeypatch, "bench", "align", *arguments) == 2
    assert "src_spans" in capfd.readouterr().err
