"""A run whose stages are all committed: what its corpus, its report and a comparison with others are made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pipeline.config.settings import Config
from pipeline.files.progress import Progress
from pipeline.files.store import Store
from pipeline.run import shards as kinds
from pipeline.run.counts import Survey, survey
from pipeline.run.folder import read_rejects, read_settings
from pipeline.run.manifest import HandCounts, MadeWith, Manifest, RunCounts
from pipeline.run.shards import Shards
from pipeline.run.verdicts import Verdicts
from pipeline.stages.filter.decisions import Decisions
from pipeline.stages.filter.held_out import check_unchanged
from pipeline.types import DocumentPair, Reject


@dataclass
class FinishedRun:
    """The settings, shards and decisions of a run; `made_with` names code, models and machine of the time it ran."""

    config: Config
    shards: Shards
    made_with: MadeWith
    decisions: Decisions
    warn: Callable[[str], None]

    @classmethod
    def read(cls, folder: Path, progress: Progress) -> FinishedRun:
        """A run that was finished before, from its committed shards, whatever has changed since.

        Raises StoreError when the folder holds none, or one whose manifest is damaged or of another version, InputError
        when its held-out texts have changed.
        """
        manifest = Manifest.read(folder)
        config = read_settings(folder)
        check_unchanged(manifest.held_out, config.filter.held_out)
        shards = Shards(Store(folder), manifest.shards)
        for number in shards.numbers:  # what is missing should be named now, not in the middle of a report
            shards.key(kinds.DOCUMENTS, number)
            shards.key(kinds.SCORED, number)
        return cls(config, shards, manifest, Decisions(folder, progress.warn), progress.warn)

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.shards.folder

    @cached_property
    def verdicts(self) -> Verdicts:
        """Every pair with its verdict, decided once."""
        return Verdicts(self.shards, self.config.filter, self.decisions, self.warn)

    @cached_property
    def survey(self) -> Survey:
        """What one pass over the shards found."""
        return survey(self.shards)

    @cached_property
    def rejects(self) -> list[Reject]:
        """The input that was set aside."""
        return read_rejects(self.folder)

    @cached_property
    def document_pairs(self) -> list[DocumentPair]:
        """All judged document pairs."""
        return self.shards.document_pairs()

    def counts(self) -> RunCounts:
        """How much went through each stage."""
        relations = Counter(pair.relation for pair in self.document_pairs)
        origins: Counter[str] = Counter()
        kept: Counter[str] = Counter()
        by_hand: Counter[bool] = Counter()
        for scored, verdict in self.verdicts:
            origins[scored.pair.origin] += 1
            if verdict.keep:
                kept[scored.pair.origin] += 1
            if verdict.by_hand:
                by_hand[verdict.keep] += 1
        return RunCounts(
            documents=dict(sorted(self.survey.documents.items())),
            rejected_inputs=len(self.rejects),
            segments=self.survey.segments,
            translations=dict(sorted(self.survey.ended.items())),
            document_pairs=dict(sorted(relations.items())),
            pairs=dict(sorted(origins.items())),
            kept=dict(sorted(kept.items())),
            by_hand=HandCounts(by_hand[True], by_hand[False], self.verdicts.not_applied),
            notes=dict(sorted(self.survey.notes.items())),
        )
