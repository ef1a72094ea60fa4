"""The engine: rows of token ids in, hypotheses out, in order."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from pipeline.engines import devices
from pipeline.engines.base import Failure, Output
from pipeline.engines.mekong.crew import Crew
from pipeline.engines.mekong.places import on_cpu, on_gpu
from pipeline.engines.mekong.scheduler import Job, Pending, Result, Stats
from pipeline.engines.mekong.worker import Threads
from pipeline.engines.rescue import Call, Rescue
from pipeline.engines.search_settings import Search
from pipeline.errors import EngineError

if TYPE_CHECKING:
    from pipeline.engines.mekong.cuda.worker import GpuWorker

CPU_ROWS = 96
"""Decoder rows a worker has in flight. More rows make the products faster, and leave more slots empty at the end."""
CUDA_ROWS = 1024
"""Decoder rows in flight on a GPU: from there on, more are hardly faster."""
BATCH_ROWS = 1024
"""Rows of a call that keep the slots full for most of it."""


class MekongEngine:
    """Greedy or beam search with a Marian, M2M100, NLLB, mBART-50 or T5 checkpoint.

    On the CPU, a row that gives no finite scores, or does not fit into memory alone, is decoded once more in float32;
    only then has it failed. (Those of a GPU are left to `EnginePool`.) One that ends the process it is decoded in has
    failed.
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

        Raises ModelError and ModelRefused when the checkpoint cannot be read, EngineError when a GPU has no room for
        it.
        """
        self.search = search
        self.folder = folder
        self.threads = threads
        self.shortlist = shortlist
        self._workers: Crew | Threads | GpuWorker
        name = "cpu"
        if device == "cpu" and workers > 1 and hasattr(os, "fork"):
            self._workers = crew = Crew(folder, dtype, workers, threads, CPU_ROWS, shortlist)
            self.longest = crew.longest
        else:
            # Of this process only where it does the work: what else it does with torch may use all cores.
            torch.set_num_threads(threads)
            if device == "cpu":
                make, self.longest = on_cpu(folder, dtype, shortlist)
                self._workers = Threads(make, workers, threads, CPU_ROWS)
            else:
                workers, gpu = 1, devices.gpu(device)
                self._workers = worker = on_gpu(gpu, folder, dtype, shortlist, CUDA_ROWS)
                self.longest, name = worker.longest, gpu.title
        self._count = workers
        rough = device == "cpu" and dtype != "float32"
        self._rescue = Rescue(self._in_float32, f"{dtype} on the CPU") if rough else None
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

        Raises EngineError for a row longer than the model's positions, when workers die whatever they do, and when more
        rows fail than can be decoded again.
        """
        call = Call(rows, max_new_tokens, min_new_tokens, careful)
        outputs, failed = self._generate(call)
        return outputs if self._rescue is None else self._rescue.again(call, outputs, failed)

    def _generate(self, call: Call) -> tuple[list[Output], list[int]]:
        """The outputs, and the numbers of those that failed and might not elsewhere."""
        longest = max(map(len, call.rows), default=0)
        if longest > self.longest:
            raise EngineError(
                f"a row of {longest} tokens was given to a model with {self.longest} positions", "Cut it first."
            )
        search = self.search.careful() if call.careful else self.search
        room = self.longest - len(search.prefix)
        minimums = call.minimums or [0] * len(call.rows)
        jobs = [
            Job(number, row, min(bound, room), least)
            for number, (row, bound, least) in enumerate(zip(call.rows, call.bounds, minimums, strict=True))
        ]
        found: dict[int, Result] = {}
        self._workers.run(search, Pending(jobs, self._count), lambda job, result: found.update({job.index: result}))
        outputs = [_output(search, found[number]) for number in range(len(jobs))]
        failed = [number for number, out in enumerate(outputs) if out.ended == "failed" and out.note != Failure.DEADLY]
        return outputs, failed

    def _in_float32(self) -> MekongEngine:
        return MekongEngine(self.folder, self.search, "cpu", "float32", self._count, self.threads, self.shortlist)

    def close(self) -> None:
        """Let go of the weights, the processes and the threads."""
        self._workers.close()
        if self._rescue is not None:
            self._rescue.close()


def _output(search: Search, found: Result) -> Output:
    if isinstance(found, Failure) or not found:
        return Output((), None, "failed", Failure.NUMBERS if not found else str(found))
    best, *others = (
        Output(one.tokens, one.logprob / max(1, one.length), "stop" if one.stopped else "length") for one in found
    )
    return replace(best, others=tuple(others))
