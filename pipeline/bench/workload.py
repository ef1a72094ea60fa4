"""What the engines are given: token ids of sentences as long as those of news, and how long each output must be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.bench.shapes import Shape

SEED = 7
MEAN, SPREAD = 30.0, 0.6
"""Source lengths are lognormal: mean in tokens, standard deviation of the logarithm."""
OUTPUT_SPREAD = 0.2
"""Output over source length is lognormal around 1: standard deviation of the logarithm."""
SHORTEST, LONGEST = 4, 200


@dataclass(frozen=True, slots=True)
class Workload:
    """Rows in random order: source token ids with the end token, and output tokens to generate, no end token."""

    sources: list[list[int]]
    lengths: list[int]

    def tokens(self, rows: int) -> int:
        """Output tokens of the first `rows` rows."""
        return sum(self.lengths[:rows])


def news(shape: Shape, sentences: int, multiple: int) -> Workload:
    """Sentences of 4 to 200 tokens, 30 in the mean, the same ones every time; fewer of them are the first of more.

    Output lengths are rounded up to a multiple of `multiple`, for engines that can only be told one length a batch.
    """
    first, second, third = (np.random.default_rng((SEED, part)) for part in range(3))
    sources = np.exp(first.normal(np.log(MEAN) - SPREAD**2 / 2, SPREAD, sentences)).round().clip(SHORTEST, LONGEST)
    outputs = (sources * np.exp(second.normal(0, OUTPUT_SPREAD, sentences))).round().clip(SHORTEST, LONGEST)
    return _fill(shape, sources.astype(int), -(-outputs.astype(int) // multiple) * multiple, third)


def short(shape: Shape, segments: int, number: int) -> Workload:
    """Segments of 2 to 6 tokens with outputs as long; another `number` gives others."""
    noise = np.random.default_rng((SEED, number))
    sizes = noise.integers(2, 7, segments)
    return _fill(shape, sizes, sizes, noise)


def _fill(shape: Shape, sources: NDArray[np.int_], outputs: NDArray[np.int_], noise: np.random.Generator) -> Workload:
    """Random ordinary tokens for rows of the given lengths, end token counted."""
    first, last = shape.ordinary
    tokens = noise.integers(first, last + 1, int(sources.sum())).tolist()
    ends = np.cumsum(sources).tolist()
    rows = [[*tokens[end - size : end - 1], shape.end] for end, size in zip(ends, sources.tolist(), strict=True)]
    return Workload(rows, outputs.tolist())
