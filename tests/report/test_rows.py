"""Rows of the report's tables."""

import pytest

from pipeline.report.rows import TITLE_CHARS, title
from pipeline.types import Document, Segment, Source


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (("boilerplate", "body", "headline"), "text 2"),
        (("boilerplate", "caption", "body"), "text 1"),
        (("boilerplate", "boilerplate"), "text 0"),
        ((), "first line"),
    ],
)
def test_a_headline_is_a_title_before_a_text_and_that_before_boilerplate(kinds, expected):
    document = Document("d", "vi", "first line\nsecond", Source("a.txt"), {})
    segments = tuple(Segment(f"d:{n}", "d", n, n, n, n + 1, f"text {n}", kind) for n, kind in enumerate(kinds))
    assert title(document, segments) == expected


def test_a_long_title_is_cut():
    document = Document("d", "vi", "x" * 500, Source("a.txt"), {})
    assert len(title(document, ())) == TITLE_CHARS
