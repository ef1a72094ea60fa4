"""The inner loop of the bead dynamic programme, compiled."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.jit import compiled

Array = NDArray[np.float64]

# A step is stored as a * STRIDE + b: a source and b target units.
STRIDE = 64


class Terms(NamedTuple):
    """Everything about a side that the cost of its spans needs, from unit positions 0..n.

    `upto[k]`: characters before position k, the source's scaled to the target's length; `edge[k]`: cost of a bead
    edge at k; `inner[k]`: cost of no edge at the positions 1..k together; `spread[size-1, k]`: mean distance of the
    span of `size` units that ends at k to all spans of the other side.
    """

    upto: Array
    edge: Array
    inner: Array
    spread: Array


class Band(NamedTuple):
    """The cells that are searched: target positions low[i]..high[i] of each source position i, from corner to corner.

    Neither bound ever falls. Cell (i, j) is stored at `shift[i] + j`, so that memory grows with the number of cells.
    """

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    shift: NDArray[np.int64]


class Scales(NamedTuple):
    """The weights of the cost and the limits of a bead that the loop needs; see `beads.Weights`."""

    skip: float
    gap: float
    length: float
    size: float
    bonus: float
    unit: float
    most: int
    most_skipped: int


@compiled()
def _cut(terms: Terms, start: int, end: int) -> float:
    """What the edges of the span and the positions inside it cost; nothing for an empty span."""
    if start == end:
        return 0.0
    return terms.edge[start] + terms.edge[end] + terms.inner[end - 1] - terms.inner[start]  # type: ignore[no-any-return]


@compiled()
def _match(a: int, b: int, cosine: float, corner: tuple[int, int], src: Terms, tgt: Terms, scales: Scales) -> float:
    """What `a` source and `b` target units before `corner` cost as one bead, or as a skipped run.

    Without the cuts, and without what `_length` adds to a bead with two sides.
    """
    i, j = corner
    mass = (src.upto[i] - src.upto[i - a] + tgt.upto[j] - tgt.upto[j - b]) / scales.unit
    if a == 0 or b == 0:
        return scales.skip * mass + scales.gap  # type: ignore[no-any-return]
    distance = 2.0 * (1.0 - cosine) / (src.spread[a - 1, i] + tgt.spread[b - 1, j])
    return mass * distance + scales.bonus  # type: ignore[no-any-return]


@compiled()
def _length(a: int, b: int, corner: tuple[int, int], src: Terms, tgt: Terms, scales: Scales) -> float:
    """What the lengths of the two sides of a bead cost, being unequal or unusual, 0 or more."""
    i, j = corner
    src_size = src.upto[i] - src.upto[i - a]
    tgt_size = tgt.upto[j] - tgt.upto[j - b]
    mass = (src_size + tgt_size) / scales.unit
    ratio = np.log((src_size + 5.0) / (tgt_size + 5.0))
    usual = np.log(1.04 * mass + 0.05)
    return scales.length * ratio * ratio * np.sqrt(mass) + scales.size * usual * usual  # type: ignore[no-any-return]


@compiled()
def _runs(row: int, band: Band, src: Terms, tgt: Terms, scales: Scales, best: Any, step: Any) -> None:
    """Try skipped target runs for the cells of source position `row`; last, because each cell needs those before."""
    low, high, shift = band
    for j in range(low[row] + 1, high[row] + 1):
        here = shift[row] + j
        for b in range(1, min(tgt.spread.shape[0], scales.most_skipped, j - low[row]) + 1):
            cost = best[here - b] + _cut(tgt, j - b, j) + _match(0, b, 0.0, (row, j), src, tgt, scales)
            if cost < best[here] or (cost == best[here] and step[here] >= STRIDE):
                best[here] = cost
                step[here] = b


@compiled()
def fill_rows(
    first: int, cosine: Any, left: int, band: Band, src: Terms, tgt: Terms, scales: Scales, best: Any, step: Any
) -> None:
    """Fill the cells of the source positions from `first` on in `best` and `step`.

    `cosine[a-1, r, b-1, c]` compares the `a` source units before position first + r with the `b` target units before
    position left + c. Ties go to the smaller bead.
    """
    low, high, shift = band
    for row in range(first, first + cosine.shape[1]):
        if row == 0:
            best[0] = 0.0
        for a in range(1, min(src.spread.shape[0], row) + 1):
            before = row - a
            src_cut = _cut(src, before, row)
            for b in range(0 if a <= scales.most_skipped else 1, min(tgt.spread.shape[0], max(0, scales.most - a)) + 1):
                for j in range(max(low[row], low[before] + b), min(high[row], high[before] + b) + 1):
                    here = shift[row] + j
                    similar = cosine[a - 1, row - first, b - 1, j - left] if b else 0.0
                    cost = best[shift[before] + j - b] + src_cut + _cut(tgt, j - b, j)
                    cost += _match(a, b, similar, (row, j), src, tgt, scales)
                    # The logarithm and the power take most of the time and can only add: few beads get that far.
                    if cost < best[here] and b:
                        cost += _length(a, b, (row, j), src, tgt, scales)
                    if cost < best[here]:
                        best[here] = cost
                        step[here] = a * STRIDE + b
        _runs(row, band, src, tgt, scales, best, step)
