"""Where a checkpoint is decoded: what makes the slots of a worker on the CPU, and the worker of a GPU."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from pipeline.engines.gpu import Gpu
from pipeline.engines.mekong.architecture import Checkpoint
from pipeline.engines.mekong.checkpoint import read_checkpoint
from pipeline.engines.mekong.cpu.matrices import compile_remainder, weight_limit
from pipeline.engines.mekong.cpu.model import CpuDecoder, CpuModel
from pipeline.engines.mekong.cpu.quantised import int8_checkpoint
from pipeline.engines.mekong.scheduler import Job, Pending, Slots
from pipeline.engines.mekong.search import searcher
from pipeline.engines.mekong.worker import MakeSlots
from pipeline.engines.memory import is_out_of_memory
from pipeline.engines.search_settings import Search
from pipeline.errors import EngineError

if TYPE_CHECKING:
    from pipeline.engines.mekong.cuda.worker import GpuWorker

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3


def keep_memory() -> None:
    """Give back what loading has freed, and from now on have the allocator keep freed blocks of a few MB: asking the
    kernel for them anew costs more than the products that they are for."""
    gc.collect()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.malloc_trim(0)
        libc.mallopt(M_MMAP_THRESHOLD, 1 << 30)
        libc.mallopt(M_TRIM_THRESHOLD, 1 << 30)


def on_cpu(folder: Path, dtype: str, shortlist: Sequence[int] | None) -> tuple[MakeSlots, int]:
    """What makes slots, and the model's positions."""
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

    return make, longest


def warm(make: MakeSlots) -> None:
    """Take one step with one row, so that all that is compiled at a first call is, before forks would each do it."""
    search = Search(num_beams=1, length_penalty=1.0, start=0, end=0, pad=0, forced=None)
    for _ in make(search, 1).run(Pending([Job(index=0, row=[0], bound=1, minimum=0)])):
        pass
    compile_remainder()


def on_gpu(gpu: Gpu, folder: Path, dtype: str, shortlist: Sequence[int] | None, rows: int) -> GpuWorker:
    """A worker with `rows` decoder rows at most.

    Raises EngineError when the weights do not fit into its memory.
    """
    # Here, since a machine without a GPU needs none of it.
    from pipeline.engines.mekong.cuda.model import PaddedModel
    from pipeline.engines.mekong.cuda.worker import GpuWorker

    checkpoint = read_checkpoint(folder)
    if shortlist is not None:
        checkpoint = checkpoint.shortlisted(shortlist)
    gpu.use()
    try:
        return GpuWorker(gpu, PaddedModel(checkpoint, getattr(torch, dtype), gpu.where), rows)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        free, whole = gpu.memory()
        raise EngineError(
            f"the weights in {folder} do not fit in {dtype} into the memory of {gpu.name} ({whole >> 20} MB): {error}",
            f"Free memory there ({free >> 20} MB are free now), take a smaller model, or --set translate.device=cpu.",
        ) from error
