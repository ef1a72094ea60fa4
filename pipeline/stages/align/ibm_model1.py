"""IBM model 1 (Brown et al. 1993, J93-2003): which target word a source term becomes, learned from sentence pairs.

Each target word of a pair was made by one source term of it, or by none (the null term), all equally likely; the
probabilities t(word|term) that explain the pairs best come from expectation maximisation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]

NULL = 0
"""The number of the null term."""
BLOCK = 5_000
"""Sentence pairs worked on at once, so that the memory does not grow with all meetings of words."""


@dataclass(frozen=True, slots=True)
class Bags:
    """Sentences as runs of word numbers: sentence i holds `words[start[i]:start[i+1]]`."""

    start: Numbers
    words: Numbers

    @classmethod
    def of(cls, sentences: Sequence[Sequence[int]]) -> Bags:
        """From one sequence of numbers a sentence."""
        start = np.cumsum([0, *map(len, sentences)], dtype=np.int64)
        return cls(start, np.fromiter(chain.from_iterable(sentences), dtype=np.int64, count=int(start[-1])))

    def block(self, first: int, size: int) -> list[Numbers]:
        """Up to `size` sentences from number `first` on."""
        start = self.start[first : first + size + 1]
        return np.split(self.words[start[0] : start[-1]], (start[1:-1] - start[0]))


@dataclass(frozen=True, slots=True)
class TranslationTable:
    """t(word|term) of all terms and words that share a pair, sorted by term, then by word; one entry each, (n,)."""

    terms: Numbers
    words: Numbers
    probabilities: NDArray[np.float64]


def train(src: Bags, tgt: Bags, iterations: int) -> TranslationTable:
    """Train on sentence pairs; numbers are from 0 in `tgt` and from 1 in `src`, where 0 is the null term."""
    base = int(tgt.words.max(initial=0)) + 1
    none = np.empty(0, dtype=np.int64)
    keys = np.unique(np.concatenate([none, *(np.unique(met) for met, _ in _meetings(src, tgt, base))]))
    blocks = [(np.searchsorted(keys, met).astype(np.int32), sizes) for met, sizes in _meetings(src, tgt, base)]
    terms = keys // base
    found = np.ones(len(keys))
    for _ in range(iterations):
        expected = np.zeros(len(keys))
        for place, sizes in blocks:
            share = found[place]
            share /= np.repeat(np.add.reduceat(share, np.cumsum(sizes) - sizes), sizes)
            expected += np.bincount(place, share, minlength=len(keys))
        found = expected / np.bincount(terms, expected)[terms] if len(keys) else expected
    return TranslationTable(terms, keys % base, found)


def _meetings(src: Bags, tgt: Bags, base: int) -> Iterator[tuple[Numbers, Numbers]]:
    """For each block of pairs term * base + word of every term (the null term first) with every target word it might
    have made, target word by target word, and the number of terms each of these meets."""
    for first in range(0, len(src.start) - 1, BLOCK):
        met: list[Numbers] = []
        sizes: list[Numbers] = []
        for terms, words in zip(src.block(first, BLOCK), tgt.block(first, BLOCK), strict=True):
            every = np.concatenate([[NULL], terms]) * base
            met.append((words[:, None] + every).ravel())
            sizes.append(np.full(len(words), len(every)))
        if any(map(len, met)):
            yield np.concatenate(met), np.concatenate(sizes)
