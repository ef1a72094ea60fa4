"""`mekong memory`, and what `mekong run` says of its memory."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import orjson
import pytest

from pipeline.engines.base import Request, Translator
from pipeline.registry.models import Entry
from pipeline.run.resources import Resources
from tests.support.runs import ENGLISH, THAI, VIETNAMESE, articles, config, lines, mekong, outputs
from tests.support.translators import EchoEngine, WordCodec

SAID = dict(zip((*THAI, *VIETNAMESE), (*ENGLISH, *ENGLISH), strict=False))


def english(request: Request) -> str:
    """What the model says; of the last lines of the articles, their numbers."""
    return SAID.get(request.text, f"News item {request.text[-1]}")


@pytest.fixture
def engines(run_entry: Entry, monkeypatch: pytest.MonkeyPatch) -> list[EchoEngine]:
    """The engines of the runs so far; they stand in for that of the tiny model."""
    made: list[EchoEngine] = []

    def translator(self: Resources, say: object) -> Translator:
        codec = WordCodec(english)
        codec.takes_hints = False
        made.append(EchoEngine(about={"engine": "echo", "dtype": "int8"}))
        return Translator(run_entry.name, "f", codec, made[-1], 400, rows_apart=True)

    monkeypatch.setattr(Resources, "translator", translator)
    return made


def test_a_second_run_elsewhere_translates_nothing_and_the_memory_can_be_looked_at(
    run_entry: Entry,
    engines: list[EchoEngine],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    memory = tmp_path / "kept" / "memory.sqlite"
    path = config(tmp_path, run_entry.name, paths=[str(articles(tmp_path / "articles"))])
    for name in ("run-one", "run-two"):
        assert mekong(monkeypatch, "run", path, "--out", tmp_path / name, "--set", f"translate.memory={memory}") == 0
    segments = len(SAID) + 2
    assert [sum(engine.batches) for engine in engines] == [segments, 0]
    first, second = (outputs(tmp_path / name) for name in ("run-one", "run-two"))
    renamed = {name: data.replace(b"run-two", b"run-one") for name, data in second.items()}  # reports name the run
    assert first == renamed
    said = " ".join(capfd.readouterr().out.split())
    assert f"memory 0 of {segments} segments known, 0.0 MB" in said
    assert f"memory {segments} of {segments} segments known, 0.0 MB" in said

    file = ("--file", memory)
    assert mekong(monkeypatch, "memory", "list", *file) == 0
    assert run_entry.name in capfd.readouterr().out
    assert mekong(monkeypatch, "memory", "list", *file, "--json") == 0
    listed = orjson.loads(capfd.readouterr().out)
    assert [(one["model"], one["lang"], one["segments"]) for one in listed["models"]] == [
        (run_entry.name, "th", len(THAI) + 1),
        (run_entry.name, "vi", len(VIETNAMESE) + 1),
    ]
    assert listed["bytes"] == memory.stat().st_size and listed["models"][0]["made_with"].startswith(
        "echo, int8, greedy"
    )

    tmx, jsonl = tmp_path / "m.tmx", tmp_path / "m.jsonl"
    for target in (tmx, jsonl):
        assert mekong(monkeypatch, "memory", "export", target, *file) == 0
    rows = lines(jsonl)
    assert {row["src_text"]: row["tgt_text"] for row in rows}.items() >= SAID.items()
    assert {(row["model"], row["licence"], row["generated_by_machine"]) for row in rows} == {(run_entry.name, "", True)}
    assert tmx.read_text("utf-8").count("<tu ") == len(rows) == segments and THAI[0] in tmx.read_text("utf-8")

    capfd.readouterr()
    assert mekong(monkeypatch, "memory", "prune", *file, "--model", run_entry.name, "--json") == 0
    pruned = orjson.loads(capfd.readouterr().out)
    assert (pruned["removed"], pruned["segments"]) == (segments, 0)
    assert mekong(monkeypatch, "memory", "list", *file) == 0
    assert "There is nothing in" in capfd.readouterr().out


def test_what_is_no_memory_ends_a_run_before_anything_is_loaded(
    run_entry: Entry,
    engines: list[EchoEngine],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    foreign = tmp_path / "places.sqlite"
    with closing(sqlite3.connect(foreign)) as connection, connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    path = config(tmp_path, run_entry.name, paths=[str(articles(tmp_path / "articles"))])
    out = tmp_path / "out"
    assert mekong(monkeypatch, "run", path, "--out", out, "--set", f"translate.memory={foreign}") == 1
    assert "is no translation memory of mekong" in capfd.readouterr().err
    assert not out.exists() and engines == []
    for command in (["list"], ["prune", "--size", "5"], ["export", tmp_path / "m.tmx"]):
        assert mekong(monkeypatch, "memory", *command, "--file", foreign) == 1
        assert "is no translation memory of mekong" in capfd.readouterr().err


@pytest.mark.usefixtures("store")
def test_without_a_memory_there_is_nothing_to_list_or_prune(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert mekong(monkeypatch, "memory", "list", "--json") == 0
    assert orjson.loads(capfd.readouterr().out)["models"] == []
    assert mekong(monkeypatch, "memory", "prune", "--older-than", "30") == 0
    assert "0 segments removed" in capfd.readouterr().out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["prune"], "what to forget"),
        (["export", "memory.csv"], "neither .tmx nor .jsonl"),
        (["export", "memory.tmx"], "there is no translation memory"),
        (["list", "--file", "off"], "is no file"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: list[str], words: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert mekong(monkeypatch, "memory", *arguments) == 2
    assert words in capfd.readouterr().err
