"""Which of a million pairs may be near duplicates of one: buckets of equal MinHash bands, split where they are full.

A bucket holds BUCKET pairs. What comes later belongs to a bucket below it, whose key is longer by a MinHash row, as in
an LSH Forest (Bawa, Condie and Ganesan 2005); but these rows are over the shingles that the first pair of the full
bucket does not have. News that fill one form in again and again (weather, prices, indices) have the form in common
and are told apart by the rest alone: two that are near share much of it, others little.

So each pair stands in one bucket a band at most, and looking one up costs at most bands x (LEVELS + 1) buckets, however
many there are.
"""

from __future__ import annotations

from collections.abc import Callable
from mmap import mmap

import numpy as np
from numpy.typing import NDArray

from pipeline.files.spool import Spool
from pipeline.stages.filter.bucket_kernel import (
    BandTables,
    Numbers,
    band_keys,
    best,
    deeper,
    first_level,
    put,
    under,
)
from pipeline.stages.filter.shingle_kernel import Hashes, smallest

BUCKET = 32
"""Pairs of a bucket; ordinary news hardly ever have so many under one key, and are found as if there were no limit."""
LEVELS = 16
"""Buckets below a full one; where all are full, a pair is not entered in this band."""
COMPARED = 32
"""Candidates that are compared at most: those that share most bands and levels."""
FIRST_SLOTS, GROWTH, LOAD = 4096, 1.15, 0.8
"""BandTables of a band at first, by how much they grow, and the share in use from which they do."""
CHUNK = 4096
"""Rows of keys that are read at a time when the tables grow."""
SEED = 1

Sides = tuple[Hashes, Hashes]
"""The shingles of source and English, sorted hashes."""


class Buckets:
    """An index of numbers 0, 1, ... by the shingles of their pairs, and by one exact key each.

    With b bands it takes (b + 1) x 6 bytes a pair over a load of .7 to .8, and on disk (b + 1) x 8.
    """

    def __init__(self, bands: int, rows: int) -> None:
        """`bands` of `rows` hashes each; no band where only exact keys are asked for."""
        draws = np.random.default_rng(SEED)
        self._factors, self._offsets = _functions(draws, (bands * rows,))
        self._deep_factors, self._deep_offsets = _functions(draws, (bands, LEVELS))
        self._rows, self._bands = rows, bands
        self._keys = Spool(8 * (bands + 1))
        """The keys of each number, the exact one last; tables that grow are filled from them."""
        self._slots = _empty(bands + 1, FIRST_SLOTS)
        room = max(1, bands * BUCKET * (LEVELS + 1))
        self._hits, self._levels = np.empty(room, np.uint32), np.zeros(room, np.uint8)

    def equal(self, key: int) -> Numbers:
        """The numbers under an exact key, rarely with others among them."""
        found = np.empty(BUCKET, np.uint32)
        return found[: under(self._slots, self._bands, np.uint64(key), BUCKET, found, 0)]

    def near(self, sides: Sides, read: Callable[[int], Sides]) -> tuple[Numbers, Hashes]:
        """The numbers that may be near, at most COMPARED, sorted, and the keys under which to `add` the pair itself.

        `read` gives the shingles of a number.
        """
        keys = np.zeros(self._bands, np.uint64)
        shingles = np.concatenate(sides)
        if not len(shingles):
            return np.empty(0, np.uint32), keys
        least = np.empty(len(self._factors), np.uint64)
        smallest(shingles, self._factors, self._offsets, least)
        band_keys(least, self._rows, keys)
        firsts = np.empty(self._bands, np.int64)
        at = first_level(self._slots, keys, BUCKET, self._hits, firsts)
        self._levels[:at] = 0
        for first in sorted({int(number) for number in firsts if number >= 0}):
            functions = self._deep_factors, self._deep_offsets
            at = deeper(
                self._slots, keys, firsts, sides, read(first), first, *functions, BUCKET, self._hits, self._levels, at
            )
        return best(self._hits[:at], self._levels[:at], COMPARED), keys

    def add(self, exact: int, keys: Hashes) -> None:
        """Enter the next number: under its exact key, and those that `near` gave when it was looked up."""
        row = np.append(keys, np.uint64(exact))
        number = self._keys.append(row.tobytes())
        if number + 1 > LOAD * self._slots.tags.shape[1]:
            self._grow()
        else:
            put(self._slots, number, row[np.newaxis])

    def _grow(self) -> None:
        """Larger tables, filled anew from the keys on disk: the old ones go first, so that never both are in memory."""
        bands, size = self._slots.tags.shape
        del self._slots
        self._slots = _empty(bands, int(size * GROWTH))
        for first in range(0, len(self._keys), CHUNK):
            data = self._keys.span(first, min(first + CHUNK, len(self._keys)))
            put(self._slots, first, np.frombuffer(data, np.uint64).reshape(-1, bands))


def _empty(bands: int, size: int) -> BandTables:
    """Tables in memory that goes back to the system with them: what malloc frees may stay, and be as much again."""
    count = bands * size
    room = mmap(-1, 6 * count)
    numbers, tags = np.frombuffer(room, np.uint32, count), np.frombuffer(room, np.uint16, count, 4 * count)
    return BandTables(numbers.reshape(bands, size), tags.reshape(bands, size))


def _functions(draws: np.random.Generator, shape: tuple[int, ...]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Factors (odd) and offsets of hash functions."""
    factors, offsets = draws.integers(0, 2**64, (2, *shape), np.uint64)
    return factors | np.uint64(1), offsets
