"""Vectors of spans: every run of up to K consecutive units of one side of a document pair.

Layout: `vectors[k-1, e]` is the vector of the k units that *end* with unit e (units e-k+1..e); the slots before the
first such span are zero.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.encoders.base import Encoder, SpanEncoder, Vectors


def span_vectors(encoder: Encoder, lines: Sequence[Sequence[str]], width: int) -> Vectors:
    """Unit vectors of all spans of 1..width units, shape (width, n, d), n = number of units of all `lines`.

    Units on one line are read in each other's context where the encoder can share work between spans; otherwise the
    vectors are `overlap_vectors`.
    """
    if isinstance(encoder, SpanEncoder):
        return encoder.encode_spans(lines, width)
    return overlap_vectors(encoder, [unit for line in lines for unit in line], width)


def overlap_vectors(encoder: Encoder, units: Sequence[str], width: int) -> Vectors:
    """The same for `units` (n) that are sentences, each span encoded as its units joined by a space and read alone:
    overlap embeddings (Thompson and Koehn 2019), exact or nearly so.

    Between whole sentences this tells spans apart better than reading every sentence on its own and summing.
    """
    if isinstance(encoder, SpanEncoder):
        return encoder.encode_overlaps(units, width)
    places = [(size, end) for size in range(1, min(width, len(units)) + 1) for end in range(size - 1, len(units))]
    found = encoder.encode([" ".join(units[end + 1 - size : end + 1]) for size, end in places])
    vectors = np.zeros((width, len(units), found.shape[1]), dtype=np.float32)
    for (size, end), vector in zip(places, found, strict=True):
        vectors[size - 1, end] = vector
    return vectors


def summed_spans(rows: NDArray[np.float64], width: int, root: bool = False) -> Vectors:
    """Span vectors (width, n, d) of units whose vectors simply add up, given `rows` (n, d).

    The sum of a span is scaled to length 1, after the square root of each entry with `root`; a zero sum stays zero.
    """
    upto = np.concatenate([np.zeros_like(rows[:1]), np.cumsum(rows, axis=0)])
    vectors = np.zeros((width, *rows.shape), dtype=np.float32)
    for size in range(1, min(width, len(rows)) + 1):
        total = upto[size:] - upto[:-size]
        vectors[size - 1, size - 1 :] = unit_rows(np.sqrt(total) if root else total)
    return vectors


def unit_rows(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows scaled to length 1; zero rows stay zero."""
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    return rows / np.where(norms == 0, 1, norms)
