"""A corpus that is there already, through score, filter and write: what `mekong filter` does.

The pairs are cut into shards as documents are in a run, and each scored shard is kept under a key over its pairs and
the signatures of the scores. So a second run with other rules scores nothing, and one that was stopped goes on.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import tee
from pathlib import Path
from typing import Any

from pipeline.config.settings import Config
from pipeline.errors import InputError, ModelError, UsageError
from pipeline.files.lines import path_text
from pipeline.files.progress import Progress
from pipeline.files.store import Store, digest, file_sha256, to_json, write_bytes, write_lines
from pipeline.registry import models
from pipeline.registry.facts import ModelFacts
from pipeline.report.card import CardFacts
from pipeline.run import provenance
from pipeline.run.corpus_files import publish_corpus
from pipeline.run.run import REJECTED
from pipeline.run.stop import Stop
from pipeline.stages.filter.held_out import digests
from pipeline.stages.filter.stage import filter_pairs
from pipeline.stages.read.pairs import Corpus, Given
from pipeline.stages.score.base import Context, Scorer
from pipeline.stages.score.damage.forced import load_reader
from pipeline.stages.score.stage import BATCH, VERSION, score, signatures
from pipeline.stages.write.record import CorpusRow
from pipeline.types import Pair, Reject, Scored, Verdict

MANIFEST = "manifest.json"
NAMED = "named by the input corpus"


@dataclass
class CorpusFilter:
    """One corpus, its settings and its folder. `kept`, `reasons` and `alone` are counted while verdicts go by."""

    corpora: Sequence[Corpus]
    config: Config
    out: Path
    progress: Progress
    stop: Stop = field(default_factory=Stop)
    sizes: list[int] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    set_aside: int = 0
    scored_now: int = 0
    kept: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    """Pairs by what they were rejected for, one pair in several kinds."""
    alone: Counter[str] = field(default_factory=Counter)
    """Pairs that only one kind of reason rejects."""
    made_by: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.store = Store(self.out)
        self.encoder_entry = models.entry(self.config.align.encoder)
        self.reader_entry = models.entry(self.config.filter.model) if self.config.filter.model else None

    def execute(self) -> dict[str, Any]:
        """Read, score, decide, write; returns the manifest.

        Raises InputError when there is no pair in the input, Interrupted when the user asked to stop.
        """
        began = time.monotonic()
        write_lines(self.out / REJECTED, self._read())
        if not self.keys:
            raise InputError(f"no pair in the input ({self.set_aside} lines set aside)", f"See {self.out / REJECTED}.")
        self.progress.say(f"read       {sum(self.sizes):,} pairs, {self.set_aside:,} lines set aside")
        self._score()
        with self.progress.task("filter", sum(self.sizes), "pairs") as task:
            rows = self._judged(task.advance)
            facts = CardFacts(self.config.name, provenance.version(), self._models(), signatures(self.scorers))
            written = publish_corpus(rows, self.config.write, self.out, facts)
        found = self._manifest(written, time.monotonic() - began)
        write_bytes(self.out / MANIFEST, to_json(found, indent=True) + b"\n")
        return found

    def _read(self) -> Iterator[Reject]:
        """Commit the pairs shard by shard; what is no pair comes out."""
        shard: list[Given] = []
        chars = 0
        for corpus in self.corpora:
            for found in corpus.read(self.config.read.max_line_bytes):
                if isinstance(found, Reject):
                    self.set_aside += 1
                    yield found
                    continue
                shard.append(found)
                self.made_by.add(found.model)
                chars += len(found.pair.src_text) + len(found.pair.tgt_text)
                if chars >= self.config.run.shard_chars:
                    self._commit(shard)
                    shard, chars = [], 0
        if shard:
            self._commit(shard)

    def _commit(self, shard: Sequence[Given]) -> None:
        self.stop.check()
        number, key = len(self.keys), digest("given", shard)
        if not self._done("given", number, key):
            self.store.commit("given", number, key, shard)
        self.keys.append(key)
        self.sizes.append(len(shard))

    def _score(self) -> None:
        named = signatures(self.scorers)
        keys = [digest("score", VERSION, key, named) for key in self.keys]
        with self.progress.task("score", sum(self.sizes), "pairs") as task:
            for number, key in enumerate(keys):
                if self._done("score", number, key):
                    task.skip(self.sizes[number])
                    continue
                self.stop.check()
                rows = list(task.each(score(self._pairs(number), self.scorers, Context()), BATCH))
                self.store.commit("score", number, key, rows)
                self.scored_now += len(rows)

    def _done(self, stage: str, number: int, key: str) -> bool:
        record = self.store.record(stage, number)
        return record is not None and record["key"] == key

    def _pairs(self, number: int) -> list[Pair]:
        return [given.pair for given in self.store.rows("given", number, Given)]

    def _judged(self, advance: Callable[[float], None]) -> Iterator[CorpusRow]:
        """Every pair with its verdict, one shard in memory at a time."""
        rows, again = tee(self._rows())
        verdicts = filter_pairs((scored for _, scored in again), self.config.filter)
        for (given, scored), verdict in zip(rows, verdicts, strict=True):
            self._count(scored, verdict)
            advance(1)
            yield CorpusRow(scored, verdict, given.source, given.english, given.model)

    def _rows(self) -> Iterator[tuple[Given, Scored]]:
        for number in range(len(self.keys)):
            self.stop.check()
            given, scored = self.store.rows("given", number, Given), self.store.rows("score", number, Scored)
            yield from zip(given, scored, strict=True)

    def _count(self, row: Scored, verdict: Verdict) -> None:
        self.kept[row.pair.src_lang] += verdict.keep
        self.reasons.update(verdict.kinds)
        if len(verdict.kinds) == 1:
            self.alone.update(verdict.kinds)

    def _models(self) -> tuple[ModelFacts, ...]:
        """The models that the corpus names; of one that is not in the registry nothing more is known."""
        found = []
        for name in sorted(self.made_by - {""}):
            try:
                entry = models.entry(name)
                found.append(ModelFacts(name, "translation", NAMED, "", "", entry.licence, entry.commercial))
            except (UsageError, ModelError):
                found.append(ModelFacts(name, "translation", NAMED, "", "", "", None))
        return tuple(found)

    def _manifest(self, written: dict[str, int], seconds: float) -> dict[str, Any]:
        files = [path for corpus in self.corpora for path in (corpus.path, corpus.english) if path]
        return {
            "name": self.config.name,
            "code": provenance.code_version(),
            "packages": provenance.packages(),
            "machine": provenance.machine(),
            "encoder": {"name": self.encoder_entry.name, "fingerprint": models.fingerprint(self.encoder_entry)},
            "signatures": signatures(self.scorers),
            "inputs": {path_text(path): file_sha256(path) for path in files},
            "held_out": digests(self.config.filter.held_out),
            "counts": {
                "pairs": sum(self.sizes),
                "set_aside": self.set_aside,
                "scored_now": self.scored_now,
                "kept": dict(sorted(self.kept.items())),
                "reasons": _ranked(self.reasons),
                "alone": _ranked(self.alone),
            },
            "corpus": written,
            "seconds": round(seconds, 3),
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }

    @cached_property
    def scorers(self) -> list[Scorer]:
        """All scorers, in the order of the report."""
        from pipeline.engines.encoders.load import load_encoder
        from pipeline.stages.score.scorers import all_scorers

        reader = load_reader(self.reader_entry, self.config.translate.device)
        return all_scorers(load_encoder(self.encoder_entry), reader)


def _ranked(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
