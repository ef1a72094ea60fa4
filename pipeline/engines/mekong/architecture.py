"""One encoder-decoder transformer that every supported family fits.

Matrices have transformers' orientation, (outputs, inputs). D is the model's width, H heads of width W, V the
vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch

Activation = Literal["relu", "silu", "gelu", "gelu_new"]


@dataclass(frozen=True, slots=True)
class Affine:
    """weight (outputs, inputs) and bias (outputs,) or None."""

    weight: Any
    """A tensor, or `quantised.Int8Weights`; so are embeddings."""
    bias: torch.Tensor | None


@dataclass(frozen=True, slots=True)
class Norm:
    """Layer norm; root mean square norm where the architecture says so, then without bias. Both (D,)."""

    weight: torch.Tensor
    bias: torch.Tensor | None


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer; the rows of query matrices are scaled already. The cross parts are None in an encoder."""

    self_input: Affine
    """Query, key, value: (3 HW, D)."""
    self_output: Affine
    self_norm: Norm
    feed_input: Affine
    """(F, D); gated: (2 F, D), first the rows that are activated."""
    feed_output: Affine
    feed_norm: Norm
    cross_query: Affine | None = None
    cross_memory: Affine | None = None
    """Key, value: (2 HW, D)."""
    cross_output: Affine | None = None
    cross_norm: Norm | None = None


@dataclass(frozen=True, slots=True)
class RelativeBias:
    """T5's learned attention bias by bucket of distance (Raffel et al. 2020, section 2.1); weight (buckets, H)."""

    weight: torch.Tensor
    max_distance: int
    bidirectional: bool

    def table(self, length: int) -> torch.Tensor:
        """Bias (H, 2 length - 1) at [:, length - 1 + key position - query position]."""
        distance = torch.arange(1 - length, length)
        return self.weight.float()[self._buckets(distance)].T.contiguous()

    def _buckets(self, distance: torch.Tensor) -> torch.Tensor:
        count = len(self.weight)
        first = torch.zeros_like(distance)
        if self.bidirectional:
            count //= 2
            first = (distance > 0) * count
            back = distance.abs()
        else:
            back = (-distance).clamp(min=0)
        exact = count // 2
        # Up to `exact` every distance has a bucket; beyond, buckets grow with the logarithm.
        growth = torch.log(back.clamp(min=1).float() / exact) / math.log(self.max_distance / exact)
        far = (exact + (growth * (count - exact)).long()).clamp(max=count - 1)
        return first + torch.where(back < exact, back, far)


@dataclass(frozen=True, slots=True)
class Stack:
    """Encoder or decoder."""

    embedding: Any
    """(V, D)."""
    positions: torch.Tensor | None
    """(positions, D): row p belongs to position p."""
    relative: RelativeBias | None
    embedding_norm: Norm | None
    layers: tuple[Layer, ...]
    final_norm: Norm | None


@dataclass(frozen=True, slots=True)
class Architecture:
    """What is the same in all layers."""

    family: str
    width: int
    heads: int
    head_width: int
    vocabulary: int
    longest: int
    """Positions that the model has."""
    norm_first: bool
    """Norms before the blocks (and one at the end), or after the residual sums."""
    rms: bool
    eps: float
    activation: Activation
    gated: bool
    embedding_scale: float
    output_scale: float
    """Factor on the last hidden state before the vocabulary projection."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A model, read."""

    architecture: Architecture
    encoder: Stack
    decoder: Stack
    output: Affine
    """(V, D) projection; its weight may be an embedding's."""
    tokens: torch.Tensor | None = None
    """Token numbers of the rows of `output`, where it has been cut down to some."""

    def shortlisted(self, tokens: Sequence[int]) -> Checkpoint:
        """The same model, with no probability for any token that is not listed."""
        chosen = torch.tensor(sorted(set(tokens)))
        bias = None if self.output.bias is None else self.output.bias[chosen]
        return replace(self, output=Affine(self.output.weight[chosen], bias), tokens=chosen)

    def places(self) -> torch.Tensor | None:
        """The row of `output` for each token (V,), -1 where it has none; None where they are all there."""
        if self.tokens is None:
            return None
        places = torch.full((self.architecture.vocabulary,), -1)
        places[self.tokens] = torch.arange(len(self.tokens))
        return places
