"""`confidence`: what it is made of, when there is none, and how it does on translations that a person judged."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from pipeline.config.settings import FilterSettings
from pipeline.stages.score.base import Context
from pipeline.stages.score.confidence.scorer import Confidence, Odds, fitted, is_fitted
from pipeline.stages.score.confidence.signs import SIGNS, signs_of
from pipeline.types import Translation
from tests.stages.score.build import column, context, pair

MODEL = "qwen2.5-coder-1.5b"
SOURCE = "Việt Nam xuất khẩu gạo sang Philippines"
ENGLISH = "Vietnam exports rice to the Philippines"
HINTS = (("xuất khẩu", "export"), ("gạo", "rice"), ("sang", "to"))
MADE = Translation("d:0", ENGLISH, MODEL, -0.2, 9, 8, "stop", 1, hints=HINTS)
JUDGED = Path(__file__).parents[2] / "data" / "judged_news.jsonl"
KEPT = JUDGED.with_name("judged_kept.tsv")
READ_FROM = 0.65
"""The confidence from which all translations were judged."""


def made_of(row: dict[str, Any]) -> list[Translation]:
    """The translations of a judged row."""
    return [
        replace(
            MADE,
            text=part["text"],
            logprob=part["logprob"],
            out_tokens=part["out_tokens"],
            problems=tuple(part["problems"]),
            hints=tuple(map(tuple, part["hints"])),
        )
        for part in row["segments"]
    ]


def sure(made: Translation, source: str = SOURCE) -> float:
    """The confidence of one translation."""
    scored = pair(source, made.text, "vi", origin="translated", segments=(made.segment_id,))
    (value,) = column(Confidence(), [scored], context(made))
    assert value is not None
    return value


def test_signs_are_the_mean_over_tokens_the_hints_that_were_used_and_the_problems():
    further = replace(MADE, segment_id="d:1", text="It sells fish.", logprob=-0.5, out_tokens=4, problems=("a", "b"))
    signs = dict(zip(SIGNS, signs_of(SOURCE, [MADE, further]), strict=True))
    assert signs["log_probability"] == pytest.approx((-0.2 * 8 - 0.5 * 4) / 12)
    # "to" is too short to tell anything; in the second segment no hint was used.
    assert signs["covered"] == pytest.approx(len("xuất khẩu" + "gạo") / (len(SOURCE.replace(" ", "")) + 5))
    assert signs["problems"] == 2


@pytest.mark.parametrize("lang", ["th", "vi"])
def test_more_of_what_is_good_never_lowers_it(lang: str):
    weights = fitted()[MODEL][lang]
    before = weights.probability((-0.4, 0.2, 1.0))
    assert weights.probability((-0.2, 0.2, 1.0)) > before
    assert weights.probability((-0.4, 0.5, 1.0)) > before
    assert weights.probability((-0.4, 0.2, 0.0)) > before
    assert weights.probability((-1e9, 0.0, 0.0)) == 0.0


def test_it_goes_by_the_text_that_was_kept():
    assert sure(MADE) > sure(replace(MADE, text="It sells fish.")) > sure(replace(MADE, text="Fish", problems=("a",)))


def test_there_is_none_where_nothing_was_fitted_or_nothing_is_known():
    translated = pair(SOURCE, ENGLISH, "vi", origin="translated", segments=("d:0",))
    other = replace(MADE, model="opus-mt-vi-en")
    silent = replace(MADE, logprob=None)
    broken = replace(MADE, logprob=float("nan"))
    assert is_fitted(MODEL) and not is_fitted(other.model)
    for made in (other, silent, broken):
        assert column(Confidence(), [translated], context(made)) == [None]
    assert column(Confidence(), [translated], Context()) == [None]
    assert column(Confidence(), [pair(SOURCE, ENGLISH, "vi", segments=("d:0",))], context(MADE)) == [None]
    mixed = replace(translated, src_segments=("d:0", "d:1"))
    assert column(Confidence(), [mixed], context(MADE, replace(other, segment_id="d:1"))) == [None]
    assert column(Confidence(), [mixed], context(MADE)) == [None]


def test_on_judged_news_that_it_was_not_fitted_on_it_promises_what_holds():
    """The list is kept so that a change of model, hints or weights can be compared: see docs/scoring.md."""
    judged = judged_news()
    right = [verdict == "right" for _, verdict in judged]
    kept = Counter(verdict for value, verdict in judged if value >= READ_FROM)
    assert kept["right"] >= 0.79 * kept.total() and kept["wrong"] <= 0.15 * kept.total()
    assert kept.total() >= 40
    assert sum(value for value, _ in judged) == pytest.approx(sum(right), rel=0.15)


def test_of_all_that_was_judged_what_balanced_keeps_is_right():
    rows = [line.split("\t") for line in KEPT.read_text("utf-8").splitlines() if not line.startswith("#")]
    verdicts = Counter(verdict for _, _, _, verdict, *_ in rows)
    assert verdicts == {"right": 74, "flawed": 18, "wrong": 8}
    assert min(float(confidence) for *_, confidence, _, _, _ in rows) >= READ_FROM
    others = ("ntrex", "flores", "evbnews")
    assert all(len(row) == 8 and bool(row[6]) == (row[0] not in others) for row in rows)  # no text that is not ours
    judged = [*judged_news(), *((float(row[4]), row[3]) for row in rows)]
    for preset, least, share in (("balanced", 50, 0.8), ("strict", 30, 0.85)):
        limit = FilterSettings(preset=preset).rules["confidence"].min
        assert limit is not None
        kept = Counter(verdict for value, verdict in judged if value >= limit)
        assert kept.total() >= least and kept["right"] >= share * kept.total()
        assert kept["wrong"] <= 0.1 * kept.total()


def judged_news() -> list[tuple[float, str]]:
    """The confidence and the verdict of each sentence of JUDGED."""
    found = []
    for row in map(orjson.loads, JUDGED.read_bytes().splitlines()):
        signs = signs_of(row["source"], made_of(row))
        found.append((fitted()[MODEL][row["lang"]].probability(signs) if signs else 0.0, row["verdict"]))
    return found


def test_weights_stay_finite_at_any_odds():
    assert Odds(1e6, dict.fromkeys(SIGNS, 0.0), 1).probability((0.0, 0.0, 0.0)) == 1.0
