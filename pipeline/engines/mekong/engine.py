"""The engine: rows of token ids in, hypotheses out, in order."""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch

from pipeline.engines.base import Output
from pipeline.engines.mekong.checkpoint import read_checkpoint
from pipeline.engines.mekong.cpu import CpuDecoder, CpuModel
from pipeline.engines.mekong.pages import PAGE
from pipeline.engines.mekong.scheduler import Job, Pending, Slots, Stats
from pipeline.engines.mekong.search import Finished, searcher
from pipeline.engines.search_settings import Search
from pipeline.errors import EngineError

ROWS = int(os.environ.get("ROWS", 64))

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3


def keep_memory() -> None:
    """Have the allocator keep freed blocks of a few MB: asking the kernel for them anew costs more than the products
    that they are for."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(M_MMAP_THRESHOLD, 1 << 30)
        libc.mallopt(M_TRIM_THRESHOLD, 1 << 30)


class CpuEngine:
    def __init__(self, folder: Path, search: Search, dtype: str, workers: int, threads: int) -> None:
        keep_memory()
        self.search = search
        self.threads = threads
        torch.set_num_threads(threads)
        self.model = CpuModel(read_checkpoint(folder), dtype)
        self.longest = self.model.architecture.longest
        slots = max(1, ROWS // search.num_beams)
        pages = slots * -(-min(self.longest, 256) // PAGE)
        self.workers = [
            Slots(
                CpuDecoder(self.model, slots, search.num_beams, pages, pages),
                searcher(search, slots, self.longest, "cpu"),
                slots,
                search.prefix,
            )
            for _ in range(workers)
        ]
        self.pool = ThreadPoolExecutor(workers)
        self.about = {"engine": "mekong", "device": "cpu", "dtype": dtype}

    @property
    def stats(self) -> Stats:
        return Stats(
            sum(w.stats.computed_steps for w in self.workers), sum(w.stats.model_seconds for w in self.workers)
        )

    def generate(
        self,
        rows: Sequence[Sequence[int]],
        max_new_tokens: Sequence[int],
        min_new_tokens: Sequence[int] | None = None,
    ) -> list[Output]:
        minimums = min_new_tokens or [0] * len(rows)
        room = self.longest - len(self.search.prefix)
        jobs = [
            Job(n, row, min(bound, room), least)
            for n, (row, bound, least) in enumerate(zip(rows, max_new_tokens, minimums, strict=True))
        ]
        pending = Pending(jobs)
        outputs: list[Output | None] = [None] * len(rows)

        def work(worker: Slots) -> None:
            torch.set_num_threads(self.threads)
            for job, found in worker.run(pending):
                outputs[job.index] = output(found)

        for done in [self.pool.submit(work, worker) for worker in self.workers]:
            done.result()
        return [o for o in outputs if o is not None]

    def close(self) -> None:
        self.pool.shutdown()


def output(found: list[Finished]) -> Output:
    if not found:
        return Output((), None, "failed")
    best = found[0]
    return Output(best.tokens, best.logprob / max(1, best.length), "stop" if best.stopped else "length")


def load_engine(folder: Path, search: Search, device: str, dtype: str, workers: int, threads: int) -> CpuEngine:
    return CpuEngine(folder, search, dtype, workers, threads)
