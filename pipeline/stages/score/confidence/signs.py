"""What the translation itself shows of how far it can be believed. No model is asked anything for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import isfinite

from pipeline.stages.score.evidence import mean_log_probability
from pipeline.text.unicode import fold
from pipeline.types import Translation

SIGNS = ("log_probability", "covered", "problems")
"""In the order of `signs_of`."""
BEGINNING = 5
"""Letters by which two forms of an English word are known as one, as in `pipeline.stages.translate.guards`."""
SHORT = 3
"""Words of so few letters say too little of what a hint means: of, the, has."""
SMOOTHING = 5
"""Letters added to those of the source, for short texts. Set by hand; the weights were fitted with these, so a change
asks for new ones (`scripts/train_confidence.py`)."""
_WORD = re.compile(r"[a-z0-9]+")


def signs_of(source: str, translations: Sequence[Translation]) -> tuple[float, float, float] | None:
    """The signs of one pair, from the translations of its segments.

    - mean log-probability (natural logarithm) of an output token, in the translation that was kept;
    - the share of the letters of the source that stand in terms of the glossary, or names, whose English is in the
      translation: what the model was told and made use of;
    - how many problems the guards found.

    None where a translation is missing or the engine gives no log-probabilities, or none that are numbers.
    """
    log_probability = mean_log_probability(translations)
    if log_probability is None or not isfinite(log_probability) or any(made.logprob is None for made in translations):
        return None
    covered = sum(_covered(made) for made in translations) / (_letters(source) + SMOOTHING)
    return log_probability, covered, float(sum(len(made.problems) for made in translations))


def _covered(made: Translation) -> float:
    """Characters of the terms of the hints, each times the share of its English words that are there."""
    there = set(_words(made.text))
    covered = 0.0
    for term, english in made.hints:
        if words := _words(english):
            covered += len(term) * sum(word in there for word in words) / len(words)
    return covered


def _words(english: str) -> list[str]:
    words = _WORD.findall(fold(english))
    return [word[:BEGINNING] for word in words if len(word) > SHORT or word.isdigit()]


def _letters(text: str) -> int:
    """Letters, and the vowel and tone marks that some scripts write apart from them."""
    return sum(char.isalpha() or not (char.isascii() or char.isspace()) for char in text)
