"""Whether both sides are in the language they are said to be in."""

from __future__ import annotations

import re
from typing import Literal

from pipeline.stages.score.base import Context, PairScorer
from pipeline.stages.score.pair_facts import PairFacts
from pipeline.text.language import detect

_THAI_LETTERS = "\u0e01-\u0e3a\u0e40-\u0e4e"
_LATIN_LETTERS = "A-Za-z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff"
_THAI, _LATIN = re.compile(f"[{_THAI_LETTERS}]+"), re.compile(f"[{_LATIN_LETTERS}]+")
_EITHER = re.compile(f"[{_THAI_LETTERS}{_LATIN_LETTERS}]+")


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

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        pair = facts.pair
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

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        pair = facts.pair
        text = pair.src_text if self.side == "source" else pair.tgt_text
        thai, latin = (sum(map(len, letters.findall(text))) for letters in (_THAI, _LATIN))
        letters = thai + latin + sum(map(str.isalpha, _EITHER.sub("", text)))
        if not letters:
            return None
        return (thai if self.side == "source" and pair.src_lang == "th" else latin) / letters
