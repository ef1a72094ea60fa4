"""T5 and MADLAD-400: relative positions, root mean square norms before the blocks, gated feed-forward, no biases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.engines.mekong.architecture import Affine, Architecture, Checkpoint, Layer, RelativeBias, Stack
from pipeline.engines.mekong.tensors import Tensors

LONGEST = 1024
"""Relative positions have no end; longer texts than this are none that the models were trained on."""


def adapt(config: Mapping[str, Any], tensors: Tensors) -> Checkpoint:
    """A T5ForConditionalGeneration, tied or not, gated or not."""
    kind = str(config.get("feed_forward_proj", "relu"))
    gated = kind.startswith("gated-")
    activation: Any = "gelu_new" if kind == "gated-gelu" else kind.removeprefix("gated-")
    width = int(config["d_model"])
    # T5 1.0 ties input and output and scales between them; later releases do neither.
    scaled = config.get("scale_decoder_outputs", config.get("tie_word_embeddings", True))
    size = Architecture(
        family="t5",
        width=width,
        heads=int(config["num_heads"]),
        head_width=int(config["d_kv"]),
        vocabulary=int(config["vocab_size"]),
        longest=LONGEST,
        norm_first=True,
        rms=True,
        eps=float(config.get("layer_norm_epsilon", 1e-6)),
        activation=activation,
        gated=gated,
        embedding_scale=1.0,
        output_scale=width**-0.5 if scaled else 1.0,
    )
    layers = {
        "encoder": int(config["num_layers"]),
        "decoder": int(config.get("num_decoder_layers") or config["num_layers"]),
    }
    encoder, decoder = (_stack(side, count, config, tensors, gated) for side, count in layers.items())
    weight = tensors.first("lm_head.weight") if "lm_head.weight" in tensors else decoder.embedding
    return Checkpoint(size, encoder, decoder, Affine(weight, None))


def _stack(side: str, count: int, config: Mapping[str, Any], tensors: Tensors, gated: bool) -> Stack:
    attention = f"{side}.block.0.layer.0.SelfAttention"
    return Stack(
        embedding=tensors.first("shared.weight", f"{side}.embed_tokens.weight", "decoder.embed_tokens.weight"),
        positions=None,
        relative=RelativeBias(
            tensors[f"{attention}.relative_attention_bias.weight"],
            int(config.get("relative_attention_max_distance", 128)),
            bidirectional=side == "encoder",
        ),
        embedding_norm=None,
        layers=tuple(
            _layer(f"{side}.block.{number}.layer", tensors, side == "decoder", gated) for number in range(count)
        ),
        final_norm=tensors.norm(f"{side}.final_layer_norm"),
    )


def _layer(name: str, tensors: Tensors, decoder: bool, gated: bool) -> Layer:
    """T5 does not scale queries: its initialisation did."""
    own, cross = f"{name}.0.SelfAttention", f"{name}.1.EncDecAttention"
    feed = f"{name}.{2 if decoder else 1}"
    inner = [f"{feed}.DenseReluDense.wi_{part}" for part in (0, 1)] if gated else [f"{feed}.DenseReluDense.wi"]
    return Layer(
        self_input=tensors.affine(*(f"{own}.{part}" for part in "qkv")),
        self_output=tensors.affine(f"{own}.o"),
        self_norm=tensors.norm(f"{name}.0.layer_norm"),
        feed_input=tensors.affine(*inner),
        feed_output=tensors.affine(f"{feed}.DenseReluDense.wo"),
        feed_norm=tensors.norm(f"{feed}.layer_norm"),
        cross_query=tensors.affine(f"{cross}.q") if decoder else None,
        cross_memory=tensors.affine(f"{cross}.k", f"{cross}.v") if decoder else None,
        cross_output=tensors.affine(f"{cross}.o") if decoder else None,
        cross_norm=tensors.norm(f"{name}.1.layer_norm") if decoder else None,
    )
