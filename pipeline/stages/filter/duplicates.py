"""Pairs that were kept before, found by their text: exact ones by a hash, near ones by MinHash and then for certain.

A pair is one set, the shingles of its source and those of its English kept apart. Where both sides have a Jaccard
similarity of t or more, so has the joint set: one signature a pair finds the candidates (Broder 1997; banding as in
Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4). They are then compared shingle by shingle, so
chance in the hashes may miss a near duplicate, and never makes one.

Texts wait in a temporary file, and what is in memory of a pair is where its buckets are. Among a great many pairs that
fill in one form, candidates are bounded too (`pipeline.stages.filter.buckets`): near duplicates there are found the
more surely the nearer they are, see docs/filtering.md.
"""

from __future__ import annotations

import math
from functools import lru_cache, partial
from hashlib import blake2b
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from pipeline.files.spool import Spool
from pipeline.stages.filter.shingles import jaccard, letters, shingles
from pipeline.types import Reason

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipeline.stages.filter.buckets import Sides
    from pipeline.stages.filter.shingle_kernel import Bytes, Hashes

ROWS = 4
"""Hashes of a band: unrelated news sentences, with .02 of their shingles in common, then hardly ever share one."""
MISSED = 1e-4
"""Probability of missing a pair that lies exactly at the threshold; it falls steeply above."""
DUPLICATE, NEAR_DUPLICATE = "duplicate", "near-duplicate"
"""Kinds of reasons."""
FIRSTS_HELD = 256
"""First pairs of full buckets whose shingles stay in memory."""
HEAD = Struct("<16s?4I")
"""A kept pair on disk begins with this, see `pipeline.stages.filter.shingle_kernel`."""


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


class Prepared(NamedTuple):
    """A pair as it is looked up and kept: its letters, their shingles, the keys of its buckets."""

    of: Texts
    source: str
    english: str
    sides: Sides
    keys: Hashes


class Kept:
    """The texts of the pairs kept so far; `threshold` is None where only exact duplicates count.

    Takes some 20 bytes of memory a pair, and some 140 more for near duplicates (threshold 0.8), whatever the length of
    the texts; they are in a temporary file, with some 180 bytes a pair of other things. Raises StoreError where that
    file cannot be written or read.
    """

    def __init__(self, threshold: float | None) -> None:
        from pipeline.stages.filter.buckets import Buckets

        self._threshold = threshold
        self._records = Spool()
        self._buckets = Buckets(bands(threshold) if threshold is not None else 0, ROWS)
        self._sides = lru_cache(FIRSTS_HELD)(partial(_sides_of, self._records))
        self._looked_up: Prepared | None = None

    def find(self, one: Texts) -> Reason | None:
        """Why the pair is a duplicate ("duplicate of ID", "near-duplicate of ID (0.87)"), None when it is none.

        Both sides must be near; of several the first that was kept is named, with the Jaccard similarity of the side
        that is less alike. English that people wrote is never rejected for being near a machine's.
        """
        digest = _digest(one)
        for number in self._buckets.equal(_exact(digest)):
            record = self._records[int(number)]
            if record.startswith(digest):
                return Reason(DUPLICATE, f"{DUPLICATE} of {_parts(record)[0]}")
        if self._threshold is None:
            return None
        return self._near(one, self._threshold)

    def _near(self, one: Texts, threshold: float) -> Reason | None:
        import numpy as np

        from pipeline.stages.filter.shingle_kernel import similarities

        source, english = letters(one.source), letters(one.english)
        sides = _hashed(source, english)
        numbers, keys = self._buckets.near(sides, self._sides)
        self._looked_up = Prepared(one, source, english, sides, keys)
        if not len(numbers):
            return None
        records = [self._records[int(number)] for number in numbers]
        ends = np.cumsum([len(record) for record in records])
        found = similarities(_bytes(b"".join(records)), ends, *sides, threshold, not one.by_machine)
        for place in np.flatnonzero(found):
            # The hashes of two shingles may be one, however rarely; the texts decide.
            name, *theirs = _parts(records[place])
            ours = (source, english)
            alike = min(jaccard(shingles(a), shingles(b)) for a, b in zip(ours, theirs, strict=True))
            if alike >= threshold:
                return Reason(NEAR_DUPLICATE, f"{NEAR_DUPLICATE} of {name} ({alike:.2f})")
        return None

    def add(self, one: Texts) -> None:
        """Remember a pair that is kept, the one that `find` has just found no reason for."""
        import numpy as np

        digest = _digest(one)
        if self._threshold is None:
            self._records.append(_record(digest, one, (0, 0), "", ""))
            self._buckets.add(_exact(digest), np.empty(0, np.uint64))
            return
        seen = self._looked_up
        assert seen is not None and seen.of is one, "a pair is looked up before it is kept"
        sizes = len(seen.sides[0]), len(seen.sides[1])
        self._records.append(_record(digest, one, sizes, seen.source, seen.english))
        self._buckets.add(_exact(digest), seen.keys)


def _sides_of(records: Spool, number: int) -> Sides:
    _, source, english = _parts(records[number])
    return _hashed(source, english)


def _hashed(source: str, english: str) -> Sides:
    from pipeline.stages.filter.shingle_kernel import ENGLISH, SOURCE, distinct

    return distinct(_bytes(source.encode()), SOURCE), distinct(_bytes(english.encode()), ENGLISH)


def _bytes(data: bytes) -> Bytes:
    import numpy as np

    found: NDArray[np.uint8] = np.frombuffer(data, np.uint8)
    return found


def _digest(one: Texts) -> bytes:
    return blake2b(f"{one.lang}\n{one.source}\n{one.english}".encode(), digest_size=16).digest()


def _exact(digest: bytes) -> int:
    """The part of a digest that the exact copies are looked up by."""
    return int.from_bytes(digest[:8], "little") or 1


def _record(digest: bytes, one: Texts, sizes: tuple[int, int], source: str, english: str) -> bytes:
    name, text = one.id.encode(), source.encode()
    return HEAD.pack(digest, one.by_machine, *sizes, len(name), len(text)) + name + text + english.encode()


def _parts(record: bytes) -> tuple[str, str, str]:
    """The id and the letters of source and English."""
    *_, name, source = HEAD.unpack_from(record)
    middle = HEAD.size + name + source
    return (
        record[HEAD.size : HEAD.size + name].decode(),
        record[HEAD.size + name : middle].decode(),
        record[middle:].decode(),
    )
