"""One pass over the shards of a finished run for what is counted or kept of all documents."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pipeline.files.store import digest
from pipeline.report.data import FactCheck, FactMiss
from pipeline.report.tally import MAX_ROWS
from pipeline.run.shards import DOCUMENTS, Shards, shard_groups
from pipeline.run.watch import Watch
from pipeline.stages.align.pairs import Group
from pipeline.stages.align.sides import Side
from pipeline.stages.score.facts import Paragraph, facts
from pipeline.types import ENGLISH, Source

MEASURED = 20_000
"""Segments of a language that corpus metrics are computed over at most."""


@dataclass
class DrawnGroups:
    """Of all groups of a language those whose hashes are greatest, at most MEASURED; `total` is how many there are."""

    total: int = 0
    _heap: list[tuple[str, int, Group]] = field(default_factory=list)

    def add(self, group: Group) -> None:
        """Consider the next group."""
        item = (digest("measured", group.doc_id, group.source), self.total, group)
        self.total += 1
        if len(self._heap) < MEASURED:
            heapq.heappush(self._heap, item)
        else:
            heapq.heappushpop(self._heap, item)

    def rows(self) -> list[Group]:
        """Those that were drawn, in the order in which they came."""
        return [group for _, _, group in sorted(self._heap, key=lambda item: item[1])]


@dataclass
class Survey:
    """`english` are the sources of the English documents by their ids; `groups`, by language, the stretches with a
    translation and aligned English (`Shards.groups`).

    `documents` counts by language, `ended` translations by how they ended, `notes` by what the engine says of them.
    """

    english: dict[str, Source] = field(default_factory=dict)
    documents: Counter[str] = field(default_factory=Counter)
    segments: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    groups: defaultdict[str, DrawnGroups] = field(default_factory=lambda: defaultdict(DrawnGroups))
    facts: tuple[FactCheck, ...] = ()


def survey(shards: Shards, watch: Watch) -> Survey:
    """Read every shard once; nothing of a shard is kept but what `Survey` names.

    Raises Interrupted when the user asked to stop.
    """
    counted = Survey()

    def paragraphs(advance: Callable[[float], None]) -> Iterator[Paragraph]:
        for number in shards.numbers:
            for side in shards.sides(number):
                _count(counted, side)
                if side.document.lang != ENGLISH:
                    yield from _paragraphs(side)
                advance(1)
            for group in shard_groups(shards, number):
                counted.groups[group.lang].add(group)

    total = sum(shards.size(DOCUMENTS, number) for number in shards.numbers)
    with watch.task("count", total, "documents") as advance:
        checked = facts(paragraphs(advance), named=MAX_ROWS)
    counted.facts = tuple(
        FactCheck(
            kind.name,
            kind.expected,
            kind.found,
            tuple(FactMiss(m.doc_id, m.segment_id, m.lang, m.expected, m.source, m.translation) for m in kind.misses),
        )
        for kind in checked.kinds
    )
    return counted


def _count(counted: Survey, side: Side) -> None:
    if side.document.lang == ENGLISH:
        counted.english[side.document.id] = side.document.source
    counted.documents[side.document.lang] += 1
    counted.segments += len(side.segments)
    counted.ended.update(translation.ended for translation in side.translations.values())
    counted.notes.update(note for translation in side.translations.values() for note in translation.notes)


def _paragraphs(side: Side) -> Iterator[Paragraph]:
    """Each translated paragraph of a source document with all of its English."""
    for index in sorted({segment.paragraph for segment in side.segments}):
        mine = [s for s in side.segments if s.paragraph == index and s.kind != "boilerplate"]
        english = " ".join(side.translations[s.id].text for s in mine if s.id in side.translations)
        if mine:
            text = " ".join(s.text for s in mine)
            yield Paragraph(side.document.id, mine[0].id, side.document.lang, text, english)
