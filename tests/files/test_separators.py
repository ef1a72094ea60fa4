from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.files.separators import one_line


@given(st.text())
def test_one_line_is_one_line_for_every_reader(text):
    line, changed = one_line(text)
    assert len(f"{line}|".splitlines()) == 1 and "\t" not in line
    assert (changed == 0) == (line == text)
    assert one_line(line) == (line, 0)


@pytest.mark.parametrize("text", ["ทำ", "\u0e4d\u0e32", "e\u0302", "a\u200bb", "\u202eabc", "👩‍👩‍👧", " ", ""])
def test_marks_and_format_characters_are_left_alone(text):
    assert one_line(text) == (text, 0)
