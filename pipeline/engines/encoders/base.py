"""Sentence encoders behind one interface: texts in, unit vectors out.

Vectors of different languages are comparable where the encoder knows both; `Encoder.languages` says which.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import EngineError

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """A sentence encoder.

    `fingerprint` changes whenever the vectors may (weights, pooling, package); `languages` are ISO 639-1 codes.
    """

    name: str
    fingerprint: str
    languages: frozenset[str]

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), d); equal texts are encoded once.

        Raises EngineError when the model answers with another shape or with numbers that are not finite.
        """


@runtime_checkable
class SpanEncoder(Protocol):
    """An encoder that pools a sum over tokens, so that vectors of many overlapping spans cost little more than one."""

    def encode_spans(self, lines: Sequence[Sequence[str]], width: int) -> Vectors:
        """Vectors of all spans of up to `width` units, laid out as by `span_vectors` of the aligner."""

    def encode_overlaps(self, units: Sequence[str], width: int) -> Vectors:
        """The same as by `pipeline.stages.align.span_vectors.overlap_vectors`."""


def checked(vectors: Any, rows: int, name: str) -> Vectors:
    """`vectors` as float32 unit rows, shape (rows, d).

    Raises EngineError on any other shape, on NaN and infinities, and on a row that is zero.
    """
    found = np.asarray(vectors)
    if found.ndim != 2 or found.shape[0] != rows or found.shape[1] == 0:
        raise EngineError(
            f"encoder {name} answered with an array of shape {found.shape} for {rows} texts",
            "Check that the model is a sentence encoder.",
        )
    found = found.astype(np.float32)
    norms = np.linalg.norm(found, axis=1, keepdims=True)
    broken = ~(np.isfinite(norms[:, 0]) & (norms[:, 0] > 0))
    if broken.any():
        raise EngineError(
            f"encoder {name} answered with {int(broken.sum())} of {rows} vectors that are not finite or are zero",
            "Use float32, or another encoder.",
        )
    return cast(Vectors, found / norms)


def distinct(texts: Iterable[str]) -> tuple[list[str], NDArray[np.intp]]:
    """The distinct texts, in order of first appearance, and for each text its place among them."""
    places: dict[str, int] = {}
    inverse = [places.setdefault(text, len(places)) for text in texts]
    return list(places), np.asarray(inverse, dtype=np.intp)
