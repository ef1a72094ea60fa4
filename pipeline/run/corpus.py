"""A corpus that is there already, through score, filter and write: what `mekong filter` does.

The pairs are cut into shards as documents are in a run, and each scored shard is kept under a key over its pairs and
the signatures of the scores. So a second run with other rules scores nothing, and one that was stopped goes on.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.config.settings import Config
from pipeline.errors import InputError, ModelError, UsageError
from pipeline.files.progress import Progress
from pipeline.files.store import Store
from pipeline.registry import models
from pipeline.registry.facts import ModelFacts
from pipeline.report.card import CardFacts
from pipeline.run import keys, provenance
from pipeline.run import shards as kinds
from pipeline.run.corpus_files import publish_corpus
from pipeline.run.folder import rejects_path, write_rejects
from pipeline.run.manifest import FilterCounts, FilterManifest
from pipeline.run.resources import Resources
from pipeline.run.shards import Shards
from pipeline.run.stop import Stop
from pipeline.run.verdicts import judged
from pipeline.stages.read.pairs import Corpus, Given
from pipeline.stages.score.base import Context
from pipeline.stages.score.stage import BATCH, score
from pipeline.stages.write.record import CorpusRow
from pipeline.types import Reject, Scored, Source, Verdict

NAMED = "named by the input corpus"


@dataclass
class CorpusFilter:
    """One corpus, its settings and its folder.

    `kept` (by language), `reasons` and `alone` (by kind, see `FilterCounts`) are counted while verdicts go by.
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
    kept: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    alone: Counter[str] = field(default_factory=Counter)
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
        write_rejects(self._read(), self.out)
        if not self.given_keys:
            raise InputError(
                f"no pair in the input ({self.set_aside} lines set aside)", f"See {rejects_path(self.out)}."
            )
        self.shards = Shards(self.store, len(self.given_keys))
        self.progress.say(f"read       {sum(self.sizes):,} pairs, {self.set_aside:,} lines set aside")
        self._score()
        signatures = self.resources.signatures
        self.resources.close()
        with self.progress.task("filter", sum(self.sizes), "pairs") as task:
            facts = CardFacts(self.config.name, provenance.version(), self._models(), signatures)
            written = publish_corpus(self._judged(task.advance), self.config.write, self.out, facts)
        inputs = [path for corpus in self.corpora for path in (corpus.path, corpus.english) if path]
        seconds = time.monotonic() - began
        manifest = FilterManifest.of(
            self.config, self.resources, inputs, counts=self._counts(), corpus=written, seconds=seconds
        )
        manifest.write(self.out)
        return manifest

    def _read(self) -> Iterator[Reject]:
        """Commit the pairs shard by shard; what is no pair comes out."""
        shard: list[Given] = []
        chars = 0
        for corpus in self.corpora:
            for row in corpus.read(self.config.read.max_line_bytes):
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
        self.stop.check()
        number, key = len(self.given_keys), keys.given_key(shard)
        if not self.shards.done(kinds.GIVEN, number, key):
            self.shards.commit(kinds.GIVEN, number, key, shard)
        self.given_keys.append(key)
        self.sizes.append(len(shard))

    def _score(self) -> None:
        signatures = self.resources.signatures
        with self.progress.task("score", sum(self.sizes), "pairs") as task:
            for number, given in enumerate(self.given_keys):
                key = keys.scored_given_key(given, signatures)
                if self.shards.done(kinds.SCORED, number, key):
                    task.skip(self.sizes[number])
                    continue
                self.stop.check()
                pairs = [row.pair for row in self.shards.given(number)]
                rows = list(task.each(score(pairs, self.resources.scorers, Context()), BATCH))
                self.shards.commit(kinds.SCORED, number, key, rows)
                self.scored_now += len(rows)

    def _judged(self, advance: Callable[[float], None]) -> Iterator[CorpusRow]:
        """Every pair with its verdict, one shard in memory at a time."""
        for given, scored, verdict in judged(self._rows(), self.config.filter):
            self._count(scored, verdict)
            advance(1)
            source, english = self._licensed(given.source), given.english and self._licensed(given.english)
            yield CorpusRow(scored, verdict, source, english, given.model, given.columns)

    def _licensed(self, source: Source) -> Source:
        """Where a row states no licence it is that of the settings, added late so that it costs no scoring."""
        return source if source.licence else replace(source, licence=self.config.read.licence)

    def _rows(self) -> Iterator[tuple[Given, Scored]]:
        for number in self.shards.numbers:
            self.stop.check()
            yield from zip(self.shards.given(number), self.shards.scored(number), strict=True)

    def _count(self, row: Scored, verdict: Verdict) -> None:
        self.kept[row.pair.src_lang] += verdict.keep
        self.reasons.update(verdict.kinds)
        if len(verdict.kinds) == 1:
            self.alone.update(verdict.kinds)

    def _counts(self) -> FilterCounts:
        return FilterCounts(
            pairs=sum(self.sizes),
            set_aside=self.set_aside,
            scored_now=self.scored_now,
            kept=dict(sorted(self.kept.items())),
            reasons=_ranked(self.reasons),
            alone=_ranked(self.alone),
        )

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


def _ranked(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
