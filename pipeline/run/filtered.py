"""A corpus whose pairs are all scored: the files, the report and the counts that are made of it, at first and again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from shlex import quote

from pipeline.config.settings import Config
from pipeline.files.owner import FILTER
from pipeline.files.progress import Progress
from pipeline.files.published import published, published_settings
from pipeline.files.tables import kind
from pipeline.files.together import aside
from pipeline.report.build import assemble, write_built
from pipeline.report.card import CardFacts
from pipeline.report.data import RANK_BY, ReportData
from pipeline.report.tally import ReportTally
from pipeline.run import provenance
from pipeline.run import shards as kinds
from pipeline.run.corpus_files import appear, publish_corpus
from pipeline.run.finished import check_keys, keys_of
from pipeline.run.folder import read_rejects, read_settings, settings_path
from pipeline.run.manifest import FilterCounts, FilteredWith, FilterManifest
from pipeline.run.shards import Shards
from pipeline.run.verdicts import judged
from pipeline.run.watch import Watch
from pipeline.stages.filter.decisions import Decisions
from pipeline.stages.filter.held_out import check_unchanged
from pipeline.stages.read.pairs import Given
from pipeline.stages.write.record import CorpusRow
from pipeline.types import Scored, Source, Verdict

OF_A_FILTER = kinds.GIVEN, kinds.SCORED
"""What a filtered corpus has of every shard."""


@dataclass
class FilteredCorpus:
    """The settings, scored shards and decisions of a corpus; `made_with` names code, models and input."""

    config: Config
    shards: Shards
    made_with: FilteredWith
    decisions: Decisions
    watch: Watch
    _kept: Counter[str] = field(default_factory=Counter)
    _reasons: Counter[str] = field(default_factory=Counter)
    _alone: Counter[str] = field(default_factory=Counter)
    _by_hand: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, folder: Path, progress: Progress) -> FilteredCorpus:
        """A corpus that was filtered before, from its committed shards.

        Raises StoreError when the folder holds none, InputError when its held-out texts have changed.
        """
        manifest = FilterManifest.read(folder)
        config = read_settings(folder)
        check_unchanged(manifest.held_out, config.filter.held_out)
        shards = Shards.stated(folder, manifest.shards)
        check_keys(shards, OF_A_FILTER, manifest.keys, FILTER)
        return cls(config, shards, manifest, Decisions(folder, progress.warn), Watch(progress))

    @property
    def folder(self) -> Path:
        """The folder of the filter."""
        return self.shards.folder

    def publish(self, *, set_aside: int, scored_now: int, seconds: float) -> FilterManifest:
        """Write corpus, report and manifest; `set_aside` lines were no pair, scoring took `seconds` until now.

        They appear together, as what `pipeline.run.publish` writes.
        """
        began = time.monotonic()
        with aside(self.folder) as fresh:
            counts, corpus = self._write(fresh, set_aside, scored_now)
            manifest = FilterManifest.of(
                self.made_with,
                counts=counts,
                corpus=corpus,
                shards=len(self.shards.numbers),
                seconds=seconds + time.monotonic() - began,
                keys=keys_of(self.shards, OF_A_FILTER),
                worked=provenance.worked(self.folder),
            )
            appear(fresh, self.folder, manifest)
        return manifest

    def publish_again(self) -> None:
        """Write corpus and report anew, and the counts of the manifest; the rest of it stays true."""
        with aside(self.folder) as fresh:
            manifest = FilterManifest.read(self.folder)
            counts, corpus = self._write(fresh, manifest.counts.set_aside, manifest.counts.scored_now)
            appear(fresh, self.folder, replace(manifest, counts=counts, corpus=corpus))

    def _write(self, out: Path, set_aside: int, scored_now: int) -> tuple[FilterCounts, dict[str, int]]:
        """One pass over the pairs for the corpus and the report, so that no verdict is held."""
        self.decisions.refresh()
        data = self._report_data()
        tally = ReportTally(data)
        made = self.made_with
        facts = CardFacts(self.config.name, provenance.version(), made.models, made.signatures)
        corpus = publish_corpus(self._rows(tally), self.config.write, out, facts)
        if unused := len(self.decisions.latest) - len(self._by_hand):
            self.watch.warn(self.decisions.unapplied(unused))
        write_built(assemble(data, tally), out)
        counts = FilterCounts(
            pairs=self._pairs,
            set_aside=set_aside,
            scored_now=scored_now,
            kept=dict(sorted(self._kept.items())),
            reasons=_ranked(self._reasons),
            alone=_ranked(self._alone),
        )
        return counts, corpus

    def _rows(self, tally: ReportTally) -> Iterator[CorpusRow]:
        """Every pair with its verdict, one shard in memory at a time."""
        ruled_on = judged(self._given(), self.config.filter)
        for given, scored, ruled in self.watch.each("filter", self._pairs, "pairs", ruled_on):
            verdict = self.decisions.applied(scored.pair, ruled)
            source, english = self._licensed(given.source), given.english and self._licensed(given.english)
            tally.add_given(scored, verdict, source, given.model)
            self._count(scored, verdict)
            yield CorpusRow(scored, verdict, source, english, given.model, given.columns)

    @property
    def _pairs(self) -> int:
        return sum(self.shards.size(kinds.SCORED, number) for number in self.shards.numbers)

    def _given(self) -> Iterator[tuple[Given, Scored]]:
        for number in self.shards.numbers:
            yield from zip(self.shards.given(number), self.shards.scored(number), strict=True)

    def _licensed(self, source: Source) -> Source:
        """Where a row states no licence it is that of the settings, added late so that it costs no scoring."""
        return source if source.licence else replace(source, licence=self.config.read.licence)

    def _count(self, row: Scored, verdict: Verdict) -> None:
        self._kept[row.pair.src_lang] += verdict.keep
        if verdict.by_hand:
            self._by_hand.add(row.pair.id)
        self._reasons.update(verdict.kinds)
        if len(verdict.kinds) == 1:
            self._alone.update(verdict.kinds)

    def _report_data(self) -> ReportData:
        """All that the report shows beside the pairs."""
        made = self.made_with
        return ReportData(
            name=self.config.name,
            version=made.code,
            commands=self._commands(),
            documents=(),
            rejects=read_rejects(self.folder),
            rules=self.config.filter.rules,
            signatures=made.signatures,
            rank_by={"translated": "similarity"} | RANK_BY,
            models=made.models,
            packages=made.packages,
            environment=made.machine | provenance.several_versions(self.folder),
            config=published_settings(self.config.model_dump(mode="json")),
            examples=self.config.report.examples,
        )

    def _commands(self) -> tuple[str, ...]:
        """What to type to filter again, into a folder of its own."""
        out, inputs = Path(published(self.folder)), " ".join(map(quote, self.made_with.inputs))
        if any(kind(Path(path)) == ".tsv" for path in self.made_with.inputs):  # which does not say its language
            inputs += f" --lang {self.shards.given(0)[0].pair.src_lang}"
        again = quote(str(out.with_name(f"{out.name}-again")))
        stores = (model.name for model in self.made_with.models if model.fingerprint)
        return (
            *(f"mekong models add {name}" for name in stores),
            f"{FILTER} {inputs} --config {quote(str(settings_path(out)))} --out {again}",
        )


def _ranked(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
