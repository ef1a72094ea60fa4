"""Decoders at work: one that makes itself anew in another size when memory runs out, and several in threads."""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import torch

from pipeline.engines.mekong.crew import Finish
from pipeline.engines.mekong.scheduler import Budget, Job, Pending, Slots, Stats
from pipeline.engines.mekong.search import Finished
from pipeline.engines.search_settings import Search

if TYPE_CHECKING:
    from pipeline.engines.mekong.cuda.slots import PaddedSlots

log = logging.getLogger(__name__)

NO_MEMORY = (torch.OutOfMemoryError, MemoryError)

MakeSlots = Callable[[Search, int], "Slots | PaddedSlots"]


class Worker:
    """One decoder, made anew in another size when memory runs out."""

    def __init__(self, make: MakeSlots, search: Search, slots: int) -> None:
        self._make = make
        self._search = search
        self.budget = Budget(slots)
        self._slots: Slots | PaddedSlots | None = None
        self._done = Stats()

    @property
    def stats(self) -> Stats:
        """What it has done so far."""
        return self._done + (self._slots.stats if self._slots else Stats())

    def run(self, pending: Pending, finish: Callable[[Job, list[Finished]], None]) -> None:
        """Work until nothing is pending. Out of memory, sentences in hand begin again in half as many slots, and a
        single one that does not fit is finished with no hypothesis."""
        while pending.wait():
            try:
                self._slots = self._slots or self._make(self._search, self.budget.slots)
                self.budget.at_most(self._slots.size)
                for job, found in self._slots.run(pending):
                    finish(job, found)
                self.budget.grow()
            except NO_MEMORY as error:
                log.info("out of memory with %d slots: %s", self.budget.slots, error)
            else:
                if self._slots.size != self.budget.slots:
                    self._drop()
                continue
            # Outside the handler, which would keep the tensors of the failed attempt alive.
            self._retreat(pending, finish)

    def _retreat(self, pending: Pending, finish: Callable[[Job, list[Finished]], None]) -> None:
        jobs = self._slots.clear() if self._slots else []
        self._drop()
        if self.budget.slots > 1:
            self.budget.shrink()
            pending.put_back(jobs)
            return
        jobs = jobs or pending.take(1)
        for job in jobs:
            finish(job, [])

    def _drop(self) -> None:
        if self._slots:
            self._done += self._slots.stats
        self._slots = None
        if torch.cuda.is_available():
            gc.collect()
            torch.cuda.empty_cache()


class Threads:
    """`count` workers in threads of this process, with `rows` decoder rows each."""

    def __init__(self, make: MakeSlots, count: int, threads: int, rows: int) -> None:
        self._make = make
        self._count = count
        self._threads = threads
        self._rows = rows
        self._workers: dict[Search, list[Worker]] = {}
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="mekong")

    @property
    def stats(self) -> Stats:
        """What all workers have done so far."""
        return sum((worker.stats for workers in self._workers.values() for worker in workers), Stats())

    def run(self, search: Search, pending: Pending, finish: Finish) -> set[int]:
        """Work until nothing is pending; `finish` is called from several threads. No row can be as in `Crew.run`."""
        if search not in self._workers:
            slots = max(1, self._rows // search.num_beams)
            self._workers[search] = [Worker(self._make, search, slots) for _ in range(self._count)]

        def work(worker: Worker) -> None:
            torch.set_num_threads(self._threads)
            worker.run(pending, finish)

        tasks = [self._pool.submit(work, worker) for worker in self._workers[search]]
        for task in tasks:
            task.result()
        return set()

    def close(self) -> None:
        """Let go of the weights and the threads."""
        self._pool.shutdown()
        self._workers.clear()
