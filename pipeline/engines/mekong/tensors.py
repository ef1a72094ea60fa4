"""The tensors of a checkpoint by their published names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from pipeline.engines.mekong.architecture import Affine, Norm
from pipeline.errors import ModelError


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
