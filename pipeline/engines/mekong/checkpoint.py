"""From a folder in Hugging Face's layout to a `Checkpoint`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from pipeline.engines.mekong.architecture import Checkpoint
from pipeline.engines.mekong.families import ADAPTERS
from pipeline.engines.mekong.tensors import Tensors
from pipeline.engines.weights import loading
from pipeline.errors import ModelError, ModelRefused


@contextmanager
def open_tensors(folder: Path) -> Iterator[Tensors]:
    """The tensors of all safetensors files of a folder.

    Raises ModelRefused when there are none, ModelError when one is damaged.
    """
    paths = sorted(folder.glob("*.safetensors"))
    if not paths:
        raise ModelRefused(f"{folder} has no weights in safetensors", f"mekong models add {folder.name}")
    with ExitStack() as stack:
        try:
            files = [stack.enter_context(safe_open(path, framework="pt")) for path in paths]
        except (OSError, SafetensorError) as error:
            raise ModelError(f"the weights in {folder} do not load: {error}", "Get the model again.") from error
        yield Tensors({name: file for file in files for name in file.keys()})  # noqa: SIM118 - not a mapping


def read_config(folder: Path) -> dict[str, Any]:
    """config.json.

    Raises ModelError when it cannot be read, or is no JSON object.
    """
    path = folder / "config.json"
    try:
        config: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} cannot be read: {error}", "Get the model again.") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path} holds a {type(config).__name__}, not an object", "Get the model again.")
    return config


def read_checkpoint(folder: Path) -> Checkpoint:
    """The model in `folder`, adapted from its family's layout.

    Raises ModelError when the family is unknown or a weight is missing or of the wrong shape, ModelRefused when there
    are no safetensors.
    """
    config = read_config(folder)
    family = str(config.get("model_type"))
    if family not in ADAPTERS:
        raise ModelError(
            f"{folder.name} is a {family!r} model; the engine knows {', '.join(sorted(ADAPTERS))}",
            "Use --engine reference",
        )
    with open_tensors(folder) as tensors, loading(folder.name):
        checkpoint = ADAPTERS[family](config, tensors)
        _check(folder, checkpoint)
    return checkpoint


def _check(folder: Path, checkpoint: Checkpoint) -> None:
    size = checkpoint.architecture
    rows = 3 * size.heads * size.head_width
    for layer in (*checkpoint.encoder.layers, *checkpoint.decoder.layers):
        if len(layer.self_input.weight) != rows:
            raise ModelError(
                f"{folder.name} has {len(layer.self_input.weight)} rows of queries, keys and values; "
                f"{size.heads} heads of {size.head_width}, as config.json says, have {rows}",
                "Get the model again.",
            )
    wanted = (size.vocabulary, size.width)
    for what, tensor in (
        ("encoder embedding", checkpoint.encoder.embedding),
        ("decoder embedding", checkpoint.decoder.embedding),
        ("output projection", checkpoint.output.weight),
    ):
        if tuple(tensor.shape) != wanted:
            raise ModelError(
                f"the {what} of {folder.name} is {tuple(tensor.shape)}, config.json says {wanted}",
                "Get the model again.",
            )
