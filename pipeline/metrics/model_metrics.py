"""Corpus metrics that need a model: by sentence vectors (`embedding`), and learned ones (`learned`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.metrics.embedding import SimRef, SimSrc
    from pipeline.metrics.learned import LearnedMetric

SIMILARITIES = ("simref", "simsrc")
LEARNED = ("comet", "cometkiwi", "xcomet", "metricx")


def similarity(name: str, encoder: str = "") -> SimRef | SimSrc:
    """SimRef or SimSrc with a sentence encoder of the registry; one that is named is part of the name, SimRef-labse.

    Raises UsageError for an unknown encoder or one that does not know English, ModelMissing where it is not there.
    """
    from pipeline.config.settings import AlignSettings
    from pipeline.engines.encoders.load import load_encoder
    from pipeline.metrics.embedding import SimRef, SimSrc
    from pipeline.registry import models

    models.offline()
    loaded = load_encoder(models.entry(encoder or AlignSettings().encoder))
    return (SimRef if name == "simref" else SimSrc)(loaded, f"-{encoder}" if encoder else "")


def learned(name: str) -> LearnedMetric:
    """A learned metric. Raises ModelMissing where its checkpoint or the environment is missing."""
    from pipeline.metrics.learned import LearnedMetric, scorer

    return LearnedMetric(scorer(name))


MODEL_METRICS: Mapping[str, Callable[[], SimRef | SimSrc | LearnedMetric]] = {
    **{name: partial(similarity, name) for name in SIMILARITIES},
    **{name: partial(learned, name) for name in LEARNED},
}
