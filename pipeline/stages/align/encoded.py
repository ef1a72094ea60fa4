"""Documents made ready for alignment: units, and vectors in which they can be compared with English.

A source text is compared directly where the encoder knows its language, and through the English translation of its
segments otherwise. (Averaging both was measured on FLORES Thai with two systems' translations: it gains nothing over
sentences and blurs the edges of phrases.) Where the encoder does not know the language, a lexicon joins the
translations or stands in for them, together with shared numbers and names; where neither can be had, these alone
have to do.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.encoders.base import Encoder, Vectors
from pipeline.errors import ModelError
from pipeline.stages.align.anchors import anchors, shared_rows
from pipeline.stages.align.beads import ANCHORS, LEXICON, PARTS, Bead, Track, find_beads
from pipeline.stages.align.lexicon import Lexicon, english_words, word_rows
from pipeline.stages.align.span_vectors import span_vectors, summed_spans
from pipeline.stages.align.units import Span, Units, cut_units, is_phrasal
from pipeline.types import ENGLISH

MOST_PHRASES = 16
MOST_PARTS = 8
"""Units of a bead on one side: phrases of Thai, parts of sentences of other languages."""
LEXICON_SHARE = 0.5
"""What the lexicon contributes where there are translations too."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a document, in order: its span in the text, and its translation, empty where there is none."""

    span: Span
    english: str = ""


@dataclass(frozen=True)
class View:
    """One document in units; `vectors` are their span vectors (K, n, d), None where no encoder can read it.

    `lexicon` is that of the source language where the encoder does not know it. What a document is compared by is
    worked out once, however many others it is compared with.
    """

    units: Units
    lang: str
    vectors: Vectors | None
    lexicon: Lexicon | None = None

    @cached_property
    def anchors(self) -> list[Counter[str]]:
        """The anchors of each unit."""
        return [anchors(text, self.lang) for text in self.units.texts]

    @cached_property
    def words(self) -> list[Counter[str]]:
        """The English words of each unit, of an English document."""
        return [Counter(english_words(text)) for text in self.units.texts]

    @cached_property
    def expected(self) -> list[dict[str, float]]:
        """The English words that the lexicon expects of each unit, none where there is no lexicon."""
        return [self.lexicon.expected(text) for text in self.units.texts] if self.lexicon else []

    @cached_property
    def landmarks(self) -> dict[str, int]:
        """The anchors that stand in one sentence only, and the number of that sentence."""
        places: dict[str, set[int]] = {}
        for number, (start, end) in enumerate(self.units.sentences()):
            for key in anchors(" ".join(self.units.texts[start:end]), self.lang):
                places.setdefault(key, set()).add(number)
        return {key: found.pop() for key, found in places.items() if len(found) == 1}


def target_view(text: str, stretches: Iterable[Stretch], encoder: Encoder, readable: bool = True) -> View:
    """An English document as parts of sentences, without vectors where the source is not `readable` either.

    Raises ModelError when vectors are needed and the encoder does not know English.
    """
    units = cut_units(text, ENGLISH, (stretch.span for stretch in stretches))
    if not readable:
        return View(units, ENGLISH, None)
    if ENGLISH not in encoder.languages:
        raise ModelError(f"encoder {encoder.name} does not know English", "Choose another encoder with align.encoder.")
    return View(units, ENGLISH, span_vectors(encoder, units.by_line(), MOST_PARTS))


def source_view(
    text: str, lang: str, stretches: Sequence[Stretch], encoder: Encoder, lexicon: Lexicon | None = None
) -> View:
    """A source document as parts of sentences; through the translations of its stretches where the encoder does not
    know the language and there are any, and with `lexicon` then.
    """
    known = lang in encoder.languages
    if not known and any(stretch.english for stretch in stretches):
        return replace(_translated_view(text, lang, stretches, encoder), lexicon=lexicon)
    units = cut_units(text, lang, (stretch.span for stretch in stretches))
    if known:
        return View(units, lang, span_vectors(encoder, units.by_line(), _most(lang)))
    return View(units, lang, None, lexicon)


def _most(lang: str) -> int:
    return MOST_PHRASES if is_phrasal(lang) else MOST_PARTS


def _translated_view(text: str, lang: str, stretches: Sequence[Stretch], encoder: Encoder) -> View:
    """A part of a stretch is read as the words at its place in the translation."""
    units = cut_units(text, lang, (stretch.span for stretch in stretches))
    readable, lengths = list(units.texts), units.lengths
    starts = [start for start, _ in units.spans]
    for stretch in stretches:
        first, past = (bisect_left(starts, edge) for edge in stretch.span)
        if stretch.english and first < past:
            found = _proportional(stretch.english.split(), lengths[first:past])
            readable[first:past] = [piece or own for piece, own in zip(found, units.texts[first:past], strict=True)]
    return View(units, lang, span_vectors(encoder, units.by_line(readable), _most(lang)))


def _proportional(words: Sequence[str], sizes: NDArray[np.float64]) -> list[str]:
    """The words in runs whose numbers are as the sizes."""
    upto = np.cumsum([0.0, *sizes])
    edges = np.rint(upto / upto[-1] * len(words)).astype(int)
    return [" ".join(words[start:end]) for start, end in pairwise(edges)]


def align_views(src: View, tgt: View) -> list[Bead]:
    """The beads of a source and an English document."""
    if src.vectors is None or tgt.vectors is None:
        ours, theirs = _word_vectors(src, tgt)
        return find_beads(_track(src.units, ours), _track(tgt.units, theirs), LEXICON if src.lexicon else ANCHORS)
    if src.lexicon is not None:
        ours, theirs = _joined(src.vectors, tgt.vectors, *_word_vectors(src, tgt))
        return find_beads(_track(src.units, ours), _track(tgt.units, theirs), PARTS)
    return find_beads(_track(src.units, src.vectors), _track(tgt.units, tgt.vectors), PARTS)


def _word_vectors(src: View, tgt: View) -> tuple[Vectors, Vectors]:
    """Span vectors (K, n, d) and (K, m, d) made of shared numbers and names, and of words where there is a lexicon."""
    src_rows, tgt_rows = shared_rows(src.anchors, tgt.anchors)
    if src.lexicon is not None:
        src_words, tgt_words = word_rows(src.expected, tgt.words)
        src_rows, tgt_rows = np.hstack([src_rows, src_words]), np.hstack([tgt_rows, tgt_words])
    width = _most(src.lang) if src.vectors is None else len(src.vectors)
    return summed_spans(src_rows, width, root=True), summed_spans(tgt_rows, MOST_PARTS, root=True)


def _joined(src: Vectors, tgt: Vectors, src_words: Vectors, tgt_words: Vectors) -> tuple[Vectors, Vectors]:
    """Vectors whose products are weighted means of those of two kinds of vectors."""
    read, known = np.sqrt(1 - LEXICON_SHARE), np.sqrt(LEXICON_SHARE)
    return (
        np.concatenate([src * read, src_words * known], axis=2, dtype=np.float32),
        np.concatenate([tgt * read, tgt_words * known], axis=2, dtype=np.float32),
    )


def _track(units: Units, vectors: Vectors) -> Track:
    return Track(vectors, units.lengths, units.cuts)
