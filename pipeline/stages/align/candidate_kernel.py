"""The inner loop of the search for candidates, compiled."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.jit import compiled
from pipeline.stages.align.sparse_rows import SparseRows

LANES = 8
DECIMALS = 1e9
"""Similarities are compared by nine decimals: what lies beyond depends on the order of a sum."""


class Compared(NamedTuple):
    """A block of sources and all targets: their `vectors` (rows, d) and `matrix` (targets, d), float32, and `dense`
    (rows, targets), about the products of the two; which sources are `readable`, that is, have a vector; which targets
    are `spare`, that is, never among the best."""

    vectors: NDArray[np.float32]
    matrix: NDArray[np.float32]
    dense: NDArray[np.float32]
    readable: NDArray[np.bool_]
    spare: NDArray[np.bool_]


class Blend(NamedTuple):
    """The share of the anchors in a similarity where there are vectors, and by how much the similarity that a float32
    product gives may be wrong."""

    anchors: float
    error: float


@compiled()
def _dot(one: Any, other: Any) -> float:
    """The product of two float32 vectors in float64, always summed in the same order."""
    lanes = np.zeros(LANES)
    whole = len(one) - len(one) % LANES
    for at in range(0, whole, LANES):
        for lane in range(LANES):
            lanes[lane] += np.float64(one[at + lane]) * np.float64(other[at + lane])
    total = 0.0
    for lane in range(LANES):
        total += lanes[lane]
    for at in range(whole, len(one)):
        total += np.float64(one[at]) * np.float64(other[at])
    return total


@compiled()
def _insert(place: int, similarity: float, places: Any, similarities: Any) -> None:
    """Put a target into the descending list `similarities`, behind its equals, if it belongs there."""
    at = len(similarities)
    while at > 0 and similarity > similarities[at - 1]:
        at -= 1
    if at == len(similarities):
        return
    similarities[at + 1 :] = similarities[at:-1].copy()
    places[at + 1 :] = places[at:-1].copy()
    similarities[at] = similarity
    places[at] = place


@compiled()
def choose(
    sources: SparseRows,
    first: int,
    postings: SparseRows,
    block: Compared,
    blend: Blend,
    places: Any,
    similarities: Any,
) -> None:
    """The most similar targets of the sources from `first` on, best first, equals in the order of the targets, into
    `places` and `similarities` (both (rows, k), k at most the number of targets that are not spare).

    `postings` are the target rows and weights of each anchor. `block.dense`, right within `blend.error`, only tells
    which targets may be among the best; these are compared by exact products.
    """
    scores = np.empty(block.dense.shape[1])
    for row in range(block.dense.shape[0]):
        scores[:] = 0.0
        for entry in range(sources.starts[first + row], sources.starts[first + row + 1]):
            column, weight = sources.columns[entry], sources.weights[entry]
            for posting in range(postings.starts[column], postings.starts[column + 1]):
                scores[postings.columns[posting]] += weight * postings.weights[posting]
        anchors, read = (blend.anchors, 1.0 - blend.anchors) if block.readable[row] else (1.0, 0.0)
        places[row] = -1
        similarities[row] = -1.0
        for target in range(len(scores)):
            score = anchors * scores[target] + read * max(block.dense[row, target], np.float32(0.0))
            if score > similarities[row, -1] and not block.spare[target]:
                _insert(target, score, places[row], similarities[row])
        # Of the best by exact products none can lie lower than this: each of two comparisons may be wrong by the error.
        least = similarities[row, -1] - 2.0 * read * blend.error - 2.0 / DECIMALS
        similarities[row] = -1.0
        for target in range(len(scores)):
            score = anchors * scores[target] + read * max(block.dense[row, target], np.float32(0.0))
            if score >= least and not block.spare[target]:
                if block.readable[row]:
                    exact = _dot(block.vectors[row], block.matrix[target])
                    score = anchors * scores[target] + read * max(exact, 0.0)
                score = np.floor(score * DECIMALS + 0.5) / DECIMALS
                if score > similarities[row, -1]:
                    _insert(target, score, places[row], similarities[row])
