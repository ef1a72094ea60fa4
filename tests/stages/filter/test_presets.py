"""What the presets of the filter do with whole pairs, without models."""

from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.config.settings import FilterSettings
from pipeline.stages.filter.stage import filter_pairs
from pipeline.stages.score.base import Context
from pipeline.stages.score.scorers import all_scorers
from pipeline.stages.score.stage import score
from tests.stages.score.build import pair

DATA = Path(__file__).parents[2] / "data"
NEWS = [line.split("\t") for line in (DATA / "vietnam_news_pairs.tsv").read_text("utf-8").splitlines()]


def reasons(preset, *texts):
    pairs = [pair(source, english, "vi", name=str(i)) for i, (source, english) in enumerate(texts)]
    settings = FilterSettings(preset=preset, near_duplicates=None)
    return [verdict.kinds for verdict in filter_pairs(score(pairs, all_scorers(), Context()), settings)]


@pytest.mark.parametrize("preset", ["keep-most", "balanced", "strict"])
def test_vietnamese_names_with_their_marks_are_kept(preset):
    assert reasons(preset, *NEWS) == [set()] * len(NEWS)


@pytest.mark.parametrize("preset", ["keep-most", "balanced", "strict"])
def test_vietnamese_that_was_not_translated_is_rejected(preset):
    headline = "HÀ NỘI MƯA TO, NHIỀU TUYẾN PHỐ NGẬP SÂU TRONG NƯỚC"
    untranslated = [(source, other) for (source, _), (other, _) in pairwise(NEWS)]
    for kinds in reasons(preset, *untranslated, (NEWS[0][0], headline)):
        assert kinds >= {"untranslated", "target_language"}
