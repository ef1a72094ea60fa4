"""Vecalign's way of aligning (Thompson and Koehn 2019, D19-1136), written anew as a peer to measure against.

    cost(X, Y) = 2 a b (1 - cos(X, Y)) / (n(X) + n(Y))     a, b: units of X and of Y
    skip       = the 0.2 quantile of the costs of 20,000 random pairs of units, for each unit

n(X) is the mean distance of X to 100 random spans of the other side. Both sides are halved until their product is at
most 300 x 300; the path found there, of single units, is doubled again and again and searched around. Two things are
more generous than in the original: a document that need not be halved is searched whole, and so is the rectangle of a
run of skipped units. Random numbers have a fixed seed.
"""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.bench.gale_church import Pair
from pipeline.engines.encoders.base import Vectors
from pipeline.engines.jit import compiled
from pipeline.stages.align.span_vectors import unit_rows

Positions = NDArray[np.int64]

FULL = 300 * 300
QUANTILE = 0.2
COST_SAMPLES = 20_000
SPAN_SAMPLES = 100
BUFFER = 5
SEED = 42


def vecalign_style(src: Vectors, tgt: Vectors, most: int) -> list[Pair]:
    """The cheapest beads of at most `most` units, both sides together, given span vectors (K, n, d) of both sides.

    No side of a bead has more than K units.
    """
    if not src.shape[1] or not tgt.shape[1]:
        return _skipped(src.shape[1], tgt.shape[1])
    rng = np.random.default_rng(SEED)
    levels = [(src, tgt)]
    while levels[-1][0].shape[1] * levels[-1][1].shape[1] > FULL:
        levels.append((_halved(levels[-1][0]), _halved(levels[-1][1])))
    pairs: list[Pair] | None = None
    for number, (ours, theirs) in reversed(list(enumerate(levels))):
        rows, columns = ours.shape[1], theirs.shape[1]
        kinds = _kinds(most if number == 0 else 2, len(ours), len(theirs))
        width = ceil(most / 2) + BUFFER
        low, high = _everything(rows, columns) if pairs is None else _around(pairs, rows, columns, width)
        pairs = _search(ours, theirs, kinds, low, high, rng)
    assert pairs is not None
    return pairs


def _skipped(rows: int, columns: int) -> list[Pair]:
    pairs: list[Pair] = [((i, i + 1), (0, 0)) for i in range(rows)]
    return pairs + [((rows, rows), (j, j + 1)) for j in range(columns)]


def _kinds(most: int, src_width: int, tgt_width: int) -> NDArray[np.int64]:
    shapes = [(a, b) for a in range(1, src_width + 1) for b in range(1, tgt_width + 1) if a + b <= most]
    return np.array(shapes, dtype=np.int64)


def _halved(vectors: Vectors) -> Vectors:
    """Half as many units: neighbours added, the side's mean taken away, scaled to length 1."""
    units = vectors[0]
    sums = np.add.reduceat(units, np.arange(0, len(units), 2), axis=0)
    centred: Vectors = unit_rows((sums - sums.mean(axis=0)).astype(np.float64)).astype(np.float32)
    return centred[None]


def _everything(rows: int, columns: int) -> tuple[Positions, Positions]:
    return np.zeros(rows + 1, dtype=np.int64), np.full(rows + 1, columns, dtype=np.int64)


def _around(pairs: list[Pair], rows: int, columns: int, width: int) -> tuple[Positions, Positions]:
    """The band `width` units around twice the path, runs of skipped units taken as one rectangle."""
    low, high = np.full(rows + 1, columns, dtype=np.int64), np.zeros(rows + 1, dtype=np.int64)
    corners = [(0, 0), *((src[1], tgt[1]) for src, tgt in pairs if src[0] < src[1] and tgt[0] < tgt[1])]
    starts = [(src[0], tgt[0]) for src, tgt in pairs if src[0] < src[1] and tgt[0] < tgt[1]]
    boxes = list(zip(corners, [*starts, (rows, columns)], strict=True))
    boxes += list(zip(starts, corners[1:], strict=True))
    for (first, bottom), (last, top) in boxes:
        reach = slice(max(0, 2 * first - width), 2 * last + width + 1)
        low[reach] = np.minimum(low[reach], max(0, 2 * bottom - width))
        high[reach] = np.maximum(high[reach], min(columns, 2 * top + width))
    return low, high


