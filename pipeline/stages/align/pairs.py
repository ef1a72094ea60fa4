"""Translated segments as pairs, and aligned beads beside the translation of the same source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.text.unicode import normalise
from pipeline.types import ENGLISH, Document, Pair, Segment, Translation


def translated_pairs(
    document: Document, segments: Sequence[Segment], translations: Mapping[str, Translation]
) -> Iterator[Pair]:
    """One pair a segment that has an English text of the model's making, normalised as aligned English is."""
    for segment in segments:
        found = translations.get(segment.id)
        if not found or found.ended == "skipped":
            continue
        english = normalise(found.text, ENGLISH).text
        if english.strip():
            yield Pair(
                id=f"{segment.id}:mt",
                src_doc=document.id,
                tgt_doc="",
                src_lang=document.lang,
                src_segments=(segment.id,),
                tgt_segments=(),
                src_spans=((segment.start, segment.end),),
                tgt_spans=(),
                src_text=segment.text,
                tgt_text=english,
                origin="translated",
                cost=0.0,
            )


@dataclass(frozen=True, slots=True)
class Group:
    """A stretch of a source document where its translation and the aligned English begin and end together."""

    lang: str
    doc_id: str
    source: str
    hypothesis: str
    reference: str


def aligned_groups(
    pairs: Sequence[Pair], translations: Mapping[str, Translation], segments: Mapping[str, Segment]
) -> list[Group]:
    """What evaluates the translation against the aligned English, given the translated segments by id.

    A bead may cover part of a segment, and a translation cannot be cut, so beads that share a segment are joined until
    both sides end at the same place. `pairs` are the aligned pairs of documents, in order.
    """
    groups: list[tuple[Pair, list[str], list[str]]] = []
    for pair in pairs:
        touched = [key for key in pair.src_segments if key in translations]
        if groups and touched and groups[-1][1] and touched[0] == groups[-1][1][-1]:
            groups[-1][1].extend(touched[1:])
            groups[-1][2].append(pair.tgt_text)
        elif touched:
            groups.append((pair, touched, [pair.tgt_text]))
    return [
        Group(
            pair.src_lang,
            pair.src_doc,
            " ".join(segments[key].text for key in keys),
            " ".join(translations[key].text for key in keys),
            " ".join(english),
        )
        for pair, keys, english in groups
    ]
