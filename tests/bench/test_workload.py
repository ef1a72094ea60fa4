"""The rows that all engines get."""

from statistics import fmean

import pytest

from pipeline.bench.shapes import SHAPES
from pipeline.bench.workload import LONGEST, SHORTEST, news, short


def test_news_sentences_have_the_stated_lengths() -> None:
    rows = news(SHAPES["opus-mt"], 2000, multiple=1)
    lengths = [len(source) for source in rows.sources]
    assert min(lengths) >= SHORTEST and max(lengths) <= LONGEST
    assert min(rows.lengths) >= SHORTEST and max(rows.lengths) <= LONGEST
    assert fmean(lengths) == pytest.approx(30, rel=0.05)
    assert fmean(rows.lengths) == pytest.approx(30, rel=0.08)
    assert lengths != sorted(lengths)


@pytest.mark.parametrize("name", SHAPES)
def test_special_tokens_stand_only_at_the_end(name: str) -> None:
    shape = SHAPES[name]
    special = {shape.start, shape.end, shape.pad, shape.unknown}
    for source in news(shape, 50, multiple=1).sources:
        assert source[-1] == shape.end
        assert not special & set(source[:-1])
        assert max(source) < shape.vocabulary


def test_rows_are_the_same_every_time() -> None:
    shape = SHAPES["opus-mt"]
    more, fewer = news(shape, 90, multiple=1), news(shape, 30, multiple=1)
    assert fewer == news(shape, 30, multiple=1)
    assert (fewer.sources, fewer.lengths) == (more.sources[:30], more.lengths[:30])
    assert short(shape, 30, number=1) == short(shape, 30, number=1) != short(shape, 30, number=2)


def test_rounding_leaves_the_sources_alone_and_cuts_nothing() -> None:
    shape = SHAPES["opus-mt"]
    free, rounded = news(shape, 300, multiple=1), news(shape, 300, multiple=4)
    assert free.sources == rounded.sources
    assert all(
        after % 4 == 0 and 0 <= after - before < 4 for before, after in zip(free.lengths, rounded.lengths, strict=True)
    )
    assert rounded.tokens(10) == sum(rounded.lengths[:10])


def test_short_segments() -> None:
    rows = short(SHAPES["tiny"], 500, number=3)
    assert {len(source) for source in rows.sources} == {2, 3, 4, 5, 6}
    assert rows.lengths == [len(source) for source in rows.sources]
