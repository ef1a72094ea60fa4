"""What this machine has to compute with, asked so that nothing is loaded that the answer does not need."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pipeline.errors import UsageError

if TYPE_CHECKING:
    from pipeline.engines.gpu import Gpu

DRIVER = "libcuda.so.1"
"""The library that every NVIDIA driver brings, and nothing else does."""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that can be had now, and all there are."""

    free: int
    total: int

    def __str__(self) -> str:
        return f"{self.free / 1e9:.1f} of {self.total / 1e9:.1f} GB free"


def cores() -> int:
    """Processors this process may use."""
    return len(os.sched_getaffinity(0))


def processor() -> str:
    """The processor's model name."""
    lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep BLAS to one thread: its own threads wait for one another over products as small as those of one document
    pair, which costs as much again, and a few large ones are done side by side."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(limits=1, user_api="blas"):
        yield


def gpus() -> int:
    """Usable CUDA devices."""
    if why_no_gpu():
        return 0
    import torch

    return torch.cuda.device_count()


def gpu(name: str) -> Gpu:
    """The CUDA device of a name such as "cuda:1"."""
    from pipeline.engines.gpu import Gpu

    return Gpu(name)


def find_device(wanted: str) -> Literal["cpu", "cuda"]:
    """The device of `translate.device`; raises UsageError where cuda is asked for and there is none."""
    if wanted == "cpu":
        return "cpu"
    if gpus():
        return "cuda"
    if wanted == "cuda":
        raise UsageError(
            f"translate.device is cuda, but there is no usable GPU: {why_no_gpu()}",
            "Run it where there is one, or use --set translate.device=cpu. `mekong doctor` shows what is here.",
        )
    return "cpu"


def why_no_gpu() -> str:
    """Why torch cannot use a GPU, empty where it can.

    A machine without a driver, or with a torch built for processors, is told without importing torch, which takes
    seconds; where there may be a GPU torch has the last word.
    """
    build = _torch_build()
    if build == "cpu":
        return "the installed torch was built for processors only"
    if build == "cuda" and not _loads(DRIVER):
        return f"this machine has no NVIDIA driver ({DRIVER})"
    import torch

    return "" if torch.cuda.is_available() else f"torch {torch.__version__} sees none"


def _torch_build() -> Literal["cpu", "cuda", "other"]:
    """What the installed torch was built for, from the file in which it says so."""
    found = importlib.util.find_spec("torch")
    path = Path(found.origin).with_name("version.py") if found and found.origin else None
    if path is None or not path.is_file():
        return "other"
    stated = dict(re.findall(r"^(cuda|hip|xpu)\b[^=\n]*= *(.+?)\s*$", path.read_text("utf-8"), re.M))
    built_for = {name for name, value in stated.items() if value != "None"}
    if "cuda" in stated and not built_for:
        return "cpu"
    return "cuda" if built_for == {"cuda"} else "other"


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def main_memory() -> Memory:
    """What the system can still give without swapping, and all of the machine's."""
    sizes = dict(re.findall(r"^(\w+):\s+(\d+) kB$", Path("/proc/meminfo").read_text("ascii"), re.M))
    return Memory(int(sizes["MemAvailable"]) * 1024, int(sizes["MemTotal"]) * 1024)


def gpu_memory() -> list[Memory]:
    """Of each usable GPU."""
    return [Memory(*gpu(f"cuda:{number}").memory()) for number in range(gpus())]


def device_name(device: str) -> str:
    """The model of the processor or of the first GPU."""
    return processor() if device == "cpu" else gpu("cuda:0").title


def describe_device() -> str:
    """The GPU with its memory, or the processor with why there is no GPU; for people."""
    memories = gpu_memory()
    if not memories:
        return f"cpu, {cores()} cores; no GPU: {why_no_gpu()}"
    more = f" and {len(memories) - 1} more" if len(memories) > 1 else ""
    return f"{device_name('cuda')}, {memories[0]}{more}"
