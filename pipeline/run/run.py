"""The whole pipeline over one run folder: the order of the stages, and what of them is done already.

Shards go through the stages one stage after the other. What a shard is made from is hashed into its key
(`pipeline.run.keys`), so a second run skips everything that is done and redoes exactly what a changed input or setting
touches.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from pipeline.config.settings import Config
from pipeline.engines.devices import one_blas_thread
from pipeline.engines.load import choose
from pipeline.errors import InputError
from pipeline.files.progress import Progress, Task
from pipeline.files.store import Store
from pipeline.run import keys
from pipeline.run import shards as kinds
from pipeline.run.batches import ShardTranslator, to_translate
from pipeline.run.finished import FinishedRun
from pipeline.run.folder import rejects_path, write_rejects
from pipeline.run.manifest import MadeWith
from pipeline.run.names import corrected_in_shard, count_names, read_settled, write_settled
from pipeline.run.pairing import ShardPairing
from pipeline.run.resources import Resources
from pipeline.run.shards import ShardKind, Shards
from pipeline.run.stop import Stop
from pipeline.stages.align.matching import match
from pipeline.stages.filter.decisions import Decisions
from pipeline.stages.filter.held_out import held_out_files
from pipeline.stages.filter.stage import check_rules
from pipeline.stages.read.paths import expand
from pipeline.stages.read.stage import Reader
from pipeline.stages.score.base import Context
from pipeline.stages.score.stage import BATCH, score
from pipeline.stages.segment.stage import segment
from pipeline.types import Document, DocumentPair, Reject, Scored, Segment

T = TypeVar("T")


@dataclass
class Run:
    """One run: its settings, its folder, and the keys of the shards made so far."""

    config: Config
    out: Path
    progress: Progress
    stop: Stop = field(default_factory=Stop)
    seconds: dict[str, float] = field(default_factory=dict)
    document_keys: list[str] = field(default_factory=list)
    segment_keys: list[str] = field(default_factory=list)
    translation_keys: list[str] = field(default_factory=list)
    pair_keys: list[str] = field(default_factory=list)
    match_key: str = ""

    def __post_init__(self) -> None:
        self.store = Store(self.out)
        self.shards = Shards(self.store, 0)
        self.resources = Resources(self.config)
        self.decisions = Decisions(self.out, self.progress.warn)

    def execute(self) -> FinishedRun:
        """Run every stage up to the scores; `pipeline.run.publish` writes what people read of the run returned."""
        self.decisions.refresh()  # a damaged file should end the run now, not after hours
        self.resources.settled = read_settled(self.out)
        with self._timed("read"):
            self.read()
        with self._timed("segment"):
            self.segment()
        with self._timed("translate"):
            self.translate()
        with self._timed("match"):
            self.match()
        with self._timed("align"):
            self.align()
        with self._timed("score"):
            self.score()
        made_with = MadeWith.now(self.config, self.resources)
        self.resources.close()
        return FinishedRun(self.config, self.shards, made_with, self.decisions, self.progress.warn)

    @contextmanager
    def _timed(self, stage: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[stage] = round(time.monotonic() - began, 3)
        self.stop.check()

    def check(self) -> None:
        """Find out what can be known before anything is loaded or written, and before what may ask for a download.

        Raises UsageError when the device or a score of a rule is not there, InputError when no input is named, or one
        or a held-out file does not exist, ModelMissing when a model is not in the store.
        """
        choose(self.resources.translation_entry, self.config.translate)
        if not self.config.read.paths:
            raise InputError("read.paths is empty", "Name files, folders or globs in it.")
        expand(self.config.read.paths)
        check_rules(self.config.filter.rules)
        held_out_files(self.config.filter.held_out)
        self.resources.check(translation=True)

    def read(self) -> None:
        """Read the input anew, cut it into shards of documents, commit those that changed."""
        rejects: list[Reject] = []
        shard: list[Document] = []
        for item in Reader(self.config.read, self.progress.warn).read(self.config.read.paths):
            if isinstance(item, Reject):
                rejects.append(item)
                continue
            shard.append(item)
            if sum(len(document.text) for document in shard) >= self.config.run.shard_chars:
                self._commit_documents(shard)
                shard = []
        if shard:
            self._commit_documents(shard)
        write_rejects(rejects, self.out)
        if not self.document_keys:
            raise InputError(
                f"no document in {', '.join(self.config.read.paths)} ({len(rejects)} rejected)",
                f"See {rejects_path(self.out)} for the reasons.",
            )
        self.shards = Shards(self.store, len(self.document_keys))

    def _commit_documents(self, documents: Sequence[Document]) -> None:
        key = keys.documents_key(documents)
        self._make(kinds.DOCUMENTS, len(self.document_keys), key, lambda: documents)
        self.document_keys.append(key)

    def segment(self) -> None:
        """Cut every document into segments."""
        boundary_models, settings = self.resources.boundary_digests, self.config.segment
        self.segment_keys = [keys.segments_key(key, settings, boundary_models) for key in self.document_keys]
        for number, key in enumerate(self.segment_keys):
            self._make(kinds.SEGMENTS, number, key, partial(self._segmented, number))

    def _segmented(self, number: int) -> Iterator[Segment]:
        return segment(self.shards.documents(number), self.config.segment)

    def translate(self) -> None:
        """Translate the segments of documents that are not English; the model is loaded only when there is work."""
        settings, resources = self.config.translate, self.resources
        glossaries = resources.glossary_digests()
        common = keys.translator_key(resources.translator_identity, settings, glossaries)
        self.translation_keys = [
            keys.translations_key(common, key, corrected_in_shard(resources.settled, self.shards, number))
            for number, key in enumerate(self.segment_keys)
        ]
        todo = self._to_do(kinds.TRANSLATIONS, self.translation_keys)
        if not todo:
            return
        if not any(to_translate(self.shards, n) for n in todo):
            self.progress.warn("no new Thai or Vietnamese document in the input: there is nothing to translate")
            for number in todo:
                self.shards.commit(kinds.TRANSLATIONS, number, self.translation_keys[number], [])
            return
        with resources.translator(self.progress.say) as translator:
            tokens = sum(translator.count(s.text) for n in todo for s in to_translate(self.shards, n))
            with self.progress.task("translate", tokens, "tokens") as task:
                work = ShardTranslator(translator, resources.glossaries, settings, task.advance, self.stop.check)
                for number in todo:
                    work.commit(self.shards, number, self.translation_keys[number])
        if translator.codec.takes_hints:
            made = (one for number in self.shards.numbers for one in self.shards.translations(number))
            write_settled(count_names(made, resources.glossaries), resources.settled, self.out)

    def match(self) -> None:
        """Find the English counterpart of each document, over the whole input."""
        aligner = self.resources.aligner_digests()
        self.match_key = keys.document_pairs_key(self.segment_keys, self.translation_keys, self.config.align, aligner)
        self._make(kinds.DOCUMENT_PAIRS, 0, self.match_key, self._match)

    def _match(self) -> list[DocumentPair]:
        sources, targets = self.shards.source_sides(), self.shards.english_sides()
        if not sources or not targets:
            return []
        with_models = self.config.align, self.resources.encoder, self.resources.lexicons
        return match(sources, targets, *with_models, self.progress, self.stop.check)

    def align(self) -> None:
        """Align the sentences of parallel documents, and join both roads in one list of pairs a shard."""
        pairing = ShardPairing(self.shards, self.resources, self.config.align)
        self.pair_keys = [keys.pairs_key(self.match_key, key) for key in self.translation_keys]
        with one_blas_thread():
            for number, key in enumerate(self.pair_keys):
                self._make(kinds.PAIRS, number, key, partial(pairing.pairs, number))

    def score(self) -> None:
        """Score every pair."""
        scored_keys = [keys.scored_key(key, self.resources.signatures) for key in self.pair_keys]
        todo = self._to_do(kinds.SCORED, scored_keys)
        if not todo:
            return
        with self.progress.task("score", sum(self.shards.size(kinds.PAIRS, n) for n in todo), "pairs") as task:
            for number in todo:
                self._make(kinds.SCORED, number, scored_keys[number], partial(self._scored, number, task))

    def _scored(self, number: int, task: Task) -> Iterator[Scored]:
        context = Context({made.segment_id: made for made in self.shards.translations(number)})
        for row in task.each(score(self.shards.pairs(number), self.resources.scorers, context), BATCH):
            self.stop.check()
            yield row

    def _to_do(self, kind: ShardKind[T], shard_keys: Sequence[str]) -> list[int]:
        return [number for number, key in enumerate(shard_keys) if not self.shards.done(kind, number, key)]

    def _make(self, kind: ShardKind[T], number: int, key: str, compute: Callable[[], Iterable[T]]) -> None:
        if not self.shards.done(kind, number, key):
            self.stop.check()
            self.shards.commit(kind, number, key, list(compute()))
