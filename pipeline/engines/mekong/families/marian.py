"""Marian (OPUS-MT): sinusoidal positions in two halves, norms after the sums, a bias on the logits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from pipeline.engines.mekong.architecture import Checkpoint
from pipeline.engines.mekong.families import bart
from pipeline.engines.mekong.tensors import Tensors


def adapt(config: Mapping[str, Any], tensors: Tensors) -> Checkpoint:
    """A MarianMTModel. The two sides may have embeddings of their own."""
    size = bart.architecture("marian", config, norm_first=False)
    width = bart.embedding("encoder", tensors).shape[1]  # what config.json says is only checked later
    positions = sinusoids(size.longest, width)
    encoder = bart.stack("encoder", config, tensors, positions, size.head_width)
    decoder = bart.stack("decoder", config, tensors, positions, size.head_width)
    return bart.checkpoint(size, encoder, decoder, tensors)


def sinusoids(count: int, width: int) -> torch.Tensor:
    """(count, width): sines in the first half, cosines in the second, of Vaswani et al. 2017, section 3.5."""
    rates = 10000.0 ** -(torch.arange(0, width, 2, dtype=torch.float64) / width)
    angles = torch.arange(count, dtype=torch.float64)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)[:, :width].float()
