"""Alignment of a document with its English counterpart, sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.config.settings import AlignSettings
from pipeline.engines.encoders.base import Encoder
from pipeline.stages.align.beads import Bead
from pipeline.stages.align.encoded import Stretch, View, align_views, source_view, target_view
from pipeline.stages.align.lexicons import Lexicons, no_lexicons
from pipeline.stages.align.mining import mine as mine_vectors
from pipeline.stages.align.sides import Side, kept_segments, usable_english, view_of_source, view_of_target
from pipeline.stages.align.units import Span, Units
from pipeline.text.language import detect
from pipeline.text.unicode import normalise
from pipeline.types import Document, DocumentPair, Pair, Segment

VERSION = 6
"""Of the matching (`pipeline.stages.align.matching`) as well."""
DIGITS = 4

Spans = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class SpanBead:
    """A bead as character spans of both documents; no spans where a side has no counterpart.

    `read` is False where lengths and anchors were compared instead of sentence vectors.
    """

    src_spans: tuple[Span, ...]
    tgt_spans: tuple[Span, ...]
    bead: Bead
    read: bool = True


def align(
    pair: DocumentPair, source: Side, target: Side, encoder: Encoder, lexicons: Lexicons = no_lexicons
) -> Iterator[Pair]:
    """Yield a pair for every bead with both sides, in order; boilerplate is left out.

    Texts are normalised by the rules of their language, units on different lines joined by one space.
    """
    for number, found in enumerate(span_beads(source, target, encoder, lexicons)):
        if found.src_spans and found.tgt_spans:
            yield bead_pair(f"{pair.src_doc}+{pair.tgt_doc}:{number:04d}", found, source, target)


def bead_pair(name: str, found: SpanBead, source: Side, target: Side) -> Pair:
    """A bead with both sides as a pair called `name`, with the aligner's evidence for it."""
    return replace(
        _pair_of(name, source, found.src_spans, target, found.tgt_spans),
        cost=round(found.bead.cost, DIGITS),
        margin=round(found.bead.margin, DIGITS) if found.read else None,
    )


def mine(source: Side, targets: Sequence[Side], settings: AlignSettings, encoder: Encoder) -> Iterator[Pair]:
    """Yield the segments of a document that say the same as a segment of one of its comparable documents.

    A document in a language that the encoder does not know is compared through its translations, so far as it has any.
    """
    known = source.document.lang in encoder.languages
    readable = [(s, s.text if known else usable_english(source, s)) for s in kept_segments(source)]
    src = _distinct((source, segment, text) for segment, text in readable)
    tgt = _distinct((side, segment, segment.text) for side in targets for segment in kept_segments(side))
    if not src or not tgt:
        return
    src_vectors, tgt_vectors = (encoder.encode([text for *_, text in side]) for side in (src, tgt))
    for number, found in enumerate(mine_vectors(src_vectors, tgt_vectors, settings.min_margin)):
        (_, one, _), (target, other, _) = src[found.src], tgt[found.tgt]
        name = f"{source.document.id}+{target.document.id}:m{number:04d}"
        pair = _pair_of(name, source, ((one.start, one.end),), target, ((other.start, other.end),))
        yield replace(pair, origin="mined", margin=round(found.margin, DIGITS))


def _distinct(items: Iterable[tuple[Side, Segment, str]]) -> list[tuple[Side, Segment, str]]:
    """The first of each text: repeated sentences would be each other's nearest neighbours."""
    found: dict[str, tuple[Side, Segment, str]] = {}
    for item in items:
        if item[2]:
            found.setdefault(item[2], item)
    return list(found.values())


def _pair_of(name: str, source: Side, src_spans: Spans, target: Side, tgt_spans: Spans) -> Pair:
    src, tgt = source.document, target.document
    return Pair(
        id=name,
        src_doc=src.id,
        tgt_doc=tgt.id,
        src_lang=src.lang,
        src_segments=_touched(source.segments, src_spans),
        tgt_segments=_touched(target.segments, tgt_spans),
        src_spans=src_spans,
        tgt_spans=tgt_spans,
        src_text=_joined(src.text, src.lang, src_spans),
        tgt_text=_joined(tgt.text, tgt.lang, tgt_spans),
        origin="aligned",
        cost=0.0,
        displacement=round(abs(_place(src, src_spans) - _place(tgt, tgt_spans)), DIGITS),
    )


def _place(document: Document, spans: Spans) -> float:
    """Where the middle of the spans lies in the text, 0 to 1."""
    return (spans[0][0] + spans[-1][1]) / 2 / len(document.text)


def span_beads(source: Side, target: Side, encoder: Encoder, lexicons: Lexicons = no_lexicons) -> list[SpanBead]:
    """All beads of two documents, in order, those without a counterpart included."""
    src = view_of_source(source, encoder, lexicons)
    tgt = view_of_target(target, encoder, src.vectors is not None)
    return _spans(source.document.text, target.document.text, src, tgt)


def align_cases(
    cases: Iterable[Mapping[str, Any]], encoder: Encoder, lexicons: Lexicons = no_lexicons, lang: str = ""
) -> Iterator[dict[str, Any]]:
    """Align test cases with `id`, `src_text` and `tgt_text` (English): `{"id", "beads": [{"src", "tgt", "score"}]}`.

    The source language is `lang`, detected where that is empty; there are no translations, so a language that the
    encoder does not know is aligned by its lexicon, or by length and anchors. `score` is the similarity of the bead, 0
    where a side is empty.
    """
    for case in cases:
        src_text, tgt_text = case["src_text"], case["tgt_text"]
        code = lang or detect(src_text)
        src = source_view(src_text, code, [Stretch((0, len(src_text)))], encoder, lexicons(code))
        tgt = target_view(tgt_text, [Stretch((0, len(tgt_text)))], encoder, src.vectors is not None)
        beads = [
            {"src": found.src_spans, "tgt": found.tgt_spans, "score": round(found.bead.similarity, DIGITS)}
            for found in _spans(src_text, tgt_text, src, tgt)
        ]
        yield {"id": case["id"], "beads": beads}


def _spans(src_text: str, tgt_text: str, src: View, tgt: View) -> list[SpanBead]:
    return [
        SpanBead(
            _merged(src_text, src.units, bead.src),
            _merged(tgt_text, tgt.units, bead.tgt),
            bead,
            src.vectors is not None,
        )
        for bead in align_views(src, tgt)
    ]


def _merged(text: str, units: Units, chosen: tuple[int, int]) -> tuple[Span, ...]:
    """The spans of consecutive units, joined where only spaces lie between them."""
    spans: list[Span] = []
    for start, end in units.spans[slice(*chosen)]:
        between = text[spans[-1][1] : start] if spans else "\n"
        if between.strip() or "\n" in between:
            spans.append((start, end))
        else:
            spans[-1] = (spans[-1][0], end)
    return tuple(spans)


def _joined(text: str, lang: str, spans: Iterable[Span]) -> str:
    return " ".join(normalise(text[start:end], lang).text for start, end in spans)


def _touched(segments: Iterable[Segment], spans: Sequence[Span]) -> tuple[str, ...]:
    """The ids of the segments that share a character with one of the spans."""
    return tuple(
        segment.id for segment in segments if any(start < segment.end and segment.start < end for start, end in spans)
    )
