"""Abbreviations spelled out, for models and lexicons that know the words only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from pipeline.text import data
from pipeline.text.languages import language
from pipeline.text.patterns import prefix_tree


class Abbreviations(NamedTuple):
    """The abbreviations of a language: a pattern for any of them where a word may begin, and what each stands for."""

    pattern: re.Pattern[str]
    spelled: Mapping[str, str]


def spelled_out(text: str, lang: str) -> str:
    """`text` with the words that its abbreviations stand for; itself in a language that has no list of them.

    Thai news writes ครม. for the cabinet and ม.ค. for January, which no encoder and no lexicon has read often.
    """
    known = _abbreviations(lang)
    if known is None or "." not in text:
        return text
    return known.pattern.sub(lambda match: known.spelled[match[0]], text)


@cache
def _abbreviations(lang: str) -> Abbreviations | None:
    entry = language(lang)
    if not entry.abbreviations:
        return None
    spelled = data.pairs(entry.abbreviations)
    return Abbreviations(re.compile(rf"(?<![{entry.letters}.]){prefix_tree(spelled)}"), spelled)
