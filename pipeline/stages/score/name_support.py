"""Whether the names of the English have something to stand on in the source."""

from __future__ import annotations

from pipeline.stages.score.base import Context, PairScorer
from pipeline.stages.score.pair_facts import PairFacts


class NameSupport(PairScorer):
    """How sure the source has the least sure name of the English, 0 to 1; None where the English has no names.

    Names are words that are capitalised inside a sentence. The source has one that it writes in Latin letters, whose
    translation is in the glossary or the lexicon, or that stands there in Thai letters, see
    `pipeline.text.transliteration`. Names that English translates and no glossary knows look as if they were made
    up; a low score is a sign and no proof.
    """

    name = "name_support"
    version = 3

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        return min((1 - value for value in facts.unsupported_names), default=None)


class NameChanged(PairScorer):
    """How many names seem to have been replaced: the smaller count of those that the English lost and those it added.

    Lost are names in Latin letters, acronyms and countries; added are names that nothing in the source supports and
    countries. As with numbers, one of each is an error far more often than either alone.
    """

    name = "name_changed"
    version = 4

    def __init__(self, least: float = 0.5) -> None:
        self.least = least

    @property
    def settings(self) -> dict[str, object]:
        """What the score depends on."""
        return {"unsupported": f"{self.least:g}"}

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        added = sum(value > self.least for value in facts.unsupported_names) or facts.added_countries
        return float(min(facts.lost_names, added))
