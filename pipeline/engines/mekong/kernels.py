"""The loops of the CPU core that are no matrix products, compiled with numba.

R rows (decoder rows or encoder tokens), D width, H heads of width W. A matrix product arrives as `product` (R, N) that
is still to be multiplied by `scale` (R,), the scale of its quantised input, and to have `bias` (N,) added: doing that
where the numbers are read next saves a pass over them. Every row is worked on alone and in the same order whatever
its neighbours are, so results do not depend on the batch. Nothing here assumes finite numbers: a NaN stays one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba import types
from numba.extending import overload

F = TypeVar("F", bound=Callable[..., Any])

# All of fast math but the assumption that there are no NaNs and infinities.
# Without numpy's error model every division is a branch that may raise, and no loop with one becomes vectors.
OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"reassoc", "contract", "arcp", "nsz", "afn"},
}
f32, i32, u32 = np.float32, np.int32, np.uint32
BLOCK = 128
"""Logits looked at together before any is looked at alone."""


def _kernel(function: F) -> F:
    """`function` compiled without the interpreter lock; the machine code is kept where a folder can be written."""
    try:
        return cast(F, numba.njit(cache=True, **OPTIONS)(function))
    except RuntimeError:  # no writable cache folder: compile in every process
        return cast(F, numba.njit(**OPTIONS)(function))


def _inline(function: F) -> F:
    return cast(F, numba.njit(inline="always", **OPTIONS)(function))


def _widen(number: Any) -> Any:
    """A float32 from a float32, or from the upper half of one: bfloat16 kept as uint16."""
    raise NotImplementedError("compiled code only")


@overload(_widen, inline="always")
def _widened(number: Any) -> Any:
    def half(number: Any) -> Any:
        return u32(u32(number) << u32(16)).view(f32)

    def whole(number: Any) -> Any:
        return number

    return half if number == types.uint16 else whole


def _store(target: Any, row: Any, column: Any, number: Any) -> None:
    """target[row, column] = number, rounded to even where target is bfloat16."""
    raise NotImplementedError("compiled code only")


@overload(_store, inline="always")
def _stored(target: Any, row: Any, column: Any, number: Any) -> Any:
    def half(target: Any, row: Any, column: Any, number: Any) -> None:
        bits = f32(number).view(u32)
        target[row, column] = (bits + u32(0x7FFF) + ((bits >> u32(16)) & u32(1))) >> u32(16)

    def whole(target: Any, row: Any, column: Any, number: Any) -> None:
        target[row, column] = number

    return half if target.dtype == types.uint16 else whole


# No reassociation here: it would undo the two-step reduction. The compiler puts the code where it is called.
@numba.njit(nogil=True, error_model="numpy", fastmath={"contract", "nsz"})
def _exp(x: Any) -> Any:
    """e**x to 3e-7 of itself, as compilers can turn into vectors: 2**n times a polynomial (Taylor's) of the rest,
    where the rest is taken with ln 2 in two parts (Cody and Waite 1980, chapter 6)."""
    x = f32(-87.0) if x < f32(-87.0) else x
    x = f32(88.0) if x > f32(88.0) else x
    z = x * f32(1.4426950408889634)
    whole = i32(z + (f32(0.5) if z > f32(0.0) else f32(-0.5)))
    rest = x - f32(whole) * f32(0.693359375)
    rest = rest + f32(whole) * f32(2.12194440e-4)
    p = f32(1.0 / 5040)
    p = p * rest + f32(1.0 / 720)
    p = p * rest + f32(1.0 / 120)
    p = p * rest + f32(1.0 / 24)
    p = p * rest + f32(1.0 / 6)
    p = p * rest + f32(0.5)
    p = p * rest + f32(1.0)
    p = p * rest + f32(1.0)
    return p * i32((whole + i32(127)) << i32(23)).view(f32)


@_inline
def _tanh(x: Any) -> Any:
    return f32(1.0) - f32(2.0) / (_exp(f32(2.0) * x) + f32(1.0))


@_kernel
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


@_kernel
def add(product: Any, scale: Any, bias: Any, x: Any) -> None:
    """x (R, D) += product * scale + bias."""
    for r in range(len(product)):
        s = scale[r]
        for i in range(x.shape[1]):
            x[r, i] += product[r, i] * s + bias[i]


@_kernel
def normalise(x: Any, weight: Any, bias: Any, eps: Any, rms: Any, out: Any) -> None:
    """Layer norm (Ba et al. 2016) or, with `rms`, root mean square norm (Zhang and Sennrich 2019) of each row of x
    (R, D) into out (R, D), which may be x."""
    count = x.shape[1]
    for r in range(len(x)):
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


@_inline
def _ordered(number: Any) -> Any:
    """An integer that orders as the float does. The largest integer of a row is found in vectors, a float is not."""
    bits = f32(number).view(i32)
    return i32(bits ^ ((bits >> i32(31)) & i32(0x7FFFFFFF)))


@_inline
def _unordered(integer: Any) -> Any:
    return i32(integer ^ ((integer >> i32(31)) & i32(0x7FFFFFFF))).view(f32)


@_kernel
def quantise(x: Any, limit: Any, q: Any, scale: Any) -> None:
    """x (R, K) as bytes: q = 128 + x / scale rounded, at most `limit` from 128; scale (R,) is the row's largest
    magnitude over `limit`, NaN when the row is not finite."""
    count = x.shape[1]
    for r in range(len(x)):
        largest = i32(0)
        for i in range(count):
            # Without its sign a float orders as its bits do, and infinity and NaN are above all numbers.
            largest = max(largest, i32(f32(x[r, i]).view(i32) & i32(0x7FFFFFFF)))
        peak = i32(largest).view(f32)
        finite = largest < i32(0x7F800000)
        scale[r] = peak / limit if finite else f32(np.nan)
        factor = limit / peak if finite and peak > f32(0.0) else f32(0.0)
        for i in range(count):
            q[r, i] = np.uint8(i32((x[r, i] if finite else f32(0.0)) * factor + f32(128.5)))


@_kernel
def relu(product: Any, scale: Any, bias: Any, out: Any) -> None:
    """out (R, F) = max(0, product * scale + bias)."""
    for r in range(len(product)):
        s = scale[r]
        for i in range(out.shape[1]):
            z = product[r, i] * s + bias[i]
            out[r, i] = f32(0.0) if z < f32(0.0) else z


@_kernel
def silu(product: Any, scale: Any, bias: Any, out: Any) -> None:
    """out (R, F) = z / (1 + exp(-z)) of z = product * scale + bias."""
    for r in range(len(product)):
        s = scale[r]
        for i in range(out.shape[1]):
            z = product[r, i] * s + bias[i]
            out[r, i] = z / (f32(1.0) + _exp(-z))


@_kernel
def gelu(product: Any, scale: Any, bias: Any, out: Any) -> None:
    """out (R, F) = z times the normal distribution's cumulative density at z = product * scale + bias."""
    for r in range(len(product)):
        s = scale[r]
        for i in range(out.shape[1]):
            z = product[r, i] * s + bias[i]
            out[r, i] = z * f32(0.5) * (f32(1.0) + math.erf(z * f32(0.7071067811865476)))


@_kernel
def gelu_new(product: Any, scale: Any, bias: Any, out: Any) -> None:
    """As gelu, with the tanh approximation of Hendrycks and Gimpel 2016."""
    for r in range(len(product)):
        s = scale[r]
        for i in range(out.shape[1]):
            z = product[r, i] * s + bias[i]
            inner = f32(0.7978845608028654) * (z + f32(0.044715) * z * z * z)
            out[r, i] = f32(0.5) * z * (f32(1.0) + _tanh(inner))


@_kernel
def gate(product: Any, scale: Any, bias: Any, out: Any) -> None:
    """out (R, F) *= the second half of product (R, 2 F) * scale + bias."""
    count = out.shape[1]
    parts, shift = product.reshape(len(product), 2, count), bias.reshape(2, count)
    for r in range(len(product)):
        s = scale[r]
        for i in range(count):
            out[r, i] *= parts[r, 1, i] * s + shift[1, i]


@_kernel
def keep(product: Any, scale: Any, bias: Any, index: Any, keys: Any, values: Any) -> None:
    """Store rows of (key, value) pairs, product (R, 2 HW) * scale + bias, as rows `index` of two caches."""
    count = keys.shape[1]
    parts, shift = product.reshape(len(product), 2, count), bias.reshape(2, count)
    for r in range(len(product)):
        s = scale[r]
        for i in range(count):
            _store(keys, index[r], i, parts[r, 0, i] * s + shift[0, i])
        for i in range(count):
            _store(values, index[r], i, parts[r, 1, i] * s + shift[1, i])


@_inline
def _softmax(scores: Any, count: Any) -> None:
    largest = _ordered(scores[0])
    for p in range(count):
        largest = max(largest, _ordered(scores[p]))
    peak = _unordered(largest)
    total = f32(0.0)
    for p in range(count):
        scores[p] = _exp(scores[p] - peak)
        total += scores[p]
    factor = f32(1.0) / total
    for p in range(count):
        scores[p] *= factor


@_inline
def _attend(query: Any, keys: Any, values: Any, index: Any, count: Any, bias: Any, first: Any, scores: Any, out: Any) -> None:
    """One query (HW,) over the cache rows index[:count]; head h has bias[h, first + p] at position p."""
    heads, width = query.shape
    for p in range(count):
        row = index[p]
        for h in range(heads):
            total = f32(0.0)
            for i in range(width):
                total += query[h, i] * _widen(keys[row, h, i])
            scores[h, p] = total
    for h in range(heads):
        if bias.shape[1]:
            for p in range(count):
                scores[h, p] += bias[h, first + p]
        _softmax(scores[h], count)
    for h in range(heads):
        for i in range(width):
            out[h, i] = f32(0.0)
    for p in range(count):
        row = index[p]
        for h in range(heads):
            share = scores[h, p]
            for i in range(width):
                out[h, i] += share * _widen(values[row, h, i])


@_kernel
def attend_self(
    product: Any,
    scale: Any,
    bias: Any,
    rows: Any,
    places: Any,
    table: Any,
    keys: Any,
    values: Any,
    relative: Any,
    heads: Any,
    out: Any,
) -> None:
    """One decoder step of self-attention.

    `product` (R, 3 HW) holds query, key, value. Row r of it is decoder row rows[r] at position places[r]; position p of
    it is cache row table[rows[r], p], where the new key and value go. `relative` (H, 2 L - 1) as in RelativeBias, or
    (H, 0).
    """
    size = out.shape[1]
    width = size // heads
    parts, shift = product.reshape(len(product), 3, size), bias.reshape(3, size)
    query = np.empty(size, f32)
    scores = np.empty((heads, table.shape[1]), f32)
    for r in range(len(product)):
        s = scale[r]
        index = table[rows[r]]
        place = places[r]
        for i in range(size):
            query[i] = parts[r, 0, i] * s + shift[0, i]
        for i in range(size):
            _store(keys, index[place], i, parts[r, 1, i] * s + shift[1, i])
        for i in range(size):
            _store(values, index[place], i, parts[r, 2, i] * s + shift[2, i])
        first = relative.shape[1] // 2 - place
        _attend(
            query.reshape(heads, width),
            keys.reshape(len(keys), heads, width),
            values.reshape(len(values), heads, width),
            index,
            place + 1,
            relative,
            first,
            scores,
            out[r].reshape(heads, width),
        )


@_kernel
def attend_cross(
    product: Any, scale: Any, bias: Any, rows: Any, lengths: Any, table: Any, keys: Any, values: Any, heads: Any, out: Any
) -> None:
    """One decoder step of attention to the source: row r reads cache rows table[rows[r], :lengths[rows[r]]]."""
    size = out.shape[1]
    width = size // heads
    query = np.empty(size, f32)
    scores = np.empty((heads, table.shape[1]), f32)
    nothing = np.empty((heads, 0), f32)
    for r in range(len(product)):
        s = scale[r]
        for i in range(size):
            query[i] = product[r, i] * s + bias[i]
        _attend(
            query.reshape(heads, width),
            keys.reshape(len(keys), heads, width),
            values.reshape(len(values), heads, width),
            table[rows[r]],
            lengths[rows[r]],
            nothing,
            0,
            scores,
            out[r].reshape(heads, width),
        )


@_kernel
def attend_sources(product: Any, scale: Any, bias: Any, starts: Any, relative: Any, heads: Any, out: Any) -> None:
    """Self-attention of the encoder over packed sentences: tokens starts[n]:starts[n + 1] see each other.

    `product` (tokens, 3 HW) holds query, key, value.
    """
    size = out.shape[1]
    width = size // heads
    longest = 0
    for n in range(len(starts) - 1):
        longest = max(longest, starts[n + 1] - starts[n])
    keys = np.empty((longest, heads, width), f32)
    values = np.empty((longest, heads, width), f32)
    query = np.empty((heads, width), f32)
    scores = np.empty((heads, longest), f32)
    index = np.arange(longest)
    parts = product.reshape(len(product), 3, heads, width)
    shift = bias.reshape(3, heads, width)
    for n in range(len(starts) - 1):
        begin, count = starts[n], starts[n + 1] - starts[n]
        for p in range(count):
            s = scale[begin + p]
            for h in range(heads):
                for i in range(width):
                    keys[p, h, i] = parts[begin + p, 1, h, i] * s + shift[1, h, i]
                for i in range(width):
                    values[p, h, i] = parts[begin + p, 2, h, i] * s + shift[2, h, i]
        for p in range(count):
            s = scale[begin + p]
            for h in range(heads):
                for i in range(width):
                    query[h, i] = parts[begin + p, 0, h, i] * s + shift[0, h, i]
            first = relative.shape[1] // 2 - p
            _attend(
                query, keys, values, index, count, relative, first, scores, out[begin + p].reshape(heads, width)
            )


@_kernel
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
            largest = max(largest, _ordered(row[i]))
        top = _unordered(largest)
        above = top if top > peak[r] else peak[r]
        part = f32(0.0)
        for i in range(count):
            part += _exp(row[i] - above)
        total[r] = total[r] * _exp(peak[r] - above) + part
        peak[r] = above
        for i in range(banned.shape[1]):
            at = banned[r, i] - first
            if 0 <= at < count:
                row[at] = f32(-np.inf)
        if not top <= best[r, best.shape[1] - 1]:
            _insert(row, first, best[r], tokens[r])


@_inline
def _insert(row: Any, first: Any, best: Any, tokens: Any) -> None:
    last = len(best) - 1
    for begin in range(0, len(row), BLOCK):
        part = row[begin : begin + BLOCK]
        largest = i32(-0x7FFFFFFF)
        for i in range(len(part)):
            largest = max(largest, _ordered(part[i]))
        if _unordered(largest) <= best[last]:
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
