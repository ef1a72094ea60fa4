"""Runs side by side: what is shared is found by content, and the page shows what the JSON holds."""

from __future__ import annotations

import numpy as np
import pytest
from lxml import html

from pipeline.metrics import significance
from pipeline.registry.facts import ModelFacts
from pipeline.report import comparison
from pipeline.report.comparison import RunSide, SharedText, build_comparison, swap_p_value
from pipeline.report.data import FactCheck
from pipeline.report.page import render_comparison

WORDS = ("the", "river", "port", "town", "built", "new", "bridges", "for", "freight", "trains", "last", "season")


@pytest.fixture(autouse=True)
def few_trials(monkeypatch):
    monkeypatch.setattr(comparison, "RESAMPLES", 50)
    monkeypatch.setattr(significance, "RANDOMISATION_TRIALS", 500)


def english(number, length=9):
    return " ".join(WORDS[(number * 7 + place * (1 + number % 4)) % len(WORDS)] for place in range(length))


def side(name, numbers, spoil=lambda number, text: text, model="small", **changes):
    """A run over one segment a document; `spoil` makes its translation of the reference."""
    texts = {(f"d{n}", n): SharedText("th", f"ก{n}", spoil(n, english(n)), english(n)) for n in numbers}
    values = {
        "name": name,
        "version": "0.1.0",
        "models": (ModelFacts(model, "translation", "hub", "r1", "00", "Apache-2.0", True),),
        "config": {"name": name, "translate": {"model": model, "num_beams": 1}, "read": {"paths": ["in"]}},
        "signatures": {"similarity": "v:1", "log_probability": "v:1"},
        "counts": {"documents": {"th": len(texts)}, "segments": len(texts)},
        "facts": (FactCheck("years", 4, 3),),
        "documents": frozenset(key[0] for key in texts),
        "texts": texts,
        "scores": {key: {"similarity": 0.5 + n / 100, "log_probability": -1.0} for n, key in enumerate(texts)},
    }
    return RunSide(**(values | changes))


def drop(number, text):
    return text.rsplit(" ", 1 + number % 4)[0]


def test_only_what_all_runs_share_is_scored():
    found = build_comparison([side("a", range(30)), side("b", range(10, 40), drop)])
    (table,) = found["systems"]
    assert (table["segments"], table["documents"], table["of"]) == (20, 20, [30, 30])
    assert found["pair_scores"]["total"] == 20
    warnings = [note["text"] for note in found["notes"] if note["level"] == "warn"]
    assert any("20 of 40 documents are in every run" in text for text in warnings)


def test_a_worse_system_is_below_the_baseline_with_a_small_p():
    found = build_comparison([side("a", range(30)), side("b", range(30), drop)])
    metrics = {metric["name"]: metric["cells"] for metric in found["systems"][0]["metrics"]}
    baseline, other = metrics["chrF2"]
    assert baseline["p_value"] is None and baseline["score"] == pytest.approx(100)
    assert other["change"] < 0 and other["p_value"] < 0.01
    assert "chrF2 (names folded)" in metrics
    (examples,) = found["examples"]
    assert not examples["better"] and examples["worse"]
    changes = [row["change"] for row in examples["worse"]]
    assert changes == sorted(changes) and len(changes) == 10


@pytest.mark.parametrize("documents", [5, 30])
def test_equal_systems_are_not_told_apart(documents):
    found = build_comparison([side("a", range(documents), drop), side("b", range(documents), drop)])
    for metric in found["systems"][0]["metrics"]:
        assert metric["cells"][1]["change"] == 0 and metric["cells"][1]["p_value"] > 0.9
        assert metric["cells"][1]["ci"] == metric["cells"][0]["ci"]
    assert found["examples"][0]["better"] == found["examples"][0]["worse"] == []
    assert any(note["text"].endswith("chrF2, the same as a.") for note in found["notes"])
    assert "No translation of b differs." in html.fromstring(render_comparison(found)).text_content()


def test_the_settings_that_differ_are_named():
    other = {"name": "b", "translate": {"model": "small", "num_beams": 4}, "read": {"paths": ["in"]}, "new": {"x": 1}}
    found = build_comparison([side("a", range(3)), side("b", range(3), config=other)])
    assert {row["name"]: row["values"] for row in found["settings"]} == {
        "name": ["a", "b"],
        "translate.num_beams": [1, 4],
        "new.x": [None, 1],
    }


def test_scores_that_cannot_be_compared_are_left_out():
    changed = {"similarity": "v:2", "log_probability": "v:1"}
    same_model = build_comparison([side("a", range(4)), side("b", range(4), signatures=changed)])
    assert [row["name"] for row in same_model["pair_scores"]["rows"]] == ["log_probability"]
    assert any("different ways: similarity" in note["text"] for note in same_model["notes"])
    other_model = build_comparison([side("a", range(4)), side("b", range(4), model="large")])
    assert [row["name"] for row in other_model["pair_scores"]["rows"]] == ["similarity"]


def test_runs_that_share_nothing_say_so():
    found = build_comparison([side("a", range(3)), side("b", range(5, 8))])
    assert "no aligned segments are shared" in found["verdict"] and found["systems"] == []
    assert "no aligned segments are shared" in html.document_fromstring(render_comparison(found)).text_content()


def test_every_figure_of_the_page_is_in_the_json():
    found = build_comparison([side("a", range(25)), side("b", range(25), drop), side("c", range(25), model="large")])
    page = html.document_fromstring(render_comparison(found))
    cells = [cell.get("data-v") for cell in page.iterfind(".//td[@data-v]")]
    assert len(cells) > 20 and {float(value) for value in cells if value} <= leaves(found)
    ids = [element.get("id") for element in page.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert {link.get("href")[1:] for link in page.iterfind(".//a")} <= set(ids)
    assert "a, b and c" in page.find(".//h1").text_content()


def leaves(value):
    if isinstance(value, dict):
        return set().union(*(leaves(inner) for inner in value.values()))
    if isinstance(value, list):
        return set().union(*(leaves(inner) for inner in value))
    return {value} if isinstance(value, int | float) else set()


def test_p_values_of_swaps_agree_with_counting_all_of_them():
    differences = np.array([0.3, -0.1, 0.2, 0.4, 0.1, 0.2, -0.05, 0.3])
    signs = 1 - 2 * ((np.arange(256)[:, None] >> np.arange(8)) & 1)
    exact = (np.abs(signs @ differences) >= differences.sum() - 1e-12).mean()
    assert swap_p_value(differences) == pytest.approx(exact, abs=0.015)
    assert swap_p_value(np.zeros(5)) == 1
