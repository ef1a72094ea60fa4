"""Mining: sentences that say the same, wherever they stand in texts that are about the same things."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.encoders.base import Vectors

NEIGHBOURS = 4


@dataclass(frozen=True, slots=True)
class Mined:
    """The numbers of a source and a target sentence, and their margin."""

    src: int
    tgt: int
    margin: float


def mine(src: Vectors, tgt: Vectors, least: float) -> list[Mined]:
    """The pairs of unit vectors (n, d) and (m, d) with a margin of at least `least`, in the order of the source.

    Ratio margin of Artetxe and Schwenk 2019 (arXiv 1811.01136): the cosine over the mean of those with the
    NEIGHBOURS nearest on either side. The best of every source and of every target sentence are candidates; the
    greatest margin goes first, and each sentence goes into one pair at most.
    """
    if not len(src) or not len(tgt):
        return []
    cosines = (src @ tgt.T).astype(np.float64)
    margins = ratio_margins(cosines)
    n, m = cosines.shape
    candidates = {(i, int(j)) for i, j in enumerate(margins.argmax(axis=1))}
    candidates |= {(int(i), j) for j, i in enumerate(margins.argmax(axis=0))}
    free_src, free_tgt = np.ones(n, dtype=bool), np.ones(m, dtype=bool)
    found = []
    for i, j in sorted(candidates, key=lambda place: (-margins[place], place)):
        if margins[i, j] >= least and free_src[i] and free_tgt[j]:
            free_src[i] = free_tgt[j] = False
            found.append(Mined(i, j, float(margins[i, j])))
    return sorted(found, key=lambda pair: pair.src)


def ratio_margins(cosines: NDArray[np.float64]) -> NDArray[np.float64]:
    """The ratio margin of every pair, (n, m) from cosines (n, m); 0 where the neighbours are not alike at all.

    A text with fewer than NEIGHBOURS sentences counts with those it has, so the only sentence has a margin of 1.
    """
    nearest = [_mean_of_greatest(cosines), _mean_of_greatest(cosines.T)]
    usual = (nearest[0][:, None] + nearest[1][None, :]) / 2
    return np.divide(cosines, usual, out=np.zeros_like(cosines), where=usual > 0)


def _mean_of_greatest(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    k = min(NEIGHBOURS, rows.shape[1])
    greatest: NDArray[np.float64] = np.sort(rows, axis=1)[:, -k:].mean(axis=1)
    return greatest
