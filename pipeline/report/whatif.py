"""How many pairs would be kept if one limit of the filter were another, and all the rest stayed as it is.

A pair counts for a limit when it fails nothing else, so one pass over the verdicts is enough. Values are counted in
steps of a decimal grid, and only thresholds on that grid are offered, so the counts are exact although no value is
stored. Duplicates and what a person decided stay as they are.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from pipeline.config.settings import Rule
from pipeline.report.collect import share
from pipeline.types import Scored, Verdict

Side = Literal["min", "max"]
FIRST_DIGITS = 3
MAX_STEPS = 4096
LOOSER = (0.25, 0.5, 0.75)
"""Shares of the pairs rejected by this limit alone at which a looser one is offered."""
TIGHTER = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9)
"""Shares of the pairs kept at which a tighter one is offered."""
STEPS_SHOWN = 20
"""Limits are rounded to the decimal place that cuts the range of the values in at least this many steps."""


class Steps:
    """Values counted in steps of 10 ** -digits; `digits` drops by one whenever more than MAX_STEPS steps are in use.

    A minimum needs steps that hold their lower end, [k, k + 1), a maximum those that hold their upper end, (k - 1, k]:
    then no step lies on both sides of a limit on the grid.
    """

    def __init__(self, side: Side) -> None:
        self.side, self.digits, self.count = side, FIRST_DIGITS, 0
        self._steps: Counter[int] = Counter()

    def add(self, value: float) -> None:
        """Count one finite value."""
        self.count += 1
        self._steps[self._step(value)] += 1
        while len(self._steps) > MAX_STEPS:
            self._coarsen(self.digits - 1)

    def passing(self, limit: float) -> int:
        """How many values pass the limit, which has to lie on the grid."""
        at = self._step(limit)
        if self.side == "min":
            return sum(n for step, n in self._steps.items() if step >= at)
        return sum(n for step, n in self._steps.items() if step <= at)

    def limits(self, shares: Iterable[float], digits: int) -> list[float]:
        """For each share of the values a limit that at most that share fails, rounded to `digits` places."""
        ordered = sorted(self._steps.items(), reverse=self.side == "max")
        found = []
        for part in shares:
            wanted, seen = part * self.count, 0
            for step, n in ordered:
                seen += n
                if seen > wanted:
                    found.append(self._grid(_coarser(step, 10 ** (self.digits - digits), self.side), digits))
                    break
        return found

    def spread(self) -> float:
        """The distance between the greatest step in use and the least."""
        return self._grid(max(self._steps) - min(self._steps), self.digits) if self._steps else 0.0

    def coarsen(self, digits: int) -> None:
        """Merge steps until there are at most `digits` digits."""
        if digits < self.digits:
            self._coarsen(digits)

    def _coarsen(self, digits: int) -> None:
        factor, merged = 10 ** (self.digits - digits), Counter[int]()
        for step, n in self._steps.items():
            merged[_coarser(step, factor, self.side)] += n
        self.digits, self._steps = digits, merged

    def _step(self, value: float) -> int:
        """The step of a value; where multiplying rounds across a step, comparing with the limits themselves decides."""
        scaled = value * 10.0**self.digits
        if self.side == "min":
            step = math.floor(scaled)
            return step + (value >= self._grid(step + 1, self.digits)) - (value < self._grid(step, self.digits))
        step = math.ceil(scaled)
        return step - (value <= self._grid(step - 1, self.digits)) + (value > self._grid(step, self.digits))

    @staticmethod
    def _grid(step: int, digits: int) -> float:
        """The number that a step stands for, as the same decimal in a configuration is read."""
        return step / 10**digits if digits >= 0 else float(step * 10**-digits)


def _coarser(step: int, factor: int, side: Side) -> int:
    return step // factor if side == "min" else -(-step // factor)


class Limit:
    """One limit: a side of a rule, or a minimum of a score that has no rule yet (`present` is None)."""

    def __init__(self, score: str, side: Side, rule: Rule) -> None:
        self.score, self.side, self.rule = score, side, rule
        self.present: float | None = getattr(rule, side)
        self.unaffected = 0
        self.inside, self.outside = Steps(side), Steps(side)

    def add(self, scored: Scored, failed: frozenset[str]) -> None:
        """Count a pair that fails the rules of `failed`: none, or this score's alone."""
        value = scored.scores.get(self.score)
        judged_as = "translated" if scored.pair.origin == "translated" else "aligned"
        if value is None or self.rule.origin not in ("any", judged_as):
            self.unaffected += not failed
        elif not failed:
            self.inside.add(value)
        elif self.present is not None and not self._passes(value, self.present):
            self.outside.add(value)

    def _passes(self, value: float, limit: float) -> bool:
        return value >= limit if self.side == "min" else value <= limit

    def table(self, scored: int) -> dict[str, Any] | None:
        """Thresholds from none to the tightest with what each would keep; None where no pair at stake has the score."""
        if not self.inside.count + self.outside.count:
            return None
        digits = min(self.inside.digits, self.outside.digits)
        for steps in (self.inside, self.outside):
            steps.coarsen(digits)
        now = self.unaffected + self.inside.count
        rows = [self._row(limit, now, scored) for limit in (None, *self._ladder(digits))]
        # A limit that keeps what the one before it keeps says nothing, unless it is the present one.
        told = [
            row
            for before, row in zip([None, *rows], rows, strict=False)
            if before is None or row["present"] or row["kept"] != before["kept"]
        ]
        return {
            "score": self.score,
            "side": self.side,
            "origin": self.rule.origin,
            "present": self.present,
            "now": now,
            "idle": all(row["kept"] == now for row in told),
            "rows": told,
        }

    def _ladder(self, digits: int) -> list[float]:
        spread = max(self.inside.spread(), self.outside.spread())
        shown = min(digits, math.ceil(math.log10(STEPS_SHOWN / spread))) if spread > 0 else digits
        limits = {*self.outside.limits(LOOSER, shown), *self.inside.limits(TIGHTER, shown)}
        if self.present is not None:
            limits.add(self.present)
        return sorted(limits, reverse=self.side == "max")

    def _row(self, limit: float | None, now: int, scored: int) -> dict[str, Any]:
        if limit == self.present:
            kept = now
        elif limit is None:
            kept = now + self.outside.count
        elif self.present is not None and self._passes(self.present, limit):
            kept = now + self.outside.passing(limit)
        else:
            kept = self.unaffected + self.inside.passing(limit)
        return {
            "limit": limit,
            "kept": kept,
            "change": kept - now,
            "share": share(kept, scored),
            "present": limit == self.present,
        }


class WhatIf:
    """All limits of a filter, and a minimum for each score that pairs are ranked by."""

    def __init__(self, rules: Mapping[str, Rule], rank_by: Mapping[str, str]) -> None:
        sides: tuple[Side, Side] = ("min", "max")
        self._limits = [
            Limit(name, side, rule) for name, rule in rules.items() for side in sides if getattr(rule, side) is not None
        ]
        self._limits += [Limit(name, "min", Rule()) for name in dict.fromkeys(rank_by.values()) if name not in rules]
        self._scored = 0

    def add(self, scored: Scored, verdict: Verdict) -> None:
        """Count one judged pair; what a person decided, no limit changes."""
        self._scored += 1
        if verdict.by_hand:
            for limit in self._limits:
                limit.unaffected += verdict.keep
            return
        failed = verdict.kinds
        if len(failed) > 1:
            return
        for limit in self._limits:
            if failed <= {limit.score}:
                limit.add(scored, failed)

    def tables(self) -> list[dict[str, Any]]:
        """One table a limit, in the order of the rules; limits that no pair has a score for are left out."""
        tables = (limit.table(self._scored) for limit in self._limits)
        return [table for table in tables if table and not (table["idle"] and table["present"] is None)]
