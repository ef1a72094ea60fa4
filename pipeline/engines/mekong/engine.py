"""The engine: rows of token ids in, hypotheses out, in order."""

from __future__ import annotations

import ctypes
import gc
import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from pipeline.engines.base import Output
from pipeline.engines.mekong.architecture import Checkpoint
from pipeline.engines.mekong.checkpoint import read_checkpoint
from pipeline.engines.mekong.cpu.matrices import weight_limit
from pipeline.engines.mekong.cpu.model import CpuDecoder, CpuModel
from pipeline.engines.mekong.cpu.quantised import int8_checkpoint
from pipeline.engines.mekong.crew import Crew, Finish
from pipeline.engines.mekong.scheduler import Budget, Job, Pending, Slots, Stats
from pipeline.engines.mekong.search import Finished, searcher
from pipeline.engines.search_settings import Search
from pipeline.errors import EngineError

if TYPE_CHECKING:
    from pipeline.engines.mekong.cuda.slots import PaddedSlots

log = logging.getLogger(__name__)

CPU_ROWS = 96
"""Decoder rows a worker has in flight. More rows make the products faster, and leave more slots empty at the end."""
CUDA_ROWS = 1024
"""Decoder rows in flight on a GPU: from there on, more are hardly faster."""
BATCH_ROWS = 1024
"""Rows of a call that keep the slots full for most of it."""
NO_MEMORY = (torch.OutOfMemoryError, MemoryError)
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3

MakeSlots = Callable[[Search, int], "Slots | PaddedSlots"]


def keep_memory() -> None:
    """Give back what loading has freed, and from now on have the allocator keep freed blocks of a few MB: asking the
    kernel for them anew costs more than the products that they are for."""
    gc.collect()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.malloc_trim(0)
        libc.mallopt(M_MMAP_THRESHOLD, 1 << 30)
        libc.mallopt(M_TRIM_THRESHOLD, 1 << 30)


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


class MekongEngine:
    """Greedy or beam search with a Marian, M2M100, NLLB, mBART-50 or T5 checkpoint.

    A row that gives no finite scores, or does not fit into memory alone, is decoded once more in float32 on the CPU;
    only then has it failed. One that ends the process it is decoded in has failed.
    """

    batch_rows = BATCH_ROWS

    def __init__(
        self,
        folder: Path,
        search: Search,
        device: str,
        dtype: str,
        workers: int,
        threads: int,
        shortlist: Sequence[int] | None = None,
    ) -> None:
        """`workers` decode side by side, each with `threads` threads of torch on the CPU, in processes of their own
        where there are several; a GPU has one. With a `shortlist`, no tokens but those are generated.

        Raises ModelError and ModelRefused when the checkpoint cannot be read.
        """
        self.search = search
        self.folder = folder
        self.threads = threads
        self.shortlist = shortlist
        self._workers: Crew | Threads
        if device == "cpu" and workers > 1 and hasattr(os, "fork"):
            self._workers = crew = Crew(folder, dtype, workers, threads, CPU_ROWS, shortlist)
            self.longest = crew.longest
        else:
            # Of this process only where it does the work: what else it does with torch may use all cores.
            torch.set_num_threads(threads)
            workers = workers if device == "cpu" else 1
            place = on_cpu if device == "cpu" else partial(_on_cuda, device)
            make, self.longest, rows = place(folder, dtype, shortlist)
            self._workers = Threads(make, workers, threads, rows)
        self._count = workers
        self._safe = dtype == "float32" and device == "cpu"
        self._last: MekongEngine | None = None
        name = torch.cuda.get_device_name(device) if device != "cpu" else "cpu"
        self.about = {
            "engine": f"mekong, torch {torch.__version__}",
            "device": name,
            "dtype": dtype,
            "workers": str(workers),
            "threads": str(threads),
        }

    @property
    def stats(self) -> Stats:
        """What all workers have done so far."""
        return self._workers.stats

    def generate(
        self,
        rows: Sequence[Sequence[int]],
        max_new_tokens: Sequence[int],
        min_new_tokens: Sequence[int] | None = None,
        *,
        careful: bool = False,
    ) -> list[Output]:
        """One output a row, in order. `max_new_tokens` bounds each row, end token included; no row ends before
        `min_new_tokens`. `logprob` is the mean over the generated tokens, end token included, target language apart.

        Raises EngineError for a row longer than the model's positions, and when workers die whatever they do.
        """
        search = self.search.careful() if careful else self.search
        return self._generate(search, rows, max_new_tokens, min_new_tokens)

    def _generate(
        self,
        search: Search,
        rows: Sequence[Sequence[int]],
        bounds: Sequence[int],
        minimums: Sequence[int] | None,
    ) -> list[Output]:
        longest = max(map(len, rows), default=0)
        if longest > self.longest:
            raise EngineError(
                f"a row of {longest} tokens was given to a model with {self.longest} positions", "Cut it first."
            )
        room = self.longest - len(search.prefix)
        jobs = [
            Job(number, row, min(bound, room), least)
            for number, (row, bound, least) in enumerate(zip(rows, bounds, minimums or [0] * len(rows), strict=True))
        ]
        found: dict[int, list[Finished]] = {}
        deadly = self._workers.run(
            search, Pending(jobs, self._count), lambda job, hypotheses: found.update({job.index: hypotheses})
        )
        outputs = [_output(search, found[number]) for number in range(len(rows))]
        return self._rescued([job for job in jobs if job.index not in deadly], search, outputs)

    def _rescued(self, jobs: Sequence[Job], search: Search, outputs: list[Output]) -> list[Output]:
        """Outputs with the failed ones of `jobs` decoded again where that might help."""
        failed = [job for job in jobs if outputs[job.index].ended == "failed"]
        if self._safe or not failed:
            return outputs
        if self._last is None:
            self._last = MekongEngine(self.folder, search, "cpu", "float32", 1, self.threads, self.shortlist)
        again = self._last._generate(
            search, [job.row for job in failed], [job.bound for job in failed], [job.minimum for job in failed]
        )
        for job, output in zip(failed, again, strict=True):
            outputs[job.index] = replace(output, note="decoded again in float32 on the CPU")
        return outputs

    def close(self) -> None:
        """Let go of the weights, the processes and the threads."""
        self._workers.close()
        if self._last is not None:
            self._last.close()


