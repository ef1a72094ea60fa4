"""Alignment with English documents of the input: which document belongs to which, then sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.aligners.anchors import anchors
from pipeline.aligners.beads import Bead
from pipeline.aligners.documents import Candidate, Profile, candidates, one_to_one, windowed
from pipeline.aligners.encoders import Encoder
from pipeline.aligners.load import Lexicons, no_lexicons
from pipeline.aligners.units import Span, Units
from pipeline.aligners.views import Stretch, View, align_views, source_view, target_view
from pipeline.config import AlignSettings
from pipeline.text.language import detect
from pipeline.text.unicode import normalise
from pipeline.types import Document, DocumentPair, Pair, Segment, Translation

VERSION = 1

TARGETS_HELD = 256
CLOSE_MARGIN = 0.2
COMPARABLE_COVERAGE = 0.1
COMPARABLE_SIMILARITY = 0.3
DIGITS = 4
UNUSABLE = frozenset({"empty", "copied", "looped", "refused", "failed", "skipped"})
"""Translations that ended so say nothing about their source."""


@dataclass(frozen=True, slots=True)
class Side:
    """A document with its segments in order and their translations by segment id (none for English)."""

    document: Document
    segments: tuple[Segment, ...]
    translations: Mapping[str, Translation]


@dataclass(frozen=True, slots=True)
class SpanBead:
    """A bead as character spans of both documents; no spans where a side has no counterpart."""

    src_spans: tuple[Span, ...]
    tgt_spans: tuple[Span, ...]
    bead: Bead


def match(
    sources: Sequence[Side],
    targets: Sequence[Side],
    settings: AlignSettings,
    encoder: Encoder,
    lexicons: Lexicons = no_lexicons,
) -> list[DocumentPair]:
    """Judge the `settings.candidates` most similar English documents of each source document, best first.

    Parallel pairs are one to one: of pairs that share a document only the one with the best score stays parallel.
    """
    found = candidates(
        [_profile(side, encoder) for side in sources],
        [_profile(side, encoder) for side in targets],
        settings.candidates,
    )

    @lru_cache(maxsize=TARGETS_HELD)
    def target(number: int) -> View:
        return _target_view(targets[number], encoder)

    pairs: list[DocumentPair] = []
    for side, options in zip(sources, found, strict=True):
        judged = [_pair(side, targets[option.target], option) for option in options]
        promising = [i for i, option in enumerate(options) if option.similarity >= settings.min_similarity]
        if promising:
            source = _source_view(side, encoder, lexicons)
            for i in promising:
                judged[i] = _judge(judged[i], source, target(options[i].target), settings)
        pairs += sorted(judged, key=_rank, reverse=True)
    return _settled(pairs)


def align(
    pair: DocumentPair, source: Side, target: Side, encoder: Encoder, lexicons: Lexicons = no_lexicons
) -> Iterator[Pair]:
    """Yield a pair for every bead with both sides, in order; boilerplate is left out.

    Texts are normalised by the rules of their language, units on different lines joined by one space.
    """
    src, tgt = source.document, target.document
    for number, found in enumerate(span_beads(source, target, encoder, lexicons)):
        if found.src_spans and found.tgt_spans:
            yield Pair(
                id=f"{pair.src_doc}+{pair.tgt_doc}:{number:04d}",
                src_doc=pair.src_doc,
                tgt_doc=pair.tgt_doc,
                src_lang=src.lang,
                src_segments=_touched(source.segments, found.src_spans),
                tgt_segments=_touched(target.segments, found.tgt_spans),
                src_spans=found.src_spans,
                tgt_spans=found.tgt_spans,
                src_text=_joined(src.text, src.lang, found.src_spans),
                tgt_text=_joined(tgt.text, tgt.lang, found.tgt_spans),
                origin="aligned",
                cost=round(found.bead.cost, DIGITS),
            )


def span_beads(source: Side, target: Side, encoder: Encoder, lexicons: Lexicons = no_lexicons) -> list[SpanBead]:
    """All beads of two documents, in order, those without a counterpart included."""
    src, tgt = _source_view(source, encoder, lexicons), _target_view(target, encoder)
    return _spans(source.document.text, target.document.text, src, tgt)


def align_cases(
    cases: Iterable[Mapping[str, Any]], encoder: Encoder, lexicons: Lexicons = no_lexicons
) -> Iterator[dict[str, Any]]:
    """Align test cases with `id`, `src_text` and `tgt_text` (English): `{"id", "beads": [{"src", "tgt", "score"}]}`.

    The source language is detected; there are no translations, so a language that the encoder does not know is
    aligned by its lexicon, or by length and anchors. `score` is the similarity of the bead, 0 where a side is empty.
    """
    for case in cases:
        src_text, tgt_text = case["src_text"], case["tgt_text"]
        lang = detect(src_text)
        src = source_view(src_text, lang, [Stretch((0, len(src_text)))], encoder, lexicons(lang))
        tgt = target_view(tgt_text, [Stretch((0, len(tgt_text)))], encoder)
        beads = [
            {"src": found.src_spans, "tgt": found.tgt_spans, "score": round(found.bead.similarity, DIGITS)}
            for found in _spans(src_text, tgt_text, src, tgt)
        ]
        yield {"id": case["id"], "beads": beads}


def _kept(side: Side) -> list[Segment]:
    return [segment for segment in side.segments if segment.kind != "boilerplate"]


def _english(side: Side, segment: Segment) -> str:
    """The usable translation of a segment, empty where there is none."""
    translation = side.translations.get(segment.id)
    return translation.text.strip() if translation and translation.ended not in UNUSABLE else ""


def _stretches(side: Side) -> list[Stretch]:
    return [Stretch((segment.start, segment.end), _english(side, segment)) for segment in _kept(side)]


def _source_view(side: Side, encoder: Encoder, lexicons: Lexicons) -> View:
    lang = side.document.lang
    return source_view(side.document.text, lang, _stretches(side), encoder, lexicons(lang))


def _target_view(side: Side, encoder: Encoder) -> View:
    return target_view(side.document.text, _stretches(side), encoder)


def _profile(side: Side, encoder: Encoder) -> Profile:
    """The document's anchors, and its vector from its segments, or from their translations."""
    kept = _kept(side)
    found = anchors("\n".join(segment.text for segment in kept), side.document.lang)
    texts = [segment.text for segment in kept]
    if side.document.lang not in encoder.languages:
        english = [_english(side, segment) for segment in kept]
        if not any(english):
            return Profile(None, found)
        texts = [one or own for one, own in zip(english, texts, strict=True)]
    lengths = np.array([len(segment.text) for segment in kept], dtype=np.float64)
    return Profile(windowed(encoder.encode(texts), lengths), found)


