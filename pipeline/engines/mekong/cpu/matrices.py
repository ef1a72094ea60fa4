"""Matrix products of the CPU core, in float32, bfloat16 and int8.

A product is (numbers (R, N), scale (R,)): the result is numbers * scale + bias, which the kernels that read it apply.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.engines.mekong.architecture import Affine
from pipeline.engines.mekong.cpu import kernels
from pipeline.engines.mekong.cpu.quantised import Int8Weights

Array = NDArray[Any]
Product = tuple[Array, Array]

FLOAT_ROWS = 32
"""Float products are made of so many rows at a time, whatever the batch, since libraries add in another order for
another number of rows."""
INT8_ROWS = 16
"""Int8 products are made of a multiple of so many rows: the library compiles code for every new shape, and keeps it."""
PEAK = np.float32(16)
"""A row of activations with a number of more than so many times its root mean square has few of the 255 steps left for
the others. What rounding left of such a row is multiplied as well. Some models have them inside feed-forward blocks."""
TRIED = 512
"""Inputs of the product that is tried: more of the largest numbers have sums that float32 does not hold."""
ZERO = 128
"""Activations are unsigned bytes around it, since the instructions multiply unsigned by signed."""


class Rows(NamedTuple):
    """The input of a product: rows x (R, K), and for int8 as bytes q (R or more, K) with scale (R,), else empty."""

    x: Array
    q: Array
    scale: Array


def float_rows(count: int, width: int) -> Rows:
    """Room for `count` rows that are multiplied as floats."""
    return Rows(np.empty((count, width), np.float32), np.empty((0, width), np.uint8), np.empty(0, np.float32))


def int8_rows(count: int, width: int) -> Rows:
    """Room for `count` rows that are multiplied as bytes. What is in those that fill up `q` does not matter."""
    step = INT8_ROWS if count <= 8 * INT8_ROWS else 2 * INT8_ROWS
    q = np.empty((count + -count % step, width), np.uint8)
    return Rows(np.empty((count, width), np.float32), q, np.empty(count, np.float32))


class Matrix(Protocol):
    """Weights (N, K) and a bias (N,)."""

    bias: Array

    def __call__(self, rows: Rows) -> Product:
        """The product with R rows of K; bias apart."""


class FloatMatrix:
    """Weights in float32 or bfloat16."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None, dtype: torch.dtype) -> None:
        self.weight = weight.to(dtype).contiguous()
        self.bias = _bias(bias, len(weight))

    def __call__(self, rows: Rows) -> Product:
        """See Matrix."""
        count = len(rows.x)
        inputs = torch.from_numpy(rows.x).to(self.weight.dtype)
        inputs = torch.nn.functional.pad(inputs, (0, 0, 0, -count % FLOAT_ROWS))
        out = torch.empty(len(inputs), len(self.weight), dtype=self.weight.dtype)
        for at in range(0, len(inputs), FLOAT_ROWS):
            torch.mm(inputs[at : at + FLOAT_ROWS], self.weight.T, out=out[at : at + FLOAT_ROWS])
        return out[:count].float().numpy(), np.ones(count, np.float32)


class Int8Matrix:
    """Int8 weights, and activations quantised row by row, those with a PEAK in two steps.

    The integer sums are exact, so a row's product does not depend on its neighbours.
    """

    def __init__(self, weights: Int8Weights, bias: torch.Tensor | None) -> None:
        self.scale = weights.scale
        self.packed = torch.ops.onednn.qlinear_prepack(weights.values, None)
        self.zeros = torch.zeros(len(weights.values), dtype=torch.int32)
        # What the shift of the activations by ZERO adds to every sum.
        self.shift = -ZERO * weights.values.sum(dim=1, dtype=torch.int32).float() * self.scale
        self.bias = _bias(bias, len(weights.values))

    def __call__(self, rows: Rows) -> Product:
        """See Matrix."""
        count = len(rows.x)
        numbers = self.product(rows.q)[:count]
        found = np.empty(count, np.int64)
        if size := kernels.peaked(rows.q, count, PEAK, found):
            chosen = found[:size]
            rest = int8_rows(size, rows.x.shape[1])
            kernels.remainder(*rows, chosen, *rest)
            numbers[chosen] += self.product(rest.q)[:size] * (rest.scale / rows.scale[chosen])[:, None]
        return numbers, rows.scale

    def product(self, q: Array) -> Array:
        """Bytes (R, K) to (R, N), each times its output's scale."""
        numbers: Array = torch.ops.onednn.qlinear_pointwise(
            torch.from_numpy(q),
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
        ).numpy()
        return numbers


def compile_remainder() -> None:
    """Compile what only a row with a PEAK comes to."""
    rows, rest = int8_rows(1, INT8_ROWS), int8_rows(1, INT8_ROWS)
    for part in (*rows, *rest):
        part[:] = 1
    kernels.remainder(*rows, np.zeros(1, np.int64), *rest)


def _bias(bias: torch.Tensor | None, size: int) -> Array:
    return (torch.zeros(size) if bias is None else bias.float().contiguous()).numpy()


def matrix(affine: Affine, dtype: torch.dtype) -> Matrix:
    """The affine map with its int8 weights, or else in `dtype`, float32 or bfloat16."""
    if isinstance(affine.weight, Int8Weights):
        return Int8Matrix(affine.weight, affine.bias)
    return FloatMatrix(affine.weight, affine.bias, dtype)


def weight_limit() -> int:
    """The largest int8 weight: 127, or 63 where the processor adds two products in 16 bits, which might overflow."""
    return 127 if has_int8_products() else 63


@cache
def has_int8_products() -> bool:
    """Whether bytes are multiplied and added up in 32 bits (VNNI, AMX, ARM's dot product): tried, once a process.

    What the processor says of itself does not tell: some say it by other names, and the library may be told to use less
    of it (ONEDNN_MAX_CPU_ISA). Without such instructions it adds neighbouring products in 16 bits, which saturate here.
    """
    values = torch.full((INT8_ROWS, TRIED), 127, dtype=torch.int8)
    values[::2] *= -1
    q = np.full((INT8_ROWS, TRIED), 255, np.uint8)
    exact = (torch.from_numpy(q).int() - ZERO) @ values.int().T
    try:
        found = Int8Matrix(Int8Weights(values, torch.ones(INT8_ROWS)), None).product(q)
    except (AttributeError, RuntimeError):  # this build of torch has no such product
        return False
    return bool((found == exact.numpy()).all())


def has_bfloat16_products() -> bool:
    """Whether the processor multiplies bfloat16 numbers at least as fast as float32 ones."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
