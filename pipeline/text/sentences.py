"""Sentence ends in languages that mark them, such as English and Vietnamese: which full stops end a sentence.

A candidate is a run of end marks with its closing quotes and brackets, followed by a space. What decides are the word
before it (title, other abbreviation, initial, list number) and the word after it (lower case, capital, usual opener).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from pipeline.text.data import words
from pipeline.text.languages import language

CLOSING = "\"'”’»)\\]}"
OPENING = "\"'“‘«(\\[{–—•*-"

_CANDIDATE = re.compile(rf"(?P<mark>\./\.|[.!?…]+)(?P<close>[{CLOSING}]*(?:\s[\"”](?=\s|$))?)(?=\s|$)")
_BEFORE = re.compile(r"[^\s\"'“”‘’«»()\[\]{}–—]*$")
_NEXT = re.compile(rf"[\s{OPENING}]*(?P<word>[^\s]*)")
_INITIAL = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_LIST_NUMBER = re.compile(r"(?:\d{1,2}|[a-zđA-Z]|[IVX]{1,4})$")
LONGEST_WORD = 60
"""Characters before a full stop that are searched for the word it belongs to; set by hand."""
LONGEST_LIST_NUMBER = 4
"""Characters of the longest number of a list: VIII."""


LISTS = ("titles", "numbered", "shorts", "openers", "plain_openers")


@dataclass(frozen=True, slots=True)
class Rules:
    """The words that decide, in lower case and without the final full stop.

    `titles` stand before a name and never end a sentence; `numbered` do so only before a digit; `shorts` end one when
    what follows usually opens one, and `openers` are those words. What is a title and short ends one before
    `plain_openers` only, which are nobody's name ("He was made a Col. The army ...", "Col. So Min said").
    """

    titles: frozenset[str]
    numbered: frozenset[str]
    shorts: frozenset[str]
    openers: frozenset[str]
    plain_openers: frozenset[str]


@cache
def _rules(prefix: str) -> Rules:
    return Rules(*(words(f"{prefix}_{name}.txt") for name in LISTS))


def sentences(text: str, lang: str) -> list[tuple[int, int]]:
    """The spans of the sentences of `text` in order; every character that is no space is in exactly one.

    The words that decide are those of `lang`, of English where it has none of its own.
    """
    return split(text, _rules(language(lang).sentence_words))


def split(text: str, rules: Rules) -> list[tuple[int, int]]:
    """The spans of the sentences of `text`: in order, without the spaces around them, every other character in one.

    A line feed always ends a sentence.
    """
    spans = []
    line_start = 0
    for line in text.split("\n"):
        start = line_start
        for match in _CANDIDATE.finditer(line):
            end = line_start + match.end()
            if _ends(line, match, start - line_start, rules):
                spans += _trimmed(text, start, end)
                start = end
        spans += _trimmed(text, start, line_start + len(line))
        line_start += len(line) + 1
    return spans


def _trimmed(text: str, start: int, end: int) -> list[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return [(start, end)] if start < end else []


def _ends(line: str, match: re.Match[str], start: int, rules: Rules) -> bool:
    mark = match["mark"]
    following = _NEXT.match(line, match.end())
    word = following["word"] if following else ""
    if mark == "./." or not word:
        return True
    if word[0].islower():
        return False
    if mark != ".":
        return True
    found = _BEFORE.search(line, max(start, match.start() - LONGEST_WORD), match.start())
    before = found[0] if found else ""
    if _is_list_number(line, start, match.start()):
        return False
    return _full_stop_ends(before, word, bool(match["close"]), rules)


def _is_list_number(line: str, start: int, end: int) -> bool:
    """Whether what ends before the full stop at `end` is the number of a list that begins at `start` or at a colon."""
    number = _LIST_NUMBER.search(line, max(start, end - LONGEST_LIST_NUMBER), end)
    if not number:
        return False
    at = number.start()
    while at > start and line[at - 1].isspace():
        at -= 1
    return at == start or line[at - 1] in ":;"


def _full_stop_ends(before: str, word: str, closed: bool, rules: Rules) -> bool:
    lower = before.lower()
    opener = re.split(r"[^\w]", word.lower())[0]
    if lower in rules.titles or _all_titles(lower, rules):
        return lower in rules.shorts and opener in rules.plain_openers
    if lower in rules.numbered:
        return not word[0].isdigit()
    if lower in rules.shorts or _INITIAL.fullmatch(before):
        return closed or opener in rules.openers
    return True


def _all_titles(lower: str, rules: Rules) -> bool:
    """Whether a word is several titles written as one, letters between them: PGS.TS, Lt.-Gen, Pol.Lt.Col, L/Cpl."""
    parts = [part for part in re.split(r"[./-]+", lower) if len(part) > 1]
    return parts != [lower] and bool(parts) and all(part in rules.titles for part in parts)
