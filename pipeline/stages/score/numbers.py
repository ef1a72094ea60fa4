"""Whether numbers and years survived, compared by value and calendar."""

from __future__ import annotations

import re
from abc import abstractmethod

from pipeline.stages.score.base import Context, PairScorer
from pipeline.stages.score.pair_facts import PairFacts
from pipeline.text.numbers.years_thai import BUDDHIST_OFFSET

_DIGITS = re.compile(r"\d+")


class _NumbersApart(PairScorer):
    """A count of the numbers that one side has alone; None where neither side has numbers that are asked for."""

    @property
    def settings(self) -> dict[str, object]:
        """What the score depends on."""
        return {"compare": "value"}

    @abstractmethod
    def count(self, missing: int, extra: int) -> int:
        """What counts of so many numbers that the English lacks, and that it has alone."""

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        if not facts.source_numbers.asked and not facts.target_numbers.asked:
            return None
        return float(self.count(*map(len, facts.numbers_apart)))


class NumberAgreement(PairScorer):
    """Share of the source's numbers (in digits, and months) that the English states, 0 to 1; None where it has none."""

    name = "number_agreement"
    version = 2

    @property
    def settings(self) -> dict[str, object]:
        """What the score depends on."""
        return {"compare": "value"}

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        asked = facts.source_numbers.asked
        if not asked:
            return None
        missing, _ = facts.numbers_apart
        return 1 - len(missing) / len(asked)


class NumberChanged(_NumbersApart):
    """How many numbers seem to have been replaced: the smaller count of those missing and those added.

    A number that is only missing is often a word in English, and one that is only added a word in the source; one of
    each is an error far more often. None where neither side has such numbers.
    """

    name = "number_changed"
    version = 2

    def count(self, missing: int, extra: int) -> int:
        """Of the numbers that one side has alone those that were replaced."""
        return min(missing, extra)


class NumberAdded(_NumbersApart):
    """How many numbers the English has that nothing in the source explains; None where neither side has numbers.

    Translators of texts say more than the source now and then, and translation models invent: "August 22, 2022" of
    สิงหาคม 2022. Numbers that a word of the source says are not added.
    """

    name = "number_added"

    def count(self, missing: int, extra: int) -> int:
        """Of the numbers that one side has alone those of the English."""
        return extra


class UnitChanged(PairScorer):
    """How many numbers of the source have another unit of the same kind in the English: đồng and yuan, ไร่ and hectares.

    None where the source has no numbers. A unit that one side leaves out is not counted, nor an amount that was
    converted, whose number is another.
    """

    name = "unit_changed"

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        return float(len(facts.changed_units)) if facts.source_numbers.numbers else None


class RelationChanged(PairScorer):
    """How many numbers of the source change otherwise in the English: grew by for grew to, fell for rose, more than
    for less than.

    None where the source has no numbers. A number of which one side does not say that it changes is not counted.
    """

    name = "relation_changed"

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        return float(len(facts.other_changes)) if facts.source_numbers.numbers else None


class UnconvertedYear(PairScorer):
    """1 when a year of the source stands in the English in the Buddhist era (2568 for 2025), 0 when none does.

    None where the source has no year in digits. The source may have the year in either era.
    """

    name = "unconverted_year"
    version = 3

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        years = [number for number in facts.source_numbers.asked if number.kind == "year"]
        if not years:
            return None
        missing = set(facts.numbers_apart[0])
        lost = {str(int(number.value) + BUDDHIST_OFFSET) for number in years if number in missing}
        return float(not lost.isdisjoint(_DIGITS.findall(facts.pair.tgt_text) if lost else ()))
