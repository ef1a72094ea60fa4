"""Engines side by side on a model of the store: what is measured, in which order, and the command as a whole."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from pipeline.bench.child import BenchChild
from pipeline.bench.systems import RealPlan, RealRequest, SystemRun, real_plan, rounds, systems_of, table_rows
from pipeline.cli.bench import app
from pipeline.errors import InputError, ModelMissing, UsageError
from pipeline.files.progress import Progress
from pipeline.metrics.base import make_metrics
from pipeline.registry.models import entry
from tests.support import tiny

LINES = [tiny.sentence("vi", 3 + number, number) for number in range(4)]


class ScriptedProcess:
    """An engine that says prescribed lines in prescribed times."""

    def __init__(self, log: list[str], name: str, seconds: list[float], texts: list[str]) -> None:
        self.log, self.name, self.seconds, self.texts = log, name, seconds, texts

    def ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
        self.log.append(self.name)
        return {"seconds": self.seconds.pop(0), "texts": self.texts, "tokens": 100}


@pytest.fixture
def files(tmp_path: Path) -> RealRequest:
    """Lines and a reference."""
    (tmp_path / "dev.vi").write_text("\n".join(LINES) + "\n", "utf-8")
    (tmp_path / "dev.en").write_text("The first line.\nThe second.\nThe third.\nThe fourth line.\n", "utf-8")
    return RealRequest(tmp_path / "dev.vi", tmp_path / "dev.en", lang="vi")


@pytest.fixture
def one_core() -> Iterator[None]:
    """This process and its children may use one core: two threads would wait for each other wherever one is busy."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    yield
    os.sched_setaffinity(0, before)


def command(*arguments: object) -> Any:
    """Run `bench engine`."""
    parent = typer.Typer()
    parent.add_typer(app, name="bench")
    return CliRunner().invoke(parent, ["bench", "engine", *map(str, arguments)])


def test_engines_take_turns_and_slow_ones_one_round(tiny_store) -> None:
    log: list[str] = []
    references = ("The cat sat on the mat today.", "It rained all day in Hanoi.")
    other = ["The cat sat on the mat today.", "It was dry in Hue."]
    runs = [
        SystemRun("mekong int8", ScriptedProcess(log, "ours", [1.0, 2.0], other), {}),
        SystemRun("ctranslate2 int8", ScriptedProcess(log, "peer", [2.0, 8.0], list(references)), {}),
        SystemRun("transformers float32", ScriptedProcess(log, "slow", [10.0], list(references)), {}),
    ]
    plan = RealPlan(tiny_store("marian"), "vi", "cpu", (1,), (), 2, references, references)
    rounds(runs, plan, Progress(io.StringIO()))
    assert log == ["ours", "peer", "slow", "ours", "peer"]
    ours, peer, slow = table_rows(plan, 1, runs, make_metrics(("bleu", "chrf")))
    assert (ours.tokens_per_second.min, ours.tokens_per_second.max) == (50.0, 100.0)
    assert ours.ratio_to["ctranslate2 int8"].median == 3.0  # 2 and 4, of rounds side by side
    assert ours.ratio_to["transformers float32"].median == 10.0 and slow.rounds == 1
    assert set(slow.ratio_to) == {"ctranslate2 int8"}
    assert (ours.same, peer.same, slow.same) == (0.5, 1.0, 1.0)
    assert peer.scores["BLEU"] == pytest.approx(100) and ours.scores["BLEU"] < 80
    assert ours.signatures["BLEU"].endswith("version:2.6.0")


def test_what_is_asked_for_and_not_there_is_refused(tiny_store, files: RealRequest, tmp_path: Path) -> None:
    marian = tiny_store("marian")
    assert real_plan(marian, files).beams == (1, 4)
    assert real_plan(marian, files).engines == systems_of(marian, "cpu")
    chat = real_plan(tiny_store("qwen2"), files)
    assert chat.beams == (1,) and not any(name.startswith("mekong") for name in chat.engines)
    short = real_plan(marian, RealRequest(files.source, files.reference, "vi", sentences=3, beam=2))
    assert (len(short.sources), len(short.references), short.beams) == (3, 3, (2,))
    (tmp_path / "short.en").write_text("One.\n")
    wrong = (
        ({"lang": None}, UsageError, "no language is named"),
        ({"lang": "fr"}, UsageError, "does not translate from 'fr'"),
        ({"engines": ["mekong int4"]}, UsageError, "no engine 'mekong int4'"),
        ({"reference": tmp_path / "short.en"}, InputError, "has 4 lines, .*short.en has 1"),
    )
    for changes, kind, message in wrong:
        asked = {"source": files.source, "reference": files.reference, "lang": "vi"} | changes
        with pytest.raises(kind, match=message):
            real_plan(marian, RealRequest(**asked))
    with pytest.raises(UsageError, match="is a encoder"):
        real_plan(entry("labse"), files)
    with pytest.raises(ModelMissing):
        real_plan(entry("opus-mt-vi-en"), files)


def test_a_language_need_not_be_named_where_there_is_one(tiny_store, files: RealRequest) -> None:
    one = tiny_store("marian").model_copy(update={"languages": {"fr": ""}})
    assert real_plan(one, RealRequest(files.source, files.reference)).lang == "fr"


@pytest.mark.usefixtures("one_core")
def test_a_child_translates_every_line_in_its_place(tiny_store) -> None:
    child = BenchChild()
    child.open("tiny-marian" if tiny_store("marian") else "", "reference", "cpu", "float32", 1)
    whole = child.translate(LINES, "vi")
    assert [child.translate([line], "vi")["texts"] for line in LINES[:2]] == [[text] for text in whole["texts"][:2]]
    assert whole["tokens"] > 0 and whole["seconds"] > 0
    child.translator.engine.close()


@pytest.mark.usefixtures("one_core")
def test_the_command_compares_engines_on_a_model_of_the_store(tiny_store, files: RealRequest, tmp_path: Path) -> None:
    name = tiny_store("marian").name
    given = ("--model", name, "--source", files.source, "--ref", files.reference, "--lang", "vi")
    done = command(
        *given, "--engines", "mekong float32,transformers float32", "--beam", 1, "--rounds", 2, "--sentences", 2,
        "--json", tmp_path / "out.json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    ours, theirs = json.loads((tmp_path / "out.json").read_text("utf-8"))["rows"]
    assert (ours["engine"], theirs["engine"]) == ("mekong float32", "transformers float32")
    assert (ours["rounds"], theirs["rounds"], ours["lines"]) == (2, 1, 2)
    assert ours["same"] == theirs["same"] == 1.0 and ours["scores"] == theirs["scores"]
    assert "BLEU" in done.stdout and "100%" in done.stdout
    assert isinstance(command("--model", name).exception, UsageError)
    assert isinstance(command("--source", files.source).exception, UsageError)
    assert isinstance(command(*given, "--shape", "tiny").exception, UsageError)
