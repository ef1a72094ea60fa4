"""Rows of tokens as one tree, so that a model computes once what several of them begin with."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.batching import same_start


class TokenTree:
    """Rows, at least one, laid one after the other, each without what it begins with alike to the row before it.

    `tokens` and `depths` (n,) are the token of each node and its place in its rows. `paths` are the nodes of each row.
    `sees` (n, n) tells which nodes a node attends to: itself and those before it in its rows (the topology-aware causal
    mask of SpecInfer, Miao et al. 2024, arXiv:2305.09781). Rows in sorted order share all that they can.
    """

    def __init__(self, rows: Sequence[Sequence[int]]) -> None:
        self.tokens: list[int] = []
        self.depths: list[int] = []
        self.paths: list[list[int]] = []
        shared = [0, *(same_start(one, other) for one, other in pairwise(rows))]
        size = sum(len(row) - start for row, start in zip(rows, shared, strict=True))
        self.sees: NDArray[np.bool_] = np.zeros((size, size), bool)
        path: list[int] = []
        for row, start in zip(rows, shared, strict=True):
            begin, end = len(self.tokens), len(self.tokens) + len(row) - start
            self.sees[begin:end, path[:start]] = True
            self.sees[begin:end, begin:end] = np.tri(end - begin, dtype=bool)
            self.tokens += row[start:]
            self.depths += range(start, len(row))
            path = [*path[:start], *range(begin, end)]
            self.paths.append(path)


def plan_trees(rows: Sequence[Sequence[int]], max_nodes: int) -> list[list[int]]:
    """Cut row numbers, sorted by the tokens of the rows, into batches whose trees have at most so many nodes.

    A longer row is a batch of its own. The plan depends on the rows alone; equal rows keep their order.
    """
    batches: list[list[int]] = []
    nodes = 0
    for row in sorted(range(len(rows)), key=lambda i: (list(rows[i]), i)):
        if batches:
            nodes += len(rows[row]) - same_start(rows[batches[-1][-1]], rows[row])
        if not batches or nodes > max_nodes:
            batches.append([])
            nodes = len(rows[row])
        batches[-1].append(row)
    return batches
