"""English: sentences of news text."""

from __future__ import annotations

from functools import cache

from pipeline.text.data import words
from pipeline.text.sentences import Rules, split


@cache
def _rules() -> Rules:
    return Rules(*(words(f"english_{name}.txt") for name in ("titles", "numbered", "shorts", "openers")))


def sentences(text: str) -> list[tuple[int, int]]:
    """The spans of the sentences of `text` in order; every character that is no space is in exactly one."""
    return split(text, _rules())
