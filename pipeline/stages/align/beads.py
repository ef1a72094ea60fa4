"""Sentence alignment: the cheapest monotone way to cut two sides into beads.

A bead is a run of source units and a run of target units that say the same; one of the two may be empty. The cost is
a relative of Vecalign's (Thompson and Koehn 2019, D19-1136) with these changes: a bead weighs what its
characters weigh and not a * b units, so that Thai phrases of very unequal length can be units; a distance is
normalised by the mean over *all* spans of the other side, so that nothing is sampled; lengths count, as in Gale and
Church (1993); edges are drawn towards likely sentence boundaries; and a run of unaligned units is one bead.

With X, Y the spans, |.| characters without white space, r the ratio of the sides' lengths:

    mass     = (r|X| + |Y|) / 220                       1 is a pair of sentences of 110 characters
    distance = 2 (1 - cos(X, Y)) / (n(X) + n(Y))        n: mean of 1 - cos over all spans of the other side
    length   = ln((r|X| + 5) / (|Y| + 5))^2 mass^0.5
    size     = ln(1.04 mass + .05)^2                    0 for a pair of sentences of 100 characters
    cut      = - edge/2 (ln P(start) + ln P(end)) - inner sum ln(1 - P(k)) over the positions k inside
    bead     = mass * distance + w_length * length + w_size * size + cut(X) + cut(Y) + bonus
    skipped  = w_skip * mass + gap + cut

with P(k) the probability that position k is a sentence boundary, its log-odds lifted by a constant but at line breaks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.encoders.base import Vectors
from pipeline.errors import EngineError
from pipeline.stages.align.span_vectors import summed_spans

if TYPE_CHECKING:
    from pipeline.stages.align.bead_kernel import Band, Terms

Positions = NDArray[np.int64]
Costs = tuple[NDArray[np.float64], NDArray[np.float64]]

Corner = tuple[tuple[int, int], tuple[int, int], float]

MASS = 220.0
LINE_BREAK = 6.0
"""Log-odds from which a boundary is certain."""
MAX_RATIO = 3.0
FULL_CELLS = 600 * 600
ROWS = 16
BLOCKS = 600
COARSER = 4
UNITS_IN_BLOCK = 3
BLOCK_WIDTH = 2
BAND_BLOCKS = 8


@dataclass(frozen=True, slots=True)
class Bead:
    """Unit ranges, end exclusive, an empty range where the other side has no counterpart.

    `cost` is the bead's share of the minimised sum, `similarity` the cosine of the two spans, `margin` how far it
    lies over the mean cosine of both spans with everything on the other side; 0 and 0 for unaligned units.
    """

    src: tuple[int, int]
    tgt: tuple[int, int]
    cost: float
    similarity: float
    margin: float


@dataclass(frozen=True)
class Track:
    """One side of a pair, as n units.

    `vectors` (K, n, d) as laid out in `span_vectors`, K being the most units in a bead; `lengths` (n,)
    characters without white space; `cuts` (n+1,) the log-odds that each position is a sentence boundary.
    """

    vectors: Vectors
    lengths: NDArray[np.float64]
    cuts: NDArray[np.float64]

    @cached_property
    def is_finite(self) -> bool:
        """Whether all numbers are."""
        return all(bool(np.isfinite(numbers).all()) for numbers in (self.vectors, self.lengths, self.cuts))

    @cached_property
    def total(self) -> Vectors:
        """The sum of all vectors, (d,)."""
        return cast(Vectors, self.vectors.sum(axis=(0, 1), dtype=np.float64).astype(np.float32))


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights of the cost above. `background` is the mean distance of unrelated spans; `n` is drawn to it as if
    `background_count` more spans had it, since a text of one sentence could not be told from a stranger otherwise.
    A bead with two sides has at most `most` units, both sides together, one with a single side `most_skipped`; by
    default only the widths of the span vectors limit them.
    """

    skip: float
    gap: float
    length: float
    size: float
    bonus: float
    src_lift: float
    tgt_lift: float
    src_edge: float
    src_inner: float
    tgt_edge: float
    tgt_inner: float
    background: float
    background_count: float
    most: int = 128
    most_skipped: int = 64


