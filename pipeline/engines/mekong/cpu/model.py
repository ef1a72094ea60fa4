"""A model on the CPU, on packed rows: nothing is padded, every row has a position of its own.

A block of a layer reads the normalised stream and adds to the stream. What a block needs as its input, and the last of
them as the result, is made in the same pass that adds the block before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.engines.mekong.architecture import Affine, Architecture, Checkpoint, Layer, Norm, Stack
from pipeline.engines.mekong.cpu import attention, kernels
from pipeline.engines.mekong.cpu.matrices import Matrix, Product, Rows, float_rows, int8_rows, matrix
from pipeline.engines.mekong.cpu.pages import PAGE, Pages
from pipeline.engines.mekong.cpu.quantised import Int8Weights

Array = NDArray[Any]
SOURCE_TOKENS = 384
"""Tokens that are encoded together: enough for fast products, few enough to stay in the cache."""
CHUNK = 4096
"""Logits of a row that are held at a time."""
ACTIVATIONS = {"relu": kernels.RELU, "silu": kernels.SILU, "gelu": kernels.GELU, "gelu_new": kernels.GELU_NEW}
NO_BYTES = np.empty((0, 0), np.uint8), np.empty(0, np.float32)


class CpuNorm:
    """A norm's weight and bias (D,) as arrays; no elements for no norm."""

    def __init__(self, norm: Norm | None) -> None:
        weight = torch.zeros(0) if norm is None else norm.weight.float()
        self.weight = weight.numpy()
        self.bias = np.zeros_like(self.weight) if norm is None or norm.bias is None else norm.bias.float().numpy()


class CpuLayer:
    """A layer's matrices in the precision of the model."""

    def __init__(self, layer: Layer, dtype: torch.dtype) -> None:
        def some(affine: Affine | None) -> Matrix | None:
            return None if affine is None else matrix(affine, dtype)

        self.self_input, self.self_output = matrix(layer.self_input, dtype), matrix(layer.self_output, dtype)
        self.cross_query, self.cross_memory = some(layer.cross_query), some(layer.cross_memory)
        self.cross_output = some(layer.cross_output)
        self.feed_input, self.feed_output = matrix(layer.feed_input, dtype), matrix(layer.feed_output, dtype)


class CpuStack:
    """Encoder or decoder: embedding, layers, norms."""

    def __init__(self, stack: Stack, embedding: tuple[Array, Array], size: Architecture, dtype: torch.dtype) -> None:
        self.table, self.scales = embedding
        absolute, relative = torch.zeros(0, size.width), torch.zeros(size.heads, 0)
        if stack.positions is not None:
            absolute = stack.positions.float()
        if stack.relative is not None:
            relative = stack.relative.table(size.longest)
        self.positions, self.relative = absolute.numpy(), relative.numpy()
        self.embedding_norm = CpuNorm(stack.embedding_norm)
        self.layers = [CpuLayer(layer, dtype) for layer in stack.layers]
        blocks = [
            CpuNorm(norm)
            for layer in stack.layers
            for norm in (layer.self_norm, layer.cross_norm, layer.feed_norm)
            if norm is not None
        ]
        # The norm of the embedded input, and the one after each block.
        self.norms = [*blocks, CpuNorm(stack.final_norm)] if size.norm_first else [CpuNorm(None), *blocks]


