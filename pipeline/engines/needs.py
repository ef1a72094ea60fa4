"""How much memory a model asks for, from its shapes: known before a weight is loaded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.engines.load import Plan
from pipeline.engines.weights import BYTES, count_weights, loading
from pipeline.registry.models import Entry

SENTENCE = 64
"""Tokens of a segment and of its translation that a slot is reckoned with: a long sentence of news."""


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes of the weights, and of the slots of `sentences` in hand, SENTENCE tokens each.

    None for what cannot be known: the weights of a model that is not there and whose entry does not tell its size, the
    slots of other engines than ours, and those on a GPU, where there are as many as fit.
    """

    weights: int | None
    slots: int | None
    sentences: int

    @property
    def total(self) -> int | None:
        """All of it, as far as it is known; None without the weights."""
        return None if self.weights is None else self.weights + (self.slots or 0)


def need(entry: Entry, folder: Path | None, plan: Plan, beams: int) -> Need:
    """What a translation model needs as `plan` has it; `folder` is None where it is not in the store.

    Raises ModelError when its files are damaged.
    """
    if folder is None:
        count = entry.parameters * 1_000_000 if entry.parameters else None
        return Need(count and count * BYTES[plan.dtype], None, 0)
    weights = count_weights(folder) * BYTES[plan.dtype]
    if plan.engine != "mekong":
        return Need(weights, None, 0)
    # Here, since it needs torch, which only runs of this engine load anyway.
    from pipeline.engines.mekong.engine import CPU_ROWS, CUDA_ROWS

    if plan.device == "cuda":  # as many as fit beside the weights
        return Need(weights, None, CUDA_ROWS // beams)
    sentences = plan.workers * max(1, CPU_ROWS // beams)
    number = 4 if plan.dtype == "float32" else 2
    with loading(folder.name):
        config = json.loads((folder / "config.json").read_text("utf-8"))
        return Need(weights, sentences * _numbers(config, beams) * number, sentences)


def _numbers(config: dict[str, Any], beams: int) -> int:
    """Keys and values of one sentence: its source once, its output once a beam, in all layers of the decoder."""
    layers = config.get("decoder_layers") or config.get("num_decoder_layers") or config["num_layers"]
    inner = config["num_heads"] * config["d_kv"] if "d_kv" in config else config["d_model"]
    return int(2 * layers * inner * SENTENCE * (1 + beams))
