from __future__ import annotations

from dataclasses import replace
from functools import cache
from math import inf, log
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import EngineError
from pipeline.stages.align import beads as module
from pipeline.stages.align.beads import ANCHORS, GIVEN, LEXICON, PARTS, Bead, Track, Weights, find_beads
from pipeline.stages.align.span_vectors import summed_spans

PLAIN = replace(PARTS, size=0.0, src_lift=0.0, tgt_lift=0.0)


def track(seed: int, units: int, width: int = 3, dimensions: int = 4) -> Track:
    rng = np.random.default_rng(seed)
    return Track(
        summed_spans(rng.normal(size=(units, dimensions)) + 0.5, width),
        rng.integers(1, 120, units).astype(float),
        rng.normal(0, 3, units + 1),
    )


def cost_of(bead: Bead, src: Track, tgt: Track, w: Weights) -> float:
    """The cost of one bead, from the definition in the module's docstring."""
    ratio = (
        min(3.0, max(1 / 3, tgt.lengths.sum() / src.lengths.sum())) if src.lengths.size and tgt.lengths.size else 1.0
    )

    def cut(side: Track, start: int, end: int, lift: float, edge: float, inner: float) -> float:
        if start == end:
            return 0.0
        p = 1 / (1 + np.exp(-np.where(side.cuts < 6, side.cuts + lift, side.cuts)))
        return -edge / 2 * (log(p[start]) + log(p[end])) - inner * sum(log(1 - p[k]) for k in range(start + 1, end))

    def spans(side: Track) -> list[np.ndarray]:
        return [side.vectors[k, e] for k in range(len(side.vectors)) for e in range(k, len(side.lengths))]

    def spread(vector: np.ndarray, other: Track) -> float:
        distances = [1 - float(vector @ span) for span in spans(other)]
        return (sum(distances) + w.background * w.background_count) / (len(distances) + w.background_count)

    (i, k), (j, m) = bead.src, bead.tgt
    x, y = ratio * src.lengths[i:k].sum(), tgt.lengths[j:m].sum()
    mass = (x + y) / 220
    cuts = cut(src, i, k, w.src_lift, w.src_edge, w.src_inner) + cut(tgt, j, m, w.tgt_lift, w.tgt_edge, w.tgt_inner)
    if i == k or j == m:
        return float(w.skip * mass + w.gap + cuts)
    a, b = src.vectors[k - i - 1, k - 1], tgt.vectors[m - j - 1, m - 1]
    distance = 2 * (1 - float(a @ b)) / (spread(a, tgt) + spread(b, src))
    length = w.length * log((x + 5) / (y + 5)) ** 2 * mass**0.5 + w.size * log(1.04 * mass + 0.05) ** 2
    return float(mass * distance + length + w.bonus + cuts)


def cheapest_by_trying(src: Track, tgt: Track, w: Weights) -> float:
    n, m = len(src.lengths), len(tgt.lengths)

    @cache
    def rest(i: int, j: int) -> float:
        if (i, j) == (n, m):
            return 0.0
        tried = inf
        for a in range(min(len(src.vectors), n - i) + 1):
            for b in range(min(len(tgt.vectors), m - j) + 1):
                if a + b <= w.most if a and b else 0 < a + b <= w.most_skipped:
                    bead = Bead((i, i + a), (j, j + b), 0, 0, 0)
                    tried = min(tried, cost_of(bead, src, tgt, w) + rest(i + a, j + b))
        return tried

    return rest(0, 0)


def assert_partition(beads: list[Bead], n: int, m: int) -> None:
    i = j = 0
    for bead in beads:
        assert bead.src[0] == i and bead.tgt[0] == j
        assert (bead.src[1] - i, bead.tgt[1] - j) != (0, 0)
        i, j = bead.src[1], bead.tgt[1]
    assert (i, j) == (n, m)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 6), st.integers(0, 5), st.sampled_from([PARTS, LEXICON, GIVEN, ANCHORS]))
def test_the_search_finds_what_trying_everything_finds(seed: int, n: int, m: int, weights: Weights) -> None:
    src, tgt = track(seed, n), track(seed + 1, m, width=2)
    found = find_beads(src, tgt, weights)
    assert_partition(found, n, m)
    for bead in found:
        assert bead.cost == pytest.approx(cost_of(bead, src, tgt, weights), abs=1e-5)
    if n or m:
        assert sum(bead.cost for bead in found) == pytest.approx(cheapest_by_trying(src, tgt, weights), abs=1e-5)


