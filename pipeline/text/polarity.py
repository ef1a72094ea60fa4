"""Verbs that turn a sentence about, and whether the English still has one: to forbid, to prevent, to deny.

"Forces will smuggle" of กำลังเฝ้าระวังการลักลอบ says the opposite with every noun in place. Only verbs with few renderings
are asked for, and any of them counts, so that what is found is rarely wrong and much is not found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline.files.plain_yaml import load_yaml
from pipeline.text.languages import language
from pipeline.text.patterns import either
from pipeline.types import ENGLISH

_TABLE = Path(__file__).parent / "data" / "polarity.yaml"
BESIDES = "besides"
ENDING, WILD = re.escape("*"), r"\w*"
_THAI_MARK = "ะ-ฺ็-๎"
"""A Thai word does not end before one of these: ห้ามี is five and has, not to forbid."""


@dataclass(frozen=True, slots=True)
class LostVerb:
    """What a source says and the English does not: the kind ("prohibition") and the word of the source."""

    kind: str
    word: str


def lost_verbs(source: str, lang: str, english: str) -> list[LostVerb]:
    """A word of the source for each kind of which the English has none."""
    if not _any(lang).search(source):
        return []
    found = []
    shown = _besides(lang).sub(" ", source)
    for kind, (ours, theirs) in _kinds(lang).items():
        word = ours.search(shown)
        if word and not theirs.search(english):
            found.append(LostVerb(kind, word[0]))
    return found


@cache
def _table() -> Mapping[str, Mapping[str, Sequence[str]]]:
    loaded: Mapping[str, Mapping[str, Sequence[str]]] = load_yaml(_TABLE)
    return loaded


@cache
def _any(lang: str) -> re.Pattern[str]:
    return re.compile("|".join(ours.pattern for ours, _ in _kinds(lang).values()) or "(?!)", re.IGNORECASE)


@cache
def _besides(lang: str) -> re.Pattern[str]:
    return re.compile(either(_table()[BESIDES].get(lang, ())) or "(?!)")


@cache
def _kinds(lang: str) -> Mapping[str, tuple[re.Pattern[str], re.Pattern[str]]]:
    end = rf"(?![{_THAI_MARK}])" if language(lang).script else r"(?!\w)"
    start = "" if language(lang).script else r"(?<!\w)"
    return {
        kind: (
            re.compile(rf"{start}(?:{either(forms[lang])}){end}", re.IGNORECASE),
            re.compile(rf"(?:\b(?:{either(forms[ENGLISH]).replace(ENDING, WILD)})(?!\w))|n['’]t\b", re.IGNORECASE),
        )
        for kind, forms in _table().items()
        if kind != BESIDES and lang in forms
    }
