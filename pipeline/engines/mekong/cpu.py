"""Encoder and decoder steps on the CPU, on packed rows: nothing is padded, every row has a position of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.engines.mekong import kernels
from pipeline.engines.mekong.architecture import Affine, Checkpoint, Layer, Norm, Stack
from pipeline.engines.mekong.matrices import Int8Weights, Matrix, Product, matrix, weight_limit
from pipeline.engines.mekong.pages import PAGE, Pages

Array = NDArray[Any]
CHUNK = 4096
"""Logits of a row that are held at a time."""
ACTIVATIONS = {"relu": kernels.relu, "silu": kernels.silu, "gelu": kernels.gelu, "gelu_new": kernels.gelu_new}


class CpuNorm:
    """A norm's weight and bias (D,) as arrays."""

    def __init__(self, norm: Norm) -> None:
        self.weight = norm.weight.float().numpy()
        self.bias = np.zeros_like(self.weight) if norm.bias is None else norm.bias.float().numpy()


class CpuLayer:
    """A layer's matrices in the precision of the model."""

    def __init__(self, layer: Layer, dtype: str) -> None:
        def some(affine: Affine | None) -> Matrix | None:
            return None if affine is None else matrix(affine, dtype)

        self.self_input = matrix(layer.self_input, dtype)
        self.self_output = matrix(layer.self_output, dtype)
        self.self_norm = CpuNorm(layer.self_norm)
        self.cross_query, self.cross_memory = some(layer.cross_query), some(layer.cross_memory)
        self.cross_output = some(layer.cross_output)
        self.cross_norm = None if layer.cross_norm is None else CpuNorm(layer.cross_norm)
        self.feed_input = matrix(layer.feed_input, dtype)
        self.feed_output = matrix(layer.feed_output, dtype)
        self.feed_norm = CpuNorm(layer.feed_norm)


class CpuStack:
    """Encoder or decoder: embedding, layers, norms."""

    def __init__(self, stack: Stack, embedding: tuple[Array, Array], longest: int, heads: int, dtype: str) -> None:
        self.table, self.scales = embedding
        width = self.table.shape[1]
        self.positions = np.zeros((0, width), np.float32) if stack.positions is None else stack.positions.float().numpy()
        self.relative = (
            np.zeros((heads, 0), np.float32) if stack.relative is None else stack.relative.table(longest).numpy()
        )
        self.embedding_norm = None if stack.embedding_norm is None else CpuNorm(stack.embedding_norm)
        self.layers = [CpuLayer(layer, dtype) for layer in stack.layers]
        self.final_norm = None if stack.final_norm is None else CpuNorm(stack.final_norm)


