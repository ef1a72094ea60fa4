"""M2M100 and NLLB-200: sinusoidal positions that begin at 2, norms before the blocks, scaled embeddings."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch

from pipeline.engines.mekong.architecture import Checkpoint
from pipeline.engines.mekong.families import bart
from pipeline.engines.mekong.tensors import Tensors

FIRST_POSITION = 2
"""fairseq counts positions from the padding token's number plus one."""


def adapt(config: Mapping[str, Any], tensors: Tensors) -> Checkpoint:
    """An M2M100ForConditionalGeneration."""
    size = bart.architecture("m2m100", config, norm_first=True)
    width = bart.embedding("encoder", tensors).shape[1]  # what config.json says is only checked later
    positions = sinusoids(size.longest + FIRST_POSITION, width)[FIRST_POSITION:]
    encoder = bart.stack("encoder", config, tensors, positions, size.head_width)
    decoder = bart.stack("decoder", config, tensors, positions, size.head_width)
    return bart.checkpoint(size, encoder, decoder, tensors)


def sinusoids(count: int, width: int) -> torch.Tensor:
    """(count, width): as tensor2tensor has them, the slowest wave of period 10000 times 2 pi included."""
    half = width // 2
    rates = torch.exp(torch.arange(half).float() * -(math.log(10000) / (half - 1)))
    angles = torch.arange(count).float()[:, None] * rates
    table = torch.cat([angles.sin(), angles.cos()], dim=1)
    return torch.nn.functional.pad(table, (0, width - 2 * half))
