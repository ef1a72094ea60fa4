"""Attention on the CPU, compiled: of one decoder step over caches, and of the encoder over packed sentences.

R rows (decoder rows or encoder tokens), D width, H heads of width W. A matrix product arrives as `product` (R, N) that
is still to be multiplied by `scale` (R,), the scale of its quantised input, and to have `bias` (N,) added: doing that
where the numbers are read next saves a pass over them. Where `q` (R, K) is not empty, the rows of `out` are written
there as bytes as well, with their scales in `qscale`, for the next product. Every row is worked on alone and in the
same order whatever its neighbours are, so results do not depend on the batch.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numba.extending import overload

from pipeline.engines.mekong.cpu.numerics import exp, f32, inline, kernel, ordered, quantise, u32, unordered


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


@kernel
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


@inline
def _softmax(scores: Any, count: Any) -> None:
    largest = ordered(scores[0])
    for p in range(count):
        largest = max(largest, ordered(scores[p]))
    peak = unordered(largest)
    total = f32(0.0)
    for p in range(count):
        scores[p] = exp(scores[p] - peak)
        total += scores[p]
    factor = f32(1.0) / total
    for p in range(count):
        scores[p] *= factor


@inline
def _attend(
    query: Any, keys: Any, values: Any, index: Any, count: Any, bias: Any, first: Any, scores: Any, out: Any
) -> None:
    """One query (H, W) over the cache rows index[:count]; head h has bias[h, first + p] at position p."""
    _compare(query, keys, index, count, scores)
    for h in range(len(query)):
        if bias.shape[1]:
            for p in range(count):
                scores[h, p] += bias[h, first + p]
        _softmax(scores[h], count)
    _gather(scores, values, index, count, out)


@inline
def _compare(query: Any, keys: Any, index: Any, count: Any, scores: Any) -> None:
    heads, width = query.shape
    for p in range(count):
        row = index[p]
        for h in range(heads):
            total = f32(0.0)
            for i in range(width):
                total += query[h, i] * _widen(keys[row, h, i])
            scores[h, p] = total


@inline
def _gather(scores: Any, values: Any, index: Any, count: Any, out: Any) -> None:
    heads, width = out.shape
    for h in range(heads):
        for i in range(width):
            out[h, i] = f32(0.0)
    for p in range(count):
        row = index[p]
        for h in range(heads):
            share = scores[h, p]
            for i in range(width):
                out[h, i] += share * _widen(values[row, h, i])


@kernel
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
    q: Any,
    qscale: Any,
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
        if len(q):
            quantise(out, q, qscale, r)


@kernel
def attend_cross(
    product: Any,
    scale: Any,
    bias: Any,
    rows: Any,
    lengths: Any,
    table: Any,
    keys: Any,
    values: Any,
    heads: Any,
    out: Any,
    q: Any,
    qscale: Any,
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
        if len(q):
            quantise(out, q, qscale, r)


@kernel
def attend_sources(
    product: Any,
    scale: Any,
    bias: Any,
    starts: Any,
    relative: Any,
    heads: Any,
    out: Any,
    q: Any,
    qscale: Any,
) -> None:
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
            _scaled(parts, 1, begin + p, scale, shift, keys[p])
            _scaled(parts, 2, begin + p, scale, shift, values[p])
        for p in range(count):
            _scaled(parts, 0, begin + p, scale, shift, query)
            first = relative.shape[1] // 2 - p
            _attend(query, keys, values, index, count, relative, first, scores, out[begin + p].reshape(heads, width))
            if len(q):
                quantise(out, q, qscale, begin + p)


@inline
def _scaled(parts: Any, part: Any, row: Any, scale: Any, shift: Any, out: Any) -> None:
    """Query, key or value of one row, of parts (R, 3, H, W), into out (H, W)."""
    s = scale[row]
    for h in range(out.shape[0]):
        for i in range(out.shape[1]):
            out[h, i] = parts[row, part, h, i] * s + shift[part, h, i]
