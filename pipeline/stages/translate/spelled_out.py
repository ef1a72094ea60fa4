"""Names whose English a document gives itself, in brackets behind them: มุคธาร์ ติเลอูเบอร์ดี (Mukhtar Tileuberdi).

Papers do so where a name is first met, and write it without afterwards. What stands in brackets is taken for the
spelling only where it sounds like what stands before: much else does too (an acronym, a translation, an age).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate

from rapidfuzz import fuzz

from pipeline.stages.translate.gazetteer import common_words
from pipeline.text.languages import language
from pipeline.text.patterns import THAI
from pipeline.text.thai_words import thai_cutter
from pipeline.text.transliteration import log_odds
from pipeline.text.unicode import fold

SOUNDS_LIKE = 1.0
"""Log-odds a letter from which Thai letters are taken for a name: a transliteration has two, chance in a whole sentence
five in all."""
SLACK = 1.0
"""Log-odds that a longer stretch must add to be believed. Both set by hand."""
ALIKE = 50.0
"""rapidfuzz ratio of the letters of two spellings in Latin letters: the names in the test have 53 and more."""
SHORTEST = 4
"""Letters of the shortest name."""
SHORTEST_PART = 6
"""Thai characters of a part of a name that counts by itself: a family name. Shorter ones are other words too."""
REACH = 60
"""Thai characters before the bracket in which a name begins."""
_AS_VIETNAMESE = str.maketrans("xcqwyz", "skkvid")
_LATIN = r"(?P<latin>[A-Z][A-Za-z'’.-]{0,30}(?: [A-Za-z][A-Za-z'’.-]{0,30}){0,4})"
_THAI = re.compile(rf"(?P<name>[{THAI}][{THAI} .-]{{0,{REACH}}}?) ?\({_LATIN}\)")
_WORD = r"[^\W\d_]+\.?(?:-[^\W\d_]+)*"
_SPACED = re.compile(rf"(?P<name>(?<![\w-]){_WORD}(?: {_WORD}){{0,3}}) ?\({_LATIN}\)")


def names_spelled_out(text: str, lang: str) -> dict[str, str]:
    """The names of a document, as it writes them in the source language, with the Latin spelling that it gives.

    In Thai any name that sounds like the bracket, and its parts where both sides have as many; in other languages names
    of syllables with hyphens between them (Tô-ca-ép). The first spelling of a name counts.
    """
    if "(" not in text:
        return {}
    found: dict[str, str] = {}
    for name, latin in _thai(text) if language(lang).words == "thai" else _hyphened(text):
        found.setdefault(name, latin)
        parts, words = name.split(), latin.split()
        if len(parts) == len(words) > 1:
            for part, word in zip(parts, words, strict=True):
                if len(part) >= SHORTEST_PART and len(_letters(word)) >= SHORTEST and part not in common_words():
                    found.setdefault(part, word)
    return found


def _thai(text: str) -> Iterator[tuple[str, str]]:
    for match in _THAI.finditer(text):
        latin = match["latin"]
        letters = _letters(latin)
        if len(letters) < SHORTEST or latin.isupper():
            continue
        before = match["name"][-REACH:].rstrip()
        starts = [0, *accumulate(map(len, thai_cutter().cut(before)))][:-1]
        odds = {start: log_odds(letters, before[start:]) for start in starts if before[start] != " "}
        best = max(odds.values())
        if best >= SOUNDS_LIKE * len(letters):
            # The shortest that is as good: what stands before it (a title) adds nothing.
            yield before[max(start for start, value in odds.items() if value >= best - SLACK) :], latin


def _hyphened(text: str) -> Iterator[tuple[str, str]]:
    for match in _SPACED.finditer(text):
        latin = match["latin"]
        if len(_letters(latin)) < SHORTEST or latin.isupper():
            continue
        words = match["name"].split()
        names = [" ".join(words[at:]) for at in range(len(words)) if words[at][0].isupper()]
        # The family name alone too: C. Tô-ca-ép (Kassym-Jomart Tokayev).
        pairs = [(name, said) for said in dict.fromkeys([latin, latin.split()[-1]]) for name in names if "-" in name]
        best = max(pairs, key=lambda pair: _alike(*pair), default=None)
        if best and _alike(*best) >= ALIKE:
            yield best


def _alike(name: str, latin: str) -> float:
    """How alike two spellings are, 0 to 100, with the letters that Vietnamese papers write for those of others."""
    return fuzz.ratio(*(_letters(spelling).replace("ph", "f").translate(_AS_VIETNAMESE) for spelling in (name, latin)))


def _letters(name: str) -> str:
    return "".join(char for char in fold(name) if "a" <= char <= "z")
