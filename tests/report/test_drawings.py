from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.report import drawings as svg


def histogram_row(counts, width=0.25, start=0.0, low=None, high=None):
    bins = [{"start": start + index * width, "count": count} for index, count in enumerate(counts)]
    return {"width": width, "bins": bins, "min": low, "max": high}


@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=40).filter(any),
    st.none() | st.floats(-3, 12),
    st.none() | st.floats(-3, 12),
)
def test_histograms_stay_in_their_box(counts, low, high):
    drawing = svg.histogram(histogram_row(counts, low=low, high=high))
    tallest = max(counts)
    assert [bar["count"] for bar in drawing["bars"]] == [count for count in counts if count]
    for bar in drawing["bars"]:
        assert drawing["left"] <= bar["x"] <= bar["x"] + bar["width"] <= drawing["right"] + 0.02
        assert bar["y"] + bar["height"] == pytest.approx(drawing["bottom"], abs=0.02) and bar["y"] >= drawing["top"]
        full = (drawing["bottom"] - drawing["top"]) * bar["count"] / tallest
        assert bar["height"] == pytest.approx(max(full, svg.MIN_BAR), abs=0.01)
    for item in drawing["lines"] + drawing["ticks"]:
        assert drawing["left"] - 0.01 <= item["x"] <= drawing["right"] + 0.01
    assert {line["side"] for line in drawing["lines"]} <= {"min", "max"}


def test_the_tinted_zone_ends_at_the_threshold():
    drawing = svg.histogram(histogram_row([1] * 8, low=1.0))
    (line,), (zone,) = drawing["lines"], drawing["zones"]
    assert line["x"] == pytest.approx((drawing["left"] + drawing["right"]) / 2)
    assert zone["x"] == drawing["left"] and zone["x"] + zone["width"] == pytest.approx(line["x"])


def test_a_far_threshold_does_not_flatten_the_bars():
    drawing = svg.histogram(histogram_row([1] * 8, high=1000.0))
    assert drawing["lines"] == drawing["zones"] == []
    assert drawing["beyond"] == [{"side": "max", "value": 1000.0, "where": "right"}]


@pytest.mark.parametrize(("low", "high"), [(1000.0, None), (None, -1000.0)])
def test_where_all_fail_all_is_tinted(low, high):
    drawing = svg.histogram(histogram_row([1] * 8, low=low, high=high))
    (zone,) = drawing["zones"]
    assert (zone["x"], zone["x"] + zone["width"]) == (drawing["left"], drawing["right"])


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_are_round_and_inside(low, span):
    high = low + span
    assume(high > low)
    ticks = svg.nice_ticks(low, high)
    assert 2 <= len(ticks) <= 7 and ticks == sorted(ticks)
    slack = span * 1e-6
    assert low - slack <= ticks[0] and ticks[-1] <= high + slack


def test_bars_fill_their_share():
    row = {"parts": [{"name": "kept", "count": 30}, {"name": "rejected", "count": 10}]}
    assert [(bar["x"], bar["width"]) for bar in svg.bars(row, 80)] == [(0.0, 37.5), (37.5, 12.5)]


def aligned(left, right, keep=True):
    sides = [
        [{"bead": b, "kind": "linked" if b else "body", "characters": n, "id": f"a-{b}"} for b, n in side]
        for side in (left, right)
    ]
    beads = sorted({b for b, _ in left if b})
    return {"left": sides[0], "right": sides[1], "rows": [{"id": f"a-{b}", "bead": b, "keep": keep} for b in beads]}


@given(st.lists(st.tuples(st.none() | st.integers(1, 6), st.integers(0, 500)), min_size=1, max_size=30))
def test_blocks_never_overlap_and_every_bead_has_a_ribbon(left):
    beads = {bead for bead, _ in left if bead}
    drawing = svg.alignment(aligned(left, [(bead, 10) for bead in sorted(beads)]))
    for blocks in (drawing["left_blocks"], drawing["right_blocks"]):
        for one, two in pairwise(blocks):
            assert one["y"] + one["height"] < two["y"]
        for block in blocks:
            assert block["height"] >= svg.MIN_BLOCK and block["y"] + block["height"] <= drawing["height"] + 0.02
    assert {ribbon["bead"] for ribbon in drawing["ribbons"]} == beads


def test_a_ribbon_joins_the_edges_of_its_blocks():
    drawing = svg.alignment(aligned([(None, 50), (1, 50)], [(1, 90)]))
    (ribbon,), block, other = drawing["ribbons"], drawing["left_blocks"][1], drawing["right_blocks"][0]
    numbers = [float(n) for n in re.findall(r"-?[\d.]+", ribbon["path"])]
    assert numbers[:2] == [drawing["left_end"], block["y"]]
    assert numbers[6:8] == [drawing["right"], other["y"]]
    assert numbers[8] == pytest.approx(other["y"] + other["height"], abs=0.01)
    assert numbers[-1] == pytest.approx(block["y"] + block["height"], abs=0.01)
