"""The bench of whole runs: its news say what they are, its model knows their English, its figures add up."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.bench import news, pipeline_table, whole_run
from pipeline.bench.duplicates import DuplicateFigures
from pipeline.bench.null_model import NewsCodec, NullEngine, NumberEncoder, made_translator
from pipeline.bench.pipeline import COUNTED, Findings, WholeRun
from pipeline.engines.base import Request


@pytest.mark.parametrize("lang", ["th", "vi"])
def test_a_made_sentence_says_its_number_and_its_english_is_found_by_it(lang: str) -> None:
    texts = [news.sentence(lang, number) for number in (0, 7, 12_345)]
    assert [news.numbers_in(source) for source, _ in texts] == [[0], [7], [12_345]]
    assert [news.numbers_in(english) for _, english in texts] == [[0], [7], [12_345]]
    translator = made_translator(NewsCodec((1, 1 << 40), 0), NullEngine(), (2.0, 16))
    joined = " ".join(source for source, _ in texts[:2])
    found = translator.translate([Request(texts[2][0], lang), Request(joined, lang)])
    assert [one.text for one in found] == [texts[2][1], f"{texts[0][1]} {texts[1][1]}"]
    vectors = NumberEncoder().encode([texts[0][0], texts[0][1], texts[1][1]])
    assert vectors[0] @ vectors[1] == pytest.approx(1) and vectors[0] @ vectors[2] < 0.9


def test_fewer_documents_are_the_first_of_more() -> None:
    some, more = list(news.documents(64)), list(news.documents(128))
    assert more[: len(some)] == some and len(more) == 2 * len(some)
    assert {one["lang"] for one in more} == {"th", "vi", "en"} and len({one["id"] for one in more}) == len(more)


def test_a_run_tells_what_each_stage_cost(tmp_path: Path) -> None:
    found = whole_run.measure(tmp_path, 64, 1, "")
    assert set(found["costs"]) == set(COUNTED)
    assert all(cost["seconds"] > 0 for cost in found["costs"].values())
    assert 24 <= found["translated"] <= 40, "some of the 32 sentences may be cut or joined"
    assert found["pairs"] > found["translated"], "translations, and pairs aligned with the English beside them"
    assert found["kept"] > 0


def run(seconds: float, cpu: float, peak: float = 100.0, **engine: float) -> WholeRun:
    cost = {"seconds": seconds / len(COUNTED), "cpu_seconds": cpu / len(COUNTED)}
    return WholeRun(2, 1000, 1000, dict.fromkeys(COUNTED, cost), peak, engine)


def test_goals_are_said_to_hold_or_to_be_missed() -> None:
    good = Findings({"stages": [run(10, 1.4), run(5, 1.4)], "memory": [run(1, 1), run(5, 5, 109.0)]})
    bad = Findings({"stages": [run(10, 1.6), run(6, 1.6)], "memory": [run(1, 1), run(5, 5, 120.0)]})
    assert ["holds" in line for line in pipeline_table.goals(good)] == [True, True, True]
    assert ["missed" in line for line in pipeline_table.goals(bad)] == [True, True, True]
    assert "1.40 ms" in pipeline_table.goals(good)[0] and "2.00" in pipeline_table.goals(good)[1]
    engine = run(8, 16, engine_seconds=6.0, engine_tokens=600.0, run_tokens=600.0)
    # A seventh of 8 seconds is the translate stage: 525 tokens a second against 100.
    assert engine.stage_ratio == pytest.approx(5.25) and engine.whole_ratio == pytest.approx(0.75)
    assert all("holds" in line for line in pipeline_table.goals(Findings({"engine": [engine]})))
    copies = [DuplicateFigures("formulaic", n, n, s, mb, {}) for n, s, mb in ((10, 1.0, 1.0), (100, 11.0, 0.01))]
    matching = {"documents": 100_000, "seconds": 600.0, "cpu_seconds": 900.0, "peak_mb": 5000.0}
    large = pipeline_table.goals(Findings(matching=matching, duplicates=copies))
    assert "missed" in large[0] and "10.0 min" in large[0]
    assert "holds" in large[1] and "100 bytes" in large[1] and "1.10 times" in large[1]
    assert "the goal is for 100,000" in pipeline_table.goals(Findings(matching=matching | {"documents": 10}))[0]
