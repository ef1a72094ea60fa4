"""Keeping a decoder's slots filled: as sentences end, the next ones are encoded and take their places."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.engines.base import Failure
from pipeline.engines.mekong.search import Finished, Searcher

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Job:
    """One row to translate: token ids, and how many tokens it may and must have, the end token counted in the first."""

    index: int
    row: Sequence[int]
    bound: int
    minimum: int


Result = Sequence[Finished] | Failure
"""What came of a job: hypotheses, best first, or why there are none."""
Finish = Callable[[Job, Result], None]


def _order(job: Job) -> tuple[int, int]:
    return len(job.row), -job.index


class Pending:
    """Jobs that wait, longest first, shared by the workers of a process."""

    def __init__(self, jobs: Sequence[Job], workers: int = 1) -> None:
        self._jobs = sorted(jobs, key=_order)
        self._fresh = workers
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._jobs)

    def wait(self) -> bool:
        """Whether there is something to do."""
        return bool(self._jobs)

    def put_back(self, jobs: Sequence[Job]) -> None:
        """Jobs that have to begin again."""
        with self._lock:
            self._jobs = sorted([*self._jobs, *jobs], key=_order)

    def take(self, count: int) -> list[Job]:
        """The next `count` jobs, or as many as there are.

        At first every worker gets as many long ones as the others: one that had all of them would be the last to end.
        """
        with self._lock:
            step, self._fresh = max(1, self._fresh), self._fresh - 1
            places = range(len(self._jobs) - 1, -1, -step)[:count]
            taken = [self._jobs[place] for place in places]
            for place in places:
                del self._jobs[place]
        return taken


class Decoder(Protocol):
    """What a core keeps for its slots; see `cpu.CpuDecoder`."""

    def admit(self, slots: Sequence[int], rows: Sequence[Sequence[int]]) -> None:
        """Encode rows into slots."""

    def step(self, slots: Array, tokens: Array, places: Array) -> Any:
        """Hidden states of one step."""

    def candidates(self, hidden: Any, count: int, banned: Array) -> tuple[Array, Array]:
        """Best next tokens."""

    def reorder(self, slots: Array, parents: Array) -> None:
        """Follow the beams."""

    def release(self, slot: int) -> None:
        """Free a slot."""


@dataclass
class Stats:
    """What a worker has done: rows times steps of the decoder, and seconds inside encoder and decoder."""

    computed_steps: int = 0
    model_seconds: float = 0.0

    def __add__(self, other: Stats) -> Stats:
        return Stats(self.computed_steps + other.computed_steps, self.model_seconds + other.model_seconds)


class Budget:
    """How many slots fit into memory, as far as is known: halved when they do not, grown slowly when they do."""

    GROW_AFTER = 16
    """Runs without an error before more is tried."""

    def __init__(self, most: int) -> None:
        self.slots = self.most = most
        self._good = 0

    def at_most(self, slots: int) -> None:
        """More have been found not to fit, and are never tried again."""
        self.most = min(self.most, slots)
        self.slots = min(self.slots, slots)

    def shrink(self, slots: int) -> None:
        """So many did not do: half as many, at least one."""
        self.slots = max(1, min(self.slots, slots) // 2)
        self._good = 0

    def grow(self) -> None:
        """A run went well; now and then, an eighth more."""
        self._good += 1
        if self._good % self.GROW_AFTER == 0:
            self.slots = min(self.most, self.slots + max(1, self.slots // 8))


class Slots:
    """One worker: a decoder, a search, and the loop that feeds them."""

    def __init__(self, decoder: Decoder, searcher: Searcher, slots: int, prefix: Sequence[int]) -> None:
        self.decoder = decoder
        self.searcher = searcher
        self.prefix = prefix
        self.size = slots
        self.free = list(range(slots))[::-1]
        self.jobs: dict[int, Job] = {}
        # Few rows at a time encode slowly; many leave slots empty for long.
        self.refill = max(1, slots // 8)
        self.stats = Stats()

    def run(self, pending: Pending) -> Iterator[tuple[Job, list[Finished]]]:
        """Jobs and their hypotheses, in the order in which they end."""
        while pending or self.jobs:
            if len(self.free) >= self.refill or not self.jobs:
                self._admit(pending)
            if self.jobs:
                yield from self._step()

    def clear(self) -> list[Job]:
        """Give up all sentences in hand, after an error; returns their jobs."""
        jobs = list(self.jobs.values())
        for slot in list(self.jobs):
            self._release(slot)
        return jobs

    def _admit(self, pending: Pending) -> None:
        jobs = pending.take(len(self.free))
        if not jobs:
            return
        slots = [self.free.pop() for _ in jobs]
        self.jobs.update(zip(slots, jobs, strict=True))
        begin = time.perf_counter()
        self.decoder.admit(slots, [job.row for job in jobs])
        at = torch.tensor(slots)
        bounds, minimums = torch.tensor([job.bound for job in jobs]), torch.tensor([job.minimum for job in jobs])
        self.searcher.admit(at, bounds, minimums)
        for place, token in enumerate(self.prefix[:-1]):
            count = len(slots) * self.searcher.beams
            self.decoder.step(at.numpy(), np.full(count, token), np.full(len(slots), place))
        self.stats.model_seconds += time.perf_counter() - begin

    def _step(self) -> Iterator[tuple[Job, list[Finished]]]:
        at = torch.tensor(list(self.jobs))
        slots = at.numpy()
        searcher = self.searcher
        tokens, places, banned = searcher.inputs(at), searcher.place[at], searcher.banned(at)
        begin = time.perf_counter()
        hidden = self.decoder.step(slots, tokens.numpy(), places.numpy())
        logs, best = self.decoder.candidates(hidden, searcher.candidates, banned.numpy())
        self.stats.model_seconds += time.perf_counter() - begin
        self.stats.computed_steps += len(slots) * searcher.beams
        over, parents = searcher.advance(at, torch.from_numpy(logs), torch.from_numpy(best))
        if parents is not None:
            self.decoder.reorder(slots, parents.numpy())
        for slot in at[over].tolist():
            found = searcher.results(slot)
            yield self._release(slot), found

    def _release(self, slot: int) -> Job:
        self.decoder.release(slot)
        self.free.append(slot)
        return self.jobs.pop(slot)
