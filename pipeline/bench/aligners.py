"""The aligners under test, all behind one interface: a case in, its beads out."""

from __future__ import annotations

import importlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from math import ceil
from typing import Any

import numpy as np

from pipeline.bench.alignment_cases import Case
from pipeline.bench.gale_church import Pair, gale_church
from pipeline.bench.vecalign_style import BUFFER, COST_SAMPLES, QUANTILE, SPAN_SAMPLES, vecalign_style
from pipeline.engines.encoders.base import Encoder, SpanEncoder, Vectors
from pipeline.metrics.alignment import SpanPair
from pipeline.stages.align.beads import GIVEN, Track, find_beads
from pipeline.stages.align.lexicons import load_lexicons
from pipeline.stages.align.span_vectors import overlap_vectors
from pipeline.stages.align.stage import align_cases
from pipeline.stages.align.units import BETWEEN_SENTENCES, Span, Units, whole_units
from pipeline.text.sentences import sentences

MOST_SENTENCES = 4
MOST = 2 * MOST_SENTENCES
"""Sentences of a bead of Vecalign's, on one side and both sides together."""


class Unavailable(Exception):  # not an error: a row without figures says why
    """An aligner cannot be measured here."""


class Timed:
    """An encoder that adds up the seconds spent in it."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder, self.seconds = encoder, 0.0
        self.name, self.fingerprint, self.languages = encoder.name, encoder.fingerprint, encoder.languages

    def encode(self, texts: Sequence[str]) -> Vectors:
        """As the encoder does."""
        began = time.perf_counter()
        vectors = self.encoder.encode(texts)
        self.seconds += time.perf_counter() - began
        return vectors


class TimedSpans(Timed):
    """The same for an encoder that shares work between spans."""

    def encode_spans(self, lines: Sequence[Sequence[str]], width: int) -> Vectors:
        """As the encoder does."""
        return self._timed(lambda encoder: encoder.encode_spans(lines, width))

    def encode_overlaps(self, units: Sequence[str], width: int) -> Vectors:
        """As the encoder does."""
        return self._timed(lambda encoder: encoder.encode_overlaps(units, width))

    def _timed(self, encode: Callable[[SpanEncoder], Vectors]) -> Vectors:
        assert isinstance(self.encoder, SpanEncoder)
        began = time.perf_counter()
        vectors = encode(self.encoder)
        self.seconds += time.perf_counter() - began
        return vectors


def timed(encoder: Encoder) -> Timed:
    """The encoder with a clock."""
    return (TimedSpans if isinstance(encoder, SpanEncoder) else Timed)(encoder)


class Aligner(ABC):
    """One way of aligning."""

    name: str

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    @abstractmethod
    def align(self, case: Case) -> list[SpanPair]:
        """The beads as spans of the case's texts.

        Raises Unavailable when this cannot be done.
        """


class MekongAligner(Aligner):
    """The project's own, as `mekong align --cases` runs it; where sentences are given, with those as units."""

    name = "mekong"

    def __init__(self, encoder: Encoder) -> None:
        super().__init__(encoder)
        self.lexicons = load_lexicons("auto")

    def align(self, case: Case) -> list[SpanPair]:
        """See Aligner."""
        gold = case.gold
        if not case.given:
            row = {"id": case.id, "src_text": gold.src_text, "tgt_text": gold.tgt_text}
            (found,) = align_cases([row], self.encoder, self.lexicons)
            return [(bead["src"], bead["tgt"]) for bead in found["beads"]]
        src, tgt = (_sentences(case, side) for side in (0, 1))
        widest = GIVEN.most - 1
        tracks = [
            Track(_vectors(units, self.encoder, lang, widest), units.lengths, _cuts(units))
            for units, lang in (src, tgt)
        ]
        beads = find_beads(tracks[0], tracks[1], GIVEN)
        return _spans([(bead.src, bead.tgt) for bead in beads], src[0], tgt[0])


