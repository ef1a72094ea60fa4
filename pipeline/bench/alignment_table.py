"""What the alignment benchmark has found, for people."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from rich.markup import escape
from rich.table import Table

from pipeline.bench.alignment import Result, Speed, Wrong
from pipeline.bench.table import console_for

BEADS = ("strict", "lax", "exact")
CUTS = ("boundary", "inner")
SHAPES_SHOWN = 8


def show(results: Sequence[Result], wrong: Sequence[Wrong], where: dict[str, Any]) -> None:
    """Print a table of scores and one of shapes for each file, then wrong beads."""
    console = console_for(where)
    for file, rows in groupby(results, key=lambda result: result.file):
        group = list(rows)
        console.print(f"\n{_title(file, group)}", highlight=False, markup=False)
        console.print(_scores(group))
        for row in group:
            if row.figures is None:
                console.print(f"{row.aligner}: {row.note}", highlight=False, markup=False)
        console.print("Recall by shape of the gold bead; of the missed, the commonest shape in its place")
        console.print(_shapes(group))
    if wrong:
        table = Table("case", "source", "target", title="Beads that are not in the gold", show_lines=True)
        for bead in wrong:
            table.add_row(escape(bead.case), escape(bead.src_text), escape(bead.tgt_text))
        console.print(table)


def show_speed(rows: Sequence[Speed], where: dict[str, Any]) -> None:
    """Print the seconds of the programmes."""
    table = Table(box=None)
    table.add_column("programme")
    for title in ("min s", "max s", "min CPU s", "CPU, times ours"):
        table.add_column(title, justify="right")
    table.add_column("")
    for row in rows:
        figures = [min(row.seconds), max(row.seconds), min(row.cpu_seconds), row.ratio] if row.seconds else [None] * 4
        table.add_row(row.programme, *("-" if one is None else f"{one:.2f}" for one in figures), row.note)
    console = console_for(where)
    console.print(f"\nThe programme alone, {rows[0].units:,} x {rows[0].units:,} units, vectors given")
    console.print(table)


def _title(file: str, rows: Sequence[Result]) -> str:
    figures = next((row.figures for row in rows if row.figures), None)
    if figures is None:
        return file
    return f"{file}: {figures['cases']:,} documents, {figures['gold_beads']:,} gold beads with two sides"


def _scores(rows: Sequence[Result]) -> Table:
    """F1 of every measure, with P and R of beads, and seconds."""
    shown = [name for name in (*BEADS, *CUTS) if any(row.figures and name in row.figures for row in rows)]
    table = Table(box=None)
    table.add_column("F1 (P R)", no_wrap=True)
    for title in (*shown, "embed s/doc", "other s/doc"):
        table.add_column(title, justify="right", no_wrap=title in BEADS)
    for row in rows:
        if row.figures is None:
            continue
        cells = [_share(name, row.figures[name]) for name in shown]
        table.add_row(row.aligner, *cells, f"{row.embedding_seconds:.3f}", f"{row.other_seconds:.3f}")
    return table


def _share(name: str, found: dict[str, float]) -> str:
    f1 = f"{found['f1']:.3f}"
    return f"{f1} ({found['p']:.3f} {found['r']:.3f})" if name in BEADS else f1


def _shapes(rows: Sequence[Result]) -> Table:
    measured = [row for row in rows if row.figures]
    table = Table(box=None)
    table.add_column("gold", no_wrap=True)
    table.add_column("beads", justify="right")
    for row in measured:
        table.add_column(row.aligner, justify="right")
    shapes = measured[0].figures["shapes"] if measured and measured[0].figures else {}
    for shape in list(shapes)[:SHAPES_SHOWN]:
        found = [row.figures["shapes"][shape] for row in measured if row.figures]
        table.add_row(shape, f"{shapes[shape]['gold']:,}", *(_recall(one) for one in found))
    return table


def _recall(found: dict[str, Any]) -> str:
    text = f"{found['recall']:.3f}"
    shape, times = next(iter(found["instead"].items()), ("", 0))
    return f"{text}, {shape} {times}" if shape else text
