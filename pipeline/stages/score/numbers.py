"""Whether numbers and years survived, compared by value and calendar."""

from __future__ import annotations

import re

from pipeline.stages.score.base import Context, PairScorer
from pipeline.text.numbers import Number, agree, is_asked, numbers
from pipeline.text.numbers.years_thai import BUDDHIST_OFFSET
from pipeline.types import Pair


def asked(text: str, lang: str) -> list[Number]:
    """The numbers of `text` that are asked of a translation: those written in digits, and months."""
    return [number for number in numbers(text, lang) if is_asked(text, number)]


class NumberAgreement(PairScorer):
    """Share of the source's numbers (in digits, and months) that the English states, 0 to 1; None where it has none."""

    name = "number_agreement"

    @property
    def settings(self) -> dict[str, object]:
        return {"compare": "value"}

    def one(self, pair: Pair, context: Context) -> float | None:
        stated = asked(pair.src_text, pair.src_lang)
        if not stated:
            return None
        missing, _ = agree(pair.src_text, pair.src_lang, pair.tgt_text)
        return 1 - len(missing) / len(stated)


class NumberChanged(PairScorer):
    """How many numbers seem to have been replaced: the smaller count of those missing and those added.

    A number that is only missing is often a word in English, and one that is only added a word in the source; one of
    each is an error far more often. None where neither side has such numbers.
    """

    name = "number_changed"

    @property
    def settings(self) -> dict[str, object]:
        return {"compare": "value"}

    def one(self, pair: Pair, context: Context) -> float | None:
        if not asked(pair.src_text, pair.src_lang) and not asked(pair.tgt_text, "en"):
            return None
        missing, extra = agree(pair.src_text, pair.src_lang, pair.tgt_text)
        return float(min(len(missing), len(extra)))


class UnconvertedYear(PairScorer):
    """1 when a year of the source stands in the English in the Buddhist era (2568 for 2025), 0 when none does.

    None where the source has no year in digits. The source may have the year in either era.
    """

    name = "unconverted_year"
    version = 2

    def one(self, pair: Pair, context: Context) -> float | None:
        years = [number for number in asked(pair.src_text, pair.src_lang) if number.kind == "year"]
        if not years:
            return None
        missing, _ = agree(pair.src_text, pair.src_lang, pair.tgt_text)
        lost = {int(number.value) + BUDDHIST_OFFSET for number in years if number in missing}
        return float(any(re.search(rf"(?<!\d){year}(?!\d)", pair.tgt_text) for year in lost))
