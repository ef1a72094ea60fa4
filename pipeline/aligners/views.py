"""Documents made ready for alignment: units, and vectors in which they can be compared with English.

A source text is compared directly where the encoder knows its language, through the English translation of its
segments otherwise, and by both where both are there. Where neither is, shared numbers and names have to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.aligners.anchors import anchors, shared_rows
from pipeline.aligners.beads import ANCHORS, PHRASES, SENTENCES, Bead, Track, find_beads
from pipeline.aligners.encoders import Encoder, Vectors
from pipeline.aligners.spans import span_vectors, summed_spans, unit_rows
from pipeline.aligners.units import Span, Units, cut_units, is_phrasal, whole_units
from pipeline.errors import ModelError

ENGLISH = "en"
MOST_PHRASES = 14
MOST_SENTENCES = 4


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a document, in order: its span in the text, and its translation, empty where there is none."""

    span: Span
    english: str = ""


@dataclass(frozen=True, slots=True)
class View:
    """One document in units; `vectors` are their span vectors (K, n, d), None where no encoder can read it."""

    units: Units
    lang: str
    vectors: Vectors | None


def target_view(text: str, stretches: Iterable[Stretch], encoder: Encoder) -> View:
    """An English document as sentences."""
    if ENGLISH not in encoder.languages:
        raise ModelError(f"encoder {encoder.name} does not know English", "Choose another encoder with align.encoder.")
    units = cut_units(text, ENGLISH, (stretch.span for stretch in stretches))
    return View(units, ENGLISH, span_vectors(encoder, units.by_line(), MOST_SENTENCES))


def source_view(text: str, lang: str, stretches: Sequence[Stretch], encoder: Encoder) -> View:
    """A source document as phrases or sentences, or as whole stretches where only their translations can be read."""
    translated = any(stretch.english for stretch in stretches)
    if lang not in encoder.languages and translated:
        return _translated_view(text, lang, stretches, encoder)
    units = cut_units(text, lang, (stretch.span for stretch in stretches))
    if lang not in encoder.languages:
        return View(units, lang, None)
    width = MOST_PHRASES if is_phrasal(lang) else MOST_SENTENCES
    vectors = span_vectors(encoder, units.by_line(), width)
    if translated:
        vectors = blended(vectors, bridge(units, stretches, encoder))
    return View(units, lang, vectors)


def _translated_view(text: str, lang: str, stretches: Sequence[Stretch], encoder: Encoder) -> View:
    english = {stretch.span: stretch.english for stretch in stretches}
    units = whole_units(text, lang, english)
    readable = [english[span] or own for span, own in zip(units.spans, units.texts, strict=True)]
    return View(units, lang, span_vectors(encoder, units.by_line(readable), MOST_SENTENCES))


def bridge(units: Units, stretches: Sequence[Stretch], encoder: Encoder) -> NDArray[np.float64]:
    """For each unit the vector of the translation of the stretch it lies in, weighted by the unit's length, (n, d).

    A unit without a translation gets a zero row. Rows add up over spans (`summed_spans`).
    """
    found = encoder.encode([stretch.english for stretch in stretches])
    rows = np.zeros((len(units.spans), found.shape[1]))
    place = 0
    for i, (start, _) in enumerate(units.spans):
        while stretches[place].span[1] <= start:
            place += 1
        if stretches[place].english:
            rows[i] = found[place]
    return rows * units.lengths[:, None]


def blended(direct: Vectors, bridged: NDArray[np.float64]) -> Vectors:
    """Span vectors (K, n, d) halfway between the text's own and its translation's: both similarities averaged."""
    other = summed_spans(bridged, len(direct))
    return unit_rows(direct.astype(np.float64) + other).astype(np.float32)


def align_views(src: View, tgt: View) -> list[Bead]:
    """The beads of a source and an English document."""
    if src.vectors is not None and tgt.vectors is not None:
        weights = PHRASES if is_phrasal(src.lang) and len(src.vectors) > MOST_SENTENCES else SENTENCES
        return find_beads(_track(src.units, src.vectors), _track(tgt.units, tgt.vectors), weights)
    width = MOST_PHRASES if is_phrasal(src.lang) else MOST_SENTENCES
    src_rows, tgt_rows = shared_rows(
        [anchors(text, src.lang) for text in src.units.texts], [anchors(text, tgt.lang) for text in tgt.units.texts]
    )
    return find_beads(
        _track(src.units, summed_spans(src_rows, width, root=True)),
        _track(tgt.units, summed_spans(tgt_rows, MOST_SENTENCES, root=True)),
        ANCHORS,
    )


def _track(units: Units, vectors: Vectors) -> Track:
    return Track(vectors, units.lengths, units.cuts)
