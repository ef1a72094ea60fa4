"""Rows of tokens as one tree."""

from itertools import pairwise
from random import Random

import numpy as np
import pytest

from pipeline.engines.batching import same_start
from pipeline.engines.forced.token_tree import TokenTree, plan_trees

RANDOM = Random(1)
ROWS = [[RANDOM.randrange(3) for _ in range(RANDOM.randint(1, 9))] for _ in range(60)]


@pytest.mark.parametrize("rows", [ROWS, sorted(ROWS), [[1, 2, 3]]])
def test_each_path_is_its_row_and_sees_nothing_else(rows):
    tree = TokenTree(rows)
    assert len(tree.tokens) == len(tree.depths) == len(tree.sees)
    assert len(tree.paths) == len(rows)
    for row, path in zip(rows, tree.paths, strict=True):
        assert [tree.tokens[node] for node in path] == row
        assert [tree.depths[node] for node in path] == list(range(len(row)))
        for at, node in enumerate(path):
            assert np.flatnonzero(tree.sees[node]).tolist() == sorted(path[: at + 1])


def test_of_sorted_rows_no_start_is_there_twice():
    starts = {tuple(row[:n]) for row in ROWS for n in range(1, len(row) + 1)}
    assert len(TokenTree(sorted(ROWS)).tokens) == len(starts) < sum(map(len, ROWS))


@pytest.mark.parametrize("most", [1, 7, 20, 1000])
def test_no_tree_of_several_rows_is_larger_than_asked_for(most):
    batches = plan_trees(ROWS, most)
    assert sorted(row for batch in batches for row in batch) == list(range(len(ROWS)))
    sizes = [len(TokenTree([ROWS[row] for row in batch]).tokens) for batch in batches]
    distinct = [len({tuple(ROWS[row]) for row in batch}) for batch in batches]
    assert all(size <= most or n == 1 for size, n in zip(sizes, distinct, strict=True))
    # Nothing is cut for nothing: the first row of the next batch did not fit any more.
    for batch, later in pairwise(batches):
        assert len(TokenTree([ROWS[row] for row in [*batch, later[0]]]).tokens) > most


def test_the_plan_does_not_hang_on_the_order_of_the_rows():
    order = Random(2).sample(range(len(ROWS)), len(ROWS))
    plans = [
        [[rows[row] for row in batch] for batch in plan_trees(rows, 20)] for rows in (ROWS, [ROWS[i] for i in order])
    ]
    assert plans[0] == plans[1]


def test_how_much_two_rows_begin_with_alike():
    assert same_start([1, 2, 3], [1, 2, 4]) == 2
    assert same_start([1, 2], [1, 2, 4]) == 2
    assert same_start([1], [2]) == same_start([], [1]) == 0
