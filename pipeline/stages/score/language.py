"""Whether both sides are in the language they are said to be in."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from pipeline.stages.score.base import Context, PairScorer
from pipeline.stages.score.pair_facts import TEXTS, PairFacts
from pipeline.text.language import detect, is_wordless
from pipeline.text.languages import language, scripts
from pipeline.types import ENGLISH


class Language(PairScorer):
    """1 when the detector finds the stated language, 0 when it finds another, None for texts too short to tell.

    `side` picks the text; the English side should be "en". Texts with fewer than `min_letters` letters are names and
    figures more often than not; lists of Vietnamese names are in no language.
    """

    version = 3

    def __init__(self, side: Literal["source", "target"], min_letters: int = 32) -> None:
        self.name = f"{side}_language"
        self.side, self.min_letters = side, min_letters

    @property
    def settings(self) -> dict[str, object]:
        """What the score depends on."""
        return {"detector": "mekong", "letters": self.min_letters}

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        pair = facts.pair
        text, lang = (pair.src_text, pair.src_lang) if self.side == "source" else (pair.tgt_text, ENGLISH)
        if sum(map(str.isalpha, text)) < self.min_letters or is_wordless(text):
            return None
        return float(_detected(text) == lang)


_detected = lru_cache(2 * TEXTS)(detect)


class ScriptShare(PairScorer):
    """Share of the letters of one side that are in the script of its language, 0 to 1.

    None without letters. Says of short texts what the detector cannot.
    """

    def __init__(self, side: Literal["source", "target"]) -> None:
        self.name = f"{side}_script"
        self.side = side

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        pair = facts.pair
        text, lang = (pair.src_text, pair.src_lang) if self.side == "source" else (pair.tgt_text, ENGLISH)
        if text.isascii():
            return float(not language(lang).script) if any(map(str.isalpha, text)) else None
        (own, _), letters = language(lang).letters_of(text), 0
        for entry in scripts():
            count, text = entry.letters_of(text)
            letters += count
        letters += sum(map(str.isalpha, text))
        return own / letters if letters else None
