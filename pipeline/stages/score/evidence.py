"""What the translator and the aligner themselves thought of the pair."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.stages.score.base import Context, PairScorer, is_translated
from pipeline.stages.score.pair_facts import PairFacts
from pipeline.types import Translation


class Guard(PairScorer):
    """1 when every segment of a translated pair passed the guards of translation, 0 when one did not.

    None for aligned pairs, and for those of a corpus that came without its translations. A segment without a
    translation did not pass.
    """

    name = "guard"

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        pair = facts.pair
        if not is_translated(pair) or not pair.src_segments:
            return None
        translations = context.of(pair)
        return float(len(translations) == len(pair.src_segments) and all(t.ended == "stop" for t in translations))


def mean_log_probability(translations: Iterable[Translation]) -> float | None:
    """Of an output token, over those translations that have one; None where none has."""
    known = [(made.logprob, max(made.out_tokens, 1)) for made in translations if made.logprob is not None]
    tokens = sum(weight for _, weight in known)
    return sum(logprob * weight for logprob, weight in known) / tokens if known else None


class LogProbability(PairScorer):
    """Mean log-probability (natural logarithm, 0 or less) of an output token of a translated pair.

    None for aligned pairs and for engines that give none. Comparable within one model only.
    """

    name = "log_probability"

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        return mean_log_probability(context.of(facts.pair)) if is_translated(facts.pair) else None


class AlignmentCost(PairScorer):
    """The aligner's cost of the bead, less is better; None for pairs of another making. See `stages/align`."""

    name = "alignment_cost"

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        return facts.pair.cost if facts.pair.origin == "aligned" else None


class Margin(PairScorer):
    """How far the cosine of an aligned pair lies over the mean cosine of both sides with all of the other document.

    The mean is drawn to that of unrelated spans, so that short documents have comparable margins. None for other pairs,
    and where no vectors were compared. See `pipeline.stages.align.beads`.
    """

    name = "margin"

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        return facts.pair.margin if facts.pair.origin == "aligned" else None


class MiningMargin(PairScorer):
    """The ratio margin of a mined pair; None for other pairs. See `pipeline.stages.align.mining`."""

    name = "mining_margin"

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        return facts.pair.margin if facts.pair.origin == "mined" else None


class Displacement(PairScorer):
    """How far apart the places of both sides in their documents are, 0 to 1; None for translated pairs."""

    name = "displacement"

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        return facts.pair.displacement
