"""How much there is to translate, by language, found out without translating it."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.config.settings import SegmentSettings
from pipeline.engines.token_counts import Count
from pipeline.stages.segment.stage import segment
from pipeline.types import ENGLISH, Document

SAMPLE = 200_000
"""Characters of a language that are cut into segments and tokens; of more text the rest is taken to be like them."""


@dataclass(slots=True)
class Amount:
    """Of one language, grown document by document; `sampled` characters of all were cut."""

    documents: int = 0
    characters: int = 0
    sampled: int = 0
    sampled_segments: int = 0
    sampled_tokens: int | None = 0

    def add(self, document: Document, settings: SegmentSettings, count: Count | None) -> None:
        """Count one more document; without `count`, tokens are not known. English is not translated and has none."""
        self.documents += 1
        self.characters += len(document.text)
        if self.sampled >= SAMPLE:
            return
        self.sampled += len(document.text)
        segments = list(segment([document], settings))
        self.sampled_segments += len(segments)
        if document.lang == ENGLISH or count is None or self.sampled_tokens is None:
            self.sampled_tokens = None
        else:
            self.sampled_tokens += count([one.text for one in segments if one.kind != "boilerplate"])

    @property
    def exact(self) -> bool:
        """Whether all of the text was cut."""
        return self.sampled == self.characters

    @property
    def segments(self) -> int:
        """How many there are, all kinds together."""
        return self._of_all(self.sampled_segments)

    @property
    def tokens(self) -> int | None:
        """Source tokens to translate, None where they are not known or there is nothing to translate."""
        return None if self.sampled_tokens is None else self._of_all(self.sampled_tokens)

    def _of_all(self, sampled: int) -> int:
        return round(sampled * self.characters / self.sampled) if self.sampled else 0
