"""What turns a sentence about, and whether the English still has it: a negation, a verb that forbids, prevents, denies.

"Forces will smuggle" of กำลังเฝ้าระวังการลักลอบ says the opposite with every noun in place. Any of many renderings counts,
so that what is found is rarely wrong and some is not found: of good pairs with a negation one in thirty
seems to lose it (docs/scoring.md), of those with a verb one in seventy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline.files.plain_yaml import load_yaml
from pipeline.text.languages import language
from pipeline.text.patterns import either
from pipeline.types import ENGLISH

_TABLE = Path(__file__).parent / "data" / "polarity.yaml"
BESIDES, NEGATION = "besides", "negation"
ENDING, WILD = re.escape("*"), r"\w*"
GAP, WITHIN = re.escape(" … "), r"\b[^.?!]{1,100}?\b"
"""What stands between the words of a question: có ... không."""
_THAI_MARK = "ะ-ฺ็-๎"
"""A Thai word does not end before one of these: ห้ามี is five and has, not to forbid."""


@dataclass(frozen=True, slots=True)
class LostWord:
    """What a source says and the English does not: the kind ("prohibition") and the word of the source."""

    kind: str
    word: str


def lost_verbs(source: str, lang: str, english: str) -> list[LostWord]:
    """A word of the source for each kind of verb of which the English has none."""
    return [word for word in lost_words(source, lang, english) if word.kind != NEGATION]


def lost_negation(source: str, lang: str, english: str) -> str:
    """A word of the source that denies (ไม่, không) where the English has none that could; else empty."""
    return next((lost.word for lost in lost_words(source, lang, english) if lost.kind == NEGATION), "")


def lost_words(source: str, lang: str, english: str) -> Iterator[LostWord]:
    """The first word of the source of each kind, verbs before the negation, of which the English has none."""
    if not _any(lang).search(source):
        return
    shown, theirs_shown = _besides(lang).sub(" ", source), _besides(ENGLISH).sub(" ", english)
    for kind, (ours, theirs) in _kinds(lang).items():
        word = ours.search(shown)
        if word and not theirs.search(theirs_shown):
            yield LostWord(kind, word[0])


@cache
def _table() -> Mapping[str, Mapping[str, Sequence[str]]]:
    loaded: Mapping[str, Mapping[str, Sequence[str]]] = load_yaml(_TABLE)
    return loaded


@cache
def _any(lang: str) -> re.Pattern[str]:
    return re.compile("|".join(ours.pattern for ours, _ in _kinds(lang).values()) or "(?!)", re.IGNORECASE)


@cache
def _besides(lang: str) -> re.Pattern[str]:
    forms = either(_table()[BESIDES].get(lang, ())).replace(GAP, WITHIN) or "(?!)"
    if lang == ENGLISH:
        return re.compile(_english(forms), re.IGNORECASE)
    # Of a form that ends in a mark (không?) the mark is its end.
    end = rf"(?![{_THAI_MARK}])" if language(lang).script else r"(?:(?<!\w)|(?!\w))"
    start = "" if language(lang).script else r"(?<!\w)"
    return re.compile(rf"{start}(?:{forms}){end}", re.IGNORECASE)


def _english(forms: str) -> str:
    return rf"\b(?:{forms.replace(ENDING, WILD)})(?!\w)"


@cache
def _kinds(lang: str) -> Mapping[str, tuple[re.Pattern[str], re.Pattern[str]]]:
    end = rf"(?![{_THAI_MARK}])" if language(lang).script else r"(?!\w)"
    start = "" if language(lang).script else r"(?<!\w)"
    return {
        kind: (
            re.compile(rf"{start}(?:{either(forms[lang])}){end}", re.IGNORECASE),
            re.compile(rf"{_english(either(forms[ENGLISH]))}|n['’]t\b", re.IGNORECASE),
        )
        for kind, forms in _table().items()
        if kind != BESIDES and lang in forms
    }
