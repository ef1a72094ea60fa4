"""Whether both sides are in the language they are said to be in."""

from __future__ import annotations

import re
from typing import Literal

from pipeline.stages.score.base import Context, PairScorer
from pipeline.text.language import detect
from pipeline.types import Pair

_THAI = re.compile("[\u0e01-\u0e3a\u0e40-\u0e4e]")
_LATIN = re.compile("[A-Za-z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff]")


class Language(PairScorer):
    """1 when the detector finds the stated language, 0 when it finds another, None for texts too short to tell.

    `side` picks the text; the English side should be "en". Texts with fewer than `min_letters` letters are names and
    figures more often than not.
    """

    def __init__(self, side: Literal["source", "target"], min_letters: int = 32) -> None:
        self.name = f"{side}_language"
        self.side, self.min_letters = side, min_letters

    @property
    def settings(self) -> dict[str, object]:
        return {"detector": "mekong", "letters": self.min_letters}

    def one(self, pair: Pair, context: Context) -> float | None:
        text, lang = (pair.src_text, pair.src_lang) if self.side == "source" else (pair.tgt_text, "en")
        if sum(map(str.isalpha, text)) < self.min_letters:
            return None
        return float(detect(text) == lang)


class ScriptShare(PairScorer):
    """Share of the letters of one side that are in its script, 0 to 1: Thai for a Thai source, else Latin.

    None without letters. Says of short texts what the detector cannot.
    """

    def __init__(self, side: Literal["source", "target"]) -> None:
        self.name = f"{side}_script"
        self.side = side

    def one(self, pair: Pair, context: Context) -> float | None:
        text = pair.src_text if self.side == "source" else pair.tgt_text
        thai, latin = len(_THAI.findall(text)), len(_LATIN.findall(text))
        letters = thai + latin + sum(char.isalpha() for char in _LATIN.sub("", _THAI.sub("", text)))
        if not letters:
            return None
        return (thai if self.side == "source" and pair.src_lang == "th" else latin) / letters
