"""Whether numbers and years survived, compared by value and calendar."""

from __future__ import annotations

from pipeline.scorers.base import Context, PairScorer
from pipeline.text.numbers import agree, numbers
from pipeline.types import Pair


class NumberAgreement(PairScorer):
    """Share of the source's numbers that the English states, 0 to 1; None where the source has none."""

    name = "number_agreement"

    @property
    def settings(self) -> dict[str, object]:
        return {"compare": "value"}

    def one(self, pair: Pair, context: Context) -> float | None:
        stated = len(numbers(pair.src_text, pair.src_lang))
        if not stated:
            return None
        missing, _ = agree(pair.src_text, pair.src_lang, pair.tgt_text)
        return max(0.0, 1 - len(missing) / stated)