def parallel(seed: int, units: int, dropped: range = range(0)) -> tuple[Track, Track]:
    """A source and a target whose units mean the same one by one; the source lacks some."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(units, 24))
    lengths = rng.integers(40, 140, units).astype(float)
    kept = [i for i in range(units) if i not in dropped]
    source = rows[kept] + 0.3 * rng.normal(size=(len(kept), 24))
    return (
        Track(summed_spans(source, 2), lengths[kept], np.full(len(kept) + 1, 2.0)),
        Track(summed_spans(rows, 2), lengths, np.full(units + 1, 2.0)),
    )


def test_equal_meaning_is_paired_and_the_rest_left_alone() -> None:
    src, tgt = parallel(1, 12, range(4, 7))
    found = find_beads(src, tgt, PARTS)
    pairs = [(b.src, b.tgt) for b in found if b.src[0] < b.src[1] and b.tgt[0] < b.tgt[1]]
    assert pairs == [((i, i + 1), (j, j + 1)) for i, j in enumerate([0, 1, 2, 3, 7, 8, 9, 10, 11])]
    assert all(b.similarity > 0.8 and b.margin > 0.5 for b in found if b.src[0] < b.src[1])
    assert all((b.similarity, b.margin) == (0, 0) for b in found if b.src[0] == b.src[1])


@pytest.mark.parametrize("dropped", [range(0), range(30, 90), range(150, 200)])
@pytest.mark.parametrize("blocks", [80, 20])
def test_the_band_keeps_the_best_path(monkeypatch: pytest.MonkeyPatch, dropped: range, blocks: int) -> None:
    src, tgt = parallel(2, 200, dropped)
    full = find_beads(src, tgt, PARTS)
    cells: list[int] = []
    search = module._search

    def seen(*args: Any) -> list[Bead]:
        cells.append(int((args[4] - args[3] + 1).sum()))
        return search(*args)

    monkeypatch.setattr(module, "_search", seen)
    monkeypatch.setattr(module, "FULL_CELLS", 3000)
    monkeypatch.setattr(module, "BLOCKS", blocks)
    found = find_beads(src, tgt, PARTS)
    assert [(b.src, b.tgt) for b in found] == [(b.src, b.tgt) for b in full]
    assert [b.cost for b in found] == pytest.approx([b.cost for b in full], abs=1e-5)
    assert len(cells) == (2 if blocks == 80 else 3)
    assert cells[-1] < 0.5 * 200 * 200


def test_the_band_does_not_widen_with_the_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    widest: list[int] = []
    search = module._search

    def seen(*args: Any) -> list[Bead]:
        widest.append(int((args[4] - args[3] + 1).max()))
        return search(*args)

    monkeypatch.setattr(module, "_search", seen)
    monkeypatch.setattr(module, "BLOCKS", 40)
    for units in (700, 2800):
        src, tgt = parallel(3, units)
        assert_partition(find_beads(src, tgt, PARTS), units, units)
        assert widest[-1] < 200


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.integers(0, 70),
    st.integers(0, 70),
    st.integers(1, 14),
    st.integers(1, 14),
    st.sampled_from([PARTS, LEXICON, GIVEN, ANCHORS]),
    st.booleans(),
)
def test_any_units_are_covered_once_and_in_order(
    seed: int, n: int, m: int, src_width: int, tgt_width: int, weights: Weights, banded: bool
) -> None:
    src, tgt = track(seed, n, src_width), track(seed + 1, m, tgt_width)
    with pytest.MonkeyPatch.context() as patch:
        if banded:
            patch.setattr(module, "FULL_CELLS", 20)
            patch.setattr(module, "BLOCKS", 4)
        found = find_beads(src, tgt, weights)
    assert_partition(found, n, m)
    for bead in found:
        assert bead.src[1] - bead.src[0] <= src_width and bead.tgt[1] - bead.tgt[0] <= tgt_width
        assert bead.cost == pytest.approx(cost_of(bead, src, tgt, weights), abs=1e-4)
    full = find_beads(src, tgt, weights)
    assert sum(bead.cost for bead in found) >= sum(bead.cost for bead in full) - 1e-6


def test_a_bead_may_be_as_wide_as_both_sides_allow() -> None:
    few = replace(
        PARTS,
        size=0.0,
        src_lift=0.0,
        tgt_lift=0.0,
        bonus=50.0,
        gap=50.0,
        src_edge=0.0,
        src_inner=0.0,
        tgt_edge=0.0,
        tgt_inner=0.0,
        length=0.0,
    )
    found = find_beads(track(1, 14, 14), track(2, 14, 14), few)
    assert [(bead.src, bead.tgt) for bead in found] == [((0, 14), (0, 14))]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 5), st.integers(1, 3))
def test_no_bead_has_more_units_than_allowed(seed: int, most: int, skipped: int) -> None:
    merging = replace(PLAIN, bonus=3.0, gap=3.0, most=most, most_skipped=skipped)
    src, tgt = track(seed, 6, 5), track(seed + 1, 4, 5)
    found = find_beads(src, tgt, merging)
    assert_partition(found, 6, 4)
    for bead in found:
        a, b = bead.src[1] - bead.src[0], bead.tgt[1] - bead.tgt[0]
        assert a + b <= (most if a and b else skipped)
    assert sum(bead.cost for bead in found) == pytest.approx(cheapest_by_trying(src, tgt, merging), abs=1e-5)


def test_of_equally_cheap_beads_the_smallest_is_taken() -> None:
    nothing = replace(
        PARTS,
        size=0.0,
        src_lift=0.0,
        tgt_lift=0.0,
        bonus=0.0,
        gap=0.0,
        src_edge=0.0,
        src_inner=0.0,
        tgt_edge=0.0,
        tgt_inner=0.0,
    )
    src, tgt = (replace(track(seed, 4), lengths=np.zeros(4)) for seed in (1, 2))
    found = find_beads(src, tgt, nothing)
    assert [(bead.src[1] - bead.src[0]) + (bead.tgt[1] - bead.tgt[0]) for bead in found] == [1] * 8


def test_a_band_over_blank_units_still_leads_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FULL_CELLS", 100)
    monkeypatch.setattr(module, "BLOCKS", 20)
    src, tgt = track(5, 90), track(6, 70)
    assert_partition(find_beads(src, replace(tgt, vectors=np.zeros_like(tgt.vectors)), PARTS), 90, 70)
    assert_partition(find_beads(replace(src, lengths=np.zeros(90)), tgt, PARTS), 90, 70)
    assert_partition(find_beads(src, track(7, 2), PARTS), 90, 2)


def test_one_sentence_is_told_from_a_stranger() -> None:
    def alone(rows: list[list[float]]) -> Track:
        return Track(summed_spans(np.array(rows), 1), np.array([80.0]), np.array([6.0, 6.0]))

    same = find_beads(alone([[1, 0.1]]), alone([[1, 0]]), PARTS)
    strange = find_beads(alone([[1, 0]]), alone([[0, 1]]), PARTS)
    assert [(b.src, b.tgt) for b in same] == [((0, 1), (0, 1))]
    assert len(strange) == 2


def test_an_empty_side_is_skipped() -> None:
    found = find_beads(track(1, 0), track(2, 3), PARTS)
    assert_partition(found, 0, 3)
    assert find_beads(track(1, 0), track(2, 0), PARTS) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: replace(t, vectors=t.vectors[:, :-1]), "has 4 units"),
        (lambda t: replace(t, vectors=t.vectors[0]), "has 4 units"),
        (lambda t: replace(t, cuts=t.cuts[:-1]), "has 4 units"),
        (lambda t: replace(t, vectors=t.vectors[:, :, :-1]), "dimensions"),
        (lambda t: replace(t, vectors=t.vectors * np.nan), "not finite"),
        (lambda t: replace(t, cuts=t.cuts * np.inf), "not finite"),
    ],
)
def test_tracks_that_do_not_fit_are_refused(change: Any, message: str) -> None:
    good = track(1, 4)
    for src, tgt in ((change(good), good), (good, change(good))):
        with pytest.raises(EngineError, match=message):
            find_beads(src, tgt, PARTS)
