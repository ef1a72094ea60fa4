"""Whether both sides mean the same, by the angle between sentence vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pipeline.stages.score.base import Columns, Context, is_translated
from pipeline.stages.score.pair_facts import PairFacts

if TYPE_CHECKING:
    from pipeline.engines.encoders.base import Encoder


class Similarity:
    """Cosine of the sentence vectors of source and English, -1 to 1.

    Abbreviations of the source are spelled out first. Where the encoder does not know the source language, an aligned
    pair is compared through the machine translation of its source segments; a translated pair then has no score, for
    it would be compared with itself.
    """

    name: ClassVar[str] = "similarity"
    version: ClassVar[int] = 2

    def __init__(self, encoder: Encoder | None) -> None:
        self.encoder = encoder

    @property
    def signatures(self) -> dict[str, str]:
        """Of the one score; the encoder and its weights are in it."""
        used = f"{self.encoder.name}|weights:{self.encoder.fingerprint}" if self.encoder else "none"
        return {self.name: f"encoder:{used}|version:{self.version}"}

    def score(self, facts: Sequence[PairFacts], context: Context) -> Columns:
        """The column of cosines. Raises EngineError when the encoder fails."""
        pairs = [pair_facts.pair for pair_facts in facts]
        scores: list[float | None] = [None] * len(pairs)
        if self.encoder is None:
            return {self.name: scores}
        sources = [self._comparable(pair_facts, context, self.encoder) for pair_facts in facts]
        rows = [i for i, source in enumerate(sources) if source and pairs[i].tgt_text.strip()]
        if rows:
            texts = [sources[i] for i in rows] + [pairs[i].tgt_text for i in rows]
            vectors = self.encoder.encode(texts)
            cosines = (vectors[: len(rows)] * vectors[len(rows) :]).sum(axis=1)
            for i, cosine in zip(rows, cosines.tolist(), strict=True):
                scores[i] = min(1.0, max(-1.0, cosine))
        return {self.name: scores}

    @staticmethod
    def _comparable(facts: PairFacts, context: Context, encoder: Encoder) -> str:
        """The source, or its machine translation, in a language that the encoder knows; empty where neither is."""
        pair = facts.pair
        if pair.src_lang in encoder.languages:
            return facts.spelled_out
        if is_translated(pair) or "en" not in encoder.languages:
            return ""
        translations = context.of(pair)
        if len(translations) != len(pair.src_segments):
            return ""
        return " ".join(t.text for t in translations).strip()
