"""The corpus folder as people get it: the files of the write stage and the dataset card, and how they appear."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pipeline.config.settings import WriteSettings
from pipeline.files.together import take_places
from pipeline.report.card import CardFacts, card
from pipeline.run.manifest import FilterManifest, Manifest, withdraw
from pipeline.stages.write.record import CorpusRow
from pipeline.stages.write.stage import remove_stale, write_corpus


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


def appear(fresh: Path, folder: Path, manifest: Manifest | FilterManifest) -> None:
    """Have what was written into `fresh` take the place of what the folder shows, between two manifests.

    Raises StoreError when that cannot be done; the folder has no manifest then.
    """
    withdraw(folder)
    remove_stale(folder, take_places(fresh, folder))
    manifest.write(folder)
