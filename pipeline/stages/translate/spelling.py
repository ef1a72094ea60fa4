"""How a name in Thai letters is spelled in English: ranked candidates, from the gazetteers, by Vietnamese syllables, by
sound."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from itertools import accumulate

from rapidfuzz import fuzz, process

from pipeline.stages.translate.gazetteer import common_words, shipped_names
from pipeline.text import data
from pipeline.text.patterns import THAI
from pipeline.text.thai_words import thai_cutter
from pipeline.text.unicode import fold
from pipeline.text.vietnamese_in_thai import readings, sounded

SIMILAR = 84.0
"""rapidfuzz ratio of two Thai spellings, as they sound, from which they are taken for one name; set by hand."""
_NO_LATIN = re.compile("[^A-Za-z-]")
"""What PyThaiNLP leaves of marks that it does not know."""
MOST_SYLLABLES = 4
"""Of a name in running text."""
SHORTEST, LONGEST = 3, 9
"""Characters of the family names and syllables that are believed in running text; set by hand."""
REMEMBERED = 4096
"""Runs of Thai letters whose reading is remembered; set by hand."""
_THAI_RUN = re.compile(f"[{THAI}]+")
MOST = 5
"""Candidates that are given."""


def candidates(thai: str) -> list[str]:
    """English spellings of a name in Thai letters, the likeliest first; at least one, which may be a romanisation.

    A gazetteer's name counts before all else where it sounds the same, and before syllables where it nearly does, but
    not for what begins with a Vietnamese family name: those names differ in one letter.
    """
    same, near = _gazetteer(thai)
    read = readings(thai)
    family = [name for name in read if name.split()[0] in _family_names() and len(name.split()) > 1]
    found = [*same, *family, *near, *read] or [romanised(thai)]
    return list(dict.fromkeys(found))[:MOST]


def romanised(thai: str) -> str:
    """A name by the Royal Institute's general system (RTGS), each word with a capital."""
    from pythainlp.transliterate import romanize

    words = (_NO_LATIN.sub("", romanize(word, engine="royin")) for word in thai.split())
    return " ".join(word.capitalize() for word in words)


def _gazetteer(thai: str) -> tuple[list[str], list[str]]:
    """The names that sound the same, and those that nearly do, the nearest first."""
    known, key = _by_sound(), _sound(thai)
    same = list(known.get(key, ()))
    nearest = process.extract(key, known.keys(), scorer=fuzz.ratio, score_cutoff=SIMILAR, limit=MOST)
    return same, [name for spelling, _, _ in nearest for name in known[spelling]]


def _sound(thai: str) -> str:
    return sounded(thai).replace(" ", "").replace("-", "")


@cache
def _by_sound() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for name in shipped_names():
        for spelling in name.thai:
            found.setdefault(_sound(spelling), {})[name.english] = None
    return {sound: tuple(names) for sound, names in found.items()}


@cache
def _family_names() -> frozenset[str]:
    names = (fold(name).capitalize() for name in data.entries("vietnamese_family_names.txt"))
    return frozenset((*names, *data.entries("vietnamese_family_names_plain.txt")))


def vietnamese_names(text: str) -> Iterator[tuple[int, str, str]]:
    """Names of Vietnamese people in Thai text, left to right: where each begins, as it is written, in English.

    A family name that is no common word, and one to three syllables after it, a space between all. The last may run
    into the words behind it (เหงียน ซวน ฟุกกล่าวว่า), and a title into the first (นายเหงียน).
    """
    tokens = [(match.start(), match[0]) for match in _THAI_RUN.finditer(text)]
    at = 0
    while at < len(tokens) - 1:
        start, first = tokens[at]
        name = _name(text, tokens[at : at + MOST_SYLLABLES])
        read = readings(name) if name else []
        if read:
            yield start + len(first) - len(name.split(" ")[0]), name, read[0]
        at += max(1, name.count(" "))


def _name(text: str, tokens: Sequence[tuple[int, str]]) -> str:
    """The name that begins with a family name at the end of the first run of Thai letters, each with its place."""
    end = tokens[0][0] + len(tokens[0][1])
    parts: list[str] = []
    for start, token in tokens[1:]:
        syllable = _syllable_at_start(token) if text[end:start] == " " else ""
        if syllable:
            parts.append(syllable)
        if syllable != token:
            break
        end = start + len(token)
    # Two common words after something are rather a sentence.
    if all(part in common_words() for part in parts):
        return ""
    family = _family_at_end(tokens[0][1])
    return " ".join([family, *parts]) if family else ""


@lru_cache(maxsize=REMEMBERED)
def _family_at_end(token: str) -> str:
    """The family name in which a run of Thai letters ends, behind a title perhaps; empty where there is none."""
    ends = [0, *accumulate(map(len, thai_cutter().cut(token)))]
    for start in ends:
        ending = token[start:]
        if SHORTEST <= len(ending) <= LONGEST and ending not in common_words() and _is_family(ending):
            return ending
    return ""


@lru_cache(maxsize=REMEMBERED)
def _syllable_at_start(token: str) -> str:
    """The longest syllable with which a run of Thai letters begins; empty where it begins with none, or with a longer
    word."""
    first = thai_cutter().cut(token)[0]
    for end in range(min(LONGEST, len(token)), 1, -1):
        read = readings(token[:end])
        if read and " " not in read[0]:
            whole = len(first) > end or (len(first) == end < len(token) and first in common_words())
            return "" if whole else token[:end]
    return ""


def _is_family(thai: str) -> bool:
    read = readings(thai)
    return bool(read) and read[0] in _family_names()