PARTS = Weights(
    skip=0.49, gap=0.1, length=0.3, size=0.021, bonus=-0.15, src_lift=0.0, tgt_lift=-1.5, src_edge=0.014,
    src_inner=0.03, tgt_edge=0.053, tgt_inner=0.048, background=0.9, background_count=6.0,
)  # fmt: skip
"""For parts of sentences compared by an encoder, tuned on NTREX and PUD Thai."""

GIVEN = Weights(
    skip=0.82, gap=0.03, length=0.62, size=0.0, bonus=-0.32, src_lift=0.0, tgt_lift=0.0, src_edge=0.05,
    src_inner=0.018, tgt_edge=0.04, tgt_inner=0.018, background=0.74, background_count=3.2, most=6, most_skipped=1,
)  # fmt: skip
"""For sentences that are given on both sides, in two languages, with overlap vectors: as people align them, those
without a counterpart stay single and no bead has more than six. Tuned on Text+Berg dev and on NTREX and PUD Thai, as
they are and with foreign lines inserted, sentences dropped and neighbours exchanged at random (docs/alignment.md)."""

ANCHORS = Weights(
    skip=0.83, gap=0.35, length=1.6, size=0.047, bonus=-0.04, src_lift=1.6, tgt_lift=0.8, src_edge=0.083,
    src_inner=0.15, tgt_edge=0.052, tgt_inner=0.22, background=2.3, background_count=10.0,
)  # fmt: skip
"""For parts of sentences compared by length and shared numbers and names, tuned on NTREX and EVBNews Vietnamese."""


LEXICON = Weights(
    skip=0.59, gap=0.17, length=0.75, size=0.02, bonus=-0.15, src_lift=0.5, tgt_lift=-1.3, src_edge=0.044,
    src_inner=0.075, tgt_edge=0.018, tgt_inner=0.05, background=0.46, background_count=7.0,
)  # fmt: skip
"""For parts of sentences compared by a lexicon, shared numbers and names, tuned on NTREX and EVBNews Vietnamese."""


def find_beads(src: Track, tgt: Track, weights: Weights) -> list[Bead]:
    """The cheapest beads: each unit of both sides in exactly one, in order.

    Exact for up to 600 x 600 units; beyond, only a band around a coarse alignment is searched, so that memory and time
    grow with the sum of the sides. Raises EngineError when vectors, lengths and cuts do not fit together.
    """
    _check(src, "source")
    _check(tgt, "target")
    if src.vectors.shape[2] != tgt.vectors.shape[2]:
        raise EngineError(
            f"source vectors have {src.vectors.shape[2]} dimensions, target vectors {tgt.vectors.shape[2]}",
            "Encode both sides with the same encoder.",
        )
    if len(src.lengths) * len(tgt.lengths) <= FULL_CELLS:
        return _search(src, tgt, weights, *_everything(src, tgt))
    return _search(src, tgt, weights, *_around_blocks(src, tgt, weights))


def _check(track: Track, side: str) -> None:
    vectors, units = track.vectors, len(track.lengths)
    if vectors.ndim != 3 or vectors.shape[1] != units or track.cuts.shape != (units + 1,):
        raise EngineError(
            f"the {side} side has {units} units, vectors of shape {vectors.shape} and {len(track.cuts)} cut positions",
            "Vectors must have the shape (widest bead, units, dimensions), and there is one more position than units.",
        )
    if not track.is_finite:
        raise EngineError(f"the {side} side has vectors, lengths or cuts that are not finite numbers")


