"""Cutting rows into batches: sorted by length, within a token budget."""

from __future__ import annotations

from collections.abc import Sequence


def plan(lengths: Sequence[int], max_tokens: int, max_rows: int) -> list[list[int]]:
    """Cut row numbers into batches, longest rows first, so that rows times longest row stays within `max_tokens`.

    Rows of equal length keep their order, so the plan depends on the lengths alone. A row longer than the budget is a
    batch of its own. Longest first, so that running out of memory shows in the first batch.
    """
    order = sorted(range(len(lengths)), key=lambda row: (-lengths[row], row))
    batches: list[list[int]] = []
    for row in order:
        batch = batches[-1] if batches else None
        if batch is None or len(batch) == max_rows or lengths[batch[0]] * (len(batch) + 1) > max_tokens:
            batches.append([row])
        else:
            batch.append(row)
    return batches


def same_start(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with."""
    pairs = zip(one, other, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


MIN_SHARED = 8
"""A common prompt start of fewer tokens is not worth a cached state."""


def shared_start(rows: Sequence[Sequence[int]]) -> int:
    """How many leading tokens all rows have in common, at least one token a row left over; 0 when that is few."""
    if len(rows) < 2:
        return 0
    shortest, longest = min(rows, key=list), max(rows, key=list)
    same = min(same_start(shortest, longest), min(map(len, rows)) - 1)
    return same if same >= MIN_SHARED else 0