class GaleChurch(Aligner):
    """Lengths alone, between sentences that rules have found."""

    name = "gale-church"

    def align(self, case: Case) -> list[SpanPair]:
        """See Aligner."""
        (src, _), (tgt, _) = (_sentences(case, side) for side in (0, 1))
        return _spans(gale_church(src.lengths.tolist(), tgt.lengths.tolist()), src, tgt)


class Vecalign(Aligner):
    """Vecalign's cost and search, written anew, between sentences that rules have found."""

    name = "vecalign's way"

    def align(self, case: Case) -> list[SpanPair]:
        """See Aligner."""
        src, tgt = (_sentences(case, side) for side in (0, 1))
        pairs = self.search(*(_vectors(units, self.encoder, lang) for units, lang in (src, tgt)))
        return _spans(pairs, src[0], tgt[0])

    def search(self, src: Vectors, tgt: Vectors) -> list[Pair]:
        """The beads, given span vectors (K, n, d)."""
        return vecalign_style(src, tgt, MOST)


class VecalignItself(Vecalign):
    """The package vecalign 2 (Apache-2.0, not on PyPI), where it is installed."""

    name = "vecalign"

    def search(self, src: Vectors, tgt: Vectors) -> list[Pair]:
        """See Vecalign."""
        package = _vecalign()
        if not src.shape[1] or not tgt.shape[1]:
            return vecalign_style(src, tgt, MOST)
        np.random.seed(42)  # it draws from the global generator
        stack = package.vecalign(
            vecs0=src.copy(),
            vecs1=tgt.copy(),
            final_alignment_types=[kind for kind in package.make_alignment_types(MOST) if max(kind) <= MOST_SENTENCES],
            del_percentile_frac=QUANTILE,
            width_over2=ceil(MOST / 2) + BUFFER,
            max_size_full_dp=300,
            costs_sample_size=COST_SAMPLES,
            num_samps_for_norm=SPAN_SAMPLES,
        )
        pairs: list[Pair] = []
        at = (0, 0)
        for ours, theirs in stack[0]["final_alignments"]:
            end = (at[0] + len(ours), at[1] + len(theirs))
            pairs.append(((at[0], end[0]), (at[1], end[1])))
            at = end
        return pairs


ALIGNERS: tuple[type[Aligner], ...] = (MekongAligner, GaleChurch, Vecalign, VecalignItself)


def _vecalign() -> Any:
    try:
        return importlib.import_module("vecalign.dp_utils")
    except ImportError as error:
        raise Unavailable("not installed") from error


def _sentences(case: Case, side: int) -> tuple[Units, str]:
    """The sentences of one side: as given, of PyThaiNLP's crfcut for Thai, by rules otherwise."""
    gold = case.gold
    text, lang = ((gold.src_text, case.src_lang), (gold.tgt_text, case.tgt_lang))[side]
    if case.given:
        return whole_units(text, lang, (gold.src_spans, gold.tgt_spans)[side]), lang
    if lang == "th":
        return whole_units(text, lang, _crfcut(text)), lang
    return whole_units(text, lang, sentences(text, lang)), lang


def _crfcut(text: str) -> list[Span]:
    from pythainlp.tokenize import sent_tokenize

    spans: list[Span] = []
    start = 0
    for line in text.split("\n"):
        pieces = sent_tokenize(line, engine="crfcut", keep_whitespace=True) if line.strip() else []
        ends = [start, *(start + end for end in accumulate(map(len, pieces)))]
        spans += pairwise(ends)
        start += len(line) + 1
    return spans


def _vectors(units: Units, encoder: Encoder, lang: str, width: int = MOST_SENTENCES) -> Vectors:
    if lang not in encoder.languages:
        raise Unavailable(f"{encoder.name} does not know {lang!r}")
    return overlap_vectors(encoder, units.texts, width)


def _cuts(units: Units) -> Any:
    """Every given sentence is as likely to be one as the others, whatever line it stands on."""
    return np.full(len(units.texts) + 1, BETWEEN_SENTENCES)


def _spans(pairs: Sequence[Pair], src: Units, tgt: Units) -> list[SpanPair]:
    return [(src.spans[slice(*ours)], tgt.spans[slice(*theirs)]) for ours, theirs in pairs]
