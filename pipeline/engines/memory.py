"""Running a batch on a device whose memory may not do for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from pipeline.engines.base import Output

Generate = Callable[[Sequence[Sequence[int]], Sequence[int]], list[Output]]


def within_memory(generate: Generate, rows: Sequence[Sequence[int]], bounds: Sequence[int]) -> list[Output]:
    """`generate(rows, bounds)`; out of memory, the batch is halved, and a single row that does not fit has failed."""
    if not rows:
        return []
    try:
        return generate(rows, bounds)
    except torch.OutOfMemoryError:
        if len(rows) == 1:
            return [Output((), None, "failed")]
    # Outside the handler, which would keep the tensors of the failed attempt alive.
    torch.cuda.empty_cache()
    half = len(rows) // 2
    return within_memory(generate, rows[:half], bounds[:half]) + within_memory(generate, rows[half:], bounds[half:])