class CpuModel:
    """A checkpoint in one precision, shared by all workers of a process; it is never changed."""

    def __init__(self, checkpoint: Checkpoint, dtype: torch.dtype) -> None:
        """`dtype`, float32 or bfloat16, is that of the matrices which are not int8 already."""
        self.architecture = size = checkpoint.architecture
        in_bytes = isinstance(checkpoint.output.weight, Int8Weights)
        self.rows = int8_rows if in_bytes else float_rows
        whole = dtype == torch.float32 and not in_bytes
        self.cache_dtype = np.float32 if whole else np.uint16
        tables: dict[int, tuple[Array, Array]] = {}

        def table(weight: Any) -> tuple[Array, Array]:
            if id(weight) not in tables:
                tables[id(weight)] = _table(weight)
            return tables[id(weight)]

        self.encoder, self.decoder = (
            CpuStack(stack, table(stack.embedding), size, dtype) for stack in (checkpoint.encoder, checkpoint.decoder)
        )
        places = checkpoint.places()
        self.tokens = None if checkpoint.tokens is None else checkpoint.tokens.numpy()
        self.places = None if places is None else places.numpy()
        weight, bias = checkpoint.output.weight, checkpoint.output.bias
        self.projection = [
            (at, matrix(Affine(weight[at : at + CHUNK], None if bias is None else bias[at : at + CHUNK]), dtype))
            for at in range(0, len(weight), CHUNK)
        ]

    def begin(self, stack: CpuStack, tokens: Array, places: Array) -> tuple[Array, Rows]:
        """The stream (R, D) of R token numbers at R positions, and the first block's input."""
        size = self.architecture
        rows = self.rows(len(tokens), size.width)
        x = np.empty_like(rows.x) if size.norm_first else rows.x
        factor = np.float32(size.embedding_scale)
        kernels.embed(tokens, places, stack.table, stack.scales, factor, stack.positions, x)
        for norm, out in ((stack.embedding_norm, x), (stack.norms[0], rows.x)):
            kernels.normalise(
                x,
                norm.weight,
                norm.bias,
                np.float32(size.eps),
                size.rms,
                out,
                *(rows[1:] if out is rows.x else NO_BYTES),
            )
        return x, rows

    def add(self, x: Array, product: Product, output: Matrix, norm: CpuNorm) -> Rows:
        """Add a block's result to the stream; the next block's input."""
        size = self.architecture
        rows = self.rows(len(x), size.width)
        if not size.norm_first:
            rows = rows._replace(x=x)
        kernels.add(*product, output.bias, x, norm.weight, norm.bias, np.float32(size.eps), size.rms, *rows)
        return rows

    def feed(self, x: Array, rows: Rows, layer: CpuLayer, norm: CpuNorm) -> Rows:
        """The feed-forward block."""
        numbers, scale = layer.feed_input(rows)
        hidden = self.rows(len(x), numbers.shape[1] // (1 + self.architecture.gated))
        kind = ACTIVATIONS[self.architecture.activation]
        kernels.activate(kind, numbers, scale, layer.feed_input.bias, *hidden)
        return self.add(x, layer.feed_output(hidden), layer.feed_output, norm)

    def encode(self, rows: Sequence[Sequence[int]]) -> tuple[Rows, Array]:
        """Hidden states of all rows one after the other, (tokens, D), and where each begins, (rows + 1,)."""
        size, stack = self.architecture, self.encoder
        starts = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row) for row in rows], out=starts[1:])
        tokens = np.fromiter((token for row in rows for token in row), np.int64, starts[-1])
        places = np.concatenate([np.arange(len(row)) for row in rows])
        x, hidden = self.begin(stack, tokens, places)
        norms = iter(stack.norms[1:])
        for layer in stack.layers:
            seen = self.rows(len(x), size.heads * size.head_width)
            product = layer.self_input(hidden)
            attention.attend_sources(*product, layer.self_input.bias, starts, stack.relative, size.heads, *seen)
            hidden = self.add(x, layer.self_output(seen), layer.self_output, next(norms))
            hidden = self.feed(x, hidden, layer, next(norms))
        return hidden, starts


def _table(weight: Any) -> tuple[Array, Array]:
    """An embedding and the scale of each of its rows."""
    if isinstance(weight, Int8Weights):
        return weight.values.numpy(), weight.scale.numpy()
    return weight.float().numpy(), np.ones(len(weight), np.float32)


def _groups(rows: Sequence[Sequence[int]]) -> list[list[int]]:
    """Numbers of consecutive rows with at most SOURCE_TOKENS together; a longer row is a group of its own."""
    groups: list[list[int]] = []
    room = 0
    for number, row in enumerate(rows):
        if len(row) > room:
            groups.append([])
            room = SOURCE_TOKENS
        groups[-1].append(number)
        room -= len(row)
    return groups


