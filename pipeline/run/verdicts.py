"""Score, filter, decisions as one stream: every scored pair with what the rules and people say of it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import TypeVar

import msgspec

from pipeline.config.settings import FilterSettings
from pipeline.errors import StoreError
from pipeline.files.spool import Spool
from pipeline.run.shards import SCORED, Shards
from pipeline.run.watch import Watch
from pipeline.stages.filter.decisions import Decisions
from pipeline.stages.filter.stage import filter_pairs
from pipeline.types import Scored, Verdict

T = TypeVar("T")


def judged(rows: Iterable[tuple[T, Scored]], settings: FilterSettings) -> Iterator[tuple[T, Scored, Verdict]]:
    """Each pair with what it comes with and what the rules say of it, in order; few pairs are in memory at a time.

    Raises what `filter_pairs` raises, before a pair is read.
    """
    waiting: deque[tuple[T, Scored]] = deque()

    def scored() -> Iterator[Scored]:
        for row in rows:
            waiting.append(row)
            yield row[1]

    for verdict in filter_pairs(scored(), settings):
        yield *waiting.popleft(), verdict


@dataclass
class VerdictCounts:
    """Pairs and kept pairs by origin; by what people decided, how often they did."""

    pairs: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    by_hand: Counter[bool] = field(default_factory=Counter)

    def add(self, scored: Scored, verdict: Verdict) -> None:
        """Count one pair."""
        self.pairs[scored.pair.origin] += 1
        if verdict.keep:
            self.kept[scored.pair.origin] += 1
        if verdict.by_hand:
            self.by_hand[verdict.keep] += 1


@dataclass(frozen=True, slots=True)
class ShardVerdicts:
    """How many pairs a shard has; the verdicts on those that are rejected or were decided by hand, by their rows."""

    pairs: int
    others: list[tuple[int, Verdict]]


class Verdicts:
    """The verdicts on all pairs of a run, decided once: what people decided goes before what the rules say.

    Nothing of a pair stays in memory. The pairs are read from the shards each time, and the verdicts on those that are
    not simply kept from a temporary file, a record a shard.
    """

    def __init__(self, shards: Shards, settings: FilterSettings, decisions: Decisions, watch: Watch) -> None:
        """Decide about every pair.

        Raises what `filter_pairs` raises, and Interrupted when the user asked to stop.
        """
        self._shards, self._told = shards, Spool()
        self.counts = VerdictCounts()
        decisions.refresh()
        total = sum(shards.size(SCORED, number) for number in shards.numbers)
        rows = watch.each("filter", total, "pairs", judged(shards.all_scored(), settings))
        for number, mine in groupby(rows, key=lambda row: row[0]):
            while len(self._told) < number:
                self._told.append(msgspec.msgpack.encode(ShardVerdicts(0, [])))  # of a shard without pairs
            self._told.append(msgspec.msgpack.encode(self._decided(mine, decisions)))
        self.not_applied = len(decisions.latest) - self.counts.by_hand.total()
        """How many decisions are about pairs that are gone, or have other texts now."""
        if self.not_applied:
            watch.warn(decisions.unapplied(self.not_applied))

    def __iter__(self) -> Iterator[tuple[Scored, Verdict]]:
        for number in self._shards.numbers:
            yield from self.of_shard(number)

    def of_shard(self, number: int) -> Iterator[tuple[Scored, Verdict]]:
        """The pairs of a shard with their verdicts, in order.

        Raises StoreError when it is no longer the shard that was decided about.
        """
        scored = self._shards.scored(number)
        told = self._read(number) if number < len(self._told) else ShardVerdicts(0, [])
        if len(scored) != told.pairs:
            raise StoreError(f"shard {number} of {self._shards.folder} was made anew meanwhile", "Try again.")
        others = dict(told.others)
        for place, row in enumerate(scored):
            yield row, others.get(place) or Verdict(row.pair.id, True, ())

    def _decided(self, rows: Iterable[tuple[int, Scored, Verdict]], decisions: Decisions) -> ShardVerdicts:
        """What people and the rules say of the pairs of a shard, counted."""
        others: list[tuple[int, Verdict]] = []
        pairs = 0
        for _, scored, ruled in rows:
            verdict = decisions.applied(scored.pair, ruled)
            self.counts.add(scored, verdict)
            if not verdict.keep or verdict.by_hand:
                others.append((pairs, verdict))
            pairs += 1
        return ShardVerdicts(pairs, others)

    def _read(self, number: int) -> ShardVerdicts:
        return msgspec.msgpack.decode(self._told[number], type=ShardVerdicts)
