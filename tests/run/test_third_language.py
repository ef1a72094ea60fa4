"""A third source language is an entry in the table and word lists, no line of code: it goes all the way."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.cli.model_add import add
from pipeline.stages.align.stage import align_cases
from tests.support import tiny
from tests.support.encoders import WordEncoder, load_once
from tests.support.languages import add_language, copied_lists
from tests.support.runs import ENGLISH, config, lines, mekong
from tests.support.small import quiet, write_entry

MODEL = "tiny-cherokee"
CHEROKEE = [
    "ᎤᎬᏫᏳᎯ Hanoi ᏭᎷᏨ ᎠᏂᏍᎬᏘ 5, 2025.",
    "ᎢᏧᎳ ᎤᎾᏙᏢᏒ ᎤᏂᏃᏔᏅ 25.5 ᎢᏳᏆᏗᏅᏛ baht ᎾᎿᎢ.",
    "ᎤᎬᏫᏳᎯ ᏓᎾ. Smith ᏕᎤᎾᏓᏙᎵᎩ ᎠᏂᎷᎬ.",
    "ᎤᏂᎷᏨ ᎤᏂᏯᏅᏛ Vietnam ᎤᎾᏓᏅᏖᎸ.",
]
WORDS = {"titles": "ᏓᎾ", "numbered": "ᏗᏎ", "shorts": "ᎢᏳ", "openers": "ᎤᎬᏫᏳᎯ", "plain_openers": "ᎤᎬᏫᏳᎯ"}


@pytest.fixture
def cherokee(tmp_path: Path) -> Iterator[None]:
    """A table with one more language, and the lists of words that its sentences are cut by."""
    with copied_lists(tmp_path / "lists") as folder:
        for name, word in WORDS.items():
            (folder / f"cherokee_{name}.txt").write_text(f"{word.lower()}\n", encoding="utf-8")
        add_language(folder, "chr", name="Cherokee", script="\u13a0-\u13ff\uab70-\uabbf", sentence_words="cherokee")
        yield


@pytest.mark.usefixtures("cherokee")
def test_it_goes_through_a_whole_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_model: Callable[[str], Path], session_store: Path
) -> None:
    monkeypatch.setenv("MEKONG_MODELS", str(session_store))
    entry = tiny.entry("marian", tiny_model("marian"), name=MODEL, languages={"chr": ""})
    write_entry(session_store, entry)
    add(MODEL, quiet)
    add("use-multilingual-v3", quiet)
    load_once(monkeypatch)
    article = tmp_path / "article.txt"
    article.write_text(" ".join(CHEROKEE) + "\n\n5 + 7 = 12\n", encoding="utf-8")
    out = tmp_path / "out"
    changes = ["translate.engine=reference", "translate.use_glossary=true", "filter.rules={}"]
    options = ["--out", out, *(option for change in changes for option in ("--set", change))]
    assert mekong(monkeypatch, "run", config(tmp_path, MODEL, paths=[str(article)]), *options) == 0

    rows = lines(out / "translations.jsonl")
    assert [row["text"] for row in rows] == [*CHEROKEE, "5 + 7 = 12"]
    assert {row["lang"] for row in rows} == {"chr"}
    assert rows[-1]["ended"] == "skipped" and "skipped" not in {row["ended"] for row in rows[:-1]}
    pairs = lines(out / "corpus" / "pairs.jsonl")
    assert [(pair["src_lang"], pair["src_text"]) for pair in pairs] == [("chr", text) for text in CHEROKEE]
    assert {pair["scores"]["source_script"] > 0.5 for pair in pairs} == {True}
    assert (out / "corpus" / "corpus.chr-en.chr").read_text(encoding="utf-8").splitlines() == CHEROKEE
    assert "Cherokee" in (out / "corpus" / "README.md").read_text(encoding="utf-8")


@pytest.mark.usefixtures("cherokee")
def test_it_is_aligned_by_lengths_and_anchors() -> None:
    english = [ENGLISH[0], "They asked for 25.5 baht there.", "They wrote to Vietnam then."]
    source = [CHEROKEE[0], CHEROKEE[1], CHEROKEE[3]]
    encoder = WordEncoder(["en"])
    case = {"id": "c", "src_text": " ".join(source), "tgt_text": " ".join(english)}
    (found,) = align_cases([case], encoder)
    pairs = []
    for bead in found["beads"]:
        src = " ".join(case["src_text"][start:end] for start, end in bead["src"])
        pairs.append((src, " ".join(case["tgt_text"][start:end] for start, end in bead["tgt"])))
    assert pairs == list(zip(source, english, strict=True))
    assert encoder.seen == []


@pytest.mark.usefixtures("cherokee")
def test_commands_and_settings_name_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    given = tmp_path / "corpus.tsv"
    given.write_text("a\tb\n", encoding="utf-8")
    assert mekong(monkeypatch, "filter", given, "--lang", "fr") == 2
    assert "Use th, vi or chr." in capsys.readouterr().err
    assert mekong(monkeypatch, "translate", "--lang", "fr") == 2
    assert "Use th, vi, chr or auto." in capsys.readouterr().err
    assert mekong(monkeypatch, "run", config(tmp_path, MODEL, lang="fr"), "--out", tmp_path / "out") == 2
    assert "'auto', 'th', 'vi', 'en' or 'chr'" in capsys.readouterr().err
