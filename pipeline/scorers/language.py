"""Whether both sides are in the language they are said to be in."""

from __future__ import annotations

from typing import Literal

from pipeline.scorers.base import Context, PairScorer
from pipeline.text.language import detect
from pipeline.types import Pair


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
