"""Matrix products of the CPU core, in float32, bfloat16 and int8.

A product is (numbers (R, N), scale (R,)): the result is numbers * scale + bias, which the kernels that read it apply.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.engines.mekong import kernels
from pipeline.engines.mekong.architecture import Affine

Array = NDArray[Any]
Product = tuple[Array, Array]

ACTIVATION_LIMIT = np.float32(127.0)
ZERO = 128
"""Activations are unsigned bytes around it, since the instructions multiply unsigned by signed."""


class Matrix(Protocol):
    """Weights (N, K) and a bias (N,)."""

    bias: Array

    def __call__(self, x: Array) -> Product:
        """The product with x (R, K), float32 and contiguous; bias apart."""


class FloatMatrix:
    """Weights in float32 or bfloat16."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None, dtype: torch.dtype) -> None:
        self.weight = weight.to(dtype).contiguous()
        self.bias = _bias(bias, len(weight))

    def __call__(self, x: Array) -> Product:
        """See Matrix."""
        wide = torch.nn.functional.linear(torch.from_numpy(x).to(self.weight.dtype), self.weight)
        return wide.float().numpy(), np.ones(len(x), np.float32)


class Int8Weights:
    """Weights (N, K) as int8 with one scale an output, so that weight = scale * int8."""

    def __init__(self, weight: torch.Tensor, limit: int) -> None:
        """`limit` is the largest magnitude of an int8 weight."""
        wide = weight.float()
        self.scale = wide.abs().amax(dim=1).clamp(min=torch.finfo(torch.float32).tiny) / limit
        self.values = (wide / self.scale[:, None]).round().to(torch.int8)


class Int8Matrix:
    """Int8 weights, and activations quantised row by row.

    The integer sums are exact, so a row's product does not depend on its neighbours.
    """

    def __init__(self, weights: Int8Weights, bias: torch.Tensor | None) -> None:
        self.scale = weights.scale
        self.packed = torch.ops.onednn.qlinear_prepack(weights.values, None)
        self.zeros = torch.zeros(len(weights.values), dtype=torch.int32)
        # What the shift of the activations by ZERO adds to every sum.
        self.shift = -ZERO * weights.values.sum(dim=1, dtype=torch.int32).float() * self.scale
        self.bias = _bias(bias, len(weights.values))

    def __call__(self, x: Array) -> Product:
        """See Matrix."""
        quantised = np.empty(x.shape, np.uint8)
        scale = np.empty(len(x), np.float32)
        kernels.quantise(x, ACTIVATION_LIMIT, quantised, scale)
        numbers = torch.ops.onednn.qlinear_pointwise(
            torch.from_numpy(quantised),
            1.0,
            0,
            self.packed,
            self.scale,
            self.zeros,
            self.shift,
            1.0,
            0,
            torch.float32,
            "none",
            [],
            "",
        )
        return numbers.numpy(), scale


def _bias(bias: torch.Tensor | None, size: int) -> Array:
    return (torch.zeros(size) if bias is None else bias.float().contiguous()).numpy()


def matrix(affine: Affine, dtype: str) -> Matrix:
    """The affine map in a precision: float32, bfloat16 or int8."""
    if dtype == "int8":
        return Int8Matrix(Int8Weights(affine.weight, weight_limit()), affine.bias)
    return FloatMatrix(affine.weight, affine.bias, getattr(torch, dtype))


def weight_limit() -> int:
    """The largest int8 weight: 127, or 63 where the processor adds two products in 16 bits, which might overflow."""
    return 127 if torch.cpu._is_vnni_supported() or torch.cpu._is_amx_tile_supported() else 63
