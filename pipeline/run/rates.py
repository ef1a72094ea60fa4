"""How fast this machine has translated, kept so that the next run can be told how long it will take.

A rate is source tokens of first attempts over the wall time of the translate stage, retries included, loading not. The
last one of each model, engine, device, precision, search and machine lies in a file of its own:

    $MEKONG_MODELS (or ~/.cache/mekong/models)/.rates/*.json
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from pipeline.config.settings import TranslateSettings
from pipeline.engines.devices import device_name
from pipeline.engines.load import choose
from pipeline.files.store import digest, to_json, write_bytes
from pipeline.registry import models
from pipeline.registry.models import Entry

log = logging.getLogger(__name__)

FOLDER = ".rates"
LONG_ENOUGH = 20.0
"""Seconds of work from which a rate takes the place of any other, a shorter one only that of one still shorter; set by
hand."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a rate holds for: model, engine with device, precision and workers, search, processor or GPU."""

    model: str
    plan: str
    search: str
    machine: str

    @classmethod
    def of(cls, entry: Entry, settings: TranslateSettings) -> Conditions:
        """Those of a run with these settings here; raises UsageError as `choose`."""
        plan = choose(entry, settings)
        search = "greedy" if settings.num_beams == 1 else f"{settings.num_beams} beams"
        search += ", shortlist" * settings.shortlist + ", hints" * (entry.general and settings.use_glossary)
        return Conditions(entry.name, str(plan), search, device_name(plan.device))

    @property
    def path(self) -> Path:
        """The file of their rate."""
        return models.root() / FOLDER / f"{digest(self)[:24]}.json"


@dataclass(frozen=True, slots=True)
class Rate:
    """A measurement; `date` is a day in ISO 8601, UTC."""

    conditions: Conditions
    tokens: int
    seconds: float
    date: str

    @property
    def per_second(self) -> float:
        """Source tokens a second."""
        return self.tokens / self.seconds

    def __str__(self) -> str:
        return f"{self.per_second:,.1f} tokens/s, measured on {self.date} over {self.tokens:,} tokens"


def last_rate(conditions: Conditions) -> Rate | None:
    """The last measurement under these conditions, None where there is none that can be read."""
    try:
        return TypeAdapter(Rate).validate_json(conditions.path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        log.warning("the rate in %s cannot be read: %s", conditions.path, error)
        return None


def keep_rate(conditions: Conditions, tokens: int, seconds: float) -> None:
    """Remember a measurement, unless it is a short one and a longer one is known; none of no tokens.

    Raises StoreError when it cannot be written.
    """
    if not tokens or seconds <= 0:
        return
    before = last_rate(conditions)
    if seconds < LONG_ENOUGH and before and before.seconds > seconds:
        return
    rate = Rate(conditions, tokens, round(seconds, 3), time.strftime("%Y-%m-%d", time.gmtime()))
    write_bytes(conditions.path, to_json(rate, indent=True) + b"\n")