class CpuDecoder:
    """The decoder's state for `slots` sentences of `beams` rows each: caches of keys and values in pages."""

    def __init__(self, model: CpuModel, slots: int, beams: int) -> None:
        self.model = model
        self.beams = beams
        size = model.architecture
        width = size.heads * size.head_width
        # Enough for every slot at its longest: what is not touched costs no memory.
        pages = source_pages = slots * -(-size.longest // PAGE)
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

    def admit(self, slots: Sequence[int], rows: Sequence[Sequence[int]]) -> None:
        """Encode rows and keep what the decoder will read of them."""
        for group in _groups(rows):
            self._admit([slots[i] for i in group], [rows[i] for i in group])

    def _admit(self, slots: Sequence[int], rows: Sequence[Sequence[int]]) -> None:
        hidden, starts = self.model.encode(rows)
        index = np.empty(len(hidden.x), np.int32)
        for slot, begin, end in zip(slots, starts, starts[1:], strict=False):
            count = int(end - begin)
            self.source_lengths[slot] = count
            for first in range(0, count, PAGE):
                page = self.source_pages.take(slot)
                self.source_table[slot, first : first + PAGE] = (
                    page * PAGE + np.arange(PAGE)[: self.source_table.shape[1] - first]
                )
            index[begin:end] = self.source_table[slot, :count]
        for layer, (keys, values) in zip(self.model.decoder.layers, self.source, strict=True):
            assert layer.cross_memory is not None
            attention.keep(*layer.cross_memory(hidden), layer.cross_memory.bias, index, keys, values)

    def step(self, slots: Array, tokens: Array, places: Array) -> Rows:
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

    def _layers(self, numbers: Array, slots: Array, tokens: Array, places: Array) -> Rows:
        model, size, stack = self.model, self.model.architecture, self.model.decoder
        x, rows = model.begin(stack, tokens, places)
        norms = iter(stack.norms[1:])
        for layer, own, source in zip(stack.layers, self.own, self.source, strict=True):
            assert layer.cross_query is not None and layer.cross_output is not None
            seen = model.rows(len(x), size.heads * size.head_width)
            product = layer.self_input(rows)
            attention.attend_self(
                *product, layer.self_input.bias, numbers, places, self.table, *own, stack.relative, size.heads, *seen
            )
            rows = model.add(x, layer.self_output(seen), layer.self_output, next(norms))
            product = layer.cross_query(rows)
            attention.attend_cross(
                *product,
                layer.cross_query.bias,
                slots,
                self.source_lengths,
                self.source_table,
                *source,
                size.heads,
                *seen,
            )
            rows = model.add(x, layer.cross_output(seen), layer.cross_output, next(norms))
            rows = model.feed(x, rows, layer, next(norms))
        return rows

    def candidates(self, hidden: Rows, count: int, banned: Array) -> tuple[Array, Array]:
        """The `count` best next tokens of each row, (R, count) log-probabilities in falling order and token numbers.

        Tokens in `banned` (R, any) are none of them, but have their part in the sum of probabilities.
        """
        size = len(hidden.x)
        best = np.full((size, count), -np.inf, np.float32)
        tokens = np.zeros((size, count), np.int64)
        peak, total = np.full(size, -np.inf, np.float32), np.zeros(size, np.float32)
        factor = np.float32(self.model.architecture.output_scale)
        if self.model.places is not None:
            banned = self.model.places[banned]
        for first, part in self.model.projection:
            numbers, scale = part(hidden)
            kernels.choose(numbers, scale * factor, part.bias, banned, first, best, tokens, peak, total)
        if self.model.tokens is not None:
            tokens = self.model.tokens[tokens]
        return best - (peak + np.log(total))[:, None], tokens

    def reorder(self, slots: Array, parents: Array) -> None:
        """Let beam b of slots (n,) go on from beam parents (n, beams)[:, b]: a table is copied, no cache is."""
        base = slots[:, None] * self.beams
        self.table[(base + np.arange(self.beams)).ravel()] = self.table[(base + parents).ravel()]

    def release(self, slot: int) -> None:
        """Give back a sentence's pages."""
        self.pages.release(slot)
        self.source_pages.release(slot)