def _search(
    src: Vectors, tgt: Vectors, kinds: NDArray[np.int64], low: Positions, high: Positions, rng: np.random.Generator
) -> list[Pair]:
    src_usual, tgt_usual = _usual(src, tgt, rng), _usual(tgt, src, rng)
    skip = _skip_cost(src, tgt, src_usual, tgt_usual, rng)
    shift = np.cumsum(high - low + 1) - (high - low + 1) - low
    best = np.full(int((high - low + 1).sum()), np.inf)
    step = np.zeros((len(best), 2), dtype=np.int8)
    _fill(src, tgt, src_usual, tgt_usual, kinds, skip, low, high, shift, best, step)
    pairs: list[Pair] = []
    i, j = src.shape[1], tgt.shape[1]
    while i or j:
        a, b = (int(size) for size in step[shift[i] + j])
        pairs.append(((i - a, i), (j - b, j)))
        i, j = i - a, j - b
    return pairs[::-1]


def _usual(vectors: Vectors, others: Vectors, rng: np.random.Generator) -> NDArray[np.float32]:
    """Mean distance of every span to random spans of the other side, (K, n)."""
    layers = rng.integers(0, min(others.shape[:2]), SPAN_SAMPLES)
    chosen = others[layers, rng.integers(layers, others.shape[1])]
    distances: NDArray[np.float32] = 1 - vectors @ chosen.mean(axis=0)
    return distances


def _skip_cost(
    src: Vectors, tgt: Vectors, src_usual: NDArray[np.float32], tgt_usual: NDArray[np.float32], rng: np.random.Generator
) -> float:
    rows, columns = src.shape[1], tgt.shape[1]
    if rows * columns <= COST_SAMPLES:
        i, j = (at.ravel() for at in np.indices((rows, columns)))
    else:
        i, j = rng.integers(0, rows, COST_SAMPLES), rng.integers(0, columns, COST_SAMPLES)
    cosine = np.einsum("nd,nd->n", src[0, i], tgt[0, j])
    return float(np.quantile(2 * (1 - cosine) / (src_usual[0, i] + tgt_usual[0, j] + 1e-6), QUANTILE))


@compiled(fastmath={"reassoc", "contract"})
def _fill(
    src: Any, tgt: Any, src_usual: Any, tgt_usual: Any, kinds: Any, skip: float, low: Any, high: Any, shift: Any,
    best: Any, step: Any,
) -> None:  # fmt: skip
    """Fill the cells of the band row by row; cell (i, j) is stored at shift[i] + j."""
    best[0] = 0.0
    for i in range(len(low)):
        for j in range(low[i], high[i] + 1):
            here = shift[i] + j
            if j > low[i] and best[here - 1] + skip < best[here]:
                best[here] = best[here - 1] + skip
                step[here, 0], step[here, 1] = 0, 1
            if i and low[i - 1] <= j <= high[i - 1] and best[shift[i - 1] + j] + skip < best[here]:
                best[here] = best[shift[i - 1] + j] + skip
                step[here, 0], step[here, 1] = 1, 0
            for kind in range(len(kinds)):
                a, b = kinds[kind]
                if a > i or j - b < low[i - a] or j - b > high[i - a]:
                    continue
                cosine = np.float32(0)
                for k in range(src.shape[2]):
                    cosine += src[a - 1, i - 1, k] * tgt[b - 1, j - 1, k]
                usual = src_usual[a - 1, i - 1] + tgt_usual[b - 1, j - 1] + 1e-6
                cost = best[shift[i - a] + j - b] + 2 * a * b * (1 - cosine) / usual
                if cost < best[here]:
                    best[here] = cost
                    step[here, 0], step[here, 1] = a, b
