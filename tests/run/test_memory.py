"""The translation memory: what it spares, that nothing of it shows in what is made, and what a bad file does."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.settings import TranslateSettings
from pipeline.engines.base import Hypothesis, ModelInput, Request, Translator
from pipeline.engines.load import identity, load
from pipeline.errors import StoreError
from pipeline.files.store import Store
from pipeline.run import memory_file
from pipeline.run import shards as kinds
from pipeline.run.feed import Feed
from pipeline.run.memory import TranslationMemory, maker, memory_path, open_memory
from pipeline.run.memory_file import MemoryFile
from pipeline.run.shards import Shards
from pipeline.stages.translate.glossary import Glossary
from pipeline.types import Document, Segment, Source
from tests.support.memories import MADE_BY, changed, known
from tests.support.translators import EchoEngine, WordCodec

GOOD = "The meeting took place in the morning."
LOOP = "the same the same the same the same the same the same the same the same"
TEXTS = tuple(f"ประชุม{'ก' * n}" for n in range(1, 8))


def made(tmp_path: Path, name: str, texts: Sequence[str] = TEXTS) -> Shards:
    """A run folder with two shards of segments."""
    shards = Shards(Store(tmp_path / name), 2)
    for n, part in enumerate((texts[:4], texts[4:])):
        document = Document(f"d{n}", "th", "\n".join(part), Source("a"))
        segments = [Segment(f"d{n}:{i}", f"d{n}", i, i, 0, len(t), t, "body") for i, t in enumerate(part)]
        shards.commit(kinds.DOCUMENTS, n, "d", [document])
        shards.commit(kinds.SEGMENTS, n, "s", segments)
    return shards


def model(engine: EchoEngine, say: Any = lambda _: GOOD, **changes: Any) -> Translator:
    codec = WordCodec(say)
    codec.takes_hints = False
    return replace(Translator("tiny", "f", codec, engine, 400, rows_apart=True), **changes)


def run(shards: Shards, translator: Translator, memory: str, warn: Any = pytest.fail) -> TranslationMemory:
    """Translate the shards with the memory that the settings name."""
    chosen = TranslateSettings(batch_rows=4, memory=memory)
    with open_memory(chosen, translator, warn) as opened:
        feed = Feed(shards, translator, {"th": Glossary("th", [])}, chosen, lambda _: None, lambda: None, opened)
        feed.translate([(number, f"k{number}") for number in shards.numbers])
    return opened


def files(shards: Shards) -> dict[str, bytes]:
    """What a run folder holds, by name."""
    paths = [path for path in sorted(shards.folder.rglob("*")) if path.is_file()]
    return {str(path.relative_to(shards.folder)): path.read_bytes() for path in paths}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "memory.sqlite"


def test_the_same_articles_in_a_new_folder_cost_nothing_and_come_out_the_same(tmp_path: Path, path: Path) -> None:
    engines = [EchoEngine() for _ in range(3)]
    folders = [made(tmp_path, name) for name in ("none", "first", "second")]
    used = [
        run(folder, model(engine), memory).use
        for folder, engine, memory in zip(folders, engines, ("off", str(path), str(path)), strict=True)
    ]
    assert [sum(engine.batches) for engine in engines] == [7, 7, 0]
    assert files(folders[0]) == files(folders[1]) == files(folders[2])
    assert used[0] is None and str(used[1]).startswith("0 of 7 segments known, ")
    assert used[1] and not used[1].spared
    assert used[2] and used[2].spared and (used[2].known, used[2].asked, used[2].bytes) == (7, 7, path.stat().st_size)


def test_an_edited_sentence_costs_one_row(tmp_path: Path, path: Path) -> None:
    run(made(tmp_path, "a"), model(EchoEngine()), str(path))
    edited = (*TEXTS[:2], "ประชุมใหม่", *TEXTS[3:])
    engine = EchoEngine()
    run(made(tmp_path, "b", edited), model(engine), str(path))
    assert engine.batches == [1]


def test_what_failed_a_guard_is_made_anew_and_so_is_its_second_attempt(tmp_path: Path, path: Path) -> None:
    say = lambda request: LOOP if len(request.text) % 3 == 0 else GOOD  # noqa: E731
    bad = sum(len(text) % 3 == 0 for text in TEXTS)
    engines = [EchoEngine(), EchoEngine()]
    folders = [made(tmp_path, "a"), made(tmp_path, "b")]
    for folder, engine in zip(folders, engines, strict=True):
        run(folder, model(engine, say), str(path))
    assert 0 < bad < 7 and [sum(engine.batches) for engine in engines] == [7 + bad, 2 * bad]
    assert files(folders[0]) == files(folders[1])
    with MemoryFile(path) as file:
        assert {one.source for _, one in file.each()} == {text for text in TEXTS if len(text) % 3}


class RescuedEngine(EchoEngine):
    """Gets the first row of each batch in an unusual way."""

    def generate(self, rows, max_new_tokens, *, careful=False):
        first, *others = super().generate(rows, max_new_tokens, careful=careful)
        return [replace(first, note="decoded again in float32 on the CPU"), *others]


def test_what_was_got_in_an_unusual_way_is_not_kept(tmp_path: Path, path: Path) -> None:
    run(made(tmp_path, "a"), model(RescuedEngine()), str(path))
    engine = EchoEngine()
    run(made(tmp_path, "b"), model(engine), str(path))
    assert engine.batches == [2]


def test_answers_are_those_of_one_model_made_in_one_way(tmp_path: Path, path: Path) -> None:
    """Model, beams and the rest of the settings are in the fingerprint."""
    run(made(tmp_path, "a"), model(EchoEngine()), str(path))
    others = [
        model(EchoEngine(), fingerprint="g"),
        model(EchoEngine(about={"dtype": "int8"})),
        model(EchoEngine(about={"device": "H200"})),
    ]
    for number, other in enumerate(others):
        run(made(tmp_path, f"b{number}"), other, str(path))
        assert sum(other.engine.batches) == 7
    again = model(EchoEngine(about={"device": "H200, H200", "workers": "2", "threads": "3"}))
    run(made(tmp_path, "c"), again, str(path))
    assert again.engine.batches == [], "two of the same GPU make what one makes"


def test_the_mekong_engine_says_again_what_is_remembered_and_other_settings_ask_anew(tiny_store, path: Path) -> None:
    entry = tiny_store("marian")
    plain = TranslateSettings(model=entry.name, device="cpu", dtype="float32", workers=1, memory=str(path))
    with load(entry, plain) as translator:
        inputs = [translator.input(Request(text, "th")) for text in TEXTS]
        # Random weights do not stop: that they ran into their bound is of no account here.
        answers = [replace(one, ended="stop") for one in translator.translate_inputs(inputs)]
        with open_memory(plain, translator, pytest.fail) as memory:
            memory.remember(zip(inputs, answers, strict=True))
        for changes in ({"num_beams": 2}, {"dtype": "bfloat16"}, {"shortlist": True}, {"workers": 2, "batch_rows": 3}):
            settings = plain.model_copy(update=changes)
            other = replace(translator, fingerprint=identity(entry, settings))
            with open_memory(settings, other, pytest.fail) as memory:
                assert bool(memory.recall(inputs)) == ("workers" in changes), changes
        with open_memory(plain, translator, pytest.fail) as memory:
            known = memory.recall(inputs)
        alone = [replace(translator.translate_inputs([row])[0], ended="stop") for row in inputs]
    assert [known[row] for row in range(len(inputs))] == alone


def test_a_run_that_goes_on_keeps_what_its_journal_knows(tmp_path: Path, path: Path) -> None:
    engine = EchoEngine()
    translator = model(engine)
    with MemoryFile.opened(path) as file:
        memory = TranslationMemory(file, maker(translator, "greedy"))
        inputs = [translator.input(Request(text, "th")) for text in TEXTS]
        answers = translator.translate_inputs(inputs)
        memory.remember(zip(inputs, answers, strict=True))
        memory.remember(zip(inputs, answers, strict=True))
        assert memory.recall(inputs) == dict(enumerate(answers))
    run(made(tmp_path, "a"), translator, str(path))
    assert engine.batches == [7]


@pytest.mark.parametrize(
    "changes",
    [{"text": "ประชุมข"}, {"lang": "vi"}, {"hints": (("ประชุม", "meeting"),)}, {"missing": ("25",)}],
    ids=lambda changes: next(iter(changes)),
)
def test_another_request_is_another_segment(path: Path, changes: dict[str, Any]) -> None:
    row = ModelInput(Request("ประชุมก", "th"), (1, 2), 1)
    with MemoryFile.opened(path) as file:
        memory = TranslationMemory(file, MADE_BY)
        memory.remember([(row, Hypothesis(GOOD, None, 1, 9, "stop"))])
        assert memory.recall([row, replace(row, request=replace(row.request, **changes))]).keys() == {0}
        assert not memory.recall([replace(row, tokens=(1, 3))]), "another version of the tokenizer"


def test_more_inputs_than_a_query_can_name(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_file, "KEYS_A_QUERY", 2)
    with MemoryFile.opened(path) as file:
        file.keep(MADE_BY, [known(n) for n in range(5)])
        found, stale = file.find([n.to_bytes(16) for n in range(6)])
    assert len(found) == 5 and stale == []
    assert str(found[bytes(16)].logprob) == "-0.0"


def test_engines_whose_rows_depend_on_each_other_have_none(tmp_path: Path, path: Path) -> None:
    said: list[str] = []
    translator = model(EchoEngine(about={"engine": "transformers 5"}), rows_apart=False)
    for setting in ("auto", "off", str(path)):
        with open_memory(TranslateSettings(memory=setting), translator, said.append) as memory:
            assert memory.recall([translator.input(Request("ก", "th"))]) == {}
    assert not path.exists() and len(said) == 1 and "no translation memory with transformers 5" in said[0]


def test_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEKONG_MODELS", str(tmp_path / "models"))
    assert memory_path("off") is None
    assert memory_path("auto") == tmp_path / "models" / ".memory" / "memory.sqlite"
    assert memory_path(str(tmp_path)) == tmp_path / "memory.sqlite"
    assert memory_path("new/") == Path("new/memory.sqlite") and memory_path("a.db") == Path("a.db")


# -- files that are not as they should be ----------------------------------------------------------------------------


def spoilt(path: Path, how: str) -> None:
    """Make a file that is no memory of this version in one way."""
    path.parent.mkdir()
    if how == "text":
        path.write_text("Xin chào.")
    elif how == "empty":
        path.touch()
    elif how == "foreign":
        changed(path, "CREATE TABLE bookmarks (url TEXT)")
    else:
        MemoryFile.opened(path).close()
        changed(path, {"newer": "PRAGMA user_version=99", "trigger": TRIGGER}[how])


TRIGGER = "CREATE TRIGGER t AFTER INSERT ON segments BEGIN DELETE FROM makers; END"


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("text", "is no translation memory"),
        ("empty", "is no translation memory"),
        ("foreign", "is no translation memory"),
        ("newer", "of another version of mekong (layout 99"),
        ("trigger", "is not laid out"),
    ],
)
def test_what_is_no_memory_of_ours_is_refused_and_not_touched(path: Path, how: str, words: str) -> None:
    spoilt(path, how)
    before = path.read_bytes()
    with pytest.raises(StoreError) as refused:
        open_memory(TranslateSettings(memory=str(path)), model(EchoEngine()), pytest.fail)
    assert words in refused.value.problem and str(path) in refused.value.problem and "emove" in refused.value.remedy
    assert path.read_bytes() == before


def test_a_damaged_row_is_told_once_and_the_run_goes_on_without(tmp_path: Path, path: Path) -> None:
    plain = made(tmp_path, "a")
    run(plain, model(EchoEngine()), str(path))
    changed(path, "UPDATE segments SET answer = CAST('[\"Bad.\",-0.5,3,2]' AS BLOB)")
    said: list[str] = []
    engine = EchoEngine()
    folder = made(tmp_path, "b")
    run(folder, model(engine), str(path), said.append)
    assert files(folder) == files(plain) and sum(engine.batches) == 7
    assert len(said) == 1 and "damaged" in said[0] and "not used any more" in said[0]


@pytest.mark.parametrize(
    "change", ["source = 'x'", "answer = 5", "key = 'k'", "source = CAST(x'ff' AS TEXT)", "seal = x'00'"]
)
def test_a_row_that_is_not_as_it_was_is_never_read(path: Path, change: str) -> None:
    with MemoryFile.opened(path) as file:
        file.keep(MADE_BY, [known()])
    changed(path, f"UPDATE segments SET {change}")
    with MemoryFile(path) as file, pytest.raises(StoreError, match="damaged"):
        list(file.each())


def test_damaged_pages_are_told_as_ours(path: Path) -> None:
    with MemoryFile.opened(path) as file:
        file.keep(MADE_BY, [known(n) for n in range(500)])
    data = bytearray(path.read_bytes())
    data[4096 * 3 :] = b"\xa5" * (len(data) - 4096 * 3)
    path.write_bytes(data)
    with MemoryFile(path) as file, pytest.raises(StoreError, match="damaged"):
        file.find([n.to_bytes(16) for n in range(500)])


def test_a_full_disk_ends_neither_the_run_nor_the_memory(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with MemoryFile.opened(path) as file:
        file.keep(MADE_BY, [known()])
        pages = file.size // 4096
    connect = memory_file.connect

    def on_a_full_disk(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.execute(f"PRAGMA max_page_count={pages}")
        return connection

    monkeypatch.setattr(memory_file, "connect", on_a_full_disk)
    said: list[str] = []
    translator = model(EchoEngine(), lambda _: GOOD)
    rows = [translator.input(Request(text * 300, "th")) for text in TEXTS]
    with open_memory(TranslateSettings(memory=str(path)), translator, said.append) as memory:
        for row in rows:
            memory.remember([(row, Hypothesis(GOOD * 90, -0.5, 1, 9, "stop"))])
        assert memory.recall(rows) == {}
    assert len(said) == 1 and "cannot grow" in said[0]
    monkeypatch.undo()
    with MemoryFile(path) as file:
        assert [one for _, one in file.each()] == [known()]
        file.keep(MADE_BY, [known(1)])
        assert len(list(file.each())) == 2


def test_a_usual_place_that_cannot_be_written_is_told_and_a_named_one_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MEKONG_MODELS", str(tmp_path / "file"))
    said: list[str] = []
    with open_memory(TranslateSettings(), model(EchoEngine()), said.append) as memory:
        assert memory.use is None
    assert len(said) == 1 and "no translation memory: " in said[0]
    with pytest.raises(StoreError, match=r"translate\.memory"):
        open_memory(TranslateSettings(memory=str(tmp_path / "file" / "m")), model(EchoEngine()), pytest.fail)
