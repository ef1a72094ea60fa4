"""Encoders for tests: the real one, loaded once, and two whose vectors are known."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest

from pipeline.engines.encoders.base import Vectors, checked
from pipeline.engines.encoders.use import UseEncoder


@cache
def use() -> UseEncoder:
    return UseEncoder(threads=1)


def load_once(patch: pytest.MonkeyPatch) -> None:
    """Give every command of this process the one encoder: to load it takes a second each time."""
    patch.setattr("pipeline.engines.encoders.load.UseEncoder", lambda threads: use())


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


class LetterEncoder:
    """Counts of the letters a to z: two texts are alike when they share letters."""

    name = "letters"
    fingerprint = "0"

    def __init__(self, *languages: str) -> None:
        self.languages = frozenset(languages)
        self.calls: list[list[str]] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.calls.append(list(texts))
        counts = np.array([[text.lower().count(chr(97 + i)) for i in range(26)] for text in texts], dtype=np.float32)
        return checked(counts + 1e-6, len(texts), self.name)
