"""Bootstrap intervals and paired tests over sums of statistics.

With segments as units everything is as in sacreBLEU 2.6 (`sacrebleu.significance`), to the last digit: seed, draws and
their order, single precision in the bootstrap, and what counts as more extreme. Units may also be whole documents,
whose statistics were summed before.

    bootstrap        Koehn 2004, W04-3250: units are drawn with replacement
    paired bootstrap the same draws for both systems; p is the share of resamples whose difference lies further from
                     the mean difference than the real difference lies from 0
    randomisation    Riezler and Maxwell 2005, W05-0908: each unit is swapped between the systems by the toss of a coin;
                     p is the share of trials whose difference is more extreme than the real one

    p = (c + 1) / (trials + 1)
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UsageError
from pipeline.metrics.base import Metric, PairedTestName

BOOTSTRAP_SAMPLES = 1000
RANDOMISATION_TRIALS = 10000
DEFAULT_SEED = "12345"
CHUNK = 1 << 23
"""Numbers of a matrix of coin tosses that are multiplied at a time."""
TIE = 1e-9
"""Differences of scores this close, in proportion, are one difference."""

Scores = NDArray[np.floating[Any]]
Statistics = NDArray[Any]


def seed_in_use() -> int | None:
    """sacreBLEU's seed: 12345, or the environment variable SACREBLEU_SEED, where "none" asks for a new one each time.

    Raises UsageError when that is neither a number nor "none".
    """
    value = os.environ.get("SACREBLEU_SEED", DEFAULT_SEED)
    if value.lower() == "none":
        return None
    if not value.isdecimal():
        raise UsageError(f"SACREBLEU_SEED is {value!r}", 'Set it to a whole number, or to "none".')
    return int(value)


@dataclass(frozen=True)
class Draws:
    """The random draws for `units` units, the same for every system and metric.

    `confidence` is the number of bootstrap resamples, 0 for none. `paired` is the test; in a paired bootstrap the
    resamples of the intervals are those of the test. `as_sacrebleu` is about tests over segments with metrics
    of sacreBLEU: it counts no ties, so that equal systems differ with p = 0.0001, and in randomisation tests it has
    other resamples for the first system than for the rest.
    """

    units: int
    confidence: int = 0
    paired: PairedTestName | None = None
    as_sacrebleu: bool = True
    seed: int | None = field(default_factory=seed_in_use)

    @property
    def items(self) -> dict[str, object]:
        """What sacreBLEU says of them in its signatures."""
        found: dict[str, object] = {"bs": self.confidence} if self.confidence else {}
        if self.paired == "ar":
            found["ar"] = RANDOMISATION_TRIALS
        return found | {"seed": str(self.seed).lower()} if found else {}

    @cached_property
    def baseline_resamples(self) -> NDArray[np.int64]:
        """The units of each resample of the first system, (confidence, units)."""
        return self._resamples(np.random.default_rng(self.seed))

    @cached_property
    def resamples(self) -> NDArray[np.int64]:
        """The same for other systems: in a randomisation test sacreBLEU draws them after the tosses."""
        return self._tossed[1] if self.paired == "ar" and self.as_sacrebleu else self.baseline_resamples

    @property
    def tosses(self) -> NDArray[np.bool_]:
        """Whether the first system keeps its unit, (trials, units)."""
        return self._tossed[0]

    @cached_property
    def _tossed(self) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        generator = np.random.default_rng(self.seed)
        tosses = generator.integers(2, size=(RANDOMISATION_TRIALS, self.units), dtype=bool)
        return tosses, self._resamples(generator)

    def _resamples(self, generator: np.random.Generator) -> NDArray[np.int64]:
        return generator.choice(self.units, size=(self.confidence, self.units), replace=True)


def bootstrap(metric: Metric, statistics: Statistics, resamples: NDArray[np.int64]) -> Scores:
    """The score of every resample, (n,), given statistics (units, k) and the units of each resample (n, units)."""
    single = statistics.astype(np.float32)
    scores: Scores = metric.aggregate(np.array([single[row].sum(0) for row in resamples]))
    return scores


def interval(scores: Scores) -> tuple[float, float]:
    """The mean of resampled scores and half of the width of their middle 95 %."""
    from sacrebleu.significance import estimate_ci

    mean, half = estimate_ci(scores)
    return float(mean), float(half)


def paired_bootstrap(baseline: Scores, system: Scores, difference: float, *, count_ties: bool = False) -> float:
    """The p-value of `difference` of two systems, given the scores of both on the same resamples (n,).

    `count_ties`: see `randomisation`.
    """
    found = np.abs(system - baseline)
    found = found - found.mean()
    return _p_value(found >= abs(difference) * (1 - TIE) if count_ties else found > abs(difference))


def randomisation(
    metric: Metric, baseline: Statistics, system: Statistics, tosses: NDArray[np.bool_], *, count_ties: bool = False
) -> float:
    """The p-value of the difference of two systems with statistics (units, k), given the tosses (trials, units).

    `count_ties` counts trials that are as extreme as the systems themselves, as Riezler and Maxwell do and sacreBLEU
    does not. Of few units a good part of the trials swaps all or none, and without them p would be far too small.
    """
    difference = abs(metric.aggregate(baseline.sum(0)) - metric.aggregate(system.sum(0)))
    found = np.concatenate(
        [
            np.abs(metric.aggregate(ours) - metric.aggregate(theirs))
            for ours, theirs in _shuffled(baseline, system, tosses)
        ]
    )
    return _p_value(found >= difference * (1 - TIE) if count_ties else found > difference)


def _shuffled(
    baseline: Statistics, system: Statistics, tosses: NDArray[np.bool_]
) -> Iterator[tuple[Statistics, Statistics]]:
    """The summed statistics of both pseudo-systems of every trial, some trials at a time.

    Products are of double precision, which is exact for counts and much quicker than products of integers.
    """
    ours, theirs = baseline.astype(np.float64), system.astype(np.float64)
    step = max(1, CHUNK // max(1, tosses.shape[1]))
    for first in range(0, len(tosses), step):
        keep = tosses[first : first + step].astype(np.float64)
        swap = 1 - keep
        yield (
            (keep @ ours + swap @ theirs).astype(baseline.dtype),
            (swap @ ours + keep @ theirs).astype(baseline.dtype),
        )


def _p_value(extreme: NDArray[np.bool_]) -> float:
    return (int(extreme.sum()) + 1) / (len(extreme) + 1)
