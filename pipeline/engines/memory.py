"""Devices whose memory may not do."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from pipeline.engines.base import Failure, Output

Generate = Callable[[Sequence[Sequence[int]], Sequence[int]], list[Output]]
WORDS = ("out of memory", "ALLOC_FAILED")
"""What errors say of memory that CUDA and its libraries raise by themselves: these have no class of their own."""


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether an error, or one that it was raised on top of, says that memory ran out."""
    while error is not None:
        if isinstance(error, torch.OutOfMemoryError | MemoryError):
            return True
        if isinstance(error, RuntimeError) and any(word in str(error) for word in WORDS):
            return True
        error = error.__cause__ or error.__context__
    return False


def within_memory(generate: Generate, rows: Sequence[Sequence[int]], bounds: Sequence[int]) -> list[Output]:
    """`generate(rows, bounds)`; out of memory, the batch is halved, and a single row that does not fit has failed."""
    if not rows:
        return []
    try:
        return generate(rows, bounds)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        if len(rows) == 1:
            return [Output((), None, "failed", Failure.MEMORY)]
    # Outside the handler, which would keep the tensors of the failed attempt alive.
    torch.cuda.empty_cache()
    half = len(rows) // 2
    return within_memory(generate, rows[:half], bounds[:half]) + within_memory(generate, rows[half:], bounds[half:])
