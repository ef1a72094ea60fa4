"""Alignment with English documents of the input: which document belongs to which, then sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.config.settings import AlignSettings
from pipeline.engines.encoders.base import Encoder
from pipeline.stages.align.anchors import anchors
from pipeline.stages.align.beads import Bead
from pipeline.stages.align.candidates import Candidate, Profile, candidates, one_to_one, windowed
from pipeline.stages.align.encoded import Stretch, View, align_views, source_view, target_view
from pipeline.stages.align.lexicons import Lexicons, no_lexicons
from pipeline.stages.align.mining import mine as mine_vectors
from pipeline.stages.align.monotony import CLOSE_MARGIN, find_links, in_order
from pipeline.stages.align.units import Span, Units
from pipeline.text.language import detect
from pipeline.text.unicode import normalise
from pipeline.types import Document, DocumentPair, Pair, Segment, Translation

VERSION = 5

TARGETS_HELD = 256
COMPARABLE_COVERAGE = 0.1
COMPARABLE_SIMILARITY = 0.3
ANCHOR_SHARE = 0.5
"""Cosines of anchors alone are lower than those with vectors: `min_similarity` counts by this share."""
ANCHOR_LINKS = 2
ANCHOR_LENGTHS = 2.0
"""Without vectors parallel documents have this many links in order at least, and lengths this far apart at most."""
DIGITS = 4
UNUSABLE = frozenset({"empty", "copied", "looped", "refused", "failed", "skipped"})
"""Translations that ended so say nothing about their source."""


Spans = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """A document with its segments in order and their translations by segment id (none for English)."""

    document: Document
    segments: tuple[Segment, ...]
    translations: Mapping[str, Translation]


@dataclass(frozen=True, slots=True)
class SpanBead:
    """A bead as character spans of both documents; no spans where a side has no counterpart.

    `read` is False where lengths and anchors were compared instead of sentence vectors.
    """

    src_spans: tuple[Span, ...]
    tgt_spans: tuple[Span, ...]
    bead: Bead
    read: bool = True


def match(
    sources: Sequence[Side],
    targets: Sequence[Side],
    settings: AlignSettings,
    encoder: Encoder,
    lexicons: Lexicons = no_lexicons,
) -> list[DocumentPair]:
    """Judge the `settings.candidates` most similar English documents of each source document, best first.

    Parallel pairs are one to one: of pairs that share a document only the one with the best score stays parallel. Both
    sequences may load a document when it is asked for: only profiles are held, and the views of TARGETS_HELD documents.
    """
    profiles = [_profile(side, encoder) for side in sources]
    readable = any(profile.vector is not None for profile in profiles)
    names: list[str] = []
    target_profiles: list[Profile] = []
    for side in targets:
        names.append(side.document.id)
        target_profiles.append(_profile(side, encoder, readable))
    found = candidates(profiles, target_profiles, settings.candidates)

    @lru_cache(maxsize=TARGETS_HELD)
    def target(number: int, readable: bool) -> View:
        return _target_view(targets[number], encoder, readable)

    pairs: list[DocumentPair] = []
    for side, profile, options in zip(sources, profiles, found, strict=True):
        judged = [_pair(side, names[option.target], option) for option in options]
        least = settings.min_similarity * (ANCHOR_SHARE if profile.vector is None else 1)
        promising = [i for i, option in enumerate(options) if option.similarity >= least]
        if promising:
            source = _source_view(side, encoder, lexicons)
            for i in promising:
                judged[i] = _judge(judged[i], source, target(options[i].target, source.vectors is not None), settings)
        pairs += sorted(judged, key=_rank, reverse=True)
    return _settled(pairs)


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
    readable = [(s, s.text if known else _english(source, s)) for s in _kept(source)]
    src = _distinct((source, segment, text) for segment, text in readable)
    tgt = _distinct((side, segment, segment.text) for side in targets for segment in _kept(side))
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
    src = _source_view(source, encoder, lexicons)
    tgt = _target_view(target, encoder, src.vectors is not None)
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


def _target_view(side: Side, encoder: Encoder, readable: bool) -> View:
    return target_view(side.document.text, _stretches(side), encoder, readable)


def _profile(side: Side, encoder: Encoder, readable: bool = True) -> Profile:
    """The document's anchors, and its vector from its segments, or from their translations, unless nobody needs it."""
    kept = _kept(side)
    found = anchors("\n".join(segment.text for segment in kept), side.document.lang)
    if not readable:
        return Profile(None, found)
    texts = [segment.text for segment in kept]
    if side.document.lang not in encoder.languages:
        english = [_english(side, segment) for segment in kept]
        if not any(english):
            return Profile(None, found)
        texts = [one or own for one, own in zip(english, texts, strict=True)]
    lengths = np.array([len(segment.text) for segment in kept], dtype=np.float64)
    return Profile(windowed(encoder.encode(texts), lengths), found)


def _pair(source: Side, target: str, option: Candidate) -> DocumentPair:
    """A candidate that is not judged yet; `target` is the id of the English document."""
    return DocumentPair(source.document.id, target, round(option.similarity, DIGITS), 0.0, 0.0, 0.0, "unrelated")


def _judge(pair: DocumentPair, src: View, tgt: View, settings: AlignSettings) -> DocumentPair:
    """Judge a candidate by its sentence beads, and by the order of the links that were found without regard to it."""
    beads = [bead for bead in align_views(src, tgt) if bead.src[0] < bead.src[1] and bead.tgt[0] < bead.tgt[1]]
    close = [bead for bead in beads if bead.margin >= CLOSE_MARGIN]
    lengths = src.units.lengths, tgt.units.lengths
    coverage = min(_share(lengths[0], [bead.src for bead in close]), _share(lengths[1], [bead.tgt for bead in close]))
    sizes = [float(lengths[0][slice(*bead.src)].sum()) for bead in beads]
    score = sum(size * bead.similarity for size, bead in zip(sizes, beads, strict=True)) / sum(sizes) if beads else 0.0
    links = find_links(src, tgt)
    chain = in_order(links)
    monotony = chain / float(links.weights.sum()) if chain else 0.0
    found = replace(
        pair, bead_score=round(score, DIGITS), coverage=round(coverage, DIGITS), monotony=round(monotony, DIGITS)
    )
    if src.vectors is None:
        # Without vectors beads prove little; that the same names and numbers come in the same order proves more.
        shorter, longer = sorted(float(side.sum()) for side in lengths)
        enough = chain >= ANCHOR_LINKS and longer <= ANCHOR_LENGTHS * shorter
    else:
        enough = coverage >= settings.min_coverage and score >= settings.min_bead_score
    if enough and monotony >= settings.min_monotony:
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
