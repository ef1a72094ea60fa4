"""Encoders for tests: the real one, loaded once, and two whose vectors are known."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from pipeline.engines.encoders.base import Vectors, checked
from pipeline.engines.encoders.use import UseEncoder
from pipeline.report import comparison
from pipeline.run import report_data
from pipeline.stages.translate.glossary import Glossary

RESAMPLES = 20
"""Of the report's metrics, instead of 1,000."""
_load_glossary = Glossary.load


@cache
def use() -> UseEncoder:
    return UseEncoder(threads=1)


@cache
def _shipped_glossary(lang: str) -> Glossary:
    return _load_glossary(lang)


def _glossary(lang: str, extra: Sequence[Path] = ()) -> Glossary:
    return _load_glossary(lang, extra) if extra else _shipped_glossary(lang)


def load_once(patch: pytest.MonkeyPatch) -> None:
    """Give every command of this process the one encoder and the shipped glossaries, which nobody changes: to load them
    takes seconds each time. Reports of theirs resample less."""
    patch.setattr("pipeline.engines.encoders.load.UseEncoder", lambda threads: use())
    patch.setattr(Glossary, "load", _glossary)
    patch.setattr(report_data, "RESAMPLES", RESAMPLES)
    patch.setattr(comparison, "RESAMPLES", RESAMPLES)


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
