"""Steps recorded once and replayed, by the shape they are made for."""

from __future__ import annotations

from collections.abc import Callable

import torch

from pipeline.engines.gpu import Recorder
from pipeline.engines.memory import is_out_of_memory
from pipeline.errors import EngineError

INVALIDATED = "due to a previous error during capture"
"""How CUDA words that a recording is void (cudaErrorStreamCaptureInvalidated)."""


class Graphs:
    """Recordings of one function by the shape that it is called with."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._replays: dict[tuple[int, int], Callable[[], None]] = {}

    @property
    def shapes(self) -> list[tuple[int, int]]:
        """What has been recorded."""
        return list(self._replays)

    def run(self, step: Callable[[int, int], None], shape: tuple[int, int], times: int) -> None:
        """Call `step(*shape)` so often, from a recording if there is one; else as it is, and record it.

        Raises torch.OutOfMemoryError, also when memory ended a recording, and EngineError when it fails otherwise.
        """
        if replay := self._replays.get(shape):
            for _ in range(times):
                replay()
            return
        self._recorder.fork()
        try:
            # What libraries set up at a first call must not be recorded; and it must happen on the same stream.
            with self._recorder.aside():
                for _ in range(times):
                    step(*shape)
        finally:  # also when memory ends here: what is freed then may still be in use aside
            self._recorder.join()
        self._replays[shape] = self._record(step, shape)

    def _record(self, step: Callable[[int, int], None], shape: tuple[int, int]) -> Callable[[], None]:
        try:
            return self._recorder.record(lambda: step(*shape))
        except RuntimeError as error:
            of = f"of a step over {shape[0]} source and {shape[1]} target positions"
            if is_out_of_memory(error) or _only_invalidated(error):
                raise torch.OutOfMemoryError(f"no memory for a CUDA graph {of}: {error}") from error
            raise EngineError(f"no CUDA graph {of}: {error}", "Use --engine reference, and report this.") from error


def _only_invalidated(error: RuntimeError) -> bool:
    """Whether a recording became void and nothing says why: the allocator did it when it freed memory, which may not
    be done meanwhile. What a step must not do raises an error of its own first."""
    return INVALIDATED in str(error) and error.__context__ is None
