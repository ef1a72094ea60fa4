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
from collections.abc import Iterable, Iterator
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
CHUNK = 1 << 22
"""Draws that are in memory at a time."""
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
    def _entropy(self) -> int:
        """The seed, the same for all draws where a new one is asked for."""
        if self.seed is not None:
            return self.seed
        found = np.random.SeedSequence().entropy
        assert isinstance(found, int)
        return found

    def resamples(self, *, first_system: bool) -> Iterator[NDArray[np.int64]]:
        """The units of each resample, (some of the `confidence`, units) at a time, made anew whenever they are asked.

        In a randomisation test sacreBLEU draws those of all systems but the first after the tosses.
        """
        generator = np.random.default_rng(self._entropy)
        if self.paired == "ar" and self.as_sacrebleu and not first_system:
            for _ in self._tossed(generator):
                pass
        step = max(1, CHUNK // self.units)
        for first in range(0, self.confidence, step):
            yield generator.choice(self.units, size=(min(step, self.confidence - first), self.units), replace=True)

    def tosses(self) -> Iterator[NDArray[np.bool_]]:
        """Whether the first system keeps its unit, (some of the trials, units) at a time, made anew as `resamples`."""
        yield from self._tossed(np.random.default_rng(self._entropy))

    def _tossed(self, generator: np.random.Generator) -> Iterator[NDArray[np.bool_]]:
        # numpy takes 32 tosses of one number, so blocks of 32 rows are those of one large matrix.
        step = max(1, CHUNK // self.units // 32) * 32
        for first in range(0, RANDOMISATION_TRIALS, step):
            size = min(step, RANDOMISATION_TRIALS - first), self.units
            yield generator.integers(2, size=size, dtype=bool)


def bootstrap(metric: Metric, statistics: Statistics, resamples: Iterable[NDArray[np.int64]]) -> Scores:
    """The score of every resample, (n,), given statistics (units, k) and the units of each resample, some at a time."""
    single = statistics.astype(np.float32)
    scores: Scores = metric.aggregate(np.array([single[row].sum(0) for rows in resamples for row in rows]))
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
    metric: Metric,
    baseline: Statistics,
    system: Statistics,
    tosses: Iterable[NDArray[np.bool_]],
    *,
    count_ties: bool = False,
) -> float:
    """The p-value of the difference of two systems with statistics (units, k), given the tosses, (trials, units) in
    blocks.

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
    baseline: Statistics, system: Statistics, tosses: Iterable[NDArray[np.bool_]]
) -> Iterator[tuple[Statistics, Statistics]]:
    """The summed statistics of both pseudo-systems of every trial, a block of trials at a time.

    Products are of double precision, which is exact for counts and much quicker than products of integers.
    """
    ours, theirs = baseline.astype(np.float64), system.astype(np.float64)
    for block in tosses:
        keep = block.astype(np.float64)
        swap = 1 - keep
        yield (
            (keep @ ours + swap @ theirs).astype(baseline.dtype),
            (swap @ ours + keep @ theirs).astype(baseline.dtype),
        )


def _p_value(extreme: NDArray[np.bool_]) -> float:
    return (int(extreme.sum()) + 1) / (len(extreme) + 1)
