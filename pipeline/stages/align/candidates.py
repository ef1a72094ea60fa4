"""Document candidates: which English documents may be the counterpart of a source document.

Two signals are added. A document's vector is the concatenation of its sentence vectors seen through overlapping
windows along the text (PERT densities; Thompson and Koehn 2020, "Exploiting Sentence Order in Document Alignment"), so
that the order of what is said counts. Its anchors (numbers by value, names, addresses) are compared by cosine with
inverse document frequencies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.encoders.base import Vectors

WINDOWS = 8
PERT_SHAPE = 20.0
ANCHOR_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Profile:
    """What is compared of a document: `vector` (d,) of length 1, or None where no encoder reads it; `anchors`."""

    vector: Vectors | None
    anchors: Counter[str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """The place of a target document and its similarity, 0 to 1."""

    target: int
    similarity: float


def windowed(vectors: NDArray[np.floating], lengths: NDArray[np.float64]) -> Vectors | None:
    """The document vector (WINDOWS * d,) of unit vectors (n, d) of consecutive stretches with `lengths` (n,).

    None for a document without text.
    """
    total = float(lengths.sum())
    if not total:
        return None
    centres = (np.cumsum(lengths) - lengths / 2) / total
    modes = (np.arange(WINDOWS) + 0.5) / WINDOWS
    density = np.exp(
        PERT_SHAPE * modes[:, None] * np.log(centres) + PERT_SHAPE * (1 - modes[:, None]) * np.log1p(-centres)
    )
    share = density / density.sum(axis=0)
    slots = (share * lengths) @ vectors.astype(np.float64)
    norms = np.linalg.norm(slots, axis=1, keepdims=True)
    joined = (slots / np.where(norms == 0, 1, norms)).ravel()
    return cast(Vectors, (joined / np.linalg.norm(joined)).astype(np.float32))


def candidates(sources: Sequence[Profile], targets: Sequence[Profile], limit: int) -> list[list[Candidate]]:
    """For each source the `limit` most similar targets, best first; equal similarities in the order of the targets."""
    rarity = _rarity(profile.anchors for profile in (*sources, *targets))
    postings: dict[str, list[tuple[int, float]]] = {}
    for i, target in enumerate(targets):
        for key, weight in _weighted(target.anchors, rarity).items():
            postings.setdefault(key, []).append((i, weight))
    dimensions = next((len(target.vector) for target in targets if target.vector is not None), 1)
    matrix = np.zeros((len(targets), dimensions), dtype=np.float32)
    for i, target in enumerate(targets):
        if target.vector is not None:
            matrix[i] = target.vector
    found = []
    for source in sources:
        scores = np.zeros(len(targets))
        for key, weight in _weighted(source.anchors, rarity).items():
            for i, other in postings.get(key, ()):
                scores[i] += weight * other
        if source.vector is not None:
            scores = ANCHOR_SHARE * scores + (1 - ANCHOR_SHARE) * np.maximum(matrix @ source.vector, 0)
        best = np.argsort(-scores, kind="stable")[:limit]
        found.append([Candidate(int(i), float(scores[i])) for i in best])
    return found


def _rarity(documents: Iterable[Counter[str]]) -> dict[str, float]:
    """The inverse document frequency of each anchor; one that every document has still counts a little."""
    carriers: Counter[str] = Counter()
    number = 0
    for anchors in documents:
        carriers.update(anchors.keys())
        number += 1
    return {key: float(np.log1p(number / count)) for key, count in carriers.items()}


def _weighted(anchors: Counter[str], rarity: dict[str, float]) -> dict[str, float]:
    """Anchor weights, scaled so that their squares add up to 1."""
    weights = {key: (1 + float(np.log(count))) * rarity[key] for key, count in anchors.items()}
    norm = float(np.sqrt(sum(weight * weight for weight in weights.values())))
    return {key: weight / norm for key, weight in weights.items()}


def one_to_one(pairs: Iterable[tuple[str, str, float]]) -> set[tuple[str, str]]:
    """Of (source, target, score) greedily the best first, each source and each target once."""
    taken: set[tuple[str, str]] = set()
    sources: set[str] = set()
    targets: set[str] = set()
    for source, target, _ in sorted(pairs, key=lambda pair: (-pair[2], pair[0], pair[1])):
        if source not in sources and target not in targets:
            taken.add((source, target))
            sources.add(source)
            targets.add(target)
    return taken
