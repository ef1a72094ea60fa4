"""The pairs of a shard: its translations, and what alignment and mining find in the English documents of the run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from pipeline.config.settings import AlignSettings
from pipeline.run.resources import Resources
from pipeline.run.shards import Shards
from pipeline.stages.align.pairs import translated_pairs
from pipeline.stages.align.sides import Side
from pipeline.stages.align.stage import align, mine
from pipeline.types import ENGLISH, DocumentPair, Pair


class ShardPairing:
    """Knows the counterparts of every document, once the documents are matched."""

    def __init__(self, shards: Shards, resources: Resources, settings: AlignSettings) -> None:
        self._shards, self._resources, self._settings = shards, resources, settings
        self._parallel: dict[str, DocumentPair] = {}
        self._comparable: defaultdict[str, list[str]] = defaultdict(list)
        for pair in shards.document_pairs():
            if pair.relation == "parallel":
                self._parallel[pair.src_doc] = pair
            elif pair.relation == "comparable" and settings.mine:
                self._comparable[pair.src_doc].append(pair.tgt_doc)

    def pairs(self, number: int) -> Iterator[Pair]:
        """The pairs whose source documents are in a shard: document by document, translated, aligned, mined."""
        for side in self._shards.sides(number):
            if side.document.lang != ENGLISH:
                yield from translated_pairs(side.document, side.segments, side.translations)
                yield from self._aligned(side)
                yield from self._mined(side)

    def _aligned(self, side: Side) -> Iterator[Pair]:
        match = self._parallel.get(side.document.id)
        if match:
            target = self._shards.english(match.tgt_doc)
            yield from align(match, side, target, self._resources.encoder, self._resources.lexicons)

    def _mined(self, side: Side) -> Iterator[Pair]:
        others = [self._shards.english(name) for name in self._comparable.get(side.document.id, ())]
        if others:
            yield from mine(side, others, self._settings, self._resources.encoder)
