"""Encoder and decoder steps in plain PyTorch with static shapes, for CUDA (they run on any device).

S slots of B beams each, H heads of width W, D the model's width. Memory is laid out once for the longest sentence;
a step works on its first positions, as many as it is told.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn import functional

from pipeline.engines.mekong.architecture import Affine, Checkpoint, Layer, Norm, RelativeBias, Stack

CHUNK = 16384
"""Logits of a row that are held at a time."""
ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": functional.relu,
    "silu": functional.silu,
    "gelu": functional.gelu,
    "gelu_new": lambda x: functional.gelu(x, approximate="tanh"),
}
NEVER = -torch.inf


def on_device(values: Sequence[int], device: torch.device) -> torch.Tensor:
    """Numbers (n,) as a tensor there, without waiting for what the device has to do before."""
    tensor = torch.tensor(values)
    # Only from pinned memory does a copy begin without the processor waiting for its end.
    return tensor.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else tensor.to(device)


class PaddedModel:
    """A checkpoint's weights on one device, never changed.

    Half precisions keep float32 inside norms, softmaxes and sums of products, and for the logits.
    """

    def __init__(self, checkpoint: Checkpoint, dtype: torch.dtype, device: torch.device) -> None:
        """`dtype`: float32, bfloat16 or float16 (float64 does too). Raises torch.OutOfMemoryError."""
        self.architecture = size = checkpoint.architecture
        self.dtype = dtype
        self.device = device
        moved: dict[tuple[int, torch.Size], torch.Tensor] = {}

        def move(tensor: torch.Tensor) -> torch.Tensor:
            # What the checkpoint shares stays shared.
            key = (tensor.data_ptr(), tensor.shape)
            if key not in moved:
                moved[key] = tensor.to(device, dtype)
            return moved[key]

        self.encoder, self.decoder = _each_tensor((checkpoint.encoder, checkpoint.decoder), move)
        self.output = move(checkpoint.output.weight)
        places = checkpoint.places()
        self.tokens = None if checkpoint.tokens is None else checkpoint.tokens.to(device)
        self.places = None if places is None else places.to(device)
        bias = checkpoint.output.bias
        self.output_bias = None if bias is None else bias.to(device, torch.float32)

        def table(relative: RelativeBias | None) -> torch.Tensor | None:
            return None if relative is None else relative.table(size.longest).to(device, dtype)

        self.encoder_bias, self.decoder_bias = table(self.encoder.relative), table(self.decoder.relative)
        self._activation = ACTIVATIONS[size.activation]

    def normalise(self, x: torch.Tensor, norm: Norm) -> torch.Tensor:
        """The norm of x (..., D) over its last dimension."""
        shape, eps = norm.weight.shape, self.architecture.eps
        if self.architecture.rms:
            return functional.rms_norm(x, list(shape), norm.weight, eps)
        return functional.layer_norm(x, list(shape), norm.weight, norm.bias, eps)

    def embed(self, stack: Stack, tokens: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """(..., D) from token numbers (...) and positions of a shape that fits them."""
        x = functional.embedding(tokens, stack.embedding) * self.architecture.embedding_scale
        if stack.positions is not None:
            x = x + stack.positions[places]
        return x if stack.embedding_norm is None else self.normalise(x, stack.embedding_norm)

    def before(self, x: torch.Tensor, norm: Norm | None) -> torch.Tensor:
        """What a block reads: the normalised stream, or the stream itself where norms come after."""
        assert norm is not None
        return self.normalise(x, norm) if self.architecture.norm_first else x

    def after(self, x: torch.Tensor, result: torch.Tensor, output: Affine | None, norm: Norm | None) -> torch.Tensor:
        """The stream with a block's result (..., inputs of `output`) added to it."""
        assert output is not None and norm is not None
        x = x + _affine(result, output)
        return x if self.architecture.norm_first else self.normalise(x, norm)

    def feed(self, x: torch.Tensor, layer: Layer) -> torch.Tensor:
        """The stream after the feed-forward block."""
        hidden = _affine(self.before(x, layer.feed_norm), layer.feed_input)
        if self.architecture.gated:
            active, gate = hidden.chunk(2, dim=-1)
            hidden = self._activation(active) * gate
        else:
            hidden = self._activation(hidden)
        return self.after(x, hidden, layer.feed_output, layer.feed_norm)

    def split(self, x: torch.Tensor, affine: Affine | None) -> torch.Tensor:
        """Queries, keys or values, as many as the matrix makes: (parts, n, H, L, W) from x (n, L, D)."""
        assert affine is not None
        size = self.architecture
        return _affine(x, affine).view(*x.shape[:2], -1, size.heads, size.head_width).permute(2, 0, 3, 1, 4)

    @torch.inference_mode()
    def encode(self, rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Hidden states (n, longest row, D), zero where a row has ended, and the lengths of the rows (n,).

        Raises torch.OutOfMemoryError.
        """
        longest = max(map(len, rows))
        # Any token does for padding: nothing sees it.
        tokens = on_device([token for row in rows for token in [*row, *[0] * (longest - len(row))]], self.device)
        lengths = on_device([len(row) for row in rows], self.device)
        places = torch.arange(longest, device=self.device)
        padding = places >= lengths[:, None]
        mask = self._encoder_mask(padding)
        x = self.embed(self.encoder, tokens.view(len(rows), longest), places)
        for layer in self.encoder.layers:
            query, key, value = self.split(self.before(x, layer.self_norm), layer.self_input)
            x = self.after(x, attend(query, key, value, mask), layer.self_output, layer.self_norm)
            x = self.feed(x, layer)
        if self.encoder.final_norm is not None:
            x = self.normalise(x, self.encoder.final_norm)
        # A number that overflowed there must not reach the caches: even a weight of zero would bring it back.
        return x.masked_fill(padding[..., None], 0), lengths

    def _encoder_mask(self, padding: torch.Tensor) -> torch.Tensor:
        """(n, 1 or H, 1 or L, L), added to the scores."""
        hidden = padding[:, None, None]
        if self.encoder_bias is None:
            return torch.zeros(hidden.shape, dtype=self.dtype, device=self.device).masked_fill(hidden, NEVER)
        places = torch.arange(padding.shape[1], device=self.device)
        distance = places - places[:, None]
        return self.encoder_bias[:, self.architecture.longest - 1 + distance].masked_fill(hidden, NEVER)

    def candidates(self, hidden: torch.Tensor, count: int, banned: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The `count` best next tokens of each row of hidden (R, D): (R, count) float32 log-probabilities in falling
        order, and token numbers.

        Tokens in `banned` (R, any) are none of them, but have their part in the sum of probabilities.
        """
        scaled = hidden * self.architecture.output_scale
        if self.places is not None:
            banned = self.places[banned]
        firsts = torch.arange(0, len(self.output), CHUNK, device=self.device)[:, None, None]
        inside = (banned >= firsts) & (banned < firsts + CHUNK)
        columns = torch.where(inside, banned - firsts, 0)
        bans = torch.where(inside, NEVER, 0.0)
        best, tokens, sums = [], [], []
        for number, first in enumerate(range(0, len(self.output), CHUNK)):
            logits = self._logits(scaled, first)
            # One kernel makes log-softmax, while logsumexp is several, each a pass over the logits.
            sums.append(logits[:, 0] - logits.log_softmax(dim=1)[:, 0])
            # Added, since a token outside of the chunk must leave its column as it is.
            logits.scatter_add_(1, columns[number], bans[number])
            top, index = _best(logits, count)
            best.append(top)
            tokens.append(index + first)
        logs, index = torch.cat(best, dim=1).topk(count)
        total = torch.stack(sums, dim=1).logsumexp(dim=1, keepdim=True)
        chosen = torch.cat(tokens, dim=1).gather(1, index)
        return logs - total, chosen if self.tokens is None else self.tokens[chosen]

    def _logits(self, hidden: torch.Tensor, first: int) -> torch.Tensor:
        """Float32 logits of the tokens first:first + CHUNK, (R, at most CHUNK)."""
        weight = self.output[first : first + CHUNK].T
        if self.device.type == "cuda" and self.dtype != torch.float32:
            # Rounded to half precision, neighbouring tokens would become equal.
            logits = torch.mm(hidden, weight, out_dtype=torch.float32)
        else:
            logits = torch.mm(hidden, weight).float()
        return logits if self.output_bias is None else logits + self.output_bias[first : first + CHUNK]


def _affine(x: torch.Tensor, affine: Affine) -> torch.Tensor:
    return functional.linear(x, affine.weight, affine.bias)


def _best(logits: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """The `count` highest, or all if there are fewer, and their columns."""
    if count == 1:
        top, index = logits.max(dim=1, keepdim=True)
    else:
        top, index = logits.topk(min(count, logits.shape[1]))
    return top, index


def _each_tensor(part: Any, move: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """A copy of nested dataclasses and tuples with `move` of each tensor; tables of relative positions stay."""
    if isinstance(part, torch.Tensor):
        return move(part)
    if isinstance(part, tuple):
        return tuple(_each_tensor(item, move) for item in part)
    if part is None or isinstance(part, RelativeBias):
        return part
    fields = dataclasses.fields(part)
    return dataclasses.replace(part, **{field.name: _each_tensor(getattr(part, field.name), move) for field in fields})


def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """What queries (n, H, L, W) see of keys and values (n, H, K, W), (n, L, HW); `mask` is added to the scores."""
    seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=1.0)
    return seen.transpose(1, 2).flatten(2)


class PaddedDecoder:
    """The decoder's state for `slots` sentences of `beams` rows each: static caches of keys and values.

    A step writes each beam's key and value beside those of the slot's other beams, at the slot's own position. The
    beams of a slot are queries over all of that; which of the entries at a position a beam descends from is in
    `origin`, so following the parents moves nothing else, and entries that beams share are read once.
    """

    def __init__(self, model: PaddedModel, slots: int, beams: int, source: int, target: int) -> None:
        """`source` and `target` are the most positions that a sentence may have. Raises torch.OutOfMemoryError."""
        self.model = model
        size, device = model.architecture, model.device
        layers = len(model.decoder.layers)
        inner = (slots, size.heads)

        def cache(*positions: int) -> torch.Tensor:
            # Never unset memory: a weight of zero times what happens to be there might be no number.
            shape = (layers, 2, *inner, *positions, size.head_width)
            return torch.zeros(shape, dtype=model.dtype, device=device)

        self.own = cache(target, beams)
        """Keys and values (layers, 2, S, H, target, B, W)."""
        self.source = cache(source)
        """Keys and values (layers, 2, S, H, source, W)."""
        # One position at least is always seen, also in a slot that was never used.
        self.source_lengths = torch.ones(slots, dtype=torch.long, device=device)
        self.origin = torch.zeros((slots, beams, target), dtype=torch.long, device=device)
        self._slots = torch.arange(slots, device=device)
        self._beams = torch.arange(beams, device=device)
        self._places = torch.arange(max(source, target), device=device)

    @torch.inference_mode()
    def admit(self, slots: torch.Tensor, rows: Sequence[Sequence[int]]) -> None:
        """Encode rows and keep what the decoder will read of them in `slots` (n,). Raises torch.OutOfMemoryError."""
        hidden, lengths = self.model.encode(rows)
        self.source_lengths[slots] = lengths
        for layer, cache in zip(self.model.decoder.layers, self.source, strict=True):
            cache[:, slots, :, : hidden.shape[1]] = self.model.split(hidden, layer.cross_memory)

    def step(self, tokens: torch.Tensor, places: torch.Tensor, source: int, target: int) -> torch.Tensor:
        """One step of all slots: tokens (S, B) at positions places (S,); the last hidden states (S * B, D).

        No sentence has more than `source` source tokens, no place reaches `target`.
        """
        model = self.model
        self.origin[self._slots, :, places] = self._beams
        own_mask, source_mask = self._own_mask(places, target), self._source_mask(source)
        x = model.embed(model.decoder, tokens, places[:, None])
        for layer, own, memory in zip(model.decoder.layers, self.own, self.source, strict=True):
            # The beams stand where attention expects the positions of a text: (S, H, B, W).
            made = model.split(model.before(x, layer.self_norm), layer.self_input)
            own[:, self._slots, :, places] = made[1:].transpose(0, 1)
            keys, values = own[:, :, :, :target].flatten(3, 4)
            x = model.after(x, attend(made[0], keys, values, own_mask), layer.self_output, layer.self_norm)
            (query,) = model.split(model.before(x, layer.cross_norm), layer.cross_query)
            keys, values = memory[:, :, :, :source]
            x = model.after(x, attend(query, keys, values, source_mask), layer.cross_output, layer.cross_norm)
            x = model.feed(x, layer)
        if model.decoder.final_norm is not None:
            x = model.normalise(x, model.decoder.final_norm)
        return x.flatten(0, 1)

    def _own_mask(self, places: torch.Tensor, target: int) -> torch.Tensor:
        """(S, 1 or H, B, target * B), added to the scores: beams see what they descend from."""
        positions = self._places[:target]
        earlier = (positions <= places[:, None])[:, None, :, None]
        seen = (self.origin[:, :, :target, None] == self._beams) & earlier
        return torch.where(seen[:, None], self._bias(positions - places[:, None]), NEVER).flatten(3)

    def _bias(self, distance: torch.Tensor) -> torch.Tensor:
        """Zero or the relative bias at distances (S, target), (S, 1 or H, 1, target, 1); later positions have any."""
        table = self.model.decoder_bias
        if table is None:
            return torch.zeros((1, 1, 1, 1, 1), dtype=self.model.dtype, device=self.model.device)
        bias = table[:, self.model.architecture.longest - 1 + distance.clamp(max=0)]
        return bias.transpose(0, 1)[:, :, None, :, None]

    def _source_mask(self, source: int) -> torch.Tensor:
        """(S, 1, 1, source), added to the scores."""
        padding = (self._places[:source] >= self.source_lengths[:, None])[:, None, None]
        return torch.zeros(padding.shape, dtype=self.model.dtype, device=self.model.device).masked_fill(padding, NEVER)

    def reorder(self, parents: torch.Tensor) -> None:
        """Let beam b of all slots go on from beam parents (S, B)[:, b]."""
        self.origin.copy_(self.origin.gather(1, parents[..., None].expand_as(self.origin)))

    def wipe(self, slot: int) -> None:
        """Forget what a slot holds: numbers that are not finite would outlive their sentence."""
        self.own[:, :, slot] = 0
        self.source[:, :, slot] = 0
