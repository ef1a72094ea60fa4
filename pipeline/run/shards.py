"""The rows of a run folder, shard by shard: the only place beside the store that knows what stages call their folders.

Rows are read when they are asked for. Of the documents with all that was made of them, those of SHARDS_HELD shards
stay in memory; of the others only where they stand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from itertools import takewhile
from pathlib import Path
from typing import Generic, TypeVar

from pipeline.errors import StoreError
from pipeline.files.store import Store
from pipeline.run.journal import discard_answers
from pipeline.run.order import read_order
from pipeline.stages.align.judging import Evidence
from pipeline.stages.align.pairs import Group, aligned_groups
from pipeline.stages.align.profiles import Profile
from pipeline.stages.align.sides import Side
from pipeline.stages.read.pairs import Given
from pipeline.types import ENGLISH, Document, DocumentPair, Pair, Scored, Segment, Translation

T = TypeVar("T")
Place = tuple[int, int]
"""Shard, and row in the shard."""
SHARDS_HELD = 16
"""Some 25 MB at the usual size of a shard. Matching goes from document to document in no order of shards."""


@dataclass(frozen=True, slots=True)
class ShardKind(Generic[T]):
    """What one stage commits: the name of its folder and the type of its rows."""

    stage: str
    row: type[T]


DOCUMENTS = ShardKind("read", Document)
SEGMENTS = ShardKind("segment", Segment)
TRANSLATIONS = ShardKind("translate", Translation)
PROFILES = ShardKind("profile", Profile)
JUDGED = ShardKind("judge", Evidence)
"""For the candidates of the source documents in the shard, in the order of the keys."""
DOCUMENT_PAIRS = ShardKind("match", DocumentPair)
"""Those whose source document is in the shard."""
PAIRS = ShardKind("align", Pair)
SCORED = ShardKind("score", Scored)
GIVEN = ShardKind("given", Given)
"""The pairs of a corpus that is filtered."""


class Shards:
    """The shards 0 to `count` - 1 of one run folder; `slots` are the numbers that their files are called by, their own
    where none are given.

    Every method that reads raises StoreError when a shard is not there, is damaged or was written by another version.
    """

    def __init__(self, store: Store, count: int, slots: Sequence[int] = ()) -> None:
        self._store = store
        self.numbers = range(count)
        self._slots = slots or self.numbers
        self._sides = lru_cache(SHARDS_HELD)(self._read_sides)

    @classmethod
    def stated(cls, folder: Path, count: int) -> Shards:
        """The shards of a folder that has `count` of them, where it says they are.

        Raises StoreError when it says there are more or fewer: it is being made anew.
        """
        slots = [placed.slot for placed in read_order(folder)]
        if slots and len(slots) != count:
            raise StoreError(f"{folder} has {len(slots)} shards now, and had {count}", "Finish `mekong run` first.")
        return cls(Store(folder), count, slots)

    @classmethod
    def scored_in(cls, folder: Path, count: int | None) -> Shards:
        """The shards of a folder as far as they are scored: `count` of them, for None as many as are committed.

        Raises StoreError when there is none.
        """
        if count is not None:
            return cls.stated(folder, count)
        store = Store(folder)
        slots = [placed.slot for placed in read_order(folder)] or store.committed(SCORED.stage)
        scored = list(takewhile(lambda slot: store.record(SCORED.stage, slot) is not None, slots))
        if not scored:
            raise StoreError(f"{folder} holds no scored pairs", "Let the command that made it get past scoring first.")
        return cls(store, len(scored), scored)

    def sweep(self) -> None:
        """Remove the files of shards that are none of these, and what was kept on the way to these."""
        discard_answers(self._store)
        there = set(self._slots)
        for kind in (DOCUMENTS, SEGMENTS, TRANSLATIONS, PROFILES, JUDGED, DOCUMENT_PAIRS, PAIRS, SCORED):
            for slot in self._store.committed(kind.stage):
                if slot not in there:
                    self._store.remove(kind.stage, slot)

    @property
    def store(self) -> Store:
        """What holds them."""
        return self._store

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self._store.root

    @property
    def mine(self) -> list[int]:
        """The numbers of the shards of the part that this process holds; all where it is not one of several."""
        part = self._store.part
        return [number for number in self.numbers if part is None or part.has(self._slots[number])]

    # -- any stage -------------------------------------------------------------------------------------------------

    def has_any(self, kind: ShardKind[T]) -> bool:
        """Whether the folder holds a shard of that kind, one of these or another."""
        return bool(self._store.committed(kind.stage))

    def rows(self, kind: ShardKind[T], number: int, only: Sequence[int] | None = None) -> list[T]:
        """The rows of a shard; with `only`, those of these numbers."""
        return self._store.rows(kind.stage, self._slots[number], kind.row, only)

    def key(self, kind: ShardKind[T], number: int) -> str:
        """The key that a shard was committed under."""
        return self._store.key(kind.stage, self._slots[number])

    def size(self, kind: ShardKind[T], number: int) -> int:
        """How many rows a shard has, 0 where it was never committed."""
        record = self._store.record(kind.stage, self._slots[number])
        return record.rows if record else 0

    def done(self, kind: ShardKind[T], number: int, key: str) -> bool:
        """Whether a shard is committed under that key."""
        record = self._store.record(kind.stage, self._slots[number])
        return record is not None and record.key == key

    def is_committed(self, kind: ShardKind[T], number: int) -> bool:
        """Whether a shard is committed, under whatever key."""
        return self._store.record(kind.stage, self._slots[number]) is not None

    def slot(self, number: int) -> int:
        """The number that the files of a shard are called by."""
        return self._slots[number]

    def commit(self, kind: ShardKind[T], number: int, key: str, rows: Sequence[T]) -> None:
        """Make a shard exist."""
        self._store.commit(kind.stage, self._slots[number], key, rows)

    def left_over(self, kind: ShardKind[T]) -> Iterator[Callable[[], list[T]]]:
        """What reads the rows of each committed shard that is none of these: until `sweep` what they were once."""
        there = set(self._slots)
        for slot in self._store.committed(kind.stage):
            if slot not in there:
                yield partial(self._store.rows, kind.stage, slot, kind.row)

    # -- one stage each --------------------------------------------------------------------------------------------

    def documents(self, number: int) -> list[Document]:
        """The documents of a shard."""
        return self.rows(DOCUMENTS, number)

    def segments(self, number: int) -> list[Segment]:
        """The segments of a shard."""
        return self.rows(SEGMENTS, number)

    def translations(self, number: int) -> list[Translation]:
        """The translations of a shard."""
        return self.rows(TRANSLATIONS, number)

    def document_pairs(self, number: int) -> list[DocumentPair]:
        """The judged pairs of the source documents of a shard."""
        return self.rows(DOCUMENT_PAIRS, number)

    def all_document_pairs(self) -> Iterator[DocumentPair]:
        """All judged document pairs of the run, one shard in memory at a time."""
        for number in self.numbers:
            yield from self.document_pairs(number)

    def pairs(self, number: int) -> list[Pair]:
        """The pairs whose source documents are in a shard."""
        return self.rows(PAIRS, number)

    def scored(self, number: int, only: Sequence[int] | None = None) -> list[Scored]:
        """The same pairs with their scores; with `only`, those of these numbers."""
        return self.rows(SCORED, number, only)

    def given(self, number: int) -> list[Given]:
        """The pairs that a corpus brings."""
        return self.rows(GIVEN, number)

    def all_scored(self) -> Iterator[tuple[int, Scored]]:
        """Every scored pair with the number of its shard, one shard in memory at a time."""
        for number in self.numbers:
            for row in self.scored(number):
                yield number, row

    # -- documents with what was made of them ----------------------------------------------------------------------

    def sides(self, number: int) -> list[Side]:
        """The documents of a shard with their segments and translations."""
        return list(self._sides(number))

    def _read_sides(self, number: int) -> list[Side]:
        by_document: dict[str, list[Segment]] = {}
        for segment in self.segments(number):
            by_document.setdefault(segment.doc_id, []).append(segment)
        done = {translation.segment_id: translation for translation in self.translations(number)}
        return [
            Side(
                document,
                tuple(by_document.get(document.id, ())),
                {s.id: done[s.id] for s in by_document.get(document.id, ()) if s.id in done},
            )
            for document in self.documents(number)
        ]

    @property
    def source_places(self) -> list[Place]:
        """Where every document is that is not English, in order."""
        return list(self._places[0].values())

    @property
    def english_places(self) -> list[Place]:
        """Where every English document is, in order."""
        return list(self._places[1].values())

    def english_place(self, doc_id: str) -> Place:
        """Where the English document of that id is.

        Raises KeyError when there is none.
        """
        return self._places[1][doc_id]

    def side(self, place: Place) -> Side:
        """The document at a place."""
        number, row = place
        return self._sides(number)[row]

    @cached_property
    def _places(self) -> tuple[dict[str, Place], dict[str, Place]]:
        """Where the documents are that are not English, and the English ones, by id."""
        sources: dict[str, Place] = {}
        english: dict[str, Place] = {}
        for number in self.numbers:
            for row, document in enumerate(self.documents(number)):
                (english if document.lang == ENGLISH else sources)[document.id] = number, row
        return sources, english


def shard_groups(shards: Shards, number: int) -> list[Group]:
    """Every stretch of a shard where translation and aligned English coincide."""
    aligned = [pair for pair in shards.pairs(number) if pair.origin == "aligned"]
    done = {translation.segment_id: translation for translation in shards.translations(number)}
    return aligned_groups(aligned, done, {segment.id: segment for segment in shards.segments(number)})
