"""Scores of pairs and of corpora, each with a signature."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.aligners.encoders import Encoder
    from pipeline.scorers.base import Scorer
    from pipeline.scorers.reading import Reader


def all_scorers(encoder: Encoder | None = None, reader: Reader | None = None) -> list[Scorer]:
    """All scorers, in the order of the report; without an encoder `similarity` is None for every pair, without a reader
    what only a language model says."""
    # Imported here because the command line needs the corpus metrics of this package only, and quickly.
    from pipeline.scorers.damage import KINDS, Damage, Signals
    from pipeline.scorers.engine import AlignmentCost, Displacement, Guard, LogProbability, Margin, MiningMargin
    from pipeline.scorers.language import Language, ScriptShare
    from pipeline.scorers.name_support import NameChanged, NameSupport
    from pipeline.scorers.names import NameAgreement, UrlAgreement
    from pipeline.scorers.numbers import NumberAgreement, NumberChanged, UnconvertedYear
    from pipeline.scorers.reading import ForcedLogProbability, Information, Readings
    from pipeline.scorers.similarity import Similarity
    from pipeline.scorers.surface import (
        Copy,
        Ending,
        LengthRatio,
        QuoteAgreement,
        RepeatedPhrase,
        Repetition,
        Untranslated,
    )

    readings = Readings(reader)
    signals = Signals(encoder, readings)
    return [
        LengthRatio(),
        Ending(),
        Similarity(encoder),
        *(Damage(kind, signals) for kind in KINDS),
        Language("source"),
        Language("target"),
        ScriptShare("source"),
        ScriptShare("target"),
        NumberAgreement(),
        NumberChanged(),
        UnconvertedYear(),
        NameAgreement(),
        NameSupport(),
        NameChanged(),
        UrlAgreement(),
        QuoteAgreement(),
        Untranslated(),
        Copy(),
        Repetition(),
        RepeatedPhrase(),
        Guard(),
        LogProbability(),
        ForcedLogProbability(readings),
        Information(readings),
        AlignmentCost(),
        Margin(),
        MiningMargin(),
        Displacement(),
    ]


@cache
def score_names() -> tuple[str, ...]:
    """The names that rules may use, in the order of the report."""
    return tuple(scorer.name for scorer in all_scorers())
