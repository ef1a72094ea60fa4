"""Shingles as 64-bit hashes, made and compared without Python's objects: texts come as UTF-8."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.jit import compiled
from pipeline.stages.filter.shingles import LENGTH

Hashes = NDArray[np.uint64]
Bytes = NDArray[np.uint8]

SOURCE, ENGLISH = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)
"""Where the hashes of a side begin, so that equal shingles of two sides are two."""
_FOLD, _MIX = np.uint64(0x100000001B3), np.uint64(0xFF51AFD7ED558CCD)
_SHIFT, _ONE, _HALF = np.uint64(33), np.uint64(1), np.uint64(32)
assert LENGTH == 5, "the window below holds five characters"

MACHINE, SIZES, LENGTHS, TEXTS = 16, 17, 25, 33
"""Where parts of a record begin: 16 bytes of digest, whether a machine made the English, how many different shingles
source and English have, how many bytes id and source have (four unsigned of four bytes), then id, source, English."""


@compiled()
def mixed(value: Any) -> Any:
    """A hash of a hash, never 0; the finaliser of MurmurHash3, shortened."""
    value ^= value >> _SHIFT
    value *= _MIX
    value ^= value >> _SHIFT
    return value | _ONE if value == np.uint64(0) else value


@compiled()
def _all_shingles(text: Bytes, side: Any, out: Any) -> int:
    """The hashes of the stretches of `LENGTH` characters of a text in order, in `out`; returns how many there are.

    As in `pipeline.stages.filter.shingles`, a shorter text is its only shingle and an empty one has none.
    """
    a = b = c = d = e = np.uint64(0)
    at = read = made = 0
    while at < len(text):
        lead = text[at]
        size = 1 if lead < 0x80 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
        point = np.uint64(lead)
        for byte in text[at + 1 : at + size]:
            point = point << np.uint64(6) ^ np.uint64(byte)
        a, b, c, d, e = b, c, d, e, point
        at += size
        read += 1
        if read >= LENGTH or at >= len(text):
            found = side
            for part in (a, b, c, d, e):
                found = mixed((found ^ part) * _FOLD)
            out[made] = found
            made += 1
    return made


@compiled()
def distinct(text: Bytes, side: Any) -> Hashes:
    """The different shingles of a text, sorted."""
    found = np.empty(len(text), np.uint64)
    found = np.sort(found[: _all_shingles(text, side, found)])
    kept = 0
    for shingle in found:
        if kept == 0 or found[kept - 1] != shingle:
            found[kept] = shingle
            kept += 1
    return found[:kept].copy()


@compiled()
def without(ours: Hashes, theirs: Hashes, out: Any, at: int) -> int:
    """Write those of `ours` not in `theirs` (both sorted) to `out` from place `at` on; returns the place after them."""
    other = 0
    for shingle in ours:
        while other < len(theirs) and theirs[other] < shingle:
            other += 1
        if other == len(theirs) or theirs[other] != shingle:
            out[at] = shingle
            at += 1
    return at


@compiled()
def smallest(shingles: Hashes, factors: Hashes, offsets: Hashes, out: Any) -> None:
    """MinHash: for each of the hash functions x -> (factor x + offset) >> 32 its least value over the shingles."""
    for row in range(len(factors)):
        least = np.uint64(0xFFFFFFFFFFFFFFFF)
        for shingle in shingles:
            least = min(least, shingle * factors[row] + offsets[row])
        out[row] = least >> _HALF


@compiled()
def _as_set(shingles: Hashes) -> tuple[Hashes, NDArray[np.int64]]:
    """An open table of the shingles, 0 where it is empty, and room for a mark at each."""
    size = 4
    while size < 3 * len(shingles):
        size *= 2
    table = np.zeros(size, np.uint64)
    for shingle in shingles:
        place = np.int64(shingle & np.uint64(size - 1))
        while table[place] != 0:
            place = (place + 1) & (size - 1)
        table[place] = shingle
    return table, np.full(size, -1, np.int64)


@compiled()
def _common(table: Hashes, marks: Any, shingles: Hashes, mark: int) -> int:
    """How many of the table's shingles are among `shingles`, which may repeat; `mark` is another one each time."""
    found, last = 0, len(table) - 1
    for shingle in shingles:
        place = np.int64(shingle & np.uint64(last))
        while table[place] != 0 and table[place] != shingle:
            place = (place + 1) & last
        if table[place] != 0 and marks[place] != mark:
            marks[place] = mark
            found += 1
    return found


@compiled()
def _number(record: Bytes, at: int) -> int:
    return record[at] | record[at + 1] << 8 | record[at + 2] << 16 | record[at + 3] << 24  # type: ignore[no-any-return]


@compiled()
def similarities(
    records: Bytes, ends: NDArray[np.int64], source: Hashes, english: Hashes, threshold: float, people: bool
) -> NDArray[np.float64]:
    """For each record the Jaccard similarity of the side that is less alike; 0 where it is under the threshold, and for
    English by machines where `people` wrote ours."""
    found = np.zeros(len(ends))
    sides = (source, english)
    table_s, marks_s = _as_set(source)
    table_e, marks_e = _as_set(english)
    room = np.empty(len(records), np.uint64)
    start = 0
    for number in range(len(ends)):
        record = records[start : ends[number]]
        start = ends[number]
        if people and record[MACHINE]:
            continue
        begin = TEXTS + _number(record, LENGTHS)
        middle = begin + _number(record, LENGTHS + 4)
        least = 1.0
        for side in range(2):
            ours, theirs = len(sides[side]), _number(record, SIZES + 4 * side)
            if min(ours, theirs) < threshold * max(ours, theirs) or min(ours, theirs) == 0:
                least = 0.0
                break
            if side == 0:
                made = _all_shingles(record[begin:middle], SOURCE, room)
                common = _common(table_s, marks_s, room[:made], number)
            else:
                made = _all_shingles(record[middle:], ENGLISH, room)
                common = _common(table_e, marks_e, room[:made], number)
            least = min(least, common / (ours + theirs - common))
            if least < threshold:
                least = 0.0
                break
        found[number] = least
    return found
