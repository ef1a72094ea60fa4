"""The scores of a run, in the order of the report."""

from __future__ import annotations

from pipeline.aligners.encoders import Encoder
from pipeline.scorers.base import Scorer
from pipeline.scorers.engine import AlignmentCost, Guard, LogProbability
from pipeline.scorers.language import Language
from pipeline.scorers.names import NameAgreement
from pipeline.scorers.numbers import NumberAgreement, NumberChanged, UnconvertedYear
from pipeline.scorers.similarity import Similarity
from pipeline.scorers.surface import Copy, Ending, LengthRatio, Repetition, Untranslated


def all_scorers(encoder: Encoder | None = None) -> tuple[Scorer, ...]:
    """One scorer for each of SCORE_NAMES; without an encoder there is no similarity (None for every pair)."""
    return (
        LengthRatio(),
        Ending(),
        Similarity(encoder),
        Language("source"),
        Language("target"),
        NumberAgreement(),
        NumberChanged(),
        UnconvertedYear(),
        NameAgreement(),
        Untranslated(),
        Copy(),
        Repetition(),
        Guard(),
        LogProbability(),
        AlignmentCost(),
    )


SCORE_NAMES = tuple(scorer.name for scorer in all_scorers())