def _search(src: Track, tgt: Track, weights: Weights, low: Positions, high: Positions) -> list[Bead]:
    """The cheapest beads whose corners (i, j) all have low[i] <= j <= high[i]."""
    from pipeline.stages.align.bead_kernel import Band, Scales, fill_rows

    src_cut, tgt_cut = _cut_costs(src, tgt, weights)
    src_terms = _terms(src, tgt, weights, _length_ratio(src, tgt), src_cut)
    tgt_terms = _terms(tgt, src, weights, 1.0, tgt_cut)
    limits = weights.most, weights.most_skipped
    scales = Scales(weights.skip, weights.gap, weights.length, weights.size, weights.bonus, MASS, *limits)
    sizes = high - low + 1
    band = Band(low, high, np.cumsum(sizes) - sizes - low)
    best = np.full(int(sizes.sum()), np.inf)
    step = np.zeros(len(best), dtype=np.int32)
    src_ending, tgt_ending = _by_position(src.vectors), _by_position(tgt.vectors)
    for first in range(0, len(low), ROWS):
        left, right = low[first], high[min(first + ROWS, len(low)) - 1] + 1
        cosine = _cosines(src_ending[:, first : first + ROWS], tgt_ending[:, left:right])
        fill_rows(first, cosine, left, band, src_terms, tgt_terms, scales, best, step)
    path = _trace(band, best, step)
    return [_bead(corner, src_ending, tgt_ending, src_terms, tgt_terms) for corner in path]


def _cosines(src: Vectors, tgt: Vectors) -> Vectors:
    """Of all spans of (K, rows, d) with all of (L, columns, d), as (K, rows, L, columns): one product, for speed."""
    product = src.reshape(-1, src.shape[2]) @ tgt.reshape(-1, tgt.shape[2]).T
    return product.reshape(*src.shape[:2], *tgt.shape[:2])


def _everything(src: Track, tgt: Track) -> tuple[Positions, Positions]:
    rows = len(src.lengths) + 1
    return np.zeros(rows, dtype=np.int64), np.full(rows, len(tgt.lengths), dtype=np.int64)


def _by_position(vectors: Vectors) -> Vectors:
    """Span vectors by the position they end at, (K, n+1, d): the span before the first unit is empty."""
    return np.pad(vectors, ((0, 0), (1, 0), (0, 0)))


def _length_ratio(src: Track, tgt: Track) -> float:
    src_size, tgt_size = float(src.lengths.sum()), float(tgt.lengths.sum())
    return min(MAX_RATIO, max(1 / MAX_RATIO, tgt_size / src_size)) if src_size and tgt_size else 1.0


def _cut_costs(src: Track, tgt: Track, weights: Weights) -> tuple[Costs, Costs]:
    """For each side what a bead edge costs at each position, and what no edge costs at all positions up to it."""
    found = []
    for track, lift, edge, inner in (
        (src, weights.src_lift, weights.src_edge, weights.src_inner),
        (tgt, weights.tgt_lift, weights.tgt_edge, weights.tgt_inner),
    ):
        odds = np.where(track.cuts < LINE_BREAK, track.cuts + lift, track.cuts)
        found.append((edge / 2 * np.logaddexp(0, -odds), np.cumsum(inner * np.logaddexp(0, odds))))
    return found[0], found[1]


def _terms(track: Track, other: Track, weights: Weights, scale: float, cut: Costs) -> Terms:
    from pipeline.stages.align.bead_kernel import Terms

    spans = sum(max(0, len(other.lengths) - size) for size in range(len(other.vectors)))
    distances = spans - np.pad(track.vectors @ other.total, ((0, 0), (1, 0))).astype(np.float64)
    spread = (distances + weights.background * weights.background_count) / (spans + weights.background_count)
    return Terms(
        upto=np.concatenate([[0.0], np.cumsum(track.lengths * scale)]),
        edge=cut[0],
        inner=cut[1],
        spread=spread,
    )


def _trace(band: Band, best: NDArray[np.float64], step: NDArray[np.int32]) -> list[Corner]:
    """The steps of the best path, first to last."""
    from pipeline.stages.align.bead_kernel import STRIDE

    path: list[Corner] = []
    i, j = len(band.low) - 1, int(band.high[-1])
    while i or j:
        a, b = divmod(int(step[band.shift[i] + j]), STRIDE)
        cost = best[band.shift[i] + j] - best[band.shift[i - a] + j - b]
        path.append(((i - a, i), (j - b, j), float(cost)))
        i, j = i - a, j - b
    return path[::-1]