def _pair(source: Side, target: Side, option: Candidate) -> DocumentPair:
    return DocumentPair(source.document.id, target.document.id, round(option.similarity, DIGITS), 0.0, 0.0, "unrelated")


def _judge(pair: DocumentPair, src: View, tgt: View, settings: AlignSettings) -> DocumentPair:
    """Judge a candidate by its sentence beads.

    Without vectors (no encoder knows the language, no translation) beads prove little: such a pair is comparable at
    best.
    """
    beads = [bead for bead in align_views(src, tgt) if bead.src[0] < bead.src[1] and bead.tgt[0] < bead.tgt[1]]
    close = [bead for bead in beads if bead.margin >= CLOSE_MARGIN]
    coverage = min(
        _share(src.units.lengths, [bead.src for bead in close]), _share(tgt.units.lengths, [bead.tgt for bead in close])
    )
    sizes = [float(src.units.lengths[slice(*bead.src)].sum()) for bead in beads]
    score = sum(size * bead.similarity for size, bead in zip(sizes, beads, strict=True)) / sum(sizes) if beads else 0.0
    found = replace(pair, bead_score=round(score, DIGITS), coverage=round(coverage, DIGITS))
    if src.vectors is not None and coverage >= settings.min_coverage and score >= settings.min_bead_score:
        return replace(found, relation="parallel")
    close_enough = pair.similarity >= COMPARABLE_SIMILARITY and coverage >= COMPARABLE_COVERAGE
    return replace(found, relation="comparable") if close_enough else found


def _share(lengths: NDArray[np.float64], ranges: Iterable[tuple[int, int]]) -> float:
    total = float(lengths.sum())
    return sum(float(lengths[start:end].sum()) for start, end in ranges) / total if total else 0.0


def _rank(pair: DocumentPair) -> tuple[float, float]:
    return pair.coverage * pair.bead_score, pair.similarity


def _settled(pairs: Iterable[DocumentPair]) -> list[DocumentPair]:
    """The pairs with the parallel ones one to one; those that lose a document to a better pair are comparable."""
    found = list(pairs)
    kept = one_to_one((pair.src_doc, pair.tgt_doc, _rank(pair)[0]) for pair in found if pair.relation == "parallel")
    return [
        replace(pair, relation="comparable")
        if pair.relation == "parallel" and (pair.src_doc, pair.tgt_doc) not in kept
        else pair
        for pair in found
    ]


def _spans(src_text: str, tgt_text: str, src: View, tgt: View) -> list[SpanBead]:
    return [
        SpanBead(_merged(src_text, src.units, bead.src), _merged(tgt_text, tgt.units, bead.tgt), bead)
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
