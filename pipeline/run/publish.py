"""What a finished run leaves for people and for other programs: translations, corpus, report, and the manifest last."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.files.store import write_lines
from pipeline.files.together import aside
from pipeline.report.build import write_report
from pipeline.report.card import CardFacts
from pipeline.run import provenance
from pipeline.run.corpus_files import appear, publish_corpus
from pipeline.run.finished import FinishedRun
from pipeline.run.manifest import Manifest
from pipeline.run.report_data import report_data
from pipeline.run.shards import TRANSLATIONS, Shards
from pipeline.stages.write.record import CorpusRow


def translations_path(folder: Path) -> Path:
    """The file with every translation, JSONL."""
    return folder / "translations.jsonl"


def publish(run: FinishedRun, seconds: Mapping[str, float]) -> Manifest:
    """Write every file; returns the manifest. `seconds` is what each stage took.

    All of it is written aside first. Then the manifest goes, the files take their places, and the new manifest comes:
    a folder with a manifest holds one state. Raises Interrupted when the user asked to stop; no file has changed then.
    """
    began = time.monotonic()
    with aside(run.folder) as fresh:
        segments = sum(run.shards.size(TRANSLATIONS, number) for number in run.shards.numbers)
        told = run.watch.each("write", segments, "translations", _translations(run.shards))
        write_lines(translations_path(fresh), told)
        corpus = _write_corpus(run, fresh)
        written = time.monotonic()
        write_report(report_data(run), fresh)
        reported = time.monotonic()
        took = {"write": round(written - began, 3), "report": round(reported - written, 3)}
        manifest = Manifest.of(
            run.made_with,
            counts=run.counts(),
            corpus=corpus,
            shards=len(run.shards.numbers),
            seconds={**seconds, **took},
            keys=run.keys,
            worked=provenance.worked(run.folder),
        )
        appear(fresh, run.folder, manifest)
    return manifest


def publish_again(run: FinishedRun) -> None:
    """Write corpus, report and the counts of the manifest anew; the rest of it stays true of the run."""
    with aside(run.folder) as fresh:
        write_report(report_data(run), fresh)  # first: it reads all that a damaged or foreign run may lack
        corpus = _write_corpus(run, fresh)
        manifest = replace(Manifest.read(run.folder), counts=run.counts(), corpus=corpus)
        appear(fresh, run.folder, manifest)


def _write_corpus(run: FinishedRun, out: Path) -> dict[str, int]:
    made_with = run.made_with
    facts = CardFacts(run.config.name, provenance.version(), made_with.models, made_with.signatures)
    return publish_corpus(_rows(run), run.config.write, out, facts)


def _rows(run: FinishedRun) -> Iterator[CorpusRow]:
    verdicts, english, model = run.verdicts, run.survey.english, run.made_with.translation_model
    with run.watch.task("write", verdicts.counts.pairs.total(), "pairs") as advance:
        for number in run.shards.numbers:
            sources = {document.id: document.source for document in run.shards.documents(number)}
            for scored, verdict in verdicts.of_shard(number):
                pair = scored.pair
                made_by = model if pair.origin == "translated" else ""
                found = english[pair.tgt_doc] if pair.tgt_doc else None
                yield CorpusRow(scored, verdict, sources[pair.src_doc], found, made_by)
                advance(1)


def _translations(shards: Shards) -> Iterator[dict[str, Any]]:
    for number in shards.numbers:
        documents = {document.id: document for document in shards.documents(number)}
        done = {translation.segment_id: translation for translation in shards.translations(number)}
        for segment in shards.segments(number):
            document = documents[segment.doc_id]
            made = done.get(segment.id)
            if made is None:
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
                "translation": made.text,
                "ended": made.ended,
                "kind": segment.kind,
                "attempts": made.attempts,
                "problems": made.problems,
                "logprob": made.logprob,
                "model": made.model,
            }
