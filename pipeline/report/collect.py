"""Counting and choosing over a stream: nothing here grows with the number of pairs."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pipeline.files.store import digest

T = TypeVar("T")
FIRST_WIDTH = 2.0**-6
MAX_BINS = 40


@dataclass
class Histogram:
    """Counts in bins [k w, (k + 1) w); `w` starts at 1/64 and doubles whenever the bins would span more than MAX_BINS.

    So the result depends on the values only, not on their order, and no range has to be known before. With `clip`,
    values outside it are counted in the bins of its ends, so that a few far values do not flatten the rest.
    """

    clip: tuple[float, float] = (-math.inf, math.inf)
    width: float = FIRST_WIDTH
    bins: dict[int, int] = field(default_factory=dict)
    count: int = 0
    total: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    clipped: int = 0

    def add(self, value: float) -> None:
        """Count one finite value."""
        self.count += 1
        self.total += value
        self.clipped += not self.clip[0] <= value <= self.clip[1]
        if not self.low <= value <= self.high:
            self.low, self.high = min(self.low, value), max(self.high, value)
            while self._index(self.high) - self._index(self.low) >= MAX_BINS:
                self._double()
        index = self._index(value)
        self.bins[index] = self.bins.get(index, 0) + 1

    def rows(self) -> list[dict[str, float]]:
        """The bins in order, empty ones between the first and the last included."""
        if not self.bins:
            return []
        indices = range(min(self.bins), max(self.bins) + 1)
        return [{"start": index * self.width, "count": self.bins.get(index, 0)} for index in indices]

    def _index(self, value: float) -> int:
        return math.floor(min(max(value, self.clip[0]), self.clip[1]) / self.width)

    def _double(self) -> None:
        merged: dict[int, int] = {}
        for index, count in self.bins.items():
            merged[index // 2] = merged.get(index // 2, 0) + count
        self.width, self.bins = self.width * 2, merged


class Top(Generic[T]):
    """The `size` rows with the greatest keys; ties go to the greater id. A row is made only when it gets in."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._heap: list[tuple[float | str, str, int, T]] = []
        self._offered = 0

    def offer(self, key: float | str, name: str, make: Callable[[], T]) -> None:
        """Consider one row; keys of one `Top` are all numbers or all strings. Of rows alike in both the first wins."""
        self._offered -= 1
        if len(self._heap) < self._size:
            heapq.heappush(self._heap, (key, name, self._offered, make()))
        elif (key, name, self._offered) > self._heap[0][:3]:
            heapq.heapreplace(self._heap, (key, name, self._offered, make()))

    def rows(self) -> list[T]:
        """Greatest key first."""
        return [row for *_, row in sorted(self._heap, key=lambda item: item[:3], reverse=True)]


class Sample(Top[T]):
    """A random sample of rows that is the same in every run: those whose hashed ids are greatest."""

    def offer_id(self, name: str, make: Callable[[], T]) -> None:
        """Consider the row called `name`."""
        self.offer(digest("sample", name), name, make)


class Capped(Generic[T]):
    """The first `size` rows, and how many there were."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._rows: list[T] = []
        self.total = 0

    @property
    def full(self) -> bool:
        """Whether another row would only be counted."""
        return len(self._rows) >= self._size

    def offer(self, make: Callable[[], T]) -> None:
        """Count one row; make and keep it while there is room."""
        self.total += 1
        if not self.full:
            self._rows.append(make())

    def skip(self) -> None:
        """Count one row without keeping it."""
        self.total += 1

    def table(self) -> dict[str, Any]:
        """`rows` and `total`, as every table of a report is stored."""
        return {"total": self.total, "rows": self._rows}


def share(part: float, whole: int) -> float | None:
    """`part / whole`, None of nothing."""
    return part / whole if whole else None
