"""The score `confidence`: a logistic regression over three signs, fitted on translations that a person has judged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

import msgspec

from pipeline.files.store import digest
from pipeline.stages.score.base import Columns, Context, is_translated
from pipeline.stages.score.confidence.signs import SIGNS, signs_of
from pipeline.stages.score.pair_facts import PairFacts

FITTED = Path(__file__).with_name("fitted.json")
"""By model, then by language, what `scripts/train_confidence.py` has fitted."""
FINEST = 4
"""Decimals of a probability: the last bits of a float must not decide on a limit."""


@dataclass(frozen=True, slots=True)
class Odds:
    """Log-odds that a translation is right: `bias` and the product of the weights with the signs; fitted on `judged`
    translations."""

    bias: float
    signs: dict[str, float]
    judged: int

    def probability(self, signs: Sequence[float]) -> float:
        """Of one translation, 0 to 1."""
        odds = self.bias + sum(self.signs[name] * value for name, value in zip(SIGNS, signs, strict=True))
        return round(1 / (1 + math.exp(-max(-50.0, min(50.0, odds)))), FINEST)


@cache
def _written() -> bytes:
    return FITTED.read_bytes()


@cache
def fitted() -> Mapping[str, Mapping[str, Odds]]:
    """The weights by model and language."""
    return msgspec.json.decode(_written(), type=dict[str, dict[str, Odds]])


def is_fitted(model: str) -> bool:
    """Whether translations of that model of the registry have a confidence."""
    return model in fitted()


class Confidence:
    """How likely it is that a translated pair is right, 0 to 1: that it says what the source says, and no more.

    Of pairs with .7 some seven in ten are right (docs/scoring.md has the curve). None for aligned pairs, for models
    that no weights are fitted for, and where the engine gives no log-probabilities.
    """

    name = "confidence"
    version: ClassVar[int] = 1

    @property
    def signatures(self) -> dict[str, str]:
        """The hash of the weights is in it."""
        return {self.name: f"weights:{digest(_written().decode())[:12]}|version:{self.version}"}

    def score(self, facts: Sequence[PairFacts], context: Context) -> Columns:
        """The column of this score."""
        return {self.name: [self._of(pair_facts, context) for pair_facts in facts]}

    def _of(self, facts: PairFacts, context: Context) -> float | None:
        pair = facts.pair
        translations = context.of(pair)
        if not is_translated(pair) or not translations or len(translations) < len(pair.src_segments):
            return None
        names = {made.model for made in translations}
        weights = fitted().get(names.pop(), {}).get(pair.src_lang) if len(names) == 1 else None
        signs = signs_of(pair.src_text, translations) if weights else None
        return weights.probability(signs) if weights and signs else None