def _bead(corner: Corner, src_ending: Vectors, tgt_ending: Vectors, src_terms: Terms, tgt_terms: Terms) -> Bead:
    src, tgt, cost = corner
    a, b = src[1] - src[0], tgt[1] - tgt[0]
    if not a or not b:
        return Bead(src, tgt, cost, 0.0, 0.0)
    similarity = float(src_ending[a - 1, src[1]] @ tgt_ending[b - 1, tgt[1]])
    usual = 1 - (src_terms.spread[a - 1, src[1]] + tgt_terms.spread[b - 1, tgt[1]]) / 2
    return Bead(src, tgt, cost, similarity, similarity - float(usual))


def _around_blocks(src: Track, tgt: Track, weights: Weights) -> tuple[Positions, Positions]:
    """Lowest and highest target position for each source position, around an alignment of larger blocks.

    Both sides are cut into blocks of equal character counts, because their units may differ in size by far; that is
    where Vecalign's halving of both sides leaves its band. Each level has four times as many blocks as the one
    before, and is searched in a band around its path, so that the last band is as wide for any length.

    There is no second look at the beads as SentAlign takes (Steingrimsson, Loftsson and Way 2023): inside the band the
    search has weighed every split of a bead and every unaligned unit that could join one.
    """
    plain = replace(weights, size=0.0, src_edge=0.0, src_inner=0.0, tgt_edge=0.0, tgt_inner=0.0)
    counts = [max(len(src.lengths), len(tgt.lengths)) // UNITS_IN_BLOCK]
    while counts[-1] > BLOCKS:
        counts.append(counts[-1] // COARSER)
    coarse_src, src_at = _blocks(src, counts[-1])
    coarse_tgt, tgt_at = _blocks(tgt, counts[-1])
    beads = _search(coarse_src, coarse_tgt, plain, *_everything(coarse_src, coarse_tgt))
    for count in counts[-2::-1]:
        finer_src, finer_src_at = _blocks(src, count)
        finer_tgt, finer_tgt_at = _blocks(tgt, count)
        band = _around(beads, np.searchsorted(finer_src_at, src_at), np.searchsorted(finer_tgt_at, tgt_at))
        beads = _search(finer_src, finer_tgt, plain, *band)
        src_at, tgt_at = finer_src_at, finer_tgt_at
    return _around(beads, src_at, tgt_at)


def _around(beads: list[Bead], src_at: Positions, tgt_at: Positions) -> tuple[Positions, Positions]:
    """The band BAND_BLOCKS blocks around `beads`, given the finer position of each block's start and of the end."""
    last_src, last_tgt = len(src_at) - 1, len(tgt_at) - 1
    low, high = np.full(src_at[-1] + 1, tgt_at[-1]), np.zeros(src_at[-1] + 1, dtype=np.int64)
    for bead in beads:
        first, past = src_at[max(0, bead.src[0] - BAND_BLOCKS)], src_at[min(last_src, bead.src[1] + BAND_BLOCKS)]
        bottom, top = tgt_at[max(0, bead.tgt[0] - BAND_BLOCKS)], tgt_at[min(last_tgt, bead.tgt[1] + BAND_BLOCKS)]
        low[first : past + 1] = np.minimum(low[first : past + 1], bottom)
        high[first : past + 1] = np.maximum(high[first : past + 1], top)
    return low, high


def _blocks(track: Track, most: int) -> tuple[Track, Positions]:
    """The side as at most `most` units of about equal length, and the position where each begins (and the end)."""
    units = len(track.lengths)
    upto = np.concatenate([[0.0], np.cumsum(track.lengths + 1.0)])
    at = np.unique(np.searchsorted(upto, np.linspace(0, upto[-1], min(units, most) + 1), side="left"))
    at[-1] = units
    lengths = np.add.reduceat(track.lengths, at[:-1])
    sums = np.add.reduceat(track.vectors[0] * track.lengths[:, None].astype(np.float32), at[:-1], axis=0)
    return Track(summed_spans(sums.astype(np.float64), BLOCK_WIDTH), lengths, np.zeros(len(at))), at.astype(np.int64)
