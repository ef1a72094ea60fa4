"""Alignment with English documents of the input: which document belongs to which, then sentence by sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from pipeline.aligners.beads import Bead
from pipeline.aligners.documents import candidates
from pipeline.aligners.encoders import Encoder
from pipeline.aligners.units import Span
from pipeline.aligners.views import View, target_view
from pipeline.config import AlignSettings
from pipeline.types import Document, DocumentPair, Segment, Translation

VERSION = 1

TARGETS_HELD = 256
COMPARABLE_COVERAGE = 0.15
DIGITS = 4


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
    sources: Sequence[Side], targets: Sequence[Side], settings: AlignSettings, encoder: Encoder
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
        return target_view(targets[number].document.text, _stretches(targets[number]), encoder)

    pairs: list[DocumentPair] = []
    for side, options in zip(sources, found, strict=True):
        source = _source_view(side, encoder)
        judged = [
            _judge(side, targets[option.target], option, source, target(option.target), settings)
            if option.similarity >= settings.min_similarity
            else _pair(side, targets[option.target], option)
            for option in options
        ]
        pairs += sorted(judged, key=lambda pair: -_rank(pair))
    return _settled(pairs)


def align(
    pair: DocumentPair, source: Side, target: Side, settings: AlignSettings, encoder: Encoder
) -> Iterator[Pair]:
    """Yield a pair for every bead with both sides, in order; boilerplate is left out.

    Texts are normalised by the rules of their language, units on different lines joined by one space.
    """
    src, tgt = source.document, target.document
    for number, found in enumerate(span_beads(source, target, encoder)):
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
                cost=round(found.cost, DIGITS),
            )


def span_beads(source: Side, target: Side, encoder: Encoder) -> list[SpanBead]:
    """All beads of two documents, in order, those without a counterpart included."""
    src, tgt = _source_view(source, encoder), _target_view(target, encoder)
    return _spans(source.document.text, target.document.text, src, tgt)


def align_cases(cases: Iterable[Mapping[str, Any]], encoder: Encoder) -> Iterator[dict[str, Any]]:
    """Align test cases with `id`, `src_text` and `tgt_text` (English): `{"id", "beads": [{"src", "tgt", "score"}]}`.

    The source language is detected; there are no translations, so a language that the encoder does not know is
    aligned by length and anchors. `score` is the similarity of the bead, 0 where a side is empty.
    """
    for case in cases:
        src_text, tgt_text = case["src_text"], case["tgt_text"]
        src = source_view(src_text, detect(src_text), [Stretch((0, len(src_text)))], encoder)
        tgt = target_view(tgt_text, [Stretch((0, len(tgt_text)))], encoder)
        beads = [
            {"src": found.src_spans, "tgt": found.tgt_spans, "score": round(found.similarity, DIGITS)}
            for found in _spans(src_text, tgt_text, src, tgt)
        ]
        yield {"id": case["id"], "beads": beads}


def _kept(side: Side) -> list[Segment]:
    return [segment for segment in side.segments if segment.kind != "boilerplate"]


def _english(side: Side, segment: Segment) -> str:
    """The segment in English, empty where there is none."""
    if side.document.lang == ENGLISH:
        return segment.text
    translation = side.translations.get(segment.id)
    return translation.text.strip() if translation and translation.ended not in UNUSABLE else ""


def _stretches(side: Side) -> list[Stretch]:
    translated = side.document.lang != ENGLISH
    return [
        Stretch((segment.start, segment.end), _english(side, segment) if translated else "")
        for segment in _kept(side)
    ]


def _source_view(side: Side, encoder: Encoder) -> View:
    return source_view(side.document.text, side.document.lang, _stretches(side), encoder)


def _target_view(side: Side, encoder: Encoder) -> View:
    return target_view(side.document.text, _stretches(side), encoder)


def _profile(side: Side, encoder: Encoder) -> Profile:
    """The document's vector, from its segments as far as they can be read or are translated, and its anchors."""
    found = anchors(" \n".join(segment.text for segment in _kept(side)), side.document.lang)
    rows: dict[str, list[NDArray[np.float64]]] = {}
    readable = side.document.lang in encoder.languages
    for segment in _kept(side):
        texts = [segment.text] if readable else []
        ...
    return Profile(None, found)
