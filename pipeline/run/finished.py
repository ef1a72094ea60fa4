"""A run whose stages are all committed: what its corpus, its report and a comparison with others are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.config.settings import Config
from pipeline.errors import StoreError
from pipeline.files.owner import RUN
from pipeline.files.progress import Progress
from pipeline.files.store import digest
from pipeline.run import shards as kinds
from pipeline.run.counts import Survey, survey
from pipeline.run.folder import read_rejects, read_settings
from pipeline.run.manifest import HandCounts, MadeWith, Manifest, RunCounts
from pipeline.run.shards import ShardKind, Shards
from pipeline.run.verdicts import Verdicts
from pipeline.run.watch import Watch
from pipeline.stages.filter.decisions import Decisions
from pipeline.stages.filter.held_out import check_unchanged
from pipeline.types import Reject

OF_A_RUN = kinds.DOCUMENTS, kinds.SEGMENTS, kinds.TRANSLATIONS, kinds.DOCUMENT_PAIRS, kinds.PAIRS, kinds.SCORED
"""What a finished run has of every shard."""


def keys_of(shards: Shards, made: Sequence[ShardKind[Any]]) -> str:
    """A hash over the keys of all shards of the kinds `made`.

    Raises StoreError when one was never committed: what is missing is named before anything is read.
    """
    return digest([[shards.key(kind, number) for kind in made] for number in shards.numbers])


def check_keys(shards: Shards, made: Sequence[ShardKind[Any]], stated: str, command: str) -> None:
    """Raises StoreError when the shards are not those that the manifest was `stated` for, or one is missing."""
    found = keys_of(shards, made)
    if stated and found != stated:
        raise StoreError(
            f"some shards of {shards.folder} are not those that its manifest was written for: it was made anew halfway",
            f"Finish it with `{command}` first.",
        )


@dataclass
class FinishedRun:
    """The settings, shards and decisions of a run; `made_with` names code, models and machine of the time it ran."""

    config: Config
    shards: Shards
    made_with: MadeWith
    decisions: Decisions
    watch: Watch

    @classmethod
    def read(cls, folder: Path, progress: Progress) -> FinishedRun:
        """A run that was finished before, from its committed shards, whatever has changed since.

        Raises StoreError when the folder holds none, or one whose manifest is damaged or of another version, InputError
        when its held-out texts have changed.
        """
        manifest = Manifest.read(folder)
        config = read_settings(folder)
        check_unchanged(manifest.held_out, config.filter.held_out)
        shards = Shards.stated(folder, manifest.shards)
        check_keys(shards, OF_A_RUN, manifest.keys, RUN)
        return cls(config, shards, manifest, Decisions(folder, progress.warn), Watch(progress))

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.shards.folder

    @property
    def keys(self) -> str:
        """The hash over the keys of all shards."""
        return keys_of(self.shards, OF_A_RUN)

    @cached_property
    def verdicts(self) -> Verdicts:
        """Every pair with its verdict, decided once."""
        return Verdicts(self.shards, self.config.filter, self.decisions, self.watch)

    @cached_property
    def survey(self) -> Survey:
        """What one pass over the shards found."""
        return survey(self.shards, self.watch)

    def rejects(self) -> Iterator[Reject]:
        """The input that was set aside, one row in memory at a time."""
        return read_rejects(self.folder)

    def counts(self) -> RunCounts:
        """How much went through each stage."""
        relations = Counter(pair.relation for pair in self.shards.all_document_pairs())
        found = self.verdicts.counts
        return RunCounts(
            documents=dict(sorted(self.survey.documents.items())),
            rejected_inputs=sum(1 for _ in self.rejects()),
            segments=self.survey.segments,
            translations=dict(sorted(self.survey.ended.items())),
            document_pairs=dict(sorted(relations.items())),
            pairs=dict(sorted(found.pairs.items())),
            kept=dict(sorted(found.kept.items())),
            by_hand=HandCounts(found.by_hand[True], found.by_hand[False], self.verdicts.not_applied),
            notes=dict(sorted(self.survey.notes.items())),
        )
