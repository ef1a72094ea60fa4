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

from pipeline.engines.mekong.search import Finished, Searcher

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Job:
    """One row to translate: token ids, and how many tokens it may and must have, the end token counted in the first."""

    index: int
    row: Sequence[int]
    bound: int
    minimum: int


class Pending:
    """Jobs that wait, longest first, shared by the workers of a process."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = sorted(jobs, key=lambda job: (len(job.row), -job.index))
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._jobs)

    def take(self, count: int, admit: Callable[[Job], bool]) -> list[Job]:
        """Up to `count` jobs, as long as `admit` takes them."""
        taken: list[Job] = []
        with self._lock:
            while self._jobs and len(taken) < count and admit(self._jobs[-1]):
                taken.append(self._jobs.pop())
        return taken


class Decoder(Protocol):
    """What a core keeps for its slots; see `cpu.CpuDecoder`."""

    def fits(self, source: int, target: int) -> bool:
        """Whether a row can be admitted."""

    def reserve(self, slot: int, source: int, target: int) -> None:
        """Set memory aside for it."""

    def admit(self, slots: Sequence[int], rows: Sequence[Sequence[int]]) -> None:
        """Encode it."""

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


class Slots:
    """One worker: a decoder, a search, and the loop that feeds them."""

    def __init__(self, decoder: Decoder, searcher: Searcher, slots: int, prefix: Sequence[int]) -> None:
        self.decoder = decoder
        self.searcher = searcher
        self.prefix = prefix
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
        slots: list[int] = []

        def admit(job: Job) -> bool:
            source, target = len(job.row), len(self.prefix) + job.bound
            if not self.decoder.fits(source, target):
                return False
            slots.append(self.free.pop())
            self.decoder.reserve(slots[-1], source, target)
            return True

        jobs = pending.take(len(self.free), admit)
        if not jobs:
            return
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
