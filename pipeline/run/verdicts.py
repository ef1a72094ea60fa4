"""Score, filter, decisions as one stream: every scored pair with what the rules and people say of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from typing import TypeVar

from pipeline.config.settings import FilterSettings
from pipeline.run.shards import Shards
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


class Verdicts:
    """The verdicts on all pairs of a run, decided once: what people decided goes before what the rules say.

    Only verdicts are held; the pairs are read from the shards each time.
    """

    def __init__(
        self, shards: Shards, settings: FilterSettings, decisions: Decisions, warn: Callable[[str], None]
    ) -> None:
        self._shards, self._settings, self._decisions, self._warn = shards, settings, decisions, warn

    def __iter__(self) -> Iterator[tuple[Scored, Verdict]]:
        for number in self._shards.numbers:
            yield from self.of_shard(number)

    def of_shard(self, number: int) -> Iterator[tuple[Scored, Verdict]]:
        """The pairs of a shard with their verdicts, in order."""
        return zip(self._shards.scored(number), self._by_shard[number], strict=True)

    @property
    def not_applied(self) -> int:
        """How many decisions are about pairs that are gone, or have other texts now."""
        return self._not_applied(self._by_shard)

    def _not_applied(self, verdicts: list[list[Verdict]]) -> int:
        return len(self._decisions.latest) - sum(verdict.by_hand for shard in verdicts for verdict in shard)

    @cached_property
    def _by_shard(self) -> list[list[Verdict]]:
        self._decisions.refresh()
        verdicts: list[list[Verdict]] = [[] for _ in self._shards.numbers]
        for number, scored, verdict in judged(self._shards.all_scored(), self._settings):
            verdicts[number].append(self._decisions.applied(scored.pair, verdict))
        if unused := self._not_applied(verdicts):
            self._warn(self._decisions.unapplied(unused))
        return verdicts
