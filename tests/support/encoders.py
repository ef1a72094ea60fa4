"""Encoders for tests: the real one, loaded once, and one whose vectors are known."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from pipeline.engines.encoders.base import Vectors, checked
from pipeline.engines.encoders.use import UseEncoder


@cache
def use() -> UseEncoder:
    return UseEncoder(threads=1)


class WordEncoder:
    """A text is the sum of its words; a word in capitals means the same as in small letters."""

    name = "words"
    fingerprint = "words-1"

    def __init__(self, languages: Sequence[str] = ("en", "th")) -> None:
        self.languages = frozenset(languages)
        self.seen: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.seen += texts
        rows = [np.sum([_word(word) for word in text.lower().split()], axis=0) for text in texts]
        return checked(np.array(rows).reshape(len(texts), 64), len(texts), self.name)


def _word(word: str) -> np.ndarray:
    return np.random.default_rng(list(word.encode())).normal(size=64)
