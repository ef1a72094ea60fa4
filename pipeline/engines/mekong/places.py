"""Where a checkpoint is decoded: what makes the slots of a worker on the CPU and on a GPU."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Sequence
from pathlib import Path

import torch

from pipeline.engines.mekong.architecture import Checkpoint
from pipeline.engines.mekong.checkpoint import read_checkpoint
from pipeline.engines.mekong.cpu.matrices import weight_limit
from pipeline.engines.mekong.cpu.model import CpuDecoder, CpuModel
from pipeline.engines.mekong.cpu.quantised import int8_checkpoint
from pipeline.engines.mekong.scheduler import Slots
from pipeline.engines.mekong.search import searcher
from pipeline.engines.mekong.worker import MakeSlots
from pipeline.engines.search_settings import Search

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


def on_cuda(device: str, folder: Path, dtype: str, shortlist: Sequence[int] | None) -> tuple[MakeSlots, int]:
    """As `on_cpu`."""
    # Here, since a machine without a GPU needs none of it.
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

    return make, longest
