"""Matching in a folder that was matched before: what comes out is what a new folder holds, and little of it is made."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.config.settings import AlignSettings, Config
from pipeline.errors import Interrupted, StoreError
from pipeline.files.progress import Progress
from pipeline.run import keys
from pipeline.run import shards as kinds
from pipeline.run.executors import HereExecutor
from pipeline.run.matching import ShardMatching
from pipeline.run.order import Placement, cut, read_order, write_order
from pipeline.run.resources import Resources
from pipeline.run.shards import Shards
from pipeline.run.work import ShardWork
from pipeline.stages.align.judging import Evidence
from pipeline.stages.align.lexicons import no_lexicons
from pipeline.stages.align.matching import match
from pipeline.types import Document, DocumentPair, Segment, Source
from tests.support.encoders import WordEncoder
from tests.support.judges import compared, note_comparisons

SETTINGS = AlignSettings(candidates=3, min_similarity=0)
WORDS = "alpha bravo charlie delta echo foxtrot golf hotel india juliet kilo lima mike oscar papa".split()  # noqa: SIM905
USUAL = 400
"""Characters of a shard: of some four documents."""


@pytest.fixture(autouse=True)
def noted(monkeypatch: pytest.MonkeyPatch) -> None:
    note_comparisons(monkeypatch)


class WordResources(Resources):
    """An encoder that knows both languages, and no lexicon."""

    encoder = WordEncoder(["vi", "en"])
    lexicons = staticmethod(no_lexicons)


def article(name: str, lang: str, chance: np.random.Generator) -> Document:
    lines = [" ".join(chance.choice(WORDS, 5)).capitalize() + "." for _ in range(3)]
    return Document(name, lang, "\n".join(lines), Source(name))


def news(number: int, chance: np.random.Generator) -> list[Document]:
    """So many articles with their English, some with the same text as another."""
    found = []
    for n in range(number):
        one = article(f"vi{n}", "vi", chance)
        found += [one, Document(f"en{n}", "en", one.text, Source("e"))]
    return found + [Document(f"{one.id}-again", one.lang, one.text, one.source) for one in found[:2]]


def segments(document: Document) -> list[Segment]:
    found, start = [], 0
    for n, line in enumerate(document.text.split("\n")):
        found.append(Segment(f"{document.id}:{n}", document.id, n, n, start, start + len(line), line, "body"))
        start += len(line) + 1
    return found


def read(documents: list[Document], folder: Path) -> tuple[Shards, list[str]]:
    """What the stages before leave of the documents, and the keys of the translations."""
    placement = Placement(read_order(folder))
    cuts = list(cut(documents, USUAL))
    placed = [placement.place(keys.texts_key(one)) for one in cuts]
    write_order(placed, folder)
    shards = Shards.stated(folder, len(placed))
    for number, own in enumerate(cuts):
        shards.commit(kinds.DOCUMENTS, number, placed[number].texts, own)
        shards.commit(kinds.SEGMENTS, number, placed[number].texts, [row for one in own for row in segments(one)])
        shards.commit(kinds.TRANSLATIONS, number, placed[number].texts, [])
    return shards, [one.texts for one in placed]


def matched(documents: list[Document], folder: Path, aligner: str = "a") -> tuple[list[DocumentPair], list[Evidence]]:
    """The document pairs of a folder and all evidence, when it holds these documents."""
    shards, texts = read(documents, folder)
    work = HereExecutor(ShardWork(Config(align=SETTINGS), shards, WordResources(Config())))
    matching = ShardMatching(shards, SETTINGS, [aligner])
    compared.clear()

    def make(kind, tasks) -> None:
        work.perform([one for one in tasks if not shards.done(kind, one.number, one.key)], lambda _: None, list)

    make(kinds.PROFILES, matching.profile_tasks(texts))
    matching.compare(Progress(quiet=True), lambda: None)
    make(kinds.JUDGED, matching.judge_tasks())
    pairs = [pair for _, found in matching.document_pairs() for pair in found]
    evidence = [one for number in shards.numbers for one in shards.rows(kinds.JUDGED, number)]
    return pairs, evidence


def edited(documents: list[Document], chance: np.random.Generator, night: int) -> list[Document]:
    """One article comes, goes, changes or moves, perhaps with its English."""
    at = int(chance.integers(len(documents)))
    new = article(f"new{night}", documents[at].lang, chance)
    changed = Document(documents[at].id, new.lang, new.text, new.source)
    choice = int(chance.integers(4))
    if choice == 0:
        return [*documents[:at], new, *documents[at:]]
    without = documents[:at] + documents[at + 1 :]
    return [without, [*documents[:at], changed, *documents[at + 1 :]], [*without, documents[at]]][choice - 1]


@pytest.mark.parametrize("seed", range(3))
def test_whatever_was_there_before_the_pairs_are_those_of_a_new_folder(tmp_path: Path, seed: int) -> None:
    chance = np.random.default_rng(seed)
    documents = news(7, chance)
    known = {one.key for one in matched(documents, tmp_path / "old")[1]}
    assert set(compared) == known and len(known) > 15
    for night in range(4):
        documents = edited(documents, chance, night)
        found = matched(documents, tmp_path / "old")
        assert len(compared) <= 12 and known.isdisjoint(compared)
        known = {one.key for one in found[1]}
        assert found == matched(documents, tmp_path / f"new{night}")
        if night == 2:
            Shards.stated(tmp_path / "old", len(read_order(tmp_path / "old"))).sweep()


def test_shards_say_what_one_process_says_that_knows_nothing(tmp_path: Path) -> None:
    documents = news(5, np.random.default_rng(9))
    pairs, _ = matched(documents, tmp_path)
    shards = Shards.stated(tmp_path, len(read_order(tmp_path)))
    sides = [side for number in shards.numbers for side in shards.sides(number)]
    ours, theirs = ([side for side in sides if (side.document.lang == "en") == english] for english in (False, True))
    assert pairs == match(ours, theirs, SETTINGS, WordResources.encoder)
    assert {pair.relation for pair in pairs} >= {"parallel", "comparable"}


def test_damaged_evidence_is_said_where_it_is_needed_and_found_out_again_where_it_is_not(tmp_path: Path) -> None:
    documents = news(5, np.random.default_rng(5))
    before = matched(documents, tmp_path / "old")
    for path in (tmp_path / "old/shards/judge").glob("*.zst"):
        path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(StoreError, match="is damaged"):
        matched(documents, tmp_path / "old")
    found = matched(documents, tmp_path / "old", aligner="another")
    assert found == matched(documents, tmp_path / "new", aligner="another")
    assert found[0] == before[0] and compared, "only the keys rest on the aligner here"


def test_a_stop_is_heard_wherever_it_comes_and_leaves_no_thread(tmp_path: Path) -> None:
    documents = news(5, np.random.default_rng(6))
    matched(documents, tmp_path)
    shards, _ = read(documents, tmp_path)
    calls = 0

    def stop_at(limit: int) -> Callable[[], None]:
        def check() -> None:
            nonlocal calls
            calls += 1
            if calls >= limit:
                raise Interrupted("stopped")

        return check

    ShardMatching(shards, SETTINGS, ["a"]).compare(Progress(quiet=True), stop_at(10_000))
    assert calls >= 2 * len(documents) - 6
    before = threading.active_count()
    for limit in range(1, calls, 4):
        calls = 0
        with pytest.raises(Interrupted):
            ShardMatching(shards, SETTINGS, ["a"]).compare(Progress(quiet=True), stop_at(limit))
    assert threading.active_count() == before
