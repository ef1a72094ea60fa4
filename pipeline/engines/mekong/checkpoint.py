"""From a folder in Hugging Face's layout to a `Checkpoint`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from pipeline.engines.mekong.architecture import Affine, Checkpoint, Norm
from pipeline.errors import ModelError, ModelRefused


class Tensors:
    """The tensors of a checkpoint by name, read when asked for."""

    def __init__(self, where: Mapping[str, Any]) -> None:
        self._where = where
        self._shared: dict[str, torch.Tensor] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._where

    def __getitem__(self, name: str) -> torch.Tensor:
        """Raises ModelError naming the weight that is not there."""
        if name not in self._where:
            raise ModelError(f"the checkpoint lacks {name}", "Get the model again.")
        tensor: torch.Tensor = self._where[name].get_tensor(name)
        return tensor

    def first(self, *names: str) -> torch.Tensor:
        """The first of several names under which published checkpoints hold a tensor, read once."""
        name = next((name for name in names if name in self), names[0])
        if name not in self._shared:
            self._shared[name] = self[name]
        return self._shared[name]

    def affine(self, *names: str, scale: float = 1.0) -> Affine:
        """The matrices `NAME.weight` and biases `NAME.bias` of several layers over one input, stacked; the first one is
        multiplied by `scale`."""
        weights = [self[f"{name}.weight"] for name in names]
        biases = [self[f"{name}.bias"] for name in names if f"{name}.bias" in self]
        if scale != 1.0:
            weights[0] = (weights[0].float() * scale).to(weights[0].dtype)
            biases[:1] = [(bias.float() * scale).to(bias.dtype) for bias in biases[:1]]
        return Affine(torch.cat(weights), torch.cat(biases) if biases else None)

    def norm(self, name: str) -> Norm:
        """`NAME.weight` and, where there is one, `NAME.bias`."""
        has_bias = f"{name}.bias" in self
        return Norm(self[f"{name}.weight"], self[f"{name}.bias"] if has_bias else None)


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

    Raises ModelError when it cannot be read.
    """
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder / 'config.json'} cannot be read: {error}", "Get the model again.") from error
    return config


def read_checkpoint(folder: Path) -> Checkpoint:
    """The model in `folder`, adapted from its family's layout.

    Raises ModelError when the family is unknown or a weight is missing or of the wrong shape, ModelRefused when there
    are no safetensors.
    """
    from pipeline.engines.mekong.families import ADAPTERS

    config = read_config(folder)
    family = str(config.get("model_type"))
    if family not in ADAPTERS:
        raise ModelError(
            f"{folder.name} is a {family!r} model; the engine knows {', '.join(sorted(ADAPTERS))}",
            "Use --engine reference",
        )
    with open_tensors(folder) as tensors:
        checkpoint = ADAPTERS[family](config, tensors)
    _check(folder, checkpoint)
    return checkpoint


def _check(folder: Path, checkpoint: Checkpoint) -> None:
    size = checkpoint.architecture
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
