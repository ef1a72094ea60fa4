"""Whether both sides mean the same, by the angle between sentence vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pipeline.stages.score.base import Context, is_translated
from pipeline.types import Pair

if TYPE_CHECKING:
    from pipeline.engines.encoders.base import Encoder


class Similarity:
    """Cosine of the sentence vectors of source and English, -1 to 1.

    Where the encoder does not know the source language, an aligned pair is compared through the machine translation
    of its source segments; a translated pair then has no score, for it would be compared with itself.
    """

    name: ClassVar[str] = "similarity"
    version: ClassVar[int] = 1

    def __init__(self, encoder: Encoder | None) -> None:
        self.encoder = encoder

    @property
    def signature(self) -> str:
        if self.encoder is None:
            return f"encoder:none|version:{self.version}"
        return f"encoder:{self.encoder.name}|weights:{self.encoder.fingerprint}|version:{self.version}"

    def score(self, pairs: Sequence[Pair], context: Context) -> list[float | None]:
        scores: list[float | None] = [None] * len(pairs)
        if self.encoder is None:
            return scores
        sources = [self._comparable(pair, context, self.encoder) for pair in pairs]
        rows = [i for i, source in enumerate(sources) if source and pairs[i].tgt_text.strip()]
        if rows:
            texts = [sources[i] for i in rows] + [pairs[i].tgt_text for i in rows]
            vectors = self.encoder.encode(texts)
            cosines = (vectors[: len(rows)] * vectors[len(rows) :]).sum(axis=1)
            for i, cosine in zip(rows, cosines.tolist(), strict=True):
                scores[i] = min(1.0, max(-1.0, cosine))
        return scores

    @staticmethod
    def _comparable(pair: Pair, context: Context, encoder: Encoder) -> str:
        """The source, or its machine translation, in a language that the encoder knows; empty where neither is."""
        if pair.src_lang in encoder.languages:
            return pair.src_text.strip()
        if is_translated(pair) or "en" not in encoder.languages:
            return ""
        found = context.of(pair)
        return " ".join(t.text for t in found).strip() if len(found) == len(pair.src_segments) else ""
