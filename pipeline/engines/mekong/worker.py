"""Decoders at work: one that makes itself anew in another size when memory runs out, and several in threads."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

import torch

from pipeline.engines.base import Failure
from pipeline.engines.mekong.scheduler import Budget, Finish, Pending, Slots, Stats
from pipeline.engines.memory import is_out_of_memory
from pipeline.engines.search_settings import Search

if TYPE_CHECKING:
    from pipeline.engines.mekong.cuda.slots import PaddedSlots

log = logging.getLogger(__name__)

MakeSlots = Callable[[Search, int], Slots]


class Worker:
    """One decoder, made anew in another size when memory runs out."""

    def __init__(
        self, make: Callable[[int], Slots | PaddedSlots], most: int, give_back: Callable[[], None] = lambda: None
    ) -> None:
        """`make` makes so many slots, or fewer where no more fit; `most` are asked for at most. `give_back` is called
        when slots have been let go."""
        self._make = make
        self._give_back = give_back
        self.budget = Budget(most)
        self._slots: Slots | PaddedSlots | None = None
        self._done = Stats()

    @property
    def stats(self) -> Stats:
        """What it has done so far."""
        return self._done + (self._slots.stats if self._slots else Stats())

    @property
    def idle(self) -> bool:
        """Whether it has no slots."""
        return self._slots is None

    def run(self, pending: Pending, finish: Finish, enough: int | None = None) -> None:
        """Work until nothing is pending, in at most `enough` slots. Out of memory, sentences in hand begin again in
        half as many, and a single one that does not fit has failed."""
        enough = enough or self.budget.most
        while pending.wait():
            size = min(self.budget.slots, enough)
            try:
                slots = self._sized(size)
                for job, found in slots.run(pending):
                    finish(job, found)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                log.info("out of memory with %d slots: %s", size, error)
            else:
                if size == self.budget.slots:
                    self.budget.grow()
                continue
            # Outside the handler, which would keep the tensors of the failed attempt alive.
            self._retreat(size, pending, finish)

    def _sized(self, size: int) -> Slots | PaddedSlots:
        if self._slots and self._slots.size != size:
            self.drop()
        self._slots = self._slots or self._make(size)
        if self._slots.size < size:
            self.budget.at_most(self._slots.size)
        return self._slots

    def _retreat(self, size: int, pending: Pending, finish: Finish) -> None:
        jobs = self._slots.clear() if self._slots else []
        self.drop()
        self._give_back()  # also of slots that were only half made
        if size > 1:
            self.budget.shrink(size)
            pending.put_back(jobs)
            return
        for job in jobs or pending.take(1):
            finish(job, Failure.MEMORY)

    def drop(self) -> None:
        """Let go of the slots, if there are any; the next rows get new ones."""
        if self._slots:
            self._done += self._slots.stats
            self._slots = None
            self._give_back()


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

    def run(self, search: Search, pending: Pending, finish: Finish) -> None:
        """Work until nothing is pending; `finish` is called from several threads."""
        if search not in self._workers:
            slots, make = max(1, self._rows // search.num_beams), partial(self._make, search)
            self._workers[search] = [Worker(make, slots) for _ in range(self._count)]

        def work(worker: Worker) -> None:
            torch.set_num_threads(self._threads)
            worker.run(pending, finish)

        tasks = [self._pool.submit(work, worker) for worker in self._workers[search]]
        for task in tasks:
            task.result()

    def close(self) -> None:
        """Let go of the weights and the threads."""
        self._pool.shutdown()
        self._workers.clear()
        self.__dict__.pop("_make", None)  # it holds the model
