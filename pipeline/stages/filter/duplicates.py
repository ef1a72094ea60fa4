"""Pairs that were kept before, found by their text: exact ones by a hash, near ones by MinHash and then for certain.

A pair is one set, the shingles of its source and those of its English kept apart. Where both sides have a Jaccard
similarity of t or more, so has the joint set: one signature a pair finds the candidates (Broder 1997; banding as in
Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4). They are then compared shingle by shingle, so
chance in the hashes may miss a near duplicate, and never makes one.
"""

from __future__ import annotations

import math
from hashlib import blake2b
from typing import TYPE_CHECKING, NamedTuple

from pipeline.stages.filter.shingles import jaccard, letters, shingles
from pipeline.types import Reason

if TYPE_CHECKING:
    from rensa import RMinHash

ROWS = 4
"""Hashes of a band: unrelated news sentences, with .02 of their shingles in common, then hardly ever share one."""
MISSED = 1e-4
"""Probability of missing a pair that lies exactly at the threshold; it falls steeply above."""
SEED = 1
DUPLICATE, NEAR_DUPLICATE = "duplicate", "near-duplicate"
"""Kinds of reasons."""
ENGLISH = "\t"
"""Before every shingle of the English side; no shingle holds white space."""


def bands(threshold: float) -> int:
    """How many bands of `ROWS` hashes find pairs at the threshold: the least b with (1 - t**ROWS)**b <= MISSED."""
    missing = 1 - min(threshold, 0.999) ** ROWS
    return max(1, math.ceil(math.log(MISSED) / math.log(missing)))


class Texts(NamedTuple):
    """What is compared of a pair: its texts as by `comparable`, and whether its English was made by a machine."""

    id: str
    lang: str
    source: str
    english: str
    by_machine: bool = False


class Kept:
    """The texts of the pairs kept so far; `threshold` is None where only exact duplicates count.

    Takes about 200 bytes a pair, and about 1.9 kB more for near duplicates (threshold 0.8, a sentence a side).
    """

    def __init__(self, threshold: float | None) -> None:
        self._exact: dict[bytes, str] = {}
        self._threshold = threshold
        self._texts: list[Texts] = []
        if threshold is not None:
            from rensa import RMinHashLSH

            self._bands = bands(threshold)
            self._index = RMinHashLSH(threshold=threshold, num_perm=ROWS * self._bands, num_bands=self._bands)

    def find(self, one: Texts) -> Reason | None:
        """Why the pair is a duplicate ("duplicate of ID", "near-duplicate of ID (0.87)"), None when it is none.

        Both sides must be near; of several the first that was kept is named, with the Jaccard similarity of the side
        that is less alike. English that people wrote is never rejected for being near a machine's.
        """
        key = _key(one)
        if key in self._exact:
            return Reason(DUPLICATE, f"{DUPLICATE} of {self._exact[key]}")
        if self._threshold is None:
            return None
        ours = shingles(letters(one.source)), shingles(letters(one.english))
        for number in sorted(self._index.query(self._signature(*ours))):
            other = self._texts[number]
            if other.by_machine and not one.by_machine:
                continue
            theirs = shingles(other.source), shingles(other.english)
            alike = min(map(jaccard, ours, theirs))
            if alike >= self._threshold:
                return Reason(NEAR_DUPLICATE, f"{NEAR_DUPLICATE} of {other.id} ({alike:.2f})")
        return None

    def add(self, one: Texts) -> None:
        """Remember a pair that is kept."""
        self._exact[_key(one)] = one.id
        if self._threshold is not None:
            row = one._replace(source=letters(one.source), english=letters(one.english))
            self._index.insert(len(self._texts), self._signature(shingles(row.source), shingles(row.english)))
            self._texts.append(row)

    def _signature(self, source: set[str], english: set[str]) -> RMinHash:
        from rensa import RMinHash

        made = RMinHash(num_perm=ROWS * self._bands, seed=SEED)
        made.update([*source, *(ENGLISH + shingle for shingle in english)])
        return made


def _key(one: Texts) -> bytes:
    return blake2b(f"{one.lang}\n{one.source}\n{one.english}".encode(), digest_size=16).digest()
