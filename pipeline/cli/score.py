"""`mekong score`: corpus metrics of translations against a reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pipeline.errors import UsageError
from pipeline.files.terminal import console, put
from pipeline.metrics.base import (
    DEFAULT_METRICS,
    METRICS,
    MetricScore,
    PairedTestName,
    Unit,
    add_to_signature,
    make_metrics,
)

if TYPE_CHECKING:
    from pipeline.metrics.evaluation import SystemScores
    from pipeline.metrics.realign import BeadCounts, Realigner

Format = Literal["text", "latex", "json"]
RealignBy = Literal["vectors", "words"]


def score_command(
    hyp: Annotated[
        list[Path],
        typer.Option("--hyp", help="Hypotheses: text, JSONL or a run folder. Repeat; the first is the baseline."),
    ],
    ref: Annotated[
        list[Path] | None, typer.Option("--ref", help="Reference, as --hyp. Repeat. A run folder brings its own.")
    ] = None,
    src: Annotated[Path | None, typer.Option("--src", help="Source, for metrics that read it.")] = None,
    metric: Annotated[
        list[str] | None, typer.Option("--metric", help=f"One of {', '.join(METRICS)}. Repeat. Default: the first 3.")
    ] = None,
    confidence: Annotated[
        int, typer.Option(min=0, help="Bootstrap resamples for 95 % intervals, such as 1000; 0: none.")
    ] = 0,
    paired: Annotated[
        PairedTestName | None, typer.Option(help="p-values: bootstrap (bs) or approximate randomisation (ar).")
    ] = None,
    unit: Annotated[Unit, typer.Option(help="What is resampled.")] = "segment",
    documents: Annotated[
        Path | None, typer.Option(help="The document of each reference segment, a line each. JSONL: doc_id.")
    ] = None,
    by: Annotated[str | None, typer.Option(metavar="KEY", help="Scores of slices too: doc_id, or a JSONL key.")] = None,
    realign: Annotated[
        RealignBy | None,
        typer.Option(help="Cut hypotheses as the reference is cut, by sentence vectors or edit distance."),
    ] = None,
    fold_names: Annotated[
        bool, typer.Option("--fold-names", help="Scores with Việt Nam, Viet Nam and Vietnam as one name, too.")
    ] = False,
    output: Annotated[Format, typer.Option("--format", help="A table to read, a table for a paper, or JSON.")] = "text",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
) -> None:
    """Corpus metrics of systems against a reference.

    BLEU, chrF, chrF++ and TER as sacreBLEU computes them, with its signatures and its p-values.

    Segment n of a hypothesis translates segment n of the reference; where JSONL has ids, they decide. Keys of JSONL:
    hypothesis, mt, translation, tgt or text; reference or ref; src or text; id, doc_id.

    simref and simsrc compare sentence vectors (simsrc:labse with another encoder), the last four names are learned
    metrics (`mekong models add --scorer comet`). Metrics without a reference need only --src.

    Where a system has cut its sentences otherwise, use --realign; doc_id or blank lines tell documents.

    Example: mekong score --hyp ours.en --hyp theirs.en --ref dev.en --paired ar

    Example: mekong score --hyp ours.en --ref dev.en --src dev.th --metric comet --metric chrf

    Example: mekong score --hyp out/quickstart --confidence 1000 --unit document
    """
    from pipeline.metrics.evaluation import evaluate
    from pipeline.run.streams import read_streams

    output = "json" if as_json else output
    if output == "latex" and by is not None:
        raise UsageError("the table for LaTeX has no slices", "Leave out --by, or take --format json.")
    streams = read_streams(hyp, ref or [], src, documents, by)
    realigner = _realigner(realign) if realign else None
    found, counts = streams.realigned(realigner) if realigner else (streams.matched(), [])
    systems = evaluate(
        found.systems,
        found.references,
        make_metrics(metric or DEFAULT_METRICS),
        sources=found.sources,
        documents=found.documents,
        slices=found.slices,
        confidence=confidence,
        paired=paired,
        unit=unit,
        fold_names=fold_names,
    )
    if realigner:
        systems = [_tagged(system, realigner.items) for system in systems]
    _show(systems, counts, output)


def _realigner(kind: RealignBy) -> Realigner:
    from pipeline.metrics.realign import Realigner

    if kind == "words":
        return Realigner()
    from pipeline.config.settings import Config
    from pipeline.engines.encoders.load import load_encoder
    from pipeline.registry import models

    models.offline()
    return Realigner(load_encoder(models.entry(Config().align.encoder)))


def _tagged(system: SystemScores, items: Mapping[str, object]) -> SystemScores:
    scores = (replace(score, signature=add_to_signature(score.signature, items)) for score in system.metrics)
    return replace(system, metrics=tuple(scores))


def _show(systems: Sequence[SystemScores], counts: Sequence[BeadCounts], output: Format) -> None:
    from pipeline.metrics.tables import latex_table, print_tables

    if output == "text":
        print_tables(systems, counts, console(markup=False))
    elif output == "latex":
        put(latex_table(systems, counts))
    else:
        from pipeline.files.store import to_json

        rows = [_plain(system) for system in systems]
        for row, found in zip(rows, counts, strict=False):
            row["realignment"] = asdict(found) | {"share_one_to_one": found.one_to_one / found.beads}
        put(to_json({"systems": rows}, indent=True).decode())


def _plain(system: SystemScores) -> dict[str, Any]:
    """One system for JSON; but for `ci`, what there is not is left out."""
    return {"name": system.name, "metrics": [_plain_score(score) for score in system.metrics]}


def _plain_score(score: MetricScore) -> dict[str, Any]:
    row: dict[str, Any] = {"name": score.name, "score": score.score, "signature": score.signature, "ci": score.ci}
    optional = {"mean": score.mean, "p_value": score.p_value, "note": score.note, "slices": score.slices}
    return row | {key: value for key, value in optional.items() if value not in (None, "", ())}
