"""Right pairs as papers write them are kept by `balanced`: no rule asks for what is an accident of the form."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import pipeline
from pipeline.config.settings import FilterSettings
from pipeline.stages.filter.stage import failures
from pipeline.stages.score.base import Context
from pipeline.stages.score.scorers import all_scorers
from pipeline.stages.score.stage import score
from pipeline.types import Pair
from tests.support.encoders import use

DATA = Path(__file__).resolve().parents[2] / "data"


def pairs(name: str, lang: str = "") -> Iterator[Pair]:
    """The pairs of a table, each its own document; where no language is given it is the first column."""
    for number, line in enumerate((DATA / name).read_text("utf-8").splitlines(), 1):
        if line and not line.startswith("#"):
            code, source, english = (lang, *line.split("\t")) if lang else line.split("\t")
            yield pipeline.make_pair(source, english, code, f"{name}:{number}")


@pytest.mark.parametrize(
    ("name", "lang", "least"),
    [
        ("news_th.tsv", "th", 200),
        ("news_vi.tsv", "vi", 200),
        ("pairs_right.tsv", "", 200),
        ("pairs_without_stops.tsv", "", 22),
    ],
)
def test_all_are_kept(name: str, lang: str, least: int) -> None:
    rules = FilterSettings(preset="balanced").rules
    scored = list(score(pairs(name, lang), all_scorers(use()), Context()))
    assert len(scored) >= least
    assert {row.pair.src_text: broken for row in scored if (broken := failures(rules, row))} == {}
