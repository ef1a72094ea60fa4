"""The index of held-out texts in arrays: which texts have a shingle, which shingles a text has; compiled look-ups."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.jit import compiled
from pipeline.stages.filter.shingle_kernel import Hashes

Numbers = NDArray[np.uint32]
Places = NDArray[np.int64]


class HeldTexts(NamedTuple):
    """The shingles of N texts, by number in `keys`, their sorted hashes.

    Text n has the shingles `parts[starts[n]:starts[n + 1]]`, sorted; shingle k is in the texts
    `holding[held[k]:held[k + 1]]`, and one of the rarest of `rarest[rare[k]:rare[k + 1]]`.
    """

    keys: Hashes
    parts: Numbers
    starts: Places
    holding: Numbers
    held: Places
    rarest: Numbers
    rare: Places


@compiled()
def _unseen(shingles: Numbers, texts: Numbers, bounds: Places, seen: Any, out: Any, at: int) -> int:
    """Write the texts under some shingles that are not yet `seen` to `out` from place `at` on; the place after them."""
    for shingle in shingles:
        for number in texts[bounds[shingle] : bounds[shingle + 1]]:
            if not seen[number]:
                seen[number], out[at] = True, number
                at += 1
    return at


@compiled()
def _common(ours: Numbers, theirs: Numbers) -> int:
    """How many shingles two sorted lists share."""
    common = at = 0
    for shingle in theirs:
        while at < len(ours) and ours[at] < shingle:
            at += 1
        common += at < len(ours) and ours[at] == shingle
    return common


@compiled()
def _nearest(ours: Numbers, needed: Numbers, count: int, texts: HeldTexts, seen: Any) -> tuple[float, int]:
    near = np.empty(len(seen), np.int64)
    found = _unseen(ours, texts.rarest, texts.rare, seen, near, 0)
    found = _unseen(needed, texts.holding, texts.held, seen, near, found)
    best, named = 0.0, -1
    for number in near[:found]:
        seen[number] = False
        theirs = texts.parts[texts.starts[number] : texts.starts[number + 1]]
        overlap = _common(ours, theirs) / min(count, len(theirs))
        if overlap > best or (overlap == best and number < named):
            best, named = overlap, number
    return best, named


def nearest(shingles: Hashes, texts: HeldTexts, share: float, seen: NDArray[np.bool_]) -> tuple[float, int]:
    """The greatest overlap of a text with one that has these shingles, and its number, the least of equals.

    It is found for certain where it is `share` or more. `seen` (N,) is all False, before and after.
    """
    at = np.searchsorted(texts.keys, shingles)
    known = at[texts.keys[np.minimum(at, len(texts.keys) - 1)] == shingles]
    often = texts.held[known + 1] - texts.held[known]
    # Those that no text has are the rarest of all.
    rarest = known[np.argsort(often, kind="stable")][
        : max(0, _enough(len(shingles), share) - len(shingles) + len(known))
    ]
    found, number = _nearest(known.astype(np.uint32), rarest.astype(np.uint32), len(shingles), texts, seen)
    return float(found), int(number)


def index(shingles: Hashes, starts: Places, share: float) -> HeldTexts:
    """The index of texts whose sorted shingles lie one after another from `starts` (N + 1) on."""
    keys, inverse = np.unique(shingles, return_inverse=True)
    parts, sizes = inverse.astype(np.uint32), np.diff(starts)
    owners = np.repeat(np.arange(len(sizes), dtype=np.uint32), sizes)
    often = np.bincount(parts, minlength=len(keys))
    by_rarity = np.lexsort((often[parts], owners))
    among = np.arange(len(parts)) - np.repeat(starts[:-1], sizes)  # the how manieth of its text
    enough = np.array([_enough(int(size), share) for size in sizes])
    few = by_rarity[among < np.repeat(enough, sizes)]
    return HeldTexts(
        keys, parts, starts, *_posted(parts, owners, len(keys)), *_posted(parts[few], owners[few], len(keys))
    )


def _enough(count: int, share: float) -> int:
    """Of how many shingles of a text anything that has `share` of them all has one at least (prefix filtering)."""
    return count - math.ceil(share * count - 1e-9) + 1


def _posted(parts: Numbers, owners: Numbers, kinds: int) -> tuple[Numbers, Places]:
    """The owners sorted by their part, and where those of each kind of part begin, (kinds + 1,)."""
    bounds = np.concatenate([[0], np.cumsum(np.bincount(parts, minlength=kinds))]).astype(np.int64)
    return owners[np.argsort(parts, kind="stable")], bounds
