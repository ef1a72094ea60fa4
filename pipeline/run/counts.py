"""One pass over the shards of a finished run for what is counted or kept of all documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.report.data import FactCheck, FactMiss
from pipeline.run.shards import Shards
from pipeline.stages.align.pairs import Group
from pipeline.stages.align.stage import Side
from pipeline.stages.score.facts import Paragraph, facts
from pipeline.types import ENGLISH, Source


@dataclass
class Survey:
    """`sources` by document id; `groups` are the stretches with a translation and aligned English (`Shards.groups`).

    `documents` counts by language, `ended` translations by how they ended, `notes` by what the engine says of them.
    """

    sources: dict[str, Source] = field(default_factory=dict)
    documents: Counter[str] = field(default_factory=Counter)
    segments: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    notes: Counter[str] = field(default_factory=Counter)
    groups: list[Group] = field(default_factory=list)
    facts: tuple[FactCheck, ...] = ()


def survey(shards: Shards) -> Survey:
    """Read every shard once; nothing of a shard is kept but what `Survey` names."""
    counted, langs = Survey(), dict[str, str]()

    def paragraphs() -> Iterator[Paragraph]:
        for number in shards.numbers:
            for side in shards.sides(number):
                _count(counted, side)
                langs[side.document.id] = side.document.lang
                if side.document.lang != ENGLISH:
                    yield from _paragraphs(side)
            counted.groups += shards.groups(number)

    checked = facts(paragraphs())
    counted.facts = tuple(
        FactCheck(
            kind.name,
            kind.expected,
            kind.found,
            tuple(
                FactMiss(m.doc_id, m.segment_id, langs[m.doc_id], m.expected, m.source, m.translation)
                for m in kind.misses
            ),
        )
        for kind in checked.kinds
    )
    return counted


def _count(counted: Survey, side: Side) -> None:
    counted.sources[side.document.id] = side.document.source
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
