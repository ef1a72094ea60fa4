"""What the engine asks of a CUDA device, all of it: tests put another one in its place (see `devices.gpu`)."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

import torch

NATIVE_BFLOAT16 = (8, 0)
"""The first compute capability with bfloat16 products; older devices emulate them, slowly, and call that support."""


class Recorder(Protocol):
    """Has a device do again what it did once."""

    def fork(self) -> None:
        """Let what is done `aside` wait for what the device was given before."""

    def aside(self) -> AbstractContextManager[object]:
        """Where a function has to be called before it is recorded."""

    def join(self) -> None:
        """Let what comes wait for what was done `aside`."""

    def record(self, function: Callable[[], None]) -> Callable[[], None]:
        """What has the device do all that `function` gives it to do; nothing is computed meanwhile.

        Raises RuntimeError when it cannot be recorded.
        """


class Gpu:
    """A CUDA device."""

    def __init__(self, name: str) -> None:
        """`name` as torch has it, such as "cuda:1"; "cuda" is the first."""
        self.where = torch.device("cuda", torch.device(name).index or 0)
        self.name = str(self.where)
        self._aside: torch.cuda.Stream | None = None

    @property
    def title(self) -> str:
        """What its maker calls it."""
        return torch.cuda.get_device_name(self.where)

    @property
    def has_bfloat16(self) -> bool:
        """Whether it multiplies bfloat16 numbers natively."""
        return torch.cuda.get_device_capability(self.where) >= NATIVE_BFLOAT16

    def use(self) -> None:
        """Make it the current one of the calling thread: what names no device lands there."""
        torch.cuda.set_device(self.where)

    def memory(self) -> tuple[int, int]:
        """Bytes that are free, and all that it has."""
        return torch.cuda.mem_get_info(self.where)

    def give_back(self) -> None:
        """Have the allocator return what nobody holds any more."""
        gc.collect()
        torch.cuda.empty_cache()

    def recorder(self) -> Recorder:
        """A new recorder. All have one stream, since libraries keep memory for each that they ever worked on."""
        self._aside = self._aside or torch.cuda.Stream(self.where)  # type: ignore[no-untyped-call]
        return CudaRecorder(self.where, self._aside)


class CudaRecorder:
    """CUDA graphs: see Recorder."""

    def __init__(self, where: torch.device, stream: torch.cuda.Stream) -> None:
        self._where = where
        self._stream = stream
        # Graphs leave nothing in this memory that another one needs, so all may use the same.
        self._pool = torch.cuda.graph_pool_handle()

    def fork(self) -> None:
        """See Recorder."""
        self._stream.wait_stream(torch.cuda.current_stream(self._where))

    def aside(self) -> AbstractContextManager[object]:
        """See Recorder."""
        return torch.cuda.stream(self._stream)

    def join(self) -> None:
        """See Recorder."""
        torch.cuda.current_stream(self._where).wait_stream(self._stream)

    def record(self, function: Callable[[], None]) -> Callable[[], None]:
        """See Recorder."""
        graph = torch.cuda.CUDAGraph()
        # Threads that serve other devices may go on meanwhile.
        with (
            torch.cuda.device(self._where),
            torch.cuda.graph(graph, self._pool, self._stream, capture_error_mode="thread_local"),
        ):
            function()
        replay: Callable[[], None] = graph.replay
        return replay
