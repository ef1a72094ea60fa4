"""Everything a finished run leaves for people and for other programs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from shlex import quote
from typing import Any

import orjson

from pipeline.config.load import load_config
from pipeline.errors import StoreError
from pipeline.files.progress import Progress
from pipeline.files.store import plain, to_json, write_bytes, write_lines
from pipeline.metrics.evaluation import System, evaluate, resampled_unit
from pipeline.registry import models
from pipeline.registry.facts import ModelFacts
from pipeline.registry.models import Entry
from pipeline.report.card import CardFacts
from pipeline.report.data import AlignedWork, CorpusMetric, DocumentWork, ReportData
from pipeline.report.tally import MAX_DRAWN
from pipeline.run import provenance
from pipeline.run.corpus_files import publish_corpus
from pipeline.run.counts import Survey, survey
from pipeline.run.run import Run
from pipeline.stages.align.stage import Side
from pipeline.stages.filter.held_out import check_unchanged, digests
from pipeline.stages.score.stage import signatures
from pipeline.stages.write.record import CorpusRow
from pipeline.text.languages import language, source_languages
from pipeline.types import DocumentPair, Scored, Translation, Verdict

TRANSLATIONS = "translations.jsonl"
MANIFEST = "manifest.json"
RANK_BY = {"translated": "log_probability", "aligned": "similarity", "mined": "mining_margin"}
RESAMPLES = 1000
MADE_WITH = ("code", "packages", "machine", "translation", "models", "signatures", "shards")
"""What later reports take from a manifest."""


def _attempted(side: Side) -> tuple[Translation, ...]:
    """The translations of a document without those of boilerplate, which is left alone on purpose."""
    plain = {segment.id for segment in side.segments if segment.kind != "boilerplate"}
    return tuple(found for key, found in side.translations.items() if key in plain)


def finished(folder: Path, progress: Progress) -> FinishedRun:
    """The output of a run that was finished before, from its committed shards.

    Raises StoreError when the folder holds none, or one whose manifest is damaged or of another version, InputError
    when its held-out texts have changed.
    """
    path = folder / MANIFEST
    if not path.exists():
        raise StoreError(f"{folder} holds no finished run (no {MANIFEST})", "Finish it with `mekong run` first.")
    try:
        found = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise StoreError(f"{path} is damaged: {error}", "Write it anew with `mekong run`.") from error
    lacking = [name for name in MADE_WITH if name not in found]
    if lacking:
        raise StoreError(f"{path} lacks {', '.join(lacking)}", "Another version wrote it; run again with a new --out.")
    config = load_config(folder / "config.yaml")
    check_unchanged(found.get("held_out", {}), config.filter.held_out)
    run = Run(config, folder, progress)
    run.adopt(found["shards"])
    return FinishedRun(run, found)


class FinishedRun:
    """Writes translations, corpus, report and manifest of a run whose stages are all committed."""

    def __init__(self, run: Run, manifest: Mapping[str, Any] | None = None) -> None:
        """`manifest` is what an earlier `write` returned: reports then name code, models and machine of that time."""
        self.run = run
        self.made_with = manifest or self._made_with()
        self._drawn: dict[str, DocumentWork] = {}

    def _made_with(self) -> dict[str, Any]:
        from pipeline.engines.load import choose

        return {
            "code": provenance.code_version(),
            "packages": provenance.packages(),
            "machine": provenance.machine(),
            "translation": str(choose(self.run.entry, self.run.config.translate)),
            "models": plain(self._models()),
            "signatures": signatures(self.run.scorers),
            "held_out": digests(self.run.config.filter.held_out),
        }

    def write(self) -> dict[str, Any]:
        """Write every file; returns the manifest."""
        from pipeline.report.build import write_report

        began = time.monotonic()
        write_lines(self.run.out / TRANSLATIONS, self._translations())
        corpus = self._corpus()
        self.run.seconds["write"] = round(time.monotonic() - began, 3)
        began = time.monotonic()
        write_report(self.report_data(), self.run.out)
        self.run.seconds["report"] = round(time.monotonic() - began, 3)
        found = self._manifest(corpus)
        self._store(found)
        return found

    def write_again(self) -> None:
        """Write corpus, report and the counts of the manifest anew; the rest of it stays true of the run."""
        from pipeline.report.build import write_report

        write_report(self.report_data(), self.run.out)  # first: it reads all that a damaged or foreign run may lack
        corpus = self._corpus()
        self._store({**self.made_with, "counts": self.counts(), "corpus": corpus})

    def _corpus(self) -> dict[str, int]:
        return publish_corpus(self._rows(), self.run.config.write, self.run.out, self._card())

    def _store(self, found: dict[str, Any]) -> None:
        write_bytes(self.run.out / MANIFEST, to_json(found, indent=True) + b"\n")

    @cached_property
    def verdicts(self) -> list[tuple[int, Scored, Verdict]]:
        """Every pair with its verdict, decided once."""
        return list(self.run.verdicts())

    def _translations(self) -> Iterator[dict[str, Any]]:
        for number in range(len(self.run.doc_keys)):
            documents = {document.id: document for document in self.run.documents(number)}
            done = {found.segment_id: found for found in self.run.translations(number)}
            for segment in self.run.segments(number):
                document = documents[segment.doc_id]
                found = done.get(segment.id)
                if found is None:
                    continue
                yield {
                    "id": segment.id,
                    "doc_id": segment.doc_id,
                    "source": document.source.path,
                    "lang": document.lang,
                    "paragraph": segment.paragraph,
                    "start": segment.start,
                    "end": segment.end,
                    "text": segment.text,
                    "translation": found.text,
                    "ended": found.ended,
                    "kind": segment.kind,
                    "attempts": found.attempts,
                    "problems": found.problems,
                    "logprob": found.logprob,
                    "model": found.model,
                }

    def _rows(self) -> Iterator[CorpusRow]:
        sources, model = self.survey.sources, self.run.entry.name
        for _, scored, verdict in self.verdicts:
            pair = scored.pair
            english = sources[pair.tgt_doc] if pair.tgt_doc else None
            made_by = model if pair.origin == "translated" else ""
            yield CorpusRow(scored, verdict, sources[pair.src_doc], english, made_by)

    @property
    def models(self) -> tuple[ModelFacts, ...]:
        """Where the models came from, and what their licences allow."""
        return tuple(ModelFacts(**row) for row in self.made_with["models"])

    def _models(self) -> list[ModelFacts]:
        found = []
        for entry, role in self._entries():
            lock = models.read_lock(entry)
            found.append(
                ModelFacts(
                    entry.name,
                    role,
                    lock.source,
                    lock.version,
                    models.fingerprint(entry),
                    entry.licence,
                    entry.commercial,
                )
            )
        return found

    def _entries(self) -> list[tuple[Entry, str]]:
        """The models of the run, and what they are there for."""
        run = self.run
        reader = [(run.reader_entry, "filter")] if run.reader_entry else []
        return [(run.entry, "translation"), (run.encoder_entry, "sentence encoder"), *reader]

    def _card(self) -> CardFacts:
        return CardFacts(self.run.config.name, provenance.version(), self.models, self.made_with["signatures"])

    def report_data(self) -> ReportData:
        """All that the report shows; nothing in it depends on the clock."""
        run = self.run
        return ReportData(
            name=run.config.name,
            version=self.made_with["code"],
            commands=self._commands(),
            documents=self._works(),
            rejects=run.rejects,
            document_pairs=run.document_pairs(),
            aligned=self._aligned(),
            rules=run.config.filter.rules,
            signatures=self.made_with["signatures"],
            rank_by=RANK_BY,
            metrics=self._metrics(),
            facts=self.survey.facts,
            models=self.models,
            packages=self.made_with["packages"],
            environment={"translation": self.made_with["translation"], **self.made_with["machine"]},
            config=run.config.model_dump(mode="json"),
            examples=run.config.report.examples,
        )

    def _commands(self) -> tuple[str, ...]:
        """What to type to make the run again, into a folder of its own."""
        run = self.run
        names = dict.fromkeys(entry.name for entry, _ in self._entries())
        again = run.out.with_name(f"{run.out.name}-again")
        return (
            *(f"mekong models add {name}" for name in names),
            f"mekong run {quote(str(run.out / 'config.yaml'))} --out {quote(str(again))}",
            f"mekong report {quote(str(run.out))} {quote(str(again))}",
        )

    def _works(self) -> Iterator[DocumentWork]:
        """Every document with all that was made of it; those that will be drawn are kept for `_aligned`."""
        drawn = {name for pair in self._parallel()[:MAX_DRAWN] for name in (pair.src_doc, pair.tgt_doc)}
        for number in range(len(self.run.doc_keys)):
            for side in self.run.sides(number):
                judged = tuple(self._judged.get(side.document.id, ()))
                work = DocumentWork(side.document, side.segments, _attempted(side), judged)
                if side.document.id in drawn:
                    self._drawn[side.document.id] = work
                yield work

    @cached_property
    def _judged(self) -> dict[str, list[tuple[Scored, Verdict]]]:
        """Pairs with their verdicts by source document."""
        pairs: dict[str, list[tuple[Scored, Verdict]]] = {}
        for _, scored, verdict in self.verdicts:
            pairs.setdefault(scored.pair.src_doc, []).append((scored, verdict))
        return pairs

    def _aligned(self) -> Iterator[AlignedWork]:
        """The first parallel pairs; their documents have to have passed through `_works`."""
        for pair in self._parallel()[:MAX_DRAWN]:
            yield AlignedWork(pair, self._drawn[pair.src_doc], self._drawn[pair.tgt_doc])

    def _parallel(self) -> list[DocumentPair]:
        return [pair for pair in self.run.document_pairs() if pair.relation == "parallel"]

    def _metrics(self) -> tuple[CorpusMetric, ...]:
        """The translations against the English that was aligned with their source, by language."""
        found = []
        for lang in source_languages():
            mine = [group for group in self.survey.groups if group.lang == lang]
            if not mine:
                continue
            documents = [group.doc_id for group in mine]
            (scores,) = evaluate(
                [System(self.run.entry.name, tuple(group.hypothesis for group in mine))],
                [[group.reference for group in mine]],
                documents=documents,
                confidence=RESAMPLES,
                unit=resampled_unit(documents),
                fold_names=True,
            )
            on = f"{language(lang).name} to English, against the aligned English articles"
            found += [CorpusMetric(on, len(mine), len(set(documents)), score) for score in scores.metrics]
        return tuple(found)

    @cached_property
    def survey(self) -> Survey:
        """What one pass over the shards found."""
        return survey(self.run)

    def counts(self) -> dict[str, Any]:
        """How much went through each stage."""
        survey = self.survey
        relations = Counter(pair.relation for pair in self.run.document_pairs())
        origins = Counter(scored.pair.origin for _, scored, _ in self.verdicts)
        kept = Counter(scored.pair.origin for _, scored, verdict in self.verdicts if verdict.keep)
        by_hand = Counter(verdict.keep for _, _, verdict in self.verdicts if verdict.by_hand)
        return {
            "documents": dict(sorted(survey.documents.items())),
            "rejected_inputs": len(self.run.rejects),
            "segments": survey.segments,
            "translations": dict(sorted(survey.ended.items())),
            "document_pairs": dict(sorted(relations.items())),
            "pairs": dict(sorted(origins.items())),
            "kept": dict(sorted(kept.items())),
            "by_hand": {
                "accepted": by_hand[True],
                "rejected": by_hand[False],
                "not_applied": len(self.run.decisions.latest) - by_hand.total(),
            },
        }

    def _manifest(self, corpus: dict[str, int]) -> dict[str, Any]:
        run = self.run
        return {
            "name": run.config.name,
            **self.made_with,
            "counts": self.counts(),
            "corpus": corpus,
            "shards": len(run.doc_keys),
            "seconds": run.seconds,
            "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
