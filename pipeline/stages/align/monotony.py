"""Links between two documents that are found without regard to order, and how many of them are in order.

Parallel documents say the same in the same order. The bead search cannot tell: it only sees what is in order. So
places that belong together are looked up anywhere first. With sentence vectors these are a likely English sentence and
the source span nearest to it that has no nearer sentence; without, anchors that stand in one sentence on each side.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.align.encoded import View

CLOSE_MARGIN = 0.2
"""How far a cosine lies over the mean from which two spans are clearly closer than chance."""
SENTENCES_AT_ONCE = 256

Places = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Links:
    """L places (unit numbers) on both sides that belong together, and what each link weighs; all (L,)."""

    src: Places
    tgt: Places
    weights: Places


def find_links(src: View, tgt: View) -> Links:
    """The links of two documents, in the order of the target; a link weighs the characters of its English sentence,
    or 1 for units that share anchors."""
    found = _nearest(src, tgt) if src.vectors is not None and tgt.vectors is not None else _shared(src, tgt)
    return Links(*np.array(found, dtype=np.float64).reshape(-1, 3).T)


def in_order(links: Links) -> float:
    """The greatest weight that a chain of links which never goes back on either side can have, 0 for no links."""
    best = np.zeros(len(links.src))
    for k in range(len(best)):
        before = (links.src[:k] <= links.src[k]) & (links.tgt[:k] <= links.tgt[k])
        best[k] = links.weights[k] + np.max(best[:k], where=before, initial=0.0)
    return float(best.max(initial=0.0))


def _nearest(src: View, tgt: View) -> list[tuple[float, float, float]]:
    assert src.vectors is not None and tgt.vectors is not None
    width, units, dimensions = src.vectors.shape
    ranges = tgt.units.sentences()
    if not units or not ranges:
        return []
    spans = src.vectors.reshape(-1, dimensions)
    # A sentence of more units than a bead can have is known by its last ones.
    sentences = np.stack([tgt.vectors[min(end - start, len(tgt.vectors)) - 1, end - 1] for start, end in ranges])
    sizes, ends = np.divmod(np.arange(width * units), units)
    real = ends >= sizes
    nearest = np.concatenate(
        [
            np.argmax(np.where(real, sentences[first : first + SENTENCES_AT_ONCE] @ spans.T, -np.inf), axis=1)
            for first in range(0, len(sentences), SENTENCES_AT_ONCE)
        ]
    )
    cosines = sentences @ spans[nearest].T
    own = np.arange(len(sentences))
    close = np.diagonal(cosines) - sentences @ spans[real].mean(axis=0) >= CLOSE_MARGIN
    mutual = np.argmax(cosines, axis=0) == own
    lengths = tgt.units.lengths
    return [
        (float(ends[nearest[j]] - sizes[nearest[j]] / 2), float(j), float(lengths[slice(*ranges[j])].sum()))
        for j in np.flatnonzero(close & mutual)
    ]


def _shared(src: View, tgt: View) -> list[tuple[float, float, float]]:
    src_places, tgt_places = src.landmarks, tgt.landmarks
    both = {(tgt_places[key], src_places[key]) for key in src_places.keys() & tgt_places.keys()}
    return [(float(src_place), float(tgt_place), 1.0) for tgt_place, src_place in sorted(both)]
