"""How fast a GPU could be at best, by arithmetic."""

from __future__ import annotations

from pipeline.bench.shapes import Shape

GPUS = {"H100": (3.0e12, 790e12), "H200": (4.3e12, 790e12)}
"""Memory bandwidth in bytes a second and dense bf16 FLOP/s that a copy and a large matrix product reach in practice;
the data sheets say 3.35 and 4.8 TB/s and 990 TFLOP/s."""
BYTES = 2
LOGIT_BYTES = 8
"""Each logit is written and read once in float32."""
ROWS = 1024
"""Rows in flight; with more of them the bound hardly rises."""


def bound(shape: Shape, device: str, beam: int, source: float, output: float) -> float | None:
    """Useful tokens a second that no engine can exceed on the named device, None for one that is not in the table.

    Assumes bf16 and perfect kernels, for sources of `source` and outputs of `output` tokens. A decoder step takes as
    long as the slower of memory (all decoder weights once; each row the keys and values of its source; each hypothesis
    those of, on average, half its output, and its logits) and arithmetic. The encoder is bound by arithmetic, and its
    time is shared out over the output tokens. Attention's own arithmetic is left out: at these lengths it is small.
    """
    rates = next((rates for name, rates in GPUS.items() if name in device), None)
    if rates is None:
        return None
    bandwidth, flops = rates
    inner = shape.heads * shape.head_width
    attention = 4 * shape.width * inner
    feed = (3 if shape.family == "t5" else 2) * shape.width * shape.feed
    encoder = shape.layers * (attention + feed)
    decoder = shape.layers * (2 * attention + feed) + shape.vocabulary * shape.width
    hypotheses = ROWS * beam
    token = shape.layers * 2 * inner * BYTES
    read = ROWS * source * token + hypotheses * (output / 2 * token + LOGIT_BYTES * shape.vocabulary)
    memory = (decoder * BYTES + read) / bandwidth
    arithmetic = hypotheses * 2 * decoder / flops
    encoding = ROWS * source / output * 2 * encoder / flops
    return ROWS / (max(memory, arithmetic) + encoding)
