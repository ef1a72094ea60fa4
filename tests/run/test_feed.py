"""Feeding the engine from many shards: which rows go together, what is kept, and that nothing of it shows at last."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.settings import TranslateSettings
from pipeline.engines.base import Translator
from pipeline.errors import EngineError, Interrupted
from pipeline.files.store import Store
from pipeline.run import shards as kinds
from pipeline.run.feed import Feed
from pipeline.run.journal import ANSWERS, Answer
from pipeline.run.shards import Shards
from pipeline.stages.translate.draft import Draft
from pipeline.stages.translate.glossary import Glossary
from pipeline.types import Document, Segment, Source
from tests.support.translators import EchoEngine, WordCodec

SIZES = (3, 0, 5, 1, 4)
"""Thai segments of each shard; every shard has an English one too."""
LOOP = "the same the same the same the same the same the same the same the same"
SETTINGS = TranslateSettings(batch_rows=4)


class FailingEngine(EchoEngine):
    """Answers so many batches, then dies."""

    left = 99

    def generate(self, rows, max_new_tokens, *, careful=False):
        if not self.left:
            raise EngineError("the engine is gone", "")
        self.left -= 1
        return super().generate(rows, max_new_tokens, careful=careful)


@pytest.fixture
def shards(tmp_path: Path) -> Shards:
    """Shards with texts that all differ, one in three of which comes out as a loop at first."""
    made = Shards(Store(tmp_path), len(SIZES))
    for n, size in enumerate(SIZES):
        texts = [f"ประชุม{'ก' * (n + 1)}{'ข' * i}" for i in range(size)]
        documents = [
            Document(f"th{n}", "th", "\n".join(texts), Source("a")),
            Document(f"en{n}", "en", "A.", Source("b")),
        ]
        segments = [Segment(f"th{n}:{i}", f"th{n}", i, i, 0, len(t), t, "body") for i, t in enumerate(texts)]
        made.commit(kinds.DOCUMENTS, n, "d", documents)
        made.commit(kinds.SEGMENTS, n, "s", [*segments, Segment(f"en{n}:0", f"en{n}", 0, 0, 0, 2, "A.", "body")])
    return made


def model(engine: EchoEngine, *, apart: bool, hints: bool = False) -> Translator:
    """Texts whose length is a multiple of three loop until it is told to take care (or, with hints, for ever)."""
    codec = WordCodec(lambda r: LOOP if len(r.text) % 3 == 0 else "The meeting took place in the morning.")
    codec.takes_hints = hints
    return Translator("tiny", "f", codec, engine, 400, rows_apart=apart)


def fed(shards: Shards, translator: Translator, key="k", check=lambda: None, told=None, settings=SETTINGS) -> None:
    advance = told.append if told is not None else lambda _: None
    feed = Feed(shards, translator, {"th": Glossary("th", [])}, settings, advance, check)
    feed.translate([(number, f"{key}{number}") for number in shards.numbers])


def all_translations(shards: Shards):
    return [shards.translations(number) for number in shards.numbers]


@pytest.mark.parametrize("wrong", [lambda made: made[:-1], lambda made: made + made[:1], lambda made: made[::-1]])
def test_a_segment_that_has_come_to_no_end_or_to_two_is_never_committed(
    shards: Shards, monkeypatch: pytest.MonkeyPatch, wrong
) -> None:
    whole = Draft.translations
    monkeypatch.setattr(Draft, "translations", lambda self: wrong(list(whole(self))))
    with pytest.raises(EngineError, match=r"shard \d has \d segments to translate, and other \d came back"):
        fed(shards, model(EchoEngine(), apart=True))
    for number in filter(shards.numbers.__contains__, shards.store.committed(kinds.TRANSLATIONS.stage)):
        ids = [segment.id for segment in shards.segments(number) if segment.doc_id.startswith("th")]
        assert [made.segment_id for made in shards.translations(number)] == ids


def test_rows_of_many_shards_fill_the_batches_and_come_out_as_shard_by_shard(shards: Shards) -> None:
    one_by_one, together = EchoEngine(), EchoEngine()
    fed(shards, model(one_by_one, apart=False), "a")
    before = all_translations(shards)
    told: list[float] = []
    fed(shards, model(together, apart=True), "b", told=told)
    assert all_translations(shards) == before
    assert [len(made) for made in before] == list(SIZES)
    assert {made.attempts for shard in before for made in shard} == {1, 2}
    firsts = [rows for rows, careful in zip(together.batches, together.careful, strict=True) if not careful]
    assert firsts == [4, 4, 4, 1], "batches are full but for the last"
    assert len(together.batches) < len(one_by_one.batches)
    assert sum(told) == pytest.approx(sum(SIZES) + len(SIZES))
    assert shards.store.committed(ANSWERS) == []


def test_second_attempts_with_hints_join_the_queue(shards: Shards) -> None:
    engine = EchoEngine()
    fed(shards, model(engine, apart=True, hints=True))
    assert not any(engine.careful) and sum(engine.batches) > sum(SIZES)
    assert sum(rows < 4 for rows in engine.batches) <= 2, "only what came last was not full"


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("batches", [1, 2, 3])
def test_what_was_answered_before_the_engine_died_is_not_asked_again(shards: Shards, apart: bool, batches: int) -> None:
    whole = EchoEngine()
    fed(shards, model(whole, apart=apart), "whole")
    expected = all_translations(shards)
    first = FailingEngine()
    first.left = batches
    with pytest.raises(EngineError, match="gone"):
        fed(shards, model(first, apart=apart))
    assert not all(shards.done(kinds.TRANSLATIONS, number, f"k{number}") for number in shards.numbers)
    second = EchoEngine()
    todo = [number for number in shards.numbers if not shards.done(kinds.TRANSLATIONS, number, f"k{number}")]
    feed = Feed(shards, model(second, apart=apart), {"th": Glossary("th", [])}, SETTINGS, lambda _: None, lambda: None)
    feed.translate([(number, f"k{number}") for number in todo])
    assert all_translations(shards) == expected
    assert sum(first.batches) + sum(second.batches) == sum(whole.batches), "no row was lost or asked twice"
    assert shards.store.committed(ANSWERS) == []


def test_a_request_to_stop_keeps_what_the_engine_has_in_hand(shards: Shards) -> None:
    engine, calls = EchoEngine(), []

    def check() -> None:
        calls.append(1)
        if len(engine.batches) >= 2:
            raise Interrupted("stopped", "")

    with pytest.raises(Interrupted):
        fed(shards, model(engine, apart=True), check=check)
    kept = sum(len(shards.store.rows(ANSWERS, n, Answer)) for n in shards.store.committed(ANSWERS))
    whole = sum(len(shards.translations(n)) for n in shards.numbers if shards.done(kinds.TRANSLATIONS, n, f"k{n}"))
    assert kept + whole >= sum(engine.batches[:2])


def test_the_batches_are_the_same_each_time(shards: Shards) -> None:
    found = []
    for key in "abc":
        engine = EchoEngine()
        fed(shards, model(engine, apart=True), key)
        found.append((engine.batches, engine.careful))
    assert found[0] == found[1] == found[2]


def test_shards_do_not_wait_for_ever_for_a_wider_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.run.feed.MOST_OPEN", 2)
    shards = Shards(Store(tmp_path), 12)
    for n in shards.numbers:
        texts = ["ประชุม" + "ก" * (3 * n), *(f"ประชุมที่{'ข' * (3 * i)}" for i in range(3))]
        segments = [Segment(f"th{n}:{i}", f"th{n}", i, i, 0, len(t), t, "body") for i, t in enumerate(texts)]
        shards.commit(kinds.DOCUMENTS, n, "d", [Document(f"th{n}", "th", "\n".join(texts), Source("a"))])
        shards.commit(kinds.SEGMENTS, n, "s", segments)
    engine = EchoEngine()
    fed(shards, model(engine, apart=True))
    first_careful = engine.careful.index(True)
    assert any(not careful for careful in engine.careful[first_careful:]), "it was asked for before all was translated"
    assert len(engine.careful) > 12 and all(len(made) == 4 for made in all_translations(shards))