class CpuModel:
    """A checkpoint in one precision, shared by all workers of a process; it is never changed."""

    def __init__(self, checkpoint: Checkpoint, dtype: str) -> None:
        """`dtype`: float32, bfloat16 or int8."""
        self.architecture = size = checkpoint.architecture
        self.cache_dtype = np.float32 if dtype == "float32" else np.uint16
        tables: dict[int, tuple[Array, Array]] = {}

        def table(weight: torch.Tensor) -> tuple[Array, Array]:
            if weight.data_ptr() not in tables:
                tables[weight.data_ptr()] = _table(weight, dtype)
            return tables[weight.data_ptr()]

        self.encoder, self.decoder = (
            CpuStack(stack, table(stack.embedding), size.longest, size.heads, dtype)
            for stack in (checkpoint.encoder, checkpoint.decoder)
        )
        weight, bias = checkpoint.output.weight, checkpoint.output.bias
        self.projection = [
            (at, matrix(Affine(weight[at : at + CHUNK], None if bias is None else bias[at : at + CHUNK]), dtype))
            for at in range(0, len(weight), CHUNK)
        ]

    def normalise(self, x: Array, norm: CpuNorm, out: Array) -> None:
        """The norm of each row of x (R, D)."""
        size = self.architecture
        kernels.normalise(x, norm.weight, norm.bias, np.float32(size.eps), size.rms, out)

    def embed(self, stack: CpuStack, tokens: Array, places: Array) -> Array:
        """(R, D) float32 from R token numbers and R positions."""
        x = np.empty((len(tokens), self.architecture.width), np.float32)
        factor = np.float32(self.architecture.embedding_scale)
        kernels.embed(tokens, places, stack.table, stack.scales, factor, stack.positions, x)
        if stack.embedding_norm is not None:
            self.normalise(x, stack.embedding_norm, x)
        return x

    def before(self, x: Array, norm: CpuNorm) -> Array:
        """What a block reads: the normalised stream, or the stream itself where norms come after."""
        if not self.architecture.norm_first:
            return x
        out = np.empty_like(x)
        self.normalise(x, norm, out)
        return out

    def after(self, x: Array, product: Product, output: Matrix, norm: CpuNorm) -> None:
        """Add a block's result to the stream."""
        kernels.add(*product, output.bias, x)
        if not self.architecture.norm_first:
            self.normalise(x, norm, x)

    def feed(self, x: Array, layer: CpuLayer) -> None:
        """The feed-forward block, in place."""
        numbers, scale = layer.feed_input(self.before(x, layer.feed_norm))
        inner = numbers.shape[1] // (1 + self.architecture.gated)
        hidden = np.empty((len(x), inner), np.float32)
        ACTIVATIONS[self.architecture.activation](numbers, scale, layer.feed_input.bias, hidden)
        if self.architecture.gated:
            kernels.gate(numbers, scale, layer.feed_input.bias, hidden)
        self.after(x, layer.feed_output(hidden), layer.feed_output, layer.feed_norm)

    def encode(self, rows: Sequence[Sequence[int]]) -> tuple[Array, Array]:
        """Hidden states of all rows one after the other, (tokens, D), and where each begins, (rows + 1,)."""
        size = self.architecture
        starts = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row) for row in rows], out=starts[1:])
        tokens = np.fromiter((token for row in rows for token in row), np.int64, starts[-1])
        places = np.concatenate([np.arange(len(row)) for row in rows])
        x = self.embed(self.encoder, tokens, places)
        for layer in self.encoder.layers:
            product = layer.self_input(self.before(x, layer.self_norm))
            seen = np.empty((len(x), size.heads * size.head_width), np.float32)
            kernels.attend_sources(
                *product, layer.self_input.bias, starts, self.encoder.relative, size.heads, seen
            )
            self.after(x, layer.self_output(seen), layer.self_output, layer.self_norm)
            self.feed(x, layer)
        if self.encoder.final_norm is not None:
            self.normalise(x, self.encoder.final_norm, x)
        return x, starts


def _table(weight: torch.Tensor, dtype: str) -> tuple[Array, Array]:
    """An embedding and the scale of each of its rows."""
    if dtype == "int8":
        quantised = Int8Weights(weight, weight_limit())
        return quantised.values.numpy(), quantised.scale.numpy()
    return weight.float().numpy(), np.ones(len(weight), np.float32)


