"""What a score is: a number for each pair, and a signature that says how it was made.

Scoring never decides; `stages/filter` holds the rules. Settings are constructor arguments and become the signature,
so that a score cannot be published without them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from pipeline.types import Pair, Translation


@dataclass(frozen=True, slots=True)
class Context:
    """What scorers may look at beside the pair: the machine translations, by segment id."""

    translations: Mapping[str, Translation] = field(default_factory=dict)

    def of(self, pair: Pair) -> list[Translation]:
        """The translations of the pair's source segments, as far as there are any."""
        return [self.translations[key] for key in pair.src_segments if key in self.translations]


class Scorer(Protocol):
    """One score."""

    @property
    def name(self) -> str:
        """The key in `Scored.scores` and in the rules of the filter."""

    @property
    def signature(self) -> str:
        """`key:value|...|version:n`, in the manner of sacreBLEU; two runs with one signature are comparable."""

    def score(self, pairs: Sequence[Pair], context: Context) -> list[float | None]:
        """One finite number a pair, in order; None where the score does not apply."""


class PairScorer(ABC):
    """A scorer that looks at one pair at a time."""

    name: str
    version: ClassVar[int] = 1
    """Raised with every change that can change a score."""

    @property
    def settings(self) -> dict[str, object]:
        """What enters the signature, in order."""
        return {}

    @property
    def signature(self) -> str:
        return "|".join(f"{key}:{value}" for key, value in {**self.settings, "version": self.version}.items())

    def score(self, pairs: Sequence[Pair], context: Context) -> list[float | None]:
        return [self.one(pair, context) for pair in pairs]

    @abstractmethod
    def one(self, pair: Pair, context: Context) -> float | None:
        """The score of one pair, None where it does not apply."""


def is_translated(pair: Pair) -> bool:
    """Whether the English was made by us, rather than found."""
    return pair.origin == "translated"
