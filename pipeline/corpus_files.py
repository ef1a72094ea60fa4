"""The corpus folder as people get it: the files of the write stage and the dataset card."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pipeline.config.settings import WriteSettings
from pipeline.write import write_corpus
from pipeline.writers.card import CardFacts, card
from pipeline.writers.record import Row


def publish_corpus(rows: Iterable[Row], settings: WriteSettings, out: Path, facts: CardFacts) -> dict[str, int]:
    """`write_corpus` with the card that `facts` and the pairs make; returns its counts.

    Raises StoreError as `write_corpus` does, and when a pair names a model that `facts` does not describe.
    """
    return write_corpus(
        rows,
        settings,
        out,
        scores=facts.signatures,
        version=facts.version,
        describe=lambda tally: card(tally, facts, settings.formats),
    )
