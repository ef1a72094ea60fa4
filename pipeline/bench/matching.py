"""How long it takes to compare very many documents with one another, and in how much memory.

Made-up documents: vectors of 8 windows of 512 dimensions that share a common part, as sentence vectors do, and 14
anchors that are as unequally common as words (Zipf). No text is read or judged: this is the part of matching that
grows with the square of the documents.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.bench.process import Process
from pipeline.bench.usage import peak_mb
from pipeline.engines.devices import cores, one_blas_thread
from pipeline.engines.encoders.base import Vectors
from pipeline.stages.align.anchor_table import AnchorTable
from pipeline.stages.align.candidates import WINDOWS, CandidateSearch, search_ahead

SENTENCE_DIMENSIONS = 512
COMMON = 0.7
"""Length of the part that all vectors share, beside an own part of 1: a cosine of .33 between strangers."""
NOISE = 1.0
"""Length of what a document and its counterpart do not share: a cosine of .71."""
ANCHORS = 14
ZIPF = 1.3
NAMES = 1_000_003
LIMIT = 5
WARM_UP = 64


def synthetic_profiles(count: int, seed: int, noise: float = 0.0) -> Iterator[tuple[Vectors, Counter[str]]]:
    """Vectors (d,) of length 1, and anchors. The document of the same number and seed is the counterpart of another
    with `noise`: its vector has a part of this length of its own, and half of its anchors are others."""
    size = WINDOWS * SENTENCE_DIMENSIONS
    common = np.random.default_rng(seed).standard_normal(size, dtype=np.float32)
    for number in range(count):
        shared, own = (np.random.default_rng((seed, number, part)) for part in (0, 1))
        row = shared.standard_normal(size, dtype=np.float32) + np.float32(COMMON) * common
        ranks = shared.zipf(ZIPF, ANCHORS)
        if noise:
            row += np.float32(noise) * own.standard_normal(size, dtype=np.float32)
            ranks[::2] = own.zipf(ZIPF, len(ranks[::2]))
        yield row / np.linalg.norm(row), Counter(f"name {rank}" for rank in (ranks % NAMES).tolist())


def compare(count: int, seed: int) -> dict[str, Any]:
    """Find the candidates of `count` documents among `count` others in this process; see `measure`."""
    warm, _ = _search(WARM_UP, seed)
    warm.best(0, np.ones(WARM_UP, dtype=np.bool_), _stack(synthetic_profiles(WARM_UP, seed, NOISE), WARM_UP))
    began, spent = time.perf_counter(), time.process_time()
    search, sources = _search(count, seed)
    prepared, threads, right = time.perf_counter(), cores(), 0
    size = search.rows_at_once(threads)

    def blocks() -> Iterator[tuple[NDArray[np.bool_], Vectors]]:
        for first in range(0, count, size):
            rows = min(size, count - first)
            yield np.ones(rows, dtype=np.bool_), _stack(sources, rows)

    with one_blas_thread():
        for number, options in enumerate(search_ahead(search, blocks(), threads)):
            right += options[0].target == number
    return {
        "documents": count,
        "threads": threads,
        "profile_seconds": prepared - began,
        "seconds": time.perf_counter() - began,
        "cpu_seconds": time.process_time() - spent,
        "peak_mb": peak_mb(),
        "right_first": right / count,
    }


def _search(count: int, seed: int) -> tuple[CandidateSearch, Iterator[tuple[Vectors, Counter[str]]]]:
    """The search among `count` documents, and the sources that are to be given to it."""
    ours, theirs = AnchorTable(), AnchorTable()
    matrix = np.empty((count, WINDOWS * SENTENCE_DIMENSIONS), dtype=np.float32)
    for row, (vector, anchors) in zip(matrix, synthetic_profiles(count, seed), strict=True):
        row[:] = vector
        theirs.add(anchors)
    for _, anchors in synthetic_profiles(count, seed, NOISE):
        ours.add(anchors)
    return CandidateSearch(ours, theirs, matrix, LIMIT), synthetic_profiles(count, seed, NOISE)


def _stack(profiles: Iterator[tuple[Vectors, Counter[str]]], rows: int) -> Vectors:
    return np.stack([vector for vector, _ in islice(profiles, rows)])


def measure(count: int, seed: int = 0) -> dict[str, Any]:
    """The candidates of `count` documents among `count` others, found in a process of its own.

    `documents`; `threads`; wall `seconds` in all, of which `profile_seconds` until the search is ready, with what it
    takes to make documents up; `cpu_seconds`; `peak_mb` of the process; `right_first`, the share of documents whose
    counterpart came first. Raises EngineError when the process dies.
    """
    with Process("the matching") as process:
        return process.ask("match", count=count, seed=seed)
