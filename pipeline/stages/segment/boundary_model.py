"""Where sentences begin: learned log-odds for every space of a Thai, English or Vietnamese text, and a segmentation.

The model is a logistic regression over named signs (`features_thai`, `features_spaced`) whose names are hashed into
a table of weights (Weinberger et al. 2009, "Feature hashing for large scale multitask learning"). `segments` chooses,
among all ways to cut a line at its spaces, the likeliest under a semi-Markov model with log-normal sentence lengths
(Sarawagi and Cohen 2004): the sum of the log-odds at its cuts and of the log-densities of its lengths, by dynamic
programming.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from math import isfinite, log
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ModelRefused
from pipeline.stages.segment import features_spaced, features_thai
from pipeline.text.languages import language

Span = tuple[int, int]


@dataclass(frozen=True)
class BoundaryModel:
    """Log-odds of sentence boundaries in one language.

    `weights`: (2**k,), of the hashed signs; `bias`: log-odds without any sign; `length`: mean and standard deviation of
    ln(characters of a sentence without spaces + 5); `prior`: what a length counts against log-odds, 0 for nothing;
    `lift`: added to each log-odds in `segments`.
    Raises ModelRefused when the numbers cannot be a model.

    >>> model = boundaries.load("en")                            # pipeline.stages.segment.boundaries
    >>> text = "Storm closes harbour for a day Ferries were cancelled on Monday. They sail again."
    >>> [(text[at : at + 7], round(odds, 1)) for at, odds in model.log_odds(text) if odds > -2]
    """

    lang: str
    weights: NDArray[np.float32]
    bias: float
    length: tuple[float, float]
    prior: float
    lift: float

    def __post_init__(self) -> None:
        size = len(self.weights) if self.weights.ndim == 1 else 0
        sound = size > 0 and size & (size - 1) == 0 and bool(np.isfinite(self.weights).all())
        numbers = (self.bias, *self.length, self.prior, self.lift)
        if not language(self.lang).boundaries or not sound or not all(map(isfinite, numbers)) or self.length[1] <= 0:
            raise ModelRefused(
                f"these are no weights of a boundary model: language {self.lang!r}, table of {self.weights.shape}, "
                f"numbers {numbers}",
                "Reinstall the package, or train the model again with scripts/train_boundaries.py.",
            )

    @cached_property
    def _table(self) -> list[float]:
        """The weights as floats, which are looked up one by one many times faster so."""
        found: list[float] = self.weights.tolist()
        return found

    def log_odds(self, text: str) -> list[tuple[int, float]]:
        """For each space inside a line of `text` (normalised, one or more lines), in order: the offset where the
        sentence would begin (of the character after the space) and the natural log-odds that one begins there.

        Calibrated on news; a line break is no candidate, as it always is a boundary.
        """
        weights, mask = self._table, len(self.weights) - 1
        found = []
        thai = language(self.lang).words == "thai"
        for at, seen in features_thai.signs(text) if thai else features_spaced.signs(text, self.lang):
            total = sum([weights[crc32(name.encode()) & mask] * value for name, value in seen])
            found.append((at, self.bias + total))
        return found

    def segments(self, text: str, max_chars: int) -> list[Span]:
        """The spans of the likeliest sentences of `text` (normalised), in order, none longer than `max_chars`
        characters unless it has no space. Every character that is no space is in exactly one; line breaks always cut.
        """
        if max_chars < 1:
            raise ValueError(f"max_chars is {max_chars}; a segment has at least one character")
        odds = dict(self.log_odds(text))
        places = list(odds)
        found: list[Span] = []
        offset = 0
        for line in text.split("\n"):
            inner = places[bisect_right(places, offset) : bisect_left(places, offset + len(line))]
            if line.strip():
                first = offset + len(line) - len(line.lstrip())
                found += self._cut(text, [first, *inner, offset + len(line)], odds, max_chars)
            offset += len(line) + 1
        return found

    def _cut(self, text: str, edges: list[int], odds: dict[int, float], max_chars: int) -> list[Span]:
        """One line, whose stretches begin at all but the last of `edges`, which is the line's end."""
        ends = [edges[0]] + [edges[i - 1] + len(text[edges[i - 1] : edges[i]].rstrip()) for i in range(1, len(edges))]
        size = list(accumulate((end - start for start, end in zip(edges, ends[1:], strict=False)), initial=0))
        best, back = [0.0], [0]
        for j in range(1, len(edges)):
            gain = odds[edges[j]] + self.lift if j + 1 < len(edges) else 0.0
            options = []
            for i in range(j - 1, -1, -1):
                if ends[j] - edges[i] > max_chars and i < j - 1:
                    break
                options.append((best[i] + gain + self._fit(size[j] - size[i]), i))
            value, start = max(options)
            best.append(value)
            back.append(start)
        found: list[Span] = []
        j = len(edges) - 1
        while j:
            found.append((edges[back[j]], ends[j]))
            j = back[j]
        return found[::-1]

    def _fit(self, size: int) -> float:
        """Log-density of a sentence of `size` characters without spaces, up to a constant, times `prior`."""
        mean, deviation = self.length
        return -self.prior / 2 * ((log(size + 5) - mean) / deviation) ** 2
