"""Vietnamese: letters, tone marks, sentences."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

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
    "|y|y(?:m|n|t)|ye(?:m|n|ng|t|u)"
)
_SYLLABLE = re.compile(f"{_ONSET}(?:{_RHYME})")


def strip_marks(text: str) -> str:
    """`text` without tone marks, vowel marks and bars: "Đà Nẵng" becomes "Da Nang". Case stays."""
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", text.translate(_BARRED))))


def is_syllable(plain: str) -> bool:
    """Whether a lower-case word without marks can be one Vietnamese syllable."""
    return _SYLLABLE.fullmatch(plain) is not None


@cache
def _rules() -> Rules:
    return Rules(*(words(f"vietnamese_{name}.txt") for name in ("titles", "numbered", "shorts", "openers")))


def sentences(text: str) -> list[tuple[int, int]]:
    """The spans of the sentences of `text` in order; every character that is no space is in exactly one."""
    return split(text, _rules())
