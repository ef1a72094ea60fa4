"""mBART-50: learned positions that begin at 2, norms before the blocks and on the embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.engines.mekong.architecture import Checkpoint, Stack
from pipeline.engines.mekong.families import bart
from pipeline.engines.mekong.tensors import Tensors

FIRST_POSITION = 2
"""Rows of the table before it were never learnt."""


def adapt(config: Mapping[str, Any], tensors: Tensors) -> Checkpoint:
    """An MBartForConditionalGeneration."""
    size = bart.architecture("mbart", config, norm_first=True)

    def stack(side: str) -> Stack:
        learned = tensors[f"model.{side}.embed_positions.weight"][FIRST_POSITION:]
        return bart.stack(side, config, tensors, learned, size.head_width)

    return bart.checkpoint(size, stack("encoder"), stack("decoder"), tensors)
