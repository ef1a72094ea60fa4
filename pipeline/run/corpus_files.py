"""The corpus folder as people get it: the files of the write stage and the dataset card."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pipeline.config.settings import WriteSettings
from pipeline.report.card import CardFacts, card
from pipeline.stages.write.record import CorpusRow
from pipeline.stages.write.stage import write_corpus


def publish_corpus(rows: Iterable[CorpusRow], settings: WriteSettings, out: Path, facts: CardFacts) -> dict[str, int]:
    """`write_corpus` with the card that `facts` and the pairs make; returns its counts.

    Raises StoreError as `write_corpus` does, and when a pair names a model that `facts` does not describe.
    """
    return write_corpus(
        rows,
        settings,
        out,
        scores=facts.signatures,
        version=facts.version,
        trial={model.name for model in facts.models if model.trial},
        describe=lambda tally, apart: card(tally, facts, settings.formats, apart),
    )
