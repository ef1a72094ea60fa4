"""Segments to English: what the model is given and what is made of its answers is in `draft`, here it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from pipeline.config.settings import TranslateSettings
from pipeline.engines.base import Hypothesis, Translator
from pipeline.engines.batching import plan
from pipeline.stages.translate.draft import Draft
from pipeline.stages.translate.glossary import Glossary
from pipeline.types import Document, Segment, Translation

VERSION = 9
"""Raised when the same input would give other output; part of every shard's key."""


@dataclass(frozen=True)
class TranslateContext:
    """What the stage needs beside its input. `advance` is told the tokens of the source texts of every batch of first
    attempts."""

    translator: Translator
    glossaries: Mapping[str, Glossary]
    advance: Callable[[int], None]


def translate(
    segments: Iterable[Segment],
    documents: Mapping[str, Document],
    settings: TranslateSettings,
    context: TranslateContext,
) -> Iterator[Translation]:
    """Yield one Translation a segment, in order; English segments are not expected here."""
    translator = context.translator
    draft = Draft(segments, documents, settings, translator, context.glossaries)
    while draft.inputs:
        done: dict[int, Hypothesis] = {}
        for batch in batches(draft, settings, translator):
            rows = [draft.inputs[i] for i in batch]
            hypotheses = translator.translate_inputs(rows, careful=draft.is_careful)
            done.update(zip(batch, hypotheses, strict=True))
            if draft.number == 1:
                context.advance(sum(hypothesis.src_tokens for hypothesis in hypotheses))
        draft.take([done[i] for i in range(len(done))])
    yield from draft.translations()


def batches(draft: Draft, settings: TranslateSettings, translator: Translator) -> list[list[int]]:
    """The inputs of a draft by number, in batches that depend on nothing but the draft."""
    lengths = [len(row.tokens) for row in draft.inputs]
    return plan(lengths, settings.batch_tokens, settings.batch_rows or translator.engine.batch_rows)
