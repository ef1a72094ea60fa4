"""A corpus that is there already, through score, filter and write: what `mekong filter` does.

The pairs are cut into shards as documents are in a run, and each scored shard is kept under a key over its pairs and
the signatures of the scores. So a second run with other rules scores nothing, and one that was stopped goes on.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.config.settings import Config
from pipeline.errors import InputError, ModelError, UsageError
from pipeline.files.progress import Progress
from pipeline.files.store import Store
from pipeline.registry import models
from pipeline.registry.facts import ModelFacts
from pipeline.run import keys
from pipeline.run import shards as kinds
from pipeline.run.executors import Makers
from pipeline.run.filtered import FilteredCorpus
from pipeline.run.folder import rejects_path, write_rejects
from pipeline.run.manifest import FilteredWith, FilterManifest
from pipeline.run.resources import Resources
from pipeline.run.shards import Shards
from pipeline.run.stop import Stop
from pipeline.run.watch import Watch
from pipeline.run.work import ShardTask
from pipeline.stages.filter.decisions import Decisions
from pipeline.stages.read.pairs import Corpus, Given
from pipeline.types import Reject

NAMED = "named by the input corpus"


@dataclass
class CorpusFilter:
    """One corpus, its settings and its folder.

    `sizes` and `given_keys` are of the shards, in order; `made_by` are the models that pairs name.
    """

    corpora: Sequence[Corpus]
    config: Config
    out: Path
    progress: Progress
    stop: Stop = field(default_factory=Stop)
    sizes: list[int] = field(default_factory=list)
    given_keys: list[str] = field(default_factory=list)
    set_aside: int = 0
    scored_now: int = 0
    made_by: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.store = Store(self.out)
        self.shards = Shards(self.store, 0)
        self.resources = Resources(self.config)

    def execute(self) -> FilterManifest:
        """Read, score, decide, write; returns the manifest.

        Raises InputError when there is no pair in the input, Interrupted when the user asked to stop.
        """
        began = time.monotonic()
        decisions = Decisions(self.out, self.progress.warn)
        decisions.refresh()  # a damaged file should end the work now, not after hours
        write_rejects(self._read(), self.out)
        if not self.given_keys:
            raise InputError(
                f"no pair in the input ({self.set_aside} lines set aside)", f"See {rejects_path(self.out)}."
            )
        self.shards = Shards(self.store, len(self.given_keys))
        self.progress.say(f"read       {sum(self.sizes):,} pairs, {self.set_aside:,} lines set aside")
        self._score()
        inputs = [path for corpus in self.corpora for path in (corpus.path, corpus.english) if path]
        made = FilteredWith.now(self.config, self.resources, inputs, self._models())
        self.resources.close()
        watch = Watch(self.progress, self.stop)
        scored = FilteredCorpus(self.config, self.shards, made, decisions, watch)
        seconds = time.monotonic() - began
        return scored.publish(set_aside=self.set_aside, scored_now=self.scored_now, seconds=seconds)

    def _read(self) -> Iterator[Reject]:
        """Commit the pairs shard by shard; what is no pair comes out."""
        shard: list[Given] = []
        chars = 0
        for corpus in self.corpora:
            for row in corpus.read(self.config.read.max_line_bytes):
                self.stop.check()  # one file may take hours
                if isinstance(row, Reject):
                    self.set_aside += 1
                    yield row
                    continue
                shard.append(row)
                self.made_by.add(row.model)
                chars += len(row.pair.src_text) + len(row.pair.tgt_text)
                if chars >= self.config.run.shard_chars:
                    self._commit(shard)
                    shard, chars = [], 0
        if shard:
            self._commit(shard)

    def _commit(self, shard: Sequence[Given]) -> None:
        key, alone = keys.given_key(shard), Shards(self.store, 1, [len(self.given_keys)])
        if not alone.done(kinds.GIVEN, 0, key):
            alone.commit(kinds.GIVEN, 0, key, shard)
        self.given_keys.append(key)
        self.sizes.append(len(shard))

    def _score(self) -> None:
        signatures = self.resources.signatures
        makers = Makers(self.config, self.resources, Resources)
        todo = []
        with self.progress.task("score", sum(self.sizes), "pairs") as task:
            for number, given in enumerate(self.given_keys):
                key = keys.scored_given_key(given, signatures)
                if self.shards.done(kinds.SCORED, number, key):
                    task.skip(self.sizes[number])
                else:
                    todo.append(ShardTask("score given", number, key, self.sizes[number]))

            def advance(pairs: int) -> None:
                self.scored_now += pairs
                task.advance(pairs)

            try:
                if todo:
                    makers.make(todo, self.shards, advance, self.stop.check)
            finally:
                makers.end()

    def _models(self) -> tuple[ModelFacts, ...]:
        """The models that the corpus names; of one that is not in the registry nothing more is known."""
        facts = []
        for name in sorted(self.made_by - {""}):
            try:
                entry = models.entry(name)
                known = ModelFacts(name, "translation", NAMED, "", "", entry.licence, entry.commercial)
                facts.append(replace(known, general=entry.general, trial=entry.trial))
            except (UsageError, ModelError):
                facts.append(ModelFacts(name, "translation", NAMED, "", "", "", None))
        return tuple(facts)
