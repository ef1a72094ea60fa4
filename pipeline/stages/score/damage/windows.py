"""Sentence vectors of parts of a pair: which part of either side has nothing like it on the other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.encoders.base import Encoder
from pipeline.stages.align.span_vectors import span_vectors
from pipeline.stages.score.damage.coverage import Signs
from pipeline.stages.score.pair_facts import PairFacts

Numbers = NDArray[np.float32]

PARTS = 6
"""Each side is cut into so many, at spaces where some are near. Ten tell no more (2026-11-30)."""
SHARPNESS = 8.0
"""How much the better of two places counts; set by hand."""
_SIZES = {1: "sixth", 2: "third"}


def vector_signs(facts: Sequence[PairFacts], encoder: Encoder) -> list[Signs]:
    """Signs of each pair from the cosines of all runs of parts of the source with all runs of parts of the English."""
    lines = [_parts(text) for pair in facts for text in (pair.spelled_out, pair.pair.tgt_text)]
    spans = span_vectors(encoder, lines, PARTS).reshape(PARTS, len(facts), 2, PARTS, -1)
    source, target = (np.stack([spans[size - 1, :, side, end] for size, end in _RUNS], axis=1) for side in (0, 1))
    cosines = source @ target.transpose(0, 2, 1)
    columns = _whole(cosines) | _windows("source", cosines) | _windows("target", cosines.transpose(0, 2, 1))
    return [{name: float(column[i]) for name, column in columns.items()} for i in range(len(facts))]


_RUNS = [(size, end) for size in range(1, PARTS + 1) for end in range(size - 1, PARTS)]
"""By size and last part."""


def _run(start: int, stop: int) -> int:
    return _RUNS.index((stop - start, stop - 1))


_WHOLE, _FRONT, _END = _run(0, PARTS), _run(0, 2), _run(PARTS - 2, PARTS)


def _whole(cosines: Numbers) -> dict[str, Numbers]:
    """Of the whole texts, of each without its first or last third, and of these thirds, with the other."""
    full = cosines[:, _WHOLE, _WHOLE]
    no_front, no_end = _run(2, PARTS), _run(0, PARTS - 2)
    return {
        "cosine": full,
        "cosine2": np.maximum(0.0, 0.6 - full) ** 2,
        "without_source_front": cosines[:, no_front, _WHOLE] - full,
        "without_source_end": cosines[:, no_end, _WHOLE] - full,
        "without_target_front": cosines[:, _WHOLE, no_front] - full,
        "without_target_end": cosines[:, _WHOLE, no_end] - full,
        "source_front_cosine": cosines[:, _FRONT, _WHOLE],
        "source_end_cosine": cosines[:, _END, _WHOLE],
        "target_front_cosine": cosines[:, _WHOLE, _FRONT],
        "target_end_cosine": cosines[:, _WHOLE, _END],
        "window_fronts": cosines[:, _FRONT, _FRONT],
        "window_ends": cosines[:, _END, _END],
    }


def _windows(side: str, cosines: Numbers) -> dict[str, Numbers]:
    """Of one side; `cosines` (n, r, r) are those of its runs with the runs of the other.

    How well its first and last parts match the best run of the other, against the rest of its parts, and the part that
    matches worst; what the cosine of the whole gains without its first or last one, three, or best number of parts; and
    where on the other its first and last third lie, 0 to 1.
    """
    found: dict[str, Numbers] = {}
    for size, name in _SIZES.items():
        best = cosines[:, [_run(at, at + size) for at in range(PARTS - size + 1)]].max(axis=2)
        others = best.shape[1] - 1
        total = best.sum(axis=1)
        found[f"front_{name}"] = best[:, 0] - (total - best[:, 0]) / others
        found[f"end_{name}"] = best[:, -1] - (total - best[:, -1]) / others
        found[f"least_{name}"] = best.min(axis=1)
    whole = cosines[:, :, _WHOLE]
    without_front = np.stack([whole[:, _run(k, PARTS)] for k in range(1, 5)]) - whole[:, _WHOLE]
    without_end = np.stack([whole[:, _run(0, PARTS - k)] for k in range(1, 5)]) - whole[:, _WHOLE]
    for end, gains in (("front", without_front), ("end", without_end)):
        found |= {f"{end}_gain1": gains[0], f"{end}_gain3": gains[2], f"{end}_gain": gains.max(axis=0)}
    thirds = [_run(at, at + 2) for at in range(PARTS - 1)]
    for end, run in (("front", _FRONT), ("end", _END)):
        weights = np.exp(SHARPNESS * cosines[:, run][:, thirds])
        found[f"{end}_place"] = (weights * np.linspace(0, 1, PARTS - 1)).sum(axis=1) / weights.sum(axis=1)
    return {f"window_{side}_{name}": column for name, column in found.items()}


def _parts(text: str) -> list[str]:
    cuts = [0]
    for part in range(1, PARTS):
        cuts.append(max(cuts[-1], _cut(text, part / PARTS)))
    cuts.append(len(text))
    return [text[start:stop].strip() or "-" for start, stop in pairwise(cuts)]


def _cut(text: str, share: float) -> int:
    """The space nearest to that share of the text, or that place where none is near."""
    at = round(len(text) * share)
    reach = max(6, len(text) / 10)
    near = [i for i, char in enumerate(text) if char == " " and abs(i - at) <= reach]
    return min(near, key=lambda i: abs(i - at), default=at)
