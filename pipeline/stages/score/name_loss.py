"""Names and countries of one side that the other does not have."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from pipeline.stages.score.names import LatinText
from pipeline.text import data
from pipeline.text.patterns import either

_VIETNAMESE_ACRONYMS = data.words("vietnamese_acronyms.txt")
_ROMAN_NUMERAL = re.compile("(?=.)X{0,3}(?:IX|IV|V?I{0,3})")
"""Up to 39: centuries, quarters, terms of parliament, which English writes otherwise."""
_ACRONYM = re.compile(r"(?<![\w-])[A-Z]{2,6}(?![\w-])")
# A short name that might be a Vietnamese syllable is a person's after a title: ông Kim.
_HONORIFICS = {form for word in data.words("vietnamese_honorifics.txt") for form in (word, word.capitalize())}
_TITLED = re.compile(rf"\b(?:{either(_HONORIFICS)}) ([A-Z][a-z]+)\b(?! [A-ZĐ])")
_MONEY = re.compile(r"\b(?:USD|AUD|VND|THB|EUR|GBP|US\$)(?![\w])|\b(?:US|A|S|C|HK)\$")
_GLOSS = re.compile(r"\([^)]*\)")
_WORD = re.compile("[a-z0-9]+")
_DOTTED = re.compile(r"(?<=\b\w)\.(?=\w)")

Countries = frozenset[str]
"""The ISO 3166 codes that one name may stand for."""


def without_glosses(source: str) -> str:
    """`source` without what stands in brackets, often a gloss, and without names of currencies."""
    # Behind the last closing bracket each open one would be searched to the end.
    closed, mark, rest = source.rpartition(")")
    return without_money(_GLOSS.sub(" ", closed + mark) + rest if "(" in closed else source)


def without_money(text: str) -> str:
    """`text` without names of currencies, which are no countries and no acronyms."""
    return _MONEY.sub(" ", text)


@dataclass(frozen=True)
class FoldedWords:
    """The words of a folded English text; U.S. is one."""

    folded: str

    @cached_property
    def words(self) -> list[str]:
        """In order, in small letters."""
        return _WORD.findall(_DOTTED.sub("", self.folded))

    @cached_property
    def initials(self) -> str:
        """Their first letters in a row: an acronym of the source may be spelled out."""
        return "".join(word[0] for word in self.words)

    def has_start(self, name: str) -> bool:
        """Whether a word begins with the name."""
        place = bisect_left(self._sorted, name.lower())
        return place < len(self._sorted) and self._sorted[place].startswith(name.lower())

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted(set(self.words))


def lost_names(source: str, lang: str, kept: Collection[str], target: FoldedWords, latin: LatinText) -> set[str]:
    """The names in Latin letters and acronyms of the source that the English does not have.

    `source` is without glosses, `kept` are the names that `names.kept_names` finds in it; `target` and `latin` are the
    English.
    """
    asked: set[str] = set()
    if lang == "vi":
        acronyms = {name for name in _ACRONYM.findall(source) if not _ROMAN_NUMERAL.fullmatch(name)}
        acronyms -= _VIETNAMESE_ACRONYMS
        asked = {name for name in acronyms if name.lower() not in target.initials} | set(_TITLED.findall(source))
    lost = {name for name in asked if not target.has_start(name)}
    return lost | {name for name in kept if not latin.has(name) and name.lower() not in target.initials}


def unnamed(countries: Collection[Countries], other: Collection[Countries]) -> set[Countries]:
    """Those of `countries` of which the other side names none."""
    there = frozenset().union(*other)
    return {codes for codes in countries if not codes & there}
