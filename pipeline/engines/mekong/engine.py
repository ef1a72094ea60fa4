"""The engine: rows of token ids in, hypotheses out, in order."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from pipeline.engines.base import Output
from pipeline.engines.mekong.crew import Crew
from pipeline.engines.mekong.places import on_cpu, on_cuda
from pipeline.engines.mekong.scheduler import Job, Pending, Stats
from pipeline.engines.mekong.search import Finished
from pipeline.engines.mekong.worker import Threads
from pipeline.engines.search_settings import Search
from pipeline.errors import EngineError

CPU_ROWS = 96
"""Decoder rows a worker has in flight. More rows make the products faster, and leave more slots empty at the end."""
CUDA_ROWS = 1024
"""Decoder rows in flight on a GPU: from there on, more are hardly faster."""
BATCH_ROWS = 1024
"""Rows of a call that keep the slots full for most of it."""


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
            place = on_cpu if device == "cpu" else partial(on_cuda, device)
            make, self.longest = place(folder, dtype, shortlist)
            rows = CPU_ROWS if device == "cpu" else CUDA_ROWS
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
