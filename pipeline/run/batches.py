"""The translations of one shard, committed batch by batch, so that a kill costs one batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from pipeline.config.settings import TranslateSettings
from pipeline.engines.base import Hypothesis, Request, Translator
from pipeline.run import shards as kinds
from pipeline.run.keys import batch_key
from pipeline.run.shards import Shards
from pipeline.stages.translate.glossary import Glossary
from pipeline.stages.translate.stage import TranslateContext, translate
from pipeline.types import ENGLISH, Segment


class Batches:
    """What was made of a shard so far; as `pipeline.stages.translate.stage.Memo`, it makes and commits the rest.

    `check` is called before each batch that has to be made, and raises to stop there.
    """

    def __init__(self, shards: Shards, number: int, key: str, check: Callable[[], None]) -> None:
        self._shards, self._kind, self._key, self._check = shards, kinds.batches(number), key, check
        self._count = 0
        self.loaded = 0
        """How many batches an earlier run had committed."""

    def __call__(self, requests: Sequence[Request], compute: Callable[[], list[Hypothesis]]) -> list[Hypothesis]:
        """The hypotheses of the next batch: as committed, or computed and committed now."""
        key = batch_key(self._key, requests)
        hypotheses = self._shards.load(self._kind, self._count, key)
        if hypotheses is None:
            self._check()
            hypotheses = compute()
            self._shards.commit(self._kind, self._count, key, hypotheses)
        else:
            self.loaded += 1
        self._count += 1
        return hypotheses

    def discard(self) -> None:
        """Forget the batches: the shard is whole."""
        self._shards.discard(self._kind)


def to_translate(shards: Shards, number: int) -> list[Segment]:
    """The segments of a shard that are not English."""
    foreign = {document.id for document in shards.documents(number) if document.lang != ENGLISH}
    return [segment for segment in shards.segments(number) if segment.doc_id in foreign]


class ShardTranslator:
    """A loaded model, and what it needs to translate shards.

    `advance` is told the tokens of every batch of first attempts; `check` is called before each batch. `tokens` and
    `seconds` are those of the shards of which nothing had been made before, so that they give a rate.
    """

    def __init__(
        self,
        translator: Translator,
        glossaries: Mapping[str, Glossary],
        settings: TranslateSettings,
        advance: Callable[[int], None],
        check: Callable[[], None],
    ) -> None:
        self._translator, self._glossaries, self._settings = translator, glossaries, settings
        self._advance, self._check = advance, check
        self.tokens, self.seconds = 0, 0.0

    def commit(self, shards: Shards, number: int, key: str) -> None:
        """Translate a shard and commit it under `key`."""
        segments = to_translate(shards, number)
        documents = {document.id: document for document in shards.documents(number)}
        batches = Batches(shards, number, key, self._check)
        counted: list[int] = []

        def advance(tokens: int) -> None:
            counted.append(tokens)
            self._advance(tokens)

        context = TranslateContext(self._translator, self._glossaries, batches, advance)
        began = time.monotonic()
        done = list(translate(segments, documents, self._settings, context))
        if len(done) != len(segments):
            raise AssertionError(f"count law: {len(segments)} segments in, {len(done)} translations out")
        if not batches.loaded:
            self.tokens += sum(counted)
            self.seconds += time.monotonic() - began
        shards.commit(kinds.TRANSLATIONS, number, key, done)
        batches.discard()
