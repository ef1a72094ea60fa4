"""What this machine has to compute with."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from pipeline.errors import UsageError


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0))


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep BLAS to one thread: its own threads wait for one another over products as small as those of one document
    pair, which costs as much again, and a few large ones are done side by side."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield


def find_device(wanted: str) -> Literal["cpu", "cuda"]:
    """The device of `translate.device`; raises UsageError where cuda is asked for and there is none."""
    import torch

    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise UsageError("translate.device is cuda, but torch sees no usable GPU", "Run `mekong doctor`.")
    return "cuda" if there and wanted != "cpu" else "cpu"


def describe_device() -> str:
    """The GPU with its memory, or the processor where torch sees no GPU; for people."""
    import torch

    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        return f"{torch.cuda.get_device_name()}, {free / 1e9:.0f} of {total / 1e9:.0f} GB free"
    return f"cpu, {cores()} cores (torch {torch.__version__} sees no GPU)"
