"""Names whose English a document gives itself, in brackets behind them: มุคธาร์ ติเลอูเบอร์ดี (Mukhtar Tileuberdi).

Papers do so where a name is first met, and write it without afterwards. What stands in brackets is taken for the
spelling only where it sounds like what stands before: much else does too (an acronym, a translation, an age).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import accumulate, chain

from rapidfuzz import fuzz

from pipeline.stages.translate.gazetteer import common_words
from pipeline.stages.translate.glossary import everyday_words, folder, read_glossary
from pipeline.text.languages import language, source_languages
from pipeline.text.patterns import THAI
from pipeline.text.thai_words import thai_cutter
from pipeline.text.transliteration import log_odds
from pipeline.text.unicode import fold

SOUNDS_LIKE = 1.0
"""Log-odds a letter from which Thai letters are taken for a name: a transliteration has two, chance in a whole sentence
five in all."""
SLACK = 1.0
"""Log-odds that a longer stretch must add to be believed. Both set by hand."""
ALIKE = 60.0
"""rapidfuzz ratio of the letters of two spellings in Latin letters, which begin alike. Set by hand: other countries and
towns than those that are meant have less, or begin otherwise (Ca-na-đa, Nevada)."""
SHORTEST = 4
"""Letters of the shortest name."""
SHORTEST_PART = 6
"""Thai characters of a part of a name that counts by itself: a family name. Shorter ones are other words too."""
REACH = 60
"""Thai characters before the bracket in which a name begins."""
_WORDS = re.compile("[a-z]+")
_AS_VIETNAMESE = str.maketrans("xcqwyz", "skkvid")
_LETTER = "[A-Za-zÀ-ɏḀ-ỹ]"
_PART = rf"{_LETTER}(?:{_LETTER}|['’.-]){{0,30}}"
_LATIN = rf"\( ?(?:(?:Mr|Mrs|Ms|Dr)\.? ?)?(?P<latin>{_PART}(?: {_PART}){{0,4}}) ?(?:,[^()]{{0,30}})?\)"
_THAI = re.compile(rf"(?P<name>[{THAI}][{THAI} .-]{{0,{REACH}}}?)[”\"’]? ?{_LATIN}")
_WORD = r"[^\W\d_]+\.?(?:-[^\W\d_]+)*"
_SPACED = re.compile(rf"(?P<name>(?<![\w-]){_WORD}(?: {_WORD}){{0,3}})[”\"’]? ?{_LATIN}")


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
                if len(part) >= SHORTEST_PART and part not in common_words() and _sounds(_letters(word), part):
                    found.setdefault(part, word)
    return found


def _thai(text: str) -> Iterator[tuple[str, str]]:
    for match in _THAI.finditer(text):
        latin = match["latin"]
        letters = _letters(latin)
        if not _may_spell(latin):
            continue
        before = match["name"][-REACH:].strip()
        starts = [0, *accumulate(map(len, thai_cutter().cut(before)))][:-1]
        odds = {start: log_odds(letters, before[start:]) for start in starts if before[start] != " "}
        best = max(odds.values(), default=0.0)
        if best >= SOUNDS_LIKE * len(letters):
            # The shortest that is as good: what stands before it (a title) adds nothing.
            name = before[max(start for start, value in odds.items() if value >= best - SLACK) :]
            if name not in common_words() and len(name.split()) <= len(latin.split()) + 1:
                yield name, latin


def _hyphened(text: str) -> Iterator[tuple[str, str]]:
    for match in _SPACED.finditer(text):
        latin = match["latin"]
        if not _may_spell(latin):
            continue
        words = match["name"].split()
        names = [" ".join(words[at:]) for at in range(len(words)) if words[at][0].isupper()]
        # The family name alone too: C. Tô-ca-ép (Kassym-Jomart Tokayev).
        pairs = [(name, said) for said in dict.fromkeys([latin, latin.split()[-1]]) for name in names if "-" in name]
        best = max(pairs, key=lambda pair: _alike(*pair), default=None)
        if best and _alike(*best) >= ALIKE:
            yield best


def _may_spell(latin: str) -> bool:
    """Whether what stands in brackets may be a name spelled out: it has a capital, is no acronym, and has a word that
    is no common one of English."""
    words, letters = _WORDS.findall(fold(latin)), len(_letters(latin))
    return (
        letters >= SHORTEST and latin[0].isupper() and not latin.isupper() and not _common_english().issuperset(words)
    )


@cache
def _common_english() -> frozenset[str]:
    """English words that the glossaries write small: virus, taxi."""
    files = (language(lang).glossary for lang in source_languages())
    listed = (entry for name in files if name for entry in read_glossary(folder() / name))
    entries = chain(listed, *(everyday_words(lang) for lang in source_languages()))
    return frozenset(word for entry in entries if not entry.is_name for word in _WORDS.findall(entry.english))


def _sounds(letters: str, thai: str) -> bool:
    return len(letters) >= SHORTEST and log_odds(letters, thai) >= SOUNDS_LIKE * len(letters)


def _alike(name: str, latin: str) -> float:
    """How alike two spellings are, 0 to 100, with the letters that Vietnamese papers write for those of others; 0 where
    they begin otherwise, or one has the words of the other (Bà Rịa-Vũng Tàu, Vung Tau)."""
    if set(_WORDS.findall(fold(latin))) <= set(_WORDS.findall(fold(name))):
        return 0.0
    ours, theirs = (_letters(one).replace("ph", "f").translate(_AS_VIETNAMESE) for one in (name, latin))
    return fuzz.ratio(ours, theirs) if ours[:1] == theirs[:1] else 0.0


def _letters(name: str) -> str:
    return "".join(char for char in fold(name) if "a" <= char <= "z")
