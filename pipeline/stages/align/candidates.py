"""Document candidates: which English documents may be the counterpart of a source document.

Two signals are added. A document's vector is the concatenation of its sentence vectors seen through overlapping
windows along the text (PERT densities; Thompson and Koehn 2020, "Exploiting Sentence Order in Document Alignment"), so
that the order of what is said counts. Its anchors (numbers by value, names, addresses) are compared by cosine with
inverse document frequencies.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from typing import cast

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.encoders.base import Vectors
from pipeline.stages.align.anchor_table import AnchorTable, weighted

WINDOWS = 8
PERT_SHAPE = 20.0
ANCHOR_SHARE = 0.3
MOST_ROWS = 512
CELLS = 80_000_000
"""Products of a source and a target that are held at once, 4 bytes each."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """The place of a target document and its similarity, 0 to 1."""

    target: int
    similarity: float


def windowed(vectors: NDArray[np.floating], lengths: NDArray[np.float64]) -> Vectors:
    """The document vector (WINDOWS * d,) of unit vectors (n, d) of consecutive stretches with `lengths` (n,),
    of which one at least is not 0.
    """
    total = float(lengths.sum())
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


class CandidateSearch:
    """Finds for each source the `limit` most similar targets, given the anchors of both and the vectors of the targets
    (targets, d), zero where there is none; None where nobody reads them.

    Holds the vectors of the targets and some 16 bytes an anchor; those of the sources are given block by block.
    Several threads may ask at once.
    """

    def __init__(self, sources: AnchorTable, targets: AnchorTable, vectors: Vectors | None, limit: int) -> None:
        self._sources, self._postings = weighted(sources, targets)
        self._matrix = np.zeros((len(targets), 0), dtype=np.float32) if vectors is None else vectors
        self._limit = min(limit, len(targets))
        self._spare = _spare(targets, self._matrix, self._limit)

    def rows_at_once(self, threads: int) -> int:
        """How many sources `best` should be asked for, so that `threads` threads together stay within CELLS."""
        return max(1, min(MOST_ROWS, CELLS // (threads * max(1, len(self._matrix)))))

    def best(self, first: int, readable: NDArray[np.bool_], vectors: Vectors | None) -> list[list[Candidate]]:
        """The candidates of the sources from number `first` on, best first, equal similarities (to nine decimals) in
        the order of the targets.

        `vectors` (len(readable), d) counts where `readable`; elsewhere anchors alone decide. What comes out does not
        depend on how the sources are cut into blocks: the product in float32 only tells which targets may be among
        the best.
        """
        from pipeline.stages.align.candidate_kernel import Blend, Compared, choose

        rows = len(readable)
        if vectors is None or not self._matrix.shape[1]:
            ours = np.zeros((rows, self._matrix.shape[1]), dtype=np.float32)
            dense = np.zeros((rows, len(self._matrix)), dtype=np.float32)
        else:
            ours, dense = vectors, vectors @ self._matrix.T
        places = np.empty((rows, self._limit), dtype=np.int64)
        similarities = np.empty((rows, self._limit))
        if self._limit:
            # However a sum of d products is ordered, it is wrong by d units of rounding at most (Higham 2002, 3.1).
            blend = Blend(ANCHOR_SHARE, 1.01 * (ours.shape[1] + 1) * 2.0**-24)
            pair = Compared(ours, self._matrix, dense, readable, self._spare)
            choose(self._sources, first, self._postings, pair, blend, places, similarities)
        return [
            [Candidate(place, similarity) for place, similarity in zip(*row, strict=True)]
            for row in zip(places.tolist(), similarities.tolist(), strict=True)
        ]


def _spare(targets: AnchorTable, vectors: Vectors, limit: int) -> NDArray[np.bool_]:
    """Which targets have `limit` equal ones before them, so that they are never among the best. Crawls hold the same
    page thousands of times; without this each copy of it would be compared exactly with each of its counterparts."""
    seen: Counter[bytes] = Counter()
    spare = np.zeros(len(targets), dtype=np.bool_)
    for number, (vector, anchors) in enumerate(zip(vectors, targets.each(), strict=True)):
        key = blake2b(vector.tobytes() + anchors, digest_size=16).digest()
        spare[number] = seen[key] >= limit
        seen[key] += 1
    return spare


def search_ahead(
    search: CandidateSearch, blocks: Iterable[tuple[NDArray[np.bool_], Vectors | None]], threads: int
) -> Generator[list[Candidate]]:
    """The candidates of the sources in order; `blocks` are what `CandidateSearch.best` is given, one after the other.

    Threads work on the next blocks while the caller is busy with what it has got. BLAS should have one thread.
    """
    waiting: deque[Future[list[list[Candidate]]]] = deque()
    first = 0
    pool = ThreadPoolExecutor(threads)
    try:
        for readable, vectors in blocks:
            waiting.append(pool.submit(search.best, first, readable, vectors))
            first += len(readable)
            if len(waiting) > threads:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


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
