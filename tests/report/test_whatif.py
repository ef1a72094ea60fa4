"""The what-if table against the plain way to find out: filter again with the other limit."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.settings import FilterSettings, Rule
from pipeline.report import whatif
from pipeline.report.whatif import Steps, WhatIf
from pipeline.stages.filter.decisions import REJECTED_BY_HAND
from pipeline.stages.filter.stage import filter_pairs
from pipeline.types import Pair, Reason, Scored, Verdict

RULES = {
    "similarity": Rule(min=0.5),
    "length_ratio": Rule(min=0.5, max=2.0),
    "ending": Rule(min=1, origin="aligned"),
}
score = st.one_of(st.none(), st.floats(-1, 3), st.integers(-10, 30).map(lambda n: n / 10))
rows = st.lists(
    st.tuples(st.sampled_from(["translated", "aligned", "mined"]), score, score, st.sampled_from([None, 0.0, 1.0])),
    min_size=1,
    max_size=60,
)


def scored(number, origin, values):
    pair = Pair(str(number), "d", "", "th", (), (), (), (), f"ก{number}", f"text {number}", origin, 0.0)
    return Scored(pair, values)


def kept(pairs, rules):
    return sum(verdict.keep for verdict in filter_pairs(pairs, FilterSettings(rules=rules)))


@given(rows)
@settings(max_examples=80, deadline=None)
def test_every_count_is_what_filtering_again_gives(drawn):
    names = ("similarity", "length_ratio", "ending")
    pairs = [scored(n, row[0], dict(zip(names, row[1:], strict=True))) for n, row in enumerate(drawn)]
    counter = WhatIf(RULES, {"translated": "similarity"})
    for pair, verdict in zip(pairs, filter_pairs(pairs, FilterSettings(rules=RULES)), strict=True):
        counter.add(pair, verdict)
    now = kept(pairs, RULES)
    for table in counter.tables():
        for row in table["rows"]:
            changed = RULES[table["score"]].model_copy(update={table["side"]: row["limit"]})
            assert row["kept"] == kept(pairs, RULES | {table["score"]: changed})
            assert row["change"] == row["kept"] - now
        assert table["now"] == now
        counts = [row["kept"] for row in table["rows"]]
        assert counts == sorted(counts, reverse=True)


def table_of(values, rule=None, reasons=None):
    rules = {"similarity": rule} if rule else {}
    counter = WhatIf(rules, {"translated": "similarity"})
    for number, value in enumerate(values):
        counter.add(
            scored(number, "translated", {"similarity": value}), Verdict(str(number), not reasons, reasons or ())
        )
    return counter.tables()


def test_a_score_without_a_rule_is_offered_a_minimum():
    (table,) = table_of([0.1, 0.2, 0.3, 0.4])
    assert table["present"] is None and table["rows"][0]["present"]
    assert {row["limit"]: row["kept"] for row in table["rows"]}[0.3] == 2


def test_pairs_rejected_for_something_else_are_not_at_stake():
    assert table_of([0.9, 0.9], Rule(min=0.5), (Reason("duplicate", "duplicate of x"),)) == []
    assert table_of([0.9, 0.9], Rule(min=0.5), (Reason("near-duplicate", "near-duplicate of x (0.87)"),)) == []


def test_what_a_person_decided_is_moved_by_no_limit():
    counter = WhatIf({"similarity": Rule(min=0.5)}, {})
    for number, (value, keep) in enumerate([(0.9, True), (0.1, True), (0.9, False), (0.7, True)]):
        verdict = Verdict(str(number), keep, () if keep else (REJECTED_BY_HAND,), by_hand=number != 3)
        counter.add(scored(number, "translated", {"similarity": value}), verdict)
    (table,) = counter.tables()
    assert table["now"] == 3 and {row["kept"] for row in table["rows"]} == {3}


def test_limits_are_short_decimals():
    (table,) = table_of([n / 997 for n in range(997)], Rule(min=0))
    assert all(len(f"{row['limit']:g}") <= 5 for row in table["rows"] if row["limit"] is not None)
    assert len(table["rows"]) >= 8


@pytest.mark.parametrize("side", ["min", "max"])
def test_memory_stays_bounded_and_counts_exact(side, monkeypatch):
    monkeypatch.setattr(whatif, "MAX_STEPS", 16)
    steps, values = Steps(side), [((n * 7919) % 10007) / 10 - 300 for n in range(3000)]
    for value in values:
        steps.add(value)
    assert len(steps._steps) <= 16
    for limit in steps.limits((0.01, 0.5, 0.9), steps.digits):
        passing = [v for v in values if (v >= limit if side == "min" else v <= limit)]
        assert steps.passing(limit) == len(passing)
