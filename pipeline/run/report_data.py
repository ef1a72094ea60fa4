"""From a finished run to all that its report shows."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from shlex import quote

from pipeline.files.published import published, published_settings
from pipeline.metrics.base import DEFAULT_METRICS
from pipeline.metrics.evaluation import System, evaluate, resampled_unit
from pipeline.report.data import RANK_BY, AlignedWork, CorpusMetric, DocumentWork, ReportData
from pipeline.report.tally import MAX_DRAWN
from pipeline.run import provenance
from pipeline.run.finished import FinishedRun
from pipeline.run.folder import settings_path
from pipeline.stages.align.sides import Side
from pipeline.stages.score.confidence.scorer import is_fitted
from pipeline.text.languages import language, source_languages
from pipeline.types import Scored, Translation, Verdict

RESAMPLES = 1000


def report_data(run: FinishedRun) -> ReportData:
    """All that the report shows; nothing in it depends on the clock.

    Raises Interrupted when the user asked to stop, here or while the documents are read.
    """
    works = DocumentWorks(run)
    made_with = run.made_with
    return ReportData(
        name=run.config.name,
        version=made_with.code,
        commands=_commands(run),
        documents=works,
        rejects=run.rejects(),
        document_pairs=run.shards.all_document_pairs(),
        aligned=works.aligned(),
        rules=run.config.filter.rules,
        signatures=made_with.signatures,
        rank_by={"translated": "confidence" if is_fitted(made_with.translation_model) else "log_probability"} | RANK_BY,
        metrics=_metrics(run),
        facts=run.survey.facts,
        models=made_with.models,
        packages=made_with.packages,
        environment={
            "translation": made_with.translation,
            **made_with.machine,
            **provenance.several_versions(run.folder),
        },
        config=published_settings(run.config.model_dump(mode="json")),
        examples=run.config.report.examples,
    )


def _commands(run: FinishedRun) -> tuple[str, ...]:
    """What to type to make the run again, into a folder of its own."""
    out = Path(published(run.folder))
    again = out.with_name(f"{out.name}-again")
    names = dict.fromkeys(model.name for model in run.made_with.models)
    return (
        *(f"mekong models add {name}" for name in names),
        f"mekong run {quote(str(settings_path(out)))} --out {quote(str(again))}",
        f"mekong report {quote(str(out))} {quote(str(again))}",
    )


class DocumentWorks:
    """Every document with all that was made of it, one shard in memory at a time; those to be drawn are kept."""

    def __init__(self, run: FinishedRun) -> None:
        self._run = run
        parallel = (pair for pair in run.shards.all_document_pairs() if pair.relation == "parallel")
        self._parallel = list(islice(parallel, MAX_DRAWN))
        self._drawn: dict[str, DocumentWork] = {}

    def __iter__(self) -> Iterator[DocumentWork]:
        run = self._run
        return run.watch.each("report", run.survey.documents.total(), "documents", self._all())

    def _all(self) -> Iterator[DocumentWork]:
        drawn = {name for pair in self._parallel for name in (pair.src_doc, pair.tgt_doc)}
        for number in self._run.shards.numbers:
            pairs = self._pairs(number)
            for side in self._run.shards.sides(number):
                mine = tuple(pairs.get(side.document.id, ()))
                work = DocumentWork(side.document, side.segments, _attempted(side), mine)
                if side.document.id in drawn:
                    self._drawn[side.document.id] = work
                yield work

    def _pairs(self, number: int) -> dict[str, list[tuple[Scored, Verdict]]]:
        """Pairs with their verdicts by source document, which is in the same shard."""
        pairs: dict[str, list[tuple[Scored, Verdict]]] = {}
        for scored, verdict in self._run.verdicts.of_shard(number):
            pairs.setdefault(scored.pair.src_doc, []).append((scored, verdict))
        return pairs

    def aligned(self) -> Iterator[AlignedWork]:
        """The first parallel pairs; all documents have to have passed by before."""
        for pair in self._parallel:
            yield AlignedWork(pair, self._drawn[pair.src_doc], self._drawn[pair.tgt_doc])


def _attempted(side: Side) -> tuple[Translation, ...]:
    """The translations of a document without those of boilerplate, which is left alone on purpose."""
    tried = {segment.id for segment in side.segments if segment.kind != "boilerplate"}
    return tuple(translation for key, translation in side.translations.items() if key in tried)


def _metrics(run: FinishedRun) -> tuple[CorpusMetric, ...]:
    """The translations against the English that was aligned with their source, by language."""
    metrics: list[CorpusMetric] = []
    for lang in source_languages():
        drawn = run.survey.groups.get(lang)
        if drawn is None:
            continue
        groups = drawn.rows()
        documents = [group.doc_id for group in groups]
        with run.watch.task("metrics", 2 * len(DEFAULT_METRICS) * len(groups), "segments") as advance:
            (scores,) = evaluate(
                [System(run.made_with.translation_model, tuple(group.hypothesis for group in groups))],
                [[group.reference for group in groups]],
                documents=documents,
                confidence=RESAMPLES,
                unit=resampled_unit(documents),
                fold_names=True,
                advance=advance,
            )
        on = f"{language(lang).name} to English, against the aligned English articles"
        if drawn.total > len(groups):
            on += f", {len(groups):,} of {drawn.total:,} segments, drawn evenly by hash"
        metrics += [CorpusMetric(on, len(groups), len(set(documents)), score) for score in scores.metrics]
    return tuple(metrics)
