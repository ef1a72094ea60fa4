"""What a score is: a number for each pair, and a signature that says how it was made.

A scorer gives one score, or a few that come of the same work. What several scorers need of a pair is in `PairFacts`.

Scoring never decides; `stages/filter` holds the rules. Settings are constructor arguments and become the signature,
so that a score cannot be published without them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from pipeline.stages.score.pair_facts import PairFacts
from pipeline.types import Pair, Translation


@dataclass(frozen=True, slots=True)
class Context:
    """What scorers may look at beside the pair: the machine translations, by segment id."""

    translations: Mapping[str, Translation] = field(default_factory=dict)

    def of(self, pair: Pair) -> list[Translation]:
        """The translations of the pair's source segments, as far as there are any."""
        return [self.translations[key] for key in pair.src_segments if key in self.translations]


Columns = dict[str, list[float | None]]
"""By name of the score one finite number a pair, in order; None where the score does not apply."""


class Scorer(Protocol):
    """One score, or several that come of the same work."""

    @property
    def signatures(self) -> dict[str, str]:
        """The names of the scores, in the order of the report, each with its signature.

        The names are keys in `Scored.scores` and in the rules of the filter. A signature is
        `key:value|...|version:n`, in the manner of sacreBLEU; two runs with one signature are comparable.
        """

    def score(self, facts: Sequence[PairFacts], context: Context) -> Columns:
        """A column for each of the names, for a batch of pairs of any size; it depends on no other batch."""


class PairScorer(ABC):
    """One score, that looks at one pair at a time."""

    name: str
    version: ClassVar[int] = 1
    """Raised with every change that can change a score."""

    @property
    def settings(self) -> dict[str, object]:
        """What enters the signature, in order."""
        return {}

    @property
    def signature(self) -> str:
        """How the score is made, see `Scorer.signatures`."""
        return "|".join(f"{key}:{value}" for key, value in {**self.settings, "version": self.version}.items())

    @property
    def signatures(self) -> dict[str, str]:
        """The name of the score and its signature."""
        return {self.name: self.signature}

    def score(self, facts: Sequence[PairFacts], context: Context) -> Columns:
        """The column of this score."""
        return {self.name: [self.score_pair(pair_facts, context) for pair_facts in facts]}

    @abstractmethod
    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score of one pair, None where it does not apply."""


def is_whole(pair: Pair) -> bool:
    """Whether neither side is empty."""
    return bool(pair.src_text.strip()) and bool(pair.tgt_text.strip())


def is_translated(pair: Pair) -> bool:
    """Whether the English was made by us, rather than found."""
    return pair.origin == "translated"