def _output(search: Search, found: Sequence[Finished]) -> Output:
    if not found:
        return Output((), None, "failed")
    best, *others = (
        Output(one.tokens, one.logprob / max(1, one.length), "stop" if one.stopped else "length") for one in found
    )
    return replace(best, others=tuple(others))


def on_cpu(folder: Path, dtype: str, shortlist: Sequence[int] | None) -> tuple[MakeSlots, int, int]:
    """What makes slots, the model's positions, and decoder rows a worker."""
    checkpoint: Checkpoint = int8_checkpoint(folder, weight_limit()) if dtype == "int8" else read_checkpoint(folder)
    if shortlist is not None:
        checkpoint = checkpoint.shortlisted(shortlist)
    model = CpuModel(checkpoint, torch.bfloat16 if dtype == "bfloat16" else torch.float32)
    longest = model.architecture.longest
    del checkpoint
    keep_memory()

    def make(search: Search, slots: int) -> Slots:
        decoder = CpuDecoder(model, slots, search.num_beams)
        return Slots(decoder, searcher(search, slots, longest, "cpu"), slots, search.prefix)

    return make, longest, CPU_ROWS


def _on_cuda(device: str, folder: Path, dtype: str, shortlist: Sequence[int] | None) -> tuple[MakeSlots, int, int]:
    """As `on_cpu`."""
    from pipeline.engines.mekong.cuda.model import PaddedModel
    from pipeline.engines.mekong.cuda.slots import PaddedSlots, slots_that_fit

    where = torch.device(device)
    checkpoint = read_checkpoint(folder)
    if shortlist is not None:
        checkpoint = checkpoint.shortlisted(shortlist)
    model = PaddedModel(checkpoint, getattr(torch, dtype), where)
    longest = model.architecture.longest

    def make(search: Search, slots: int) -> PaddedSlots:
        free, _ = torch.cuda.mem_get_info(where)
        fit = slots_that_fit(model, search, longest, longest, free)
        if not fit:
            raise torch.OutOfMemoryError(f"{free >> 20} MB free on {device} do not hold one sentence")
        return PaddedSlots(model, search, min(slots, fit), longest, longest)

    return make, longest, CUDA_ROWS
