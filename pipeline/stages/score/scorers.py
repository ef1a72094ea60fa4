"""Scores of pairs and of corpora, each with a signature."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.engines.encoders.base import Encoder
    from pipeline.stages.score.base import Scorer
    from pipeline.stages.score.damage.forced import PairReader


def all_scorers(encoder: Encoder | None = None, reader: PairReader | None = None) -> list[Scorer]:
    """All scorers, in the order of the report; without an encoder `similarity` is None for every pair, without a reader
    what only a language model says."""
    # Imported here because the command line needs the corpus metrics of this package only, and quickly.
    from pipeline.stages.score.confidence.scorer import Confidence
    from pipeline.stages.score.damage.classifier import Damage
    from pipeline.stages.score.damage.forced import Readings, ReadingScores
    from pipeline.stages.score.evidence import AlignmentCost, Displacement, Guard, LogProbability, Margin, MiningMargin
    from pipeline.stages.score.language import Language, ScriptShare
    from pipeline.stages.score.name_agreement import NameAgreement, UrlAgreement
    from pipeline.stages.score.name_support import NameChanged, NameSupport
    from pipeline.stages.score.numbers import (
        NumberAdded,
        NumberAgreement,
        NumberChanged,
        RelationChanged,
        UnconvertedYear,
        UnitChanged,
    )
    from pipeline.stages.score.similarity import Similarity
    from pipeline.stages.score.surface import (
        Copy,
        EmojiAgreement,
        Ending,
        LengthRatio,
        NegationLost,
        QuoteAgreement,
        RepeatedPhrase,
        Repetition,
        Untranslated,
        VerbLost,
    )

    readings = Readings(reader)
    return [
        LengthRatio(),
        Ending(),
        Similarity(encoder),
        Damage(encoder, readings),
        Language("source"),
        Language("target"),
        ScriptShare("source"),
        ScriptShare("target"),
        NumberAgreement(),
        NumberChanged(),
        NumberAdded(),
        UnitChanged(),
        RelationChanged(),
        VerbLost(),
        NegationLost(),
        UnconvertedYear(),
        NameAgreement(),
        NameSupport(),
        NameChanged(),
        UrlAgreement(),
        QuoteAgreement(),
        EmojiAgreement(),
        Untranslated(),
        Copy(),
        Repetition(),
        RepeatedPhrase(),
        Guard(),
        LogProbability(),
        Confidence(),
        ReadingScores(readings),
        AlignmentCost(),
        Margin(),
        MiningMargin(),
        Displacement(),
    ]


@cache
def score_names() -> tuple[str, ...]:
    """The names that rules may use, in the order of the report."""
    return tuple(name for scorer in all_scorers() for name in scorer.signatures)
