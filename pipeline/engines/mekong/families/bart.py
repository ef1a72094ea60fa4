"""What Marian, M2M100 and mBART have in common: the tensor names and layer layout of fairseq's BART."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch

from pipeline.engines.mekong.architecture import Affine, Architecture, Checkpoint, Layer, Stack
from pipeline.engines.mekong.tensors import Tensors

NORM_EPS = 1e-5
ACTIVATIONS = {"relu": "relu", "swish": "silu", "silu": "silu", "gelu": "gelu", "gelu_new": "gelu_new"}


def architecture(family: str, config: Mapping[str, Any], norm_first: bool) -> Architecture:
    """Sizes and switches from config.json."""
    width, heads = int(config["d_model"]), int(config["encoder_attention_heads"])
    activation: Any = ACTIVATIONS[config["activation_function"]]
    return Architecture(
        family=family,
        width=width,
        heads=heads,
        head_width=width // heads,
        vocabulary=int(config["vocab_size"]),
        longest=int(config["max_position_embeddings"]),
        norm_first=norm_first,
        rms=False,
        eps=NORM_EPS,
        activation=activation,
        gated=False,
        embedding_scale=math.sqrt(width) if config.get("scale_embedding") else 1.0,
        output_scale=1.0,
    )


def embedding(side: str, tensors: Tensors) -> torch.Tensor:
    """(vocabulary, width), of `encoder` or `decoder`."""
    return tensors.first("model.shared.weight", f"model.{side}.embed_tokens.weight", "lm_head.weight")


def stack(side: str, config: Mapping[str, Any], tensors: Tensors, positions: torch.Tensor, head_width: int) -> Stack:
    """`model.encoder` or `model.decoder`."""
    name = f"model.{side}"
    scale = head_width**-0.5
    return Stack(
        embedding=embedding(side, tensors),
        positions=positions,
        relative=None,
        embedding_norm=_norm(tensors, f"{name}.layernorm_embedding"),
        layers=tuple(
            _layer(f"{name}.layers.{number}", tensors, scale, side == "decoder")
            for number in range(int(config[f"{side}_layers"]))
        ),
        final_norm=_norm(tensors, f"{name}.layer_norm"),
    )


def _norm(tensors: Tensors, name: str) -> Any:
    return tensors.norm(name) if f"{name}.weight" in tensors else None


def _layer(name: str, tensors: Tensors, scale: float, decoder: bool) -> Layer:
    self_name, cross = f"{name}.self_attn", f"{name}.encoder_attn"
    parts = [f"{self_name}.{part}_proj" for part in "qkv"]
    return Layer(
        self_input=tensors.affine(*parts, scale=scale),
        self_output=tensors.affine(f"{self_name}.out_proj"),
        self_norm=tensors.norm(f"{name}.self_attn_layer_norm"),
        feed_input=tensors.affine(f"{name}.fc1"),
        feed_output=tensors.affine(f"{name}.fc2"),
        feed_norm=tensors.norm(f"{name}.final_layer_norm"),
        cross_query=tensors.affine(f"{cross}.q_proj", scale=scale) if decoder else None,
        cross_memory=tensors.affine(f"{cross}.k_proj", f"{cross}.v_proj") if decoder else None,
        cross_output=tensors.affine(f"{cross}.out_proj") if decoder else None,
        cross_norm=tensors.norm(f"{name}.encoder_attn_layer_norm") if decoder else None,
    )


def checkpoint(size: Architecture, encoder: Stack, decoder: Stack, tensors: Tensors) -> Checkpoint:
    """Both stacks and the projection, which is the decoder's embedding unless there is one of its own."""
    weight = tensors.first("lm_head.weight") if "lm_head.weight" in tensors else decoder.embedding
    bias = tensors["final_logits_bias"].flatten() if "final_logits_bias" in tensors else None
    if bias is not None and not bias.any():
        bias = None
    return Checkpoint(size, encoder, decoder, Affine(weight, bias))
