"""Vietnamese: letters, tone marks, syllables."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

from pipeline.text.data import words
from pipeline.text.patterns import either

Placement = Literal["old", "new"]

_CAPITALS, _SMALL = (
    "".join(filter(of_case, map(chr, [*range(0x41, 0x7B), *range(0xC0, 0x1B1), *range(0x1EA0, 0x1EFA)])))
    for of_case in (str.isupper, str.islower)
)
"""The Latin letters of each case, those of Vietnamese with their marks among them, for use in brackets: from À to Ỹ
they alternate, so that no range of them is of one case."""


def person(most: int) -> re.Pattern[str]:
    """A common family name and up to `most` names more, each capitalised."""
    family = either(words("vietnamese_family_names.txt"))
    return re.compile(rf"\b(?:{family})(?: [{_CAPITALS}][{_SMALL}]+){{1,{most}}}\b")


SYLLABLES = 1 << 14
"""Written syllables whose tone is remembered: some 7,000 are in use, and twice as many with capitals."""

_TONES = "\u0300\u0301\u0303\u0309"
"""Grave, acute, tilde and hook; the dot below sorts before other marks by itself."""


def _toned(letters: str) -> str:
    return "".join(unicodedata.normalize("NFC", letter + tone) for letter in letters for tone in _TONES)


def _quality_first(match: re.Match[str]) -> str:
    letters = unicodedata.normalize("NFD", match[0][0])
    return unicodedata.normalize("NFC", letters[0] + match[0][1] + letters[1])


RULES = (
    # Icelandic eth stands in for the letter đ in old fonts and on some keyboards.
    (re.compile("Ð"), "Đ"),
    (re.compile("ð"), "đ"),
    # NFC does not compose a circumflex or breve that was typed after the tone.
    (re.compile(f"[{_toned('aeoAEO')}]\u0302|[{_toned('aA')}]\u0306"), _quality_first),
)

_MARKS = re.compile("[\u0300-\u036f]")
_ONSET = "(?:ngh?|nh|g[hi]?|kh?|ph?|t[hr]?|ch?|qu|[bdhlmnrsvx])?"
_RHYME = (
    "a(?:c|ch|i|m|n|ng|nh|o|p|t|u|y)?|e(?:c|ch|m|n|ng|nh|o|p|t|u)?|i(?:a|c|ch|m|n|nh|p|t|u)?|ie(?:c|m|n|ng|p|t|u)"
    "|o(?:c|e|i|m|n|ng|p|t)?|oa(?:c|ch|i|m|n|ng|nh|o|p|t|y)?|oe(?:n|o|t)|oo(?:c|ng)"
    "|u(?:a|c|e|i|m|n|ng|p|t|u|y)?|ua(?:n|ng|t|y)|ue(?:ch|nh)|uo(?:c|i|m|n|ng|p|t|u)?|uy(?:a|ch|n|nh|p|t|u)|uye(?:n|t)"
    "|y(?:ch|m|n|nh|p|t|u)?|ye(?:m|n|ng|t|u)"
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_TONE = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
_VOWEL = "(?:[aeo]\u0302|a\u0306|[ou]\u031b|[aeiouy])"
_SHAPE = re.compile(f"(?P<onset>qu|gi(?=[aeiouy])|[^aeiouy]*)(?P<vowels>{_VOWEL}+)(?P<coda>[a-z]*)")
_SYLLABLE = re.compile(f"{_ONSET}(?:{_RHYME})")


def strip_marks(text: str) -> str:
    """`text` without tone marks, vowel marks and bars: "Đà Nẵng" becomes "Da Nang". Case stays."""
    if text.isascii():
        return text
    return unicodedata.normalize(
        "NFC", _MARKS.sub("", unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D")))
    )


def tone_placement(text: str, style: Placement) -> str:
    """`text` (NFC) with the tone of every Vietnamese syllable on the vowel where one style puts it.

    The styles differ in open oa, oe and uy only: old hòa, khỏe, thủy, new hoà, khoẻ, thuỷ. The u of qu and the i of gi
    belong to the consonant (quý, già), and a tone that stands elsewhere is moved in both styles (hòan becomes hoàn).
    """
    return _WORD.sub(lambda match: _placed(match[0], style), text)


@lru_cache(maxsize=SYLLABLES)
def _placed(word: str, style: Placement) -> str:
    if word.isascii():
        return word
    letters = unicodedata.normalize("NFD", word)
    tones = _TONE.findall(letters)
    bare = _TONE.sub("", letters)
    shape = _SHAPE.fullmatch(bare.lower().replace("đ", "d"))
    if len(tones) != 1 or not shape or not is_syllable(strip_marks(bare).lower()):
        return word
    vowels = re.findall(_VOWEL, shape["vowels"])
    before = vowels[: _toned_vowel(vowels, bool(shape["coda"]), style) + 1]
    at = shape.start("vowels") + len("".join(before))
    return unicodedata.normalize("NFC", bare[:at] + tones[0] + bare[at:])


def _toned_vowel(vowels: list[str], closed: bool, style: Placement) -> int:
    """Which of the vowels carries the tone: the last one with a mark of its own, else one by its place."""
    marked = [i for i, vowel in enumerate(vowels) if len(vowel) > 1]
    if marked:
        return marked[-1]
    if len(vowels) == 2 and not closed:
        return int(style == "new" and "".join(vowels) in ("oa", "oe", "uy"))
    return min(1, len(vowels) - 1)


def is_syllable(plain: str) -> bool:
    """Whether a lower-case word without marks can be one Vietnamese syllable."""
    return _SYLLABLE.fullmatch(plain) is not None
