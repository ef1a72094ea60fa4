"""What this machine has to compute with."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.engines.gpu import Gpu


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0))


def gpus() -> int:
    """Usable CUDA devices."""
    import torch

    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def gpu(name: str) -> Gpu:
    """The CUDA device of a name such as "cuda:1"."""
    from pipeline.engines.gpu import Gpu

    return Gpu(name)


def find_device(wanted: str) -> Literal["cpu", "cuda"]:
    """The device of `translate.device`; raises UsageError where cuda is asked for and there is none."""
    there = gpus() > 0
    if wanted == "cuda" and not there:
        raise UsageError("translate.device is cuda, but torch sees no usable GPU", "Run `mekong doctor`.")
    return "cuda" if there and wanted != "cpu" else "cpu"


def describe_device() -> str:
    """The GPU with its memory, or the processor where torch sees no GPU; for people."""
    import torch

    if gpus():
        first = gpu("cuda:0")
        free, total = first.memory()
        return f"{first.title}, {free / 1e9:.0f} of {total / 1e9:.0f} GB free"
    return f"cpu, {cores()} cores (torch {torch.__version__} sees no GPU)"
