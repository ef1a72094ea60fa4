"""The inner loop of the bead dynamic programme, compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

F = TypeVar("F", bound=Callable[..., Any])
Array = NDArray[np.float64]

# A step is stored as a * STRIDE + b: a source and b target units.
STRIDE = 64


def _compiled(function: F) -> F:
    """`function` compiled without the interpreter lock; the machine code is kept where a folder can be written."""
    try:
        return cast(F, numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:  # no writable cache folder: compile in every process
        return cast(F, numba.njit(nogil=True)(function))


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

    Cell (i, j) is stored at `shift[i] + j`, so that memory grows with the number of cells.
    """

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    shift: NDArray[np.int64]


class Scales(NamedTuple):
    """The weights of the cost that the loop needs; see `beads.Weights`."""

    skip: float
    gap: float
    length: float
    bonus: float
    unit: float


@_compiled
def _cut(terms: Terms, start: int, end: int) -> float:
    """What the edges of the span and the positions inside it cost; nothing for an empty span."""
    if start == end:
        return 0.0
    return terms.edge[start] + terms.edge[end] + terms.inner[end - 1] - terms.inner[start]  # type: ignore[no-any-return]


@_compiled
def _match(a: int, b: int, cosine: float, corner: tuple[int, int], src: Terms, tgt: Terms, scales: Scales) -> float:
    """What `a` source and `b` target units before `corner` cost as one bead, or as a skipped run; without the cuts."""
    i, j = corner
    src_size = src.upto[i] - src.upto[i - a]
    tgt_size = tgt.upto[j] - tgt.upto[j - b]
    mass = (src_size + tgt_size) / scales.unit
    if a == 0 or b == 0:
        return scales.skip * mass + scales.gap  # type: ignore[no-any-return]
    distance = 2.0 * (1.0 - cosine) / (src.spread[a - 1, i] + tgt.spread[b - 1, j])
    ratio = np.log((src_size + 5.0) / (tgt_size + 5.0))
    return mass * distance + scales.length * ratio * ratio * mass**0.7 + scales.bonus  # type: ignore[no-any-return]


@_compiled
def fill_row(row: int, band: Band, cosine: Any, src: Terms, tgt: Terms, scales: Scales, best: Any, step: Any) -> None:
    """Fill the cells of source position `row` in `best` and `step`.

    `cosine[b-1, j-low, a-1]` compares the `a` source units before `row` with the `b` target units before j. Ties go
    to the smaller bead.
    """
    low, high, shift = band
    if row == 0:
        best[0] = 0.0
    for j in range(low[row], high[row] + 1):
        for a in range(min(src.spread.shape[0], row) + 1):
            before = row - a
            src_cut = _cut(src, before, row)
            for b in range(a == 0, min(tgt.spread.shape[0], j) + 1):
                start = j - b
                if start < low[before] or start > high[before]:
                    continue
                cost = best[shift[before] + start] + src_cut + _cut(tgt, start, j)
                cost += _match(a, b, cosine[b - 1, j - low[row], a - 1], (row, j), src, tgt, scales)
                if cost < best[shift[row] + j]:
                    best[shift[row] + j] = cost
                    step[shift[row] + j] = a * STRIDE + b
