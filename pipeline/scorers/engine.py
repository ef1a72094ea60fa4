"""What the translator and the aligner themselves thought of the pair."""

from __future__ import annotations

from pipeline.scorers.base import Context, PairScorer, is_translated
from pipeline.types import Pair


class Guard(PairScorer):
    """1 when every segment of a translated pair passed the guards of translation, 0 when one did not.

    None for aligned pairs. A segment without a translation did not pass.
    """

    name = "guard"

    def one(self, pair: Pair, context: Context) -> float | None:
        if not is_translated(pair):
            return None
        found = context.of(pair)
        return float(len(found) == len(pair.src_segments) and all(t.ended == "stop" for t in found))


class LogProbability(PairScorer):
    """Mean log-probability (natural logarithm, 0 or less) of an output token of a translated pair.

    None for aligned pairs and for engines that give none. Comparable within one model only.
    """

    name = "log_probability"

    def one(self, pair: Pair, context: Context) -> float | None:
        if not is_translated(pair):
            return None
        known = [(t.logprob, max(t.out_tokens, 1)) for t in context.of(pair) if t.logprob is not None]
        tokens = sum(weight for _, weight in known)
        return sum(logprob * weight for logprob, weight in known) / tokens if known else None


class AlignmentCost(PairScorer):
    """The aligner's cost of the bead, less is better; None for translated pairs. See `pipeline.aligners`."""

    name = "alignment_cost"

    def one(self, pair: Pair, context: Context) -> float | None:
        return None if is_translated(pair) else pair.cost
