"""Vietnamese: letters, tone marks, sentences."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Literal

from pipeline.text.data import words
from pipeline.text.sentences import Rules, split

# Icelandic eth stands in for the letter đ in old fonts and on some keyboards.
RULES = ((re.compile("Ð"), "Đ"), (re.compile("ð"), "đ"))

_MARKS = re.compile("[\u0300-\u036f]")
_BARRED = str.maketrans("đĐ", "dD")
_ONSET = "(?:ngh?|nh|g[hi]?|kh?|ph?|t[hr]?|ch?|qu|[bdhlmnrsvx])?"
_RHYME = (
    "a(?:c|ch|i|m|n|ng|nh|o|p|t|u|y)?|e(?:c|ch|m|n|ng|nh|o|p|t|u)?|i(?:a|c|ch|m|n|nh|p|t|u)?|ie(?:c|m|n|ng|p|t|u)"
    "|o(?:c|e|i|m|n|ng|p|t)?|oa(?:c|ch|i|m|n|ng|nh|o|p|t|y)?|oe(?:n|o|t)|oo(?:c|ng)"
    "|u(?:a|c|e|i|m|n|ng|p|t|u|y)?|ua(?:n|ng|t|y)|ue(?:ch|nh)|uo(?:c|i|m|n|ng|p|t|u)?|uy(?:a|ch|n|nh|p|t|u)|uye(?:n|t)"
    "|y(?:ch|m|n|nh|p|t|u)?|ye(?:m|n|ng|t|u)"
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_TONE = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
_OPEN_PAIR = re.compile("(?:o[ae]|uy)$")
_SYLLABLE = re.compile(f"{_ONSET}(?:{_RHYME})")


def strip_marks(text: str) -> str:
    """`text` without tone marks, vowel marks and bars: "Đà Nẵng" becomes "Da Nang". Case stays."""
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", text.translate(_BARRED))))


def tone_placement(text: str, style: Literal["old", "new"]) -> str:
    """`text` (NFC) with the tones of open oa, oe and uy in one style: old hòa, khỏe, thủy, new hoà, khoẻ, thuỷ.

    News writes the old style. After qu the tone is on the y in both, and other rhymes are the same in both.
    """
    return _WORD.sub(lambda match: _placed(match[0], style), text)


def _placed(word: str, style: Literal["old", "new"]) -> str:
    letters = unicodedata.normalize("NFD", word)
    tones = _TONE.findall(letters)
    bare = _TONE.sub("", letters)
    lower = bare.lower()
    if len(tones) != 1 or not _OPEN_PAIR.search(lower) or not is_syllable(strip_marks(lower)):
        return word
    at = len(bare) - (1 if style == "old" and not lower.endswith("quy") else 0)
    return unicodedata.normalize("NFC", bare[:at] + tones[0] + bare[at:])


def is_syllable(plain: str) -> bool:
    """Whether a lower-case word without marks can be one Vietnamese syllable."""
    return _SYLLABLE.fullmatch(plain) is not None


@cache
def _rules() -> Rules:
    return Rules(*(words(f"vietnamese_{name}.txt") for name in ("titles", "numbered", "shorts", "openers")))


def sentences(text: str) -> list[tuple[int, int]]:
    """The spans of the sentences of `text` in order; every character that is no space is in exactly one."""
    return split(text, _rules())
