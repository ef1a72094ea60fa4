"""The tables of `pipeline.stages.filter.buckets`, compiled: where keys lie, what lies under them, how often."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.jit import compiled
from pipeline.stages.filter.shingle_kernel import Hashes, mixed, smallest, without

Numbers = NDArray[np.uint32]
_HALF, _TAG = np.uint64(32), np.uint64(0xFFFF)


class BandTables(NamedTuple):
    """One open table a band, probed place by place; `tags` are 0 where a slot is free. Both (bands, slots)."""

    numbers: Numbers
    tags: NDArray[np.uint16]


@compiled()
def _place(key: Any, size: int) -> Any:
    return np.int64(((key >> _HALF) * np.uint64(size)) >> _HALF)


@compiled()
def _tag(key: Any) -> Any:
    return np.uint16(max(key & _TAG, np.uint64(1)))


@compiled()
def under(slots: BandTables, band: int, key: Any, most: int, out: Any, at: int) -> int:
    """Write the numbers under a key to `out` from place `at` on, in the order in which they came, at most `most`;
    returns the place after them. One number in 60,000 beside them is there by chance."""
    tags, size = slots.tags[band], slots.tags.shape[1]
    place, tag, end = _place(key, size), _tag(key), at + most
    while tags[place] != 0 and at < end:
        if tags[place] == tag:
            out[at] = slots.numbers[band, place]
            at += 1
        place += 1
        if place == size:
            place = 0
    return at


@compiled()
def put(slots: BandTables, first: int, keys: Hashes) -> None:
    """Enter the numbers from `first` on under their keys, (numbers, bands); 0 is no key."""
    size = slots.tags.shape[1]
    for row in range(keys.shape[0]):
        for band in range(keys.shape[1]):
            key = keys[row, band]
            if key == 0:
                continue
            place = _place(key, size)
            while slots.tags[band, place] != 0:
                place += 1
                if place == size:
                    place = 0
            slots.tags[band, place] = _tag(key)
            slots.numbers[band, place] = first + row


@compiled()
def band_keys(rows: Hashes, width: int, out: Any) -> None:
    """A key of `width` rows for each band."""
    for band in range(len(out)):
        key = mixed(np.uint64(band + 1))
        for row in rows[band * width : (band + 1) * width]:
            key = mixed(key ^ row)
        out[band] = key


@compiled()
def first_level(slots: BandTables, keys: Hashes, most: int, hits: Any, firsts: Any) -> int:
    """What lies under the first key of each band, in `hits`; returns how much. `firsts` gets the first number of a
    bucket that is full, -1 for others."""
    at = 0
    for band in range(len(keys)):
        end = under(slots, band, keys[band], most, hits, at)
        firsts[band] = hits[at] if end - at == most else -1
        at = end
    return at


@compiled()
def deeper(
    slots: BandTables,
    keys: Hashes,
    firsts: NDArray[np.int64],
    ours: tuple[Hashes, Hashes],
    theirs: tuple[Hashes, Hashes],
    first: int,
    factors: Hashes,
    offsets: Hashes,
    most: int,
    hits: Any,
    levels: Any,
    at: int,
) -> int:
    """Follow the bands whose bucket is full and has `first` as its first entry, whose shingles are `theirs`.

    Each level below adds to the key one row over the shingles of ours that are not theirs; `factors` and `offsets` have
    shape (bands, levels). The first bucket with room is where the pair belongs: its key takes the place of the band's
    in `keys`, 0 where there is none. What lies under the keys goes to `hits` from `at` on, its level to `levels`.
    """
    apart = np.empty(len(ours[0]) + len(ours[1]), np.uint64)
    apart = apart[: without(ours[1], theirs[1], apart, without(ours[0], theirs[0], apart, 0))]
    row = np.empty(1, np.uint64)
    for band in range(len(keys)):
        if firsts[band] != first:
            continue
        key, keys[band] = keys[band], 0
        for level in range(factors.shape[1]):
            smallest(apart, factors[band, level : level + 1], offsets[band, level : level + 1], row)
            key = mixed(mixed(key + np.uint64(level + 1)) ^ row[0])
            end = under(slots, band, key, most, hits, at)
            levels[at:end] = level + 1
            full, at = end - at == most, end
            if not full:
                keys[band] = key
                break
    return at


@compiled()
def best(hits: Numbers, levels: NDArray[np.uint8], most: int) -> Numbers:
    """The different numbers among the hits, sorted; of more than `most` those with the greatest sums of (level + 1)."""
    size = 4
    while size < 2 * len(hits):
        size *= 2
    table, sums = np.full(size, -1, np.int64), np.zeros(size, np.int64)
    order = np.empty(len(hits), np.int64)
    count = 0
    for hit in range(len(hits)):
        place = np.int64(mixed(np.uint64(hits[hit]) + np.uint64(1)) & np.uint64(size - 1))
        while table[place] != -1 and table[place] != hits[hit]:
            place = (place + 1) & (size - 1)
        if table[place] == -1:
            table[place] = hits[hit]
            order[count] = place
            count += 1
        sums[place] += levels[hit] + 1
    order = order[:count]
    cut, room = 0, most
    if count > most:
        tally = np.zeros(sums.max() + 2, np.int64)
        for place in order:
            tally[sums[place]] += 1
        cut = len(tally) - 1
        while room >= tally[cut]:
            room -= tally[cut]
            cut -= 1
    kept = np.empty(min(count, most), np.uint32)
    at = 0
    for place in order:  # of equals those that were found first
        if sums[place] < cut or (sums[place] == cut and room == 0):
            continue
        room -= sums[place] == cut
        kept[at] = table[place]
        at += 1
    return np.sort(kept[:at])
