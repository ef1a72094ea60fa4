"""Texts as sets of short strings, to tell how much of one is in another. Thai has no spaces, so words will not do."""

from __future__ import annotations

import re

from pipeline.text.patterns import THAI
from pipeline.text.unicode import MARKS, same

LENGTH = 5
"""Characters of a shingle: short ones are shared by chance, and every changed character spoils this many."""

_THAI = re.compile(f"[{THAI}]")
_BETWEEN = re.compile(f"(?:_|[^\\w{MARKS}])+")


def comparable(text: str) -> str:
    """`text` as by `same`, under the rules of the script that it is written in, with single spaces."""
    return " ".join(same(text, "th" if _THAI.search(text) else "vi").split())


def letters(text: str) -> str:
    """Only letters, marks and digits of a comparable text: how it is spaced, tokenised or punctuated does not count."""
    return _BETWEEN.sub("", text)


def shingles(text: str) -> set[str]:
    """All stretches of `LENGTH` characters; a shorter text is its only shingle, an empty one has none."""
    if len(text) < LENGTH:
        return {text} if text else set()
    return {text[i : i + LENGTH] for i in range(len(text) - LENGTH + 1)}


def jaccard(one: set[str], other: set[str]) -> float:
    """Size of the intersection over size of the union, 0 to 1; 0 for two empty sets."""
    common = len(one & other)
    return common / (len(one) + len(other) - common) if common else 0.0
