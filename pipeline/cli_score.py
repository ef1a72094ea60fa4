"""`mekong score`: corpus metrics of translations against a reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.scorers.evaluation import SystemScores, Unit, evaluate
from pipeline.scorers.metrics import DEFAULT_METRICS, METRICS, MetricScore, make_metrics
from pipeline.scorers.significance import PairedTestName

SIGNIFICANT = 0.05


def score_command(
    hyp: Annotated[
        list[Path], typer.Option("--hyp", help="Hypotheses, one segment a line; the first is the baseline.")
    ],
    ref: Annotated[list[Path] | None, typer.Option("--ref", help="The reference, line by line; repeat.")] = None,
    src: Annotated[Path | None, typer.Option("--src", help="The source, for metrics that read it.")] = None,
    metric: Annotated[
        list[str] | None, typer.Option("--metric", help=f"One of {', '.join(METRICS)}; repeat. Default: not ter.")
    ] = None,
    confidence: Annotated[int, typer.Option(min=0, help="Bootstrap resamples for 95 % intervals; 0: none.")] = 0,
    paired: Annotated[
        PairedTestName | None, typer.Option(help="p-values: bootstrap (bs) or approximate randomisation (ar).")
    ] = None,
    unit: Annotated[Unit, typer.Option(help="What is resampled.")] = "segment",
    documents: Annotated[Path | None, typer.Option(help="The document of each reference segment, a line each.")] = None,
    by: Annotated[str | None, typer.Option(help="Scores of slices: a key of the JSONL, such as doc_id.")] = None,
    fold_names: Annotated[bool, typer.Option("--fold-names", help="Also with names folded.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Corpus metrics of systems against a reference.

    BLEU, chrF, chrF++ and TER, with sacreBLEU's signatures.

    Example: mekong score --hyp ours.en --hyp theirs.en --ref dev.en --confidence 1000
    """
    from pipeline.testset import read_streams

    found = read_streams(hyp, ref or [], src, documents, by).matched()
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
    if as_json:
        from pipeline.store import to_json

        typer.echo(to_json({"systems": [_plain(system) for system in systems]}, indent=True).decode())
    else:
        _print_table(systems)


def _plain(system: SystemScores) -> dict[str, Any]:
    """One system for JSON; but for `ci`, what there is not is left out."""
    metrics = []
    for score in system.metrics:
        row = asdict(score)
        del row["higher_better"]
        optional = ("mean", "p_value", "note", "slices")
        metrics.append({key: value for key, value in row.items() if key not in optional or value not in (None, "", ())})
    return {"name": system.name, "metrics": metrics}


def _print_table(systems: Sequence[SystemScores]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table()
    table.add_column("system", overflow="fold")
    for score in systems[0].metrics:
        table.add_column(score.name, justify="right")
    for system in systems:
        table.add_row(system.name, *map(_cell, system.metrics))
    console = Console(markup=False)
    console.print(table)
    for score in systems[0].metrics:
        console.print(f"{score.name}|{score.signature}", soft_wrap=True, highlight=False)
    if any(score.p_value is not None for score in systems[-1].metrics):
        console.print(f"* differs from the first system, p < {SIGNIFICANT}", highlight=False)


def _cell(score: MetricScore) -> str:
    text = f"{score.score:.1f}"
    if score.ci is not None:
        text += f" ± {score.ci:.1f}"
    if score.p_value is not None:
        text += f" (p = {score.p_value:.4f}{'*' if score.p_value < SIGNIFICANT else ''})"
    return text
