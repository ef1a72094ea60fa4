"""The loops of the CPU core that are neither matrix products nor attention, compiled.

R rows (decoder rows or encoder tokens), D width, H heads of width W. A matrix product arrives as `product` (R, N) that
is still to be multiplied by `scale` (R,), the scale of its quantised input, and to have `bias` (N,) added: doing that
where the numbers are read next saves a pass over them. Where `q` (R, K) is not empty, the rows of `out` are written
there as bytes as well, with their scales in `qscale`, for the next product. Every row is worked on alone and in the
same order whatever its neighbours are, so results do not depend on the batch.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from pipeline.engines.mekong.cpu.numerics import LIMIT, exp, f32, i32, inline, kernel, ordered, quantise, unordered

BLOCK = 128
"""Logits looked at together before any is looked at alone."""
RELU, SILU, GELU, GELU_NEW = range(4)


@kernel
def embed(tokens: Any, places: Any, table: Any, scales: Any, factor: Any, positions: Any, out: Any) -> None:
    """out (R, D) = factor * scales[token] * table[token] + positions[place]; no position table: (0, D)."""
    for r in range(len(tokens)):
        token = tokens[r]
        scale = factor * scales[token]
        for i in range(out.shape[1]):
            out[r, i] = scale * f32(table[token, i])
        if len(positions):
            for i in range(out.shape[1]):
                out[r, i] += positions[places[r], i]


@kernel
def normalise(x: Any, weight: Any, bias: Any, eps: Any, rms: Any, out: Any, q: Any, qscale: Any) -> None:
    """Norm of each row of x (R, D) into out (R, D), which may be x; no norm where weight has no elements."""
    for r in range(len(x)):
        _norm(x, weight, bias, eps, rms, out, r)
        if len(q):
            quantise(out, q, qscale, r)


@kernel
def add(
    product: Any,
    scale: Any,
    shift: Any,
    x: Any,
    weight: Any,
    bias: Any,
    eps: Any,
    rms: Any,
    out: Any,
    q: Any,
    qscale: Any,
) -> None:
    """x (R, D) += product * scale + shift, then its norm into out (R, D), which may be x."""
    for r in range(len(product)):
        s = scale[r]
        for i in range(x.shape[1]):
            x[r, i] += product[r, i] * s + shift[i]
        _norm(x, weight, bias, eps, rms, out, r)
        if len(q):
            quantise(out, q, qscale, r)


@inline
def _norm(x: Any, weight: Any, bias: Any, eps: Any, rms: Any, out: Any, r: Any) -> None:
    """Layer norm (Ba et al. 2016) or, with `rms`, root mean square norm (Zhang and Sennrich 2019) of one row."""
    if len(weight):
        count = x.shape[1]
        mean = f32(0.0)
        if not rms:
            for i in range(count):
                mean += x[r, i]
            mean /= f32(count)
        square = f32(0.0)
        for i in range(count):
            square += (x[r, i] - mean) * (x[r, i] - mean)
        factor = f32(1.0) / np.sqrt(square / f32(count) + eps)
        for i in range(count):
            out[r, i] = (x[r, i] - mean) * factor * weight[i] + bias[i]


@kernel
def activate(kind: Any, product: Any, scale: Any, bias: Any, out: Any, q: Any, qscale: Any) -> None:
    """out (R, F) = activation of product * scale + bias; gated, with product (R, 2 F), times its second half."""
    count = out.shape[1]
    halves = product.shape[1] // count
    parts, shift = product.reshape(len(product), halves, count), bias.reshape(halves, count)
    for r in range(len(product)):
        s = scale[r]
        for i in range(count):
            out[r, i] = parts[r, 0, i] * s + shift[0, i]
        if kind == RELU:
            _relu(out, r)
        elif kind == SILU:
            _silu(out, r)
        elif kind == GELU:
            _gelu(out, r)
        else:
            _gelu_new(out, r)
        if halves == 2:
            for i in range(count):
                out[r, i] *= parts[r, 1, i] * s + shift[1, i]
        if len(q):
            quantise(out, q, qscale, r)


@inline
def _relu(out: Any, r: Any) -> None:
    for i in range(out.shape[1]):
        out[r, i] = f32(0.0) if out[r, i] < f32(0.0) else out[r, i]


@inline
def _silu(out: Any, r: Any) -> None:
    """z / (1 + exp(-z))."""
    for i in range(out.shape[1]):
        z = out[r, i]
        out[r, i] = z / (f32(1.0) + exp(-z))


@inline
def _gelu(out: Any, r: Any) -> None:
    """z times the cumulative normal distribution."""
    for i in range(out.shape[1]):
        z = out[r, i]
        out[r, i] = z * f32(0.5) * (f32(1.0) + math.erf(z * f32(0.7071067811865476)))


@inline
def _gelu_new(out: Any, r: Any) -> None:
    """As gelu, with the tanh approximation of Hendrycks and Gimpel 2016."""
    for i in range(out.shape[1]):
        z = out[r, i]
        inner = f32(0.7978845608028654) * (z + f32(0.044715) * z * z * z)
        # tanh(y) = 1 - 2 / (e**2y + 1)
        out[r, i] = z * (f32(1.0) - f32(1.0) / (exp(f32(2.0) * inner) + f32(1.0)))


@kernel
def peaked(q: Any, count: Any, ratio: Any, found: Any) -> Any:
    """How many of the first `count` rows of bytes q (any, K) have a largest magnitude of more than `ratio` times their
    root mean square; their numbers come first in found (count,). Rows of zeros are none."""
    width = q.shape[1]
    size = 0
    for r in range(count):
        square = i32(0)
        for i in range(width):
            square += (i32(q[r, i]) - i32(128)) * (i32(q[r, i]) - i32(128))
        if square > 0 and f32(square) * ratio * ratio < LIMIT * LIMIT * f32(width):
            found[size] = r
            size += 1
    return size


@kernel
def remainder(x: Any, q: Any, qscale: Any, chosen: Any, out: Any, out_q: Any, out_scale: Any) -> None:
    """What rounding to bytes left of the chosen rows of x (R, K), (chosen, K), as numbers and as bytes."""
    for n in range(len(chosen)):
        r = chosen[n]
        for i in range(x.shape[1]):
            out[n, i] = x[r, i] - qscale[r] * (f32(q[r, i]) - f32(128.0))
        quantise(out, out_q, out_scale, n)


@kernel
def choose(
    product: Any, scale: Any, bias: Any, banned: Any, first: Any, best: Any, tokens: Any, peak: Any, total: Any
) -> None:
    """Take the logits of tokens first:first + N, product (R, N) * scale + bias, into account.

    `best` and `tokens` (R, k) hold the highest logits so far in falling order, without those of `banned` (R, any)
    token numbers; the sum over all logits of exp(logit - peak) is `total`, both (R,). Start with -inf, 0, -inf, 0.
    """
    count = product.shape[1]
    for r in range(len(product)):
        row = product[r]
        s = scale[r]
        largest = i32(-0x7FFFFFFF)
        for i in range(count):
            row[i] = row[i] * s + bias[i]
            largest = max(largest, ordered(row[i]))
        top = unordered(largest)
        above = top if top > peak[r] else peak[r]
        part = f32(0.0)
        for i in range(count):
            part += exp(row[i] - above)
        total[r] = total[r] * exp(peak[r] - above) + part
        peak[r] = above
        for i in range(banned.shape[1]):
            at = banned[r, i] - first
            if 0 <= at < count:
                row[at] = f32(-np.inf)
        if not top <= best[r, best.shape[1] - 1]:
            _insert(row, first, best[r], tokens[r])


@inline
def _insert(row: Any, first: Any, best: Any, tokens: Any) -> None:
    last = len(best) - 1
    for begin in range(0, len(row), BLOCK):
        part = row[begin : begin + BLOCK]
        largest = i32(-0x7FFFFFFF)
        for i in range(len(part)):
            largest = max(largest, ordered(part[i]))
        if unordered(largest) <= best[last]:
            continue
        for i in range(len(part)):
            if part[i] > best[last]:
                at = last
                while at > 0 and part[i] > best[at - 1]:
                    best[at] = best[at - 1]
                    tokens[at] = tokens[at - 1]
                    at -= 1
                best[at] = part[i]
                tokens[at] = first + begin + i