class CpuDecoder:
    """The decoder's state for `slots` sentences of `beams` rows each: caches of keys and values in pages."""

    def __init__(self, model: CpuModel, slots: int, beams: int, pages: int, source_pages: int) -> None:
        """`pages` hold PAGE positions of one sentence's beams each, `source_pages` PAGE source tokens."""
        self.model = model
        self.beams = beams
        size = model.architecture
        width = size.heads * size.head_width
        layers = range(len(model.decoder.layers))

        def cache(rows: int) -> list[tuple[Array, Array]]:
            return [
                (np.empty((rows, width), model.cache_dtype), np.empty((rows, width), model.cache_dtype)) for _ in layers
            ]

        self.own, self.source = cache(pages * PAGE * beams), cache(source_pages * PAGE)
        self.pages, self.source_pages = Pages(slots, pages), Pages(slots, source_pages)
        self.table = np.zeros((slots * beams, size.longest), np.int32)
        self.source_table = np.zeros((slots, size.longest), np.int32)
        self.source_lengths = np.zeros(slots, np.int64)
        self.current_page = np.zeros(slots, np.int64)

    def fits(self, source: int, target: int) -> bool:
        """Whether a row of `source` tokens that may grow to `target` positions can be admitted now."""
        return self.pages.fits(target) and self.source_pages.fits(source)

    def reserve(self, slot: int, source: int, target: int) -> None:
        """Set aside the pages of a row that `fits`."""
        self.pages.reserve(slot, target)
        self.source_pages.reserve(slot, source)

    def admit(self, slots: Sequence[int], rows: Sequence[Sequence[int]]) -> None:
        """Encode rows and keep what the decoder will read of them."""
        hidden, starts = self.model.encode(rows)
        index = np.empty(len(hidden), np.int32)
        for slot, begin, end in zip(slots, starts, starts[1:], strict=False):
            count = int(end - begin)
            self.source_lengths[slot] = count
            for first in range(0, count, PAGE):
                page = self.source_pages.take(slot)
                self.source_table[slot, first : first + PAGE] = page * PAGE + np.arange(PAGE)[: self.source_table.shape[1] - first]
            index[begin:end] = self.source_table[slot, :count]
        for layer, (keys, values) in zip(self.model.decoder.layers, self.source, strict=True):
            assert layer.cross_memory is not None
            kernels.keep(*layer.cross_memory(hidden), layer.cross_memory.bias, index, keys, values)

    def step(self, slots: Array, tokens: Array, places: Array) -> Array:
        """One step of n sentences: tokens (n * beams,) at positions places (n,); the last hidden states
        (n * beams, D)."""
        beams = np.arange(self.beams)
        rows = slots[:, None] * self.beams + beams
        for at in np.flatnonzero(places % PAGE == 0):
            self.current_page[slots[at]] = self.pages.take(int(slots[at]))
        # A beam writes where no other does; what it reads before that, it may share with those it has an origin with.
        fresh = self.current_page[slots] * PAGE + places % PAGE
        self.table[rows, places[:, None]] = fresh[:, None] * self.beams + beams
        rows = rows.ravel()
        return self._layers(rows, np.repeat(slots, self.beams), tokens, np.repeat(places, self.beams))

    def _layers(self, rows: Array, slots: Array, tokens: Array, places: Array) -> Array:
        model, size = self.model, self.model.architecture
        x = model.embed(model.decoder, tokens, places)
        seen = np.empty((len(x), size.heads * size.head_width), np.float32)
        for number, layer in enumerate(model.decoder.layers):
            assert layer.cross_query is not None and layer.cross_output is not None and layer.cross_norm is not None
            product = layer.self_input(model.before(x, layer.self_norm))
            kernels.attend_self(
                *product,
                layer.self_input.bias,
                rows,
                places,
                self.table,
                *self.own[number],
                model.decoder.relative,
                size.heads,
                seen,
            )
            model.after(x, layer.self_output(seen), layer.self_output, layer.self_norm)
            product = layer.cross_query(model.before(x, layer.cross_norm))
            kernels.attend_cross(
                *product,
                layer.cross_query.bias,
                slots,
                self.source_lengths,
                self.source_table,
                *self.source[number],
                size.heads,
                seen,
            )
            model.after(x, layer.cross_output(seen), layer.cross_output, layer.cross_norm)
            model.feed(x, layer)
        if model.decoder.final_norm is not None:
            model.normalise(x, model.decoder.final_norm, x)
        return x

    def candidates(self, hidden: Array, count: int, banned: Array) -> tuple[Array, Array]:
        """The `count` best next tokens of each row, (R, count) log-probabilities in falling order and token numbers.

        Tokens in `banned` (R, any) are none of them, but have their part in the sum of probabilities.
        """
        size = len(hidden)
        best = np.full((size, count), -np.inf, np.float32)
        tokens = np.zeros((size, count), np.int64)
        peak, total = np.full(size, -np.inf, np.float32), np.zeros(size, np.float32)
        scaled = hidden * np.float32(self.model.architecture.output_scale)
        for first, part in self.model.projection:
            kernels.choose(*part(scaled), part.bias, banned, first, best, tokens, peak, total)
        return best - (peak + np.log(total))[:, None], tokens

    def reorder(self, slots: Array, parents: Array) -> None:
        """Let beam b of slots (n,) go on from beam parents (n, beams)[:, b]: a table is copied, no cache is."""
        base = slots[:, None] * self.beams
        self.table[(base + np.arange(self.beams)).ravel()] = self.table[(base + parents).ravel()]

    def release(self, slot: int) -> None:
        """Give back a sentence's pages."""
        self.pages.release(slot)
        self.source_pages.release(slot)
