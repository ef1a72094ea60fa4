"""Scores of pairs and of corpora, each with a signature."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.aligners.encoders import Encoder
    from pipeline.scorers.base import Scorer


def all_scorers(encoder: Encoder | None = None) -> list[Scorer]:
    """All scorers, in the order of the report; without an encoder `similarity` is None for every pair."""
    # Imported here because the command line needs the corpus metrics of this package only, and quickly.
    from pipeline.scorers.engine import AlignmentCost, Displacement, Guard, LogProbability, Margin, MiningMargin
    from pipeline.scorers.language import Language
    from pipeline.scorers.names import NameAgreement
    from pipeline.scorers.numbers import NumberAgreement, NumberChanged, UnconvertedYear
    from pipeline.scorers.similarity import Similarity
    from pipeline.scorers.surface import Copy, Ending, LengthRatio, Repetition, Untranslated

    return [
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
        Margin(),
        MiningMargin(),
        Displacement(),
    ]


@cache
def score_names() -> tuple[str, ...]:
    """The names that rules may use, in the order of the report."""
    return tuple(scorer.name for scorer in all_scorers())
