"""Anchors of very many documents, and how much each weighs when documents are compared by them."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.align.sparse_rows import SparseRows


class AnchorTable:
    """The anchors of documents in the order in which these are added, 12 bytes an anchor.

    An anchor is known by a hash of 64 bits: of ten million different ones two are taken for each other with a
    probability of 3 in a million.
    """

    def __init__(self) -> None:
        self._keys = array("Q")
        self._counts = array("I")
        self._sizes = array("I")

    def __len__(self) -> int:
        return len(self._sizes)

    def add(self, anchors: Mapping[str, int]) -> None:
        """Append a document with its anchors and how often each occurs."""
        hashed = sorted((_hashed(key), count) for key, count in anchors.items())
        self._keys.extend(key for key, _ in hashed)
        self._counts.extend(count for _, count in hashed)
        self._sizes.append(len(hashed))

    def each(self) -> Iterator[bytes]:
        """Document by document, its anchors and how often each occurs: equal where these are."""
        end = 0
        for size in self._sizes:
            start, end = end, end + size
            yield self._keys[start:end].tobytes() + self._counts[start:end].tobytes()

    @property
    def keys(self) -> NDArray[np.uint64]:
        """The hashes, document by document, in each in ascending order."""
        return np.array(self._keys, dtype=np.uint64)

    @property
    def counts(self) -> NDArray[np.uint32]:
        """How often each occurs in its document."""
        return np.array(self._counts, dtype=np.uint32)

    @property
    def documents(self) -> NDArray[np.int32]:
        """The number of the document of each."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.array(self._sizes, dtype=np.int64))


def _hashed(anchor: str) -> int:
    return int.from_bytes(blake2b(anchor.encode(), digest_size=8).digest(), "little")


def weighted(sources: AnchorTable, targets: AnchorTable) -> tuple[SparseRows, SparseRows]:
    """The anchor weights of the sources, a row a document, and those of the targets, a row an anchor.

    A weight is (1 + log count) * log(1 + documents / carriers), scaled so that the squares of a document's weights add
    up to 1: the cosine of tf-idf vectors, in which an anchor that every document has still counts a little.
    """
    keys = np.concatenate([sources.keys, targets.keys])
    distinct, columns, carriers = np.unique(keys, return_inverse=True, return_counts=True)
    rarity = np.log1p((len(sources) + len(targets)) / carriers)
    cut = len(sources.keys)
    ours, theirs = columns[:cut], columns[cut:]
    weights = _scaled(targets, rarity[theirs])
    order = np.argsort(theirs, kind="stable")
    return (
        SparseRows(_starts(sources.documents, len(sources)), ours.astype(np.int32), _scaled(sources, rarity[ours])),
        SparseRows(_starts(theirs, len(distinct)), targets.documents[order], weights[order]),
    )


def _scaled(table: AnchorTable, rarity: NDArray[np.float64]) -> NDArray[np.float64]:
    weights = (1 + np.log(table.counts)) * rarity
    norms = np.sqrt(np.bincount(table.documents, weights * weights, minlength=len(table)))
    return weights / norms[table.documents]


def _starts(rows: NDArray[np.integer], number: int) -> NDArray[np.int64]:
    """Where each of `number` rows begins among entries of ascending rows, and where the last one ends."""
    return np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=number))]).astype(np.int64)
