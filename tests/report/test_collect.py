from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.collect import MAX_BINS, Capped, Histogram, Sample, Top

values = st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=60)


def filled(numbers, **settings):
    histogram = Histogram(**settings)
    for number in numbers:
        histogram.add(number)
    return histogram


@given(values, st.randoms())
def test_every_value_is_in_its_bin_whatever_the_order(numbers, chance):
    histogram = filled(numbers)
    rows = histogram.rows()
    assert len(rows) <= MAX_BINS
    assert sum(row["count"] for row in rows) == len(numbers)
    for row in rows:
        inside = [n for n in numbers if row["start"] <= n < row["start"] + histogram.width]
        assert row["count"] == len(inside)
    shuffled = list(numbers)
    chance.shuffle(shuffled)
    assert filled(shuffled).rows() == rows
    assert (histogram.low, histogram.high) == (min(numbers), max(numbers))


def test_values_outside_the_clip_count_at_its_ends_and_keep_the_resolution():
    numbers = [0.5, 0.9, 1.0, 1.1, 1e5, -1e5]
    histogram = filled(numbers, clip=(0.0, 2.0))
    assert histogram.clipped == 2 and histogram.width < 0.1
    rows = histogram.rows()
    assert sum(row["count"] for row in rows) == 6
    assert rows[0] == {"start": 0.0, "count": 1} and rows[-1]["start"] == 2.0
    assert histogram.high == 1e5 and math.isclose(histogram.total, sum(numbers))


@given(st.lists(st.tuples(st.floats(-9, 9), st.uuids().map(str)), unique_by=lambda item: item[1]), st.integers(1, 5))
def test_top_keeps_the_greatest(items, size):
    top = Top(size)
    for key, name in items:
        top.offer(key, name, lambda name=name: name)
    assert top.rows() == [name for _, name in sorted(items, reverse=True)[:size]]


def test_a_sample_depends_on_the_names_only():
    names = [f"pair {number}" for number in range(500)]
    chosen = []
    for seed in (1, 2):
        random.Random(seed).shuffle(names)
        sample = Sample(7)
        for name in names:
            sample.offer_id(name, lambda name=name: name)
        chosen.append(sample.rows())
    assert chosen[0] == chosen[1] and len(set(chosen[0])) == 7
    assert chosen[0] != sorted(names)[:7]


@pytest.mark.parametrize(("count", "kept"), [(0, 0), (3, 3), (9, 3)])
def test_capped_tables_know_how_much_they_leave_out(count, kept):
    capped, made = Capped(3), []
    for number in range(count):
        capped.offer(lambda number=number: made.append(number) or number)
    assert capped.table() == {"total": count, "rows": list(range(kept))}
    assert made == list(range(kept)), "rows beyond the cap must not even be made"
