"""Documents made ready for alignment: units, and vectors in which they can be compared with English.

A source text is compared directly where the encoder knows its language, and through the English translation of its
segments otherwise. (Averaging both was measured on FLORES Thai with two systems' translations: it gains nothing over
sentences and blurs the edges of phrases.) Where neither can be had, shared numbers and names have to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.aligners.anchors import anchors, shared_rows
from pipeline.aligners.beads import ANCHORS, PHRASES, SENTENCES, Bead, Track, find_beads
from pipeline.aligners.encoders import Encoder, Vectors
from pipeline.aligners.spans import span_vectors, summed_spans
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
    known = lang in encoder.languages
    if not known and any(stretch.english for stretch in stretches):
        return _translated_view(text, lang, stretches, encoder)
    units = cut_units(text, lang, (stretch.span for stretch in stretches))
    width = MOST_PHRASES if is_phrasal(lang) else MOST_SENTENCES
    return View(units, lang, span_vectors(encoder, units.by_line(), width) if known else None)


def _translated_view(text: str, lang: str, stretches: Sequence[Stretch], encoder: Encoder) -> View:
    english = {stretch.span: stretch.english for stretch in stretches}
    units = whole_units(text, lang, english)
    readable = [english[span] or own for span, own in zip(units.spans, units.texts, strict=True)]
    return View(units, lang, span_vectors(encoder, units.by_line(readable), MOST_SENTENCES))


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
