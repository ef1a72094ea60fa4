from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engines.batching import plan, shared_start

LENGTHS = st.lists(st.integers(1, 300), max_size=60)
BUDGET = st.integers(1, 2000)
ROWS = st.integers(1, 16)


@given(LENGTHS, BUDGET, ROWS)
def test_every_row_is_in_one_batch(lengths, budget, rows):
    assert sorted(row for batch in plan(lengths, budget, rows) for row in batch) == list(range(len(lengths)))


@given(LENGTHS, BUDGET, ROWS)
def test_a_batch_fits_its_padded_size_and_rows(lengths, budget, rows):
    for batch in plan(lengths, budget, rows):
        assert len(batch) <= rows
        assert len(batch) == 1 or max(lengths[row] for row in batch) * len(batch) <= budget


@given(LENGTHS, BUDGET, ROWS)
def test_longest_rows_come_first_and_equal_ones_in_order(lengths, budget, rows):
    order = [row for batch in plan(lengths, budget, rows) for row in batch]
    assert order == sorted(order, key=lambda row: (-lengths[row], row))


@given(LENGTHS, BUDGET, ROWS)
def test_a_batch_is_only_closed_when_the_next_row_does_not_fit(lengths, budget, rows):
    batches = plan(lengths, budget, rows)
    for batch, after in pairwise(batches):
        assert len(batch) == rows or max(lengths[row] for row in [*batch, after[0]]) * (len(batch) + 1) > budget


def test_a_row_over_the_budget_is_alone():
    assert plan([5, 100, 5], max_tokens=20, max_rows=8) == [[1], [0, 2]]


def test_no_rows_no_batches():
    assert plan([], 10, 10) == []


@pytest.mark.parametrize(
    ("rests", "same"),
    [([[1, 2], [1, 3]], 13), ([[], [4]], 11), ([[5], [6]], 12), ([[5, 6], [5, 6]], 13)],
)
def test_shared_start_leaves_every_row_a_token(rests: list[list[int]], same: int) -> None:
    start = list(range(100, 112))
    assert shared_start([start + rest for rest in rests]) == same


def test_a_start_that_is_short_or_of_one_row_is_not_shared() -> None:
    assert shared_start([[1, 2, 3], [1, 2, 4]]) == 0
    assert shared_start([list(range(20))]) == 0
