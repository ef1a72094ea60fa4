"""The length-based aligner of Gale and Church (1993, J93-1004), as a peer to measure against.

    delta = (|Y| - |X|) / sqrt(6.8 (|X| + |Y|) / 2)     lengths in characters, one expected for one
    cost  = - ln prior(shape) - ln P(|N(0,1)| >= |delta|)

The whole document is one search: paragraphs are not aligned first, as they are in the paper.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erfc, inf, log, sqrt

Pair = tuple[tuple[int, int], tuple[int, int]]
"""Ranges of source and of target sentences, end exclusive."""

VARIANCE = 6.8
PRIORS = {(1, 1): 0.89, (1, 0): 0.0099, (0, 1): 0.0099, (2, 1): 0.089, (1, 2): 0.089, (2, 2): 0.011}
LEAST_CHANCE = 1e-11
"""So that a hopeless bead still has a cost."""


def gale_church(src: Sequence[float], tgt: Sequence[float]) -> list[Pair]:
    """The most probable beads of two documents, given the characters of their sentences."""
    rows, columns = len(src) + 1, len(tgt) + 1
    best = [[inf] * columns for _ in range(rows)]
    step = [[(0, 0)] * columns for _ in range(rows)]
    best[0][0] = 0.0
    for i in range(rows):
        for j in range(columns):
            for (a, b), prior in PRIORS.items():
                if a <= i and b <= j:
                    cost = best[i - a][j - b] - log(prior) + _unlikely(sum(src[i - a : i]), sum(tgt[j - b : j]))
                    if cost < best[i][j]:
                        best[i][j], step[i][j] = cost, (a, b)
    pairs: list[Pair] = []
    i, j = rows - 1, columns - 1
    while i or j:
        a, b = step[i][j]
        pairs.append(((i - a, i), (j - b, j)))
        i, j = i - a, j - b
    return pairs[::-1]


def _unlikely(src: float, tgt: float) -> float:
    """Minus the logarithm of the chance that lengths of one meaning differ by so much or more."""
    if src + tgt == 0:
        return 0.0
    delta = abs(tgt - src) / sqrt(VARIANCE * (src + tgt) / 2)
    return -log(max(LEAST_CHANCE, erfc(delta / sqrt(2))))
