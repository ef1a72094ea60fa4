"""What corpus metrics are computed over where there is more than they take."""

import pytest

from pipeline.run import counts
from pipeline.run.counts import DrawnGroups
from pipeline.stages.align.pairs import Group


def drawn(groups: list[Group]) -> DrawnGroups:
    found = DrawnGroups()
    for group in groups:
        found.add(group)
    return found


def test_all_are_taken_in_order_while_there_are_few_and_then_the_same_whatever_the_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    groups = [Group("th", f"d{n // 10}", f"source {n}", f"ours {n}", f"theirs {n}") for n in range(2000)]
    assert drawn(groups).rows() == groups
    monkeypatch.setattr(counts, "MEASURED", 500)
    found = drawn(groups)
    assert found.total == 2000
    rows = found.rows()
    assert len(rows) == 500 and rows == [group for group in groups if group in set(rows)]
    assert set(drawn(groups[::-1]).rows()) == set(rows)
    # Every part of the run has its share, give or take four deviations.
    assert all(85 <= sum(group in set(rows) for group in groups[at : at + 500]) <= 165 for at in range(0, 2000, 500))
