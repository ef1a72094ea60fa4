"""The models that are measured: shapes of published checkpoints, written with random weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipeline.errors import UsageError

SEED = 20
POSITIONS = 512


@dataclass(frozen=True, slots=True)
class Shape:
    """Size and special tokens of an encoder-decoder transformer with as many encoder as decoder layers."""

    name: str
    family: Literal["marian", "m2m100", "t5"]
    layers: int
    width: int
    heads: int
    head_width: int
    feed: int
    """Inner width of the feed-forward blocks."""
    vocabulary: int
    start: int
    """The decoder's first input."""
    end: int
    pad: int
    unknown: int
    ordinary: tuple[int, int]
    """First and last token id that is no special token."""
    sentences: int
    """How many make a round of about half a minute on a few processor cores."""
    stored: Literal["float32", "bfloat16"] = "float32"
    """Precision of the checkpoint's weights."""


def _marian(name: str, layers: int, width: int, heads: int, feed: int, vocabulary: int, sentences: int) -> Shape:
    last = vocabulary - 1
    return Shape(
        name, "marian", layers, width, heads, width // heads, feed, vocabulary, start=last, end=0, pad=last, unknown=1,
        ordinary=(2, last - 1), sentences=sentences,
    )  # fmt: skip


def _nllb(
    name: str, layers: int, width: int, feed: int, sentences: int, stored: Literal["float32", "bfloat16"]
) -> Shape:
    return Shape(
        name, "m2m100", layers, width, 16, width // 16, feed, 256_206, start=2, end=2, pad=1, unknown=3,
        ordinary=(4, 255_999), sentences=sentences, stored=stored,
    )  # fmt: skip


SHAPES = {
    shape.name: shape
    for shape in (
        _marian("opus-mt", 6, 512, 8, 2048, 60_000, sentences=1000),
        _nllb("nllb-600m", 12, 1024, 4096, sentences=200, stored="float32"),
        _nllb("nllb-3.3b", 24, 2048, 8192, sentences=32, stored="bfloat16"),
        Shape(
            "madlad-3b", "t5", 32, 1024, 16, 128, 8192, 256_000, start=0, end=2, pad=1, unknown=0,
            ordinary=(3, 255_999), sentences=32, stored="bfloat16",
        ),
        _marian("tiny", 2, 64, 4, 256, 1_000, sentences=200),
    )
}  # fmt: skip


def shape_of(name: str) -> Shape:
    """The shape of that name.

    Raises UsageError naming those there are.
    """
    if name not in SHAPES:
        raise UsageError(f"there is no shape {name!r}", f"Take one of {', '.join(SHAPES)}.")
    return SHAPES[name]


def build(shape: Shape, folder: Path) -> None:
    """Write a checkpoint of that shape, config.json and safetensors, into `folder`; the weights are always the same."""
    import torch

    torch.manual_seed(SEED)
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, shape.stored))
    try:
        model = _model_class(shape)(_config(shape))
    finally:
        torch.set_default_dtype(before)
    model.save_pretrained(folder)


def load(shape: Shape, folder: Path, dtype: str) -> Any:
    """The transformers model that `build` wrote, ready for inference on the CPU."""
    import torch

    model = _model_class(shape).from_pretrained(folder, dtype=getattr(torch, dtype), local_files_only=True)
    return model.eval()


def _model_class(shape: Shape) -> Any:
    import transformers

    classes = {
        "marian": transformers.MarianMTModel,
        "m2m100": transformers.M2M100ForConditionalGeneration,
        "t5": transformers.T5ForConditionalGeneration,
    }
    return classes[shape.family]


def _config(shape: Shape) -> Any:
    import transformers

    tokens: dict[str, Any] = {
        "vocab_size": shape.vocabulary,
        "d_model": shape.width,
        "pad_token_id": shape.pad,
        "eos_token_id": shape.end,
        "decoder_start_token_id": shape.start,
    }
    if shape.family == "t5":
        config: Any = transformers.T5Config
        return config(
            **tokens,
            d_kv=shape.head_width,
            d_ff=shape.feed,
            num_layers=shape.layers,
            num_heads=shape.heads,
            feed_forward_proj="gated-gelu",
            tie_word_embeddings=False,
        )
    marian = shape.family == "marian"
    make: Any = transformers.MarianConfig if marian else transformers.M2M100Config
    return make(
        **tokens,
        encoder_layers=shape.layers,
        decoder_layers=shape.layers,
        encoder_attention_heads=shape.heads,
        decoder_attention_heads=shape.heads,
        encoder_ffn_dim=shape.feed,
        decoder_ffn_dim=shape.feed,
        activation_function="swish" if marian else "relu",
        scale_embedding=True,
        max_position_embeddings=POSITIONS if marian else 2 * POSITIONS,
        # Keeps what goes through a matrix, and the embeddings after their scaling, at a variance of one.
        init_std=shape.width**-0.5,
    )
