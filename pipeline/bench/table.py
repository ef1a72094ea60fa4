"""What a benchmark has found, for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from pipeline.bench.harness import EngineRow, Spread
from pipeline.bench.memory import Stage

WIDTH = 120
"""Columns where there is no terminal."""


def show(rows: Sequence[EngineRow], notes: Sequence[str], where: dict[str, Any]) -> None:
    """Print the tables: speeds, then ratios."""
    console = console_for(where)
    first = rows[0]
    search = "greedy" if first.beam == 1 else f"beam {first.beam}"
    console.print(f"{first.shape}, {search}, {first.device}: {first.device_name}\n", highlight=False)
    console.print("Useful output tokens a second")
    console.print(_speeds(rows))
    if any(row.ratio_to for row in rows):
        console.print("\nTimes as fast as the column's engine, round by round: median (min-max)")
        console.print(_ratios(rows))
    console.print()
    for row in rows:
        console.print(_settings(row), highlight=False)
    for note in notes:
        console.print(note, highlight=False)


def show_stages(stages: Sequence[Stage], where: dict[str, Any]) -> None:
    """Print the state after each stage of the memory benchmark."""
    table = Table(box=None)
    for title in ("engine", "shape"):
        table.add_column(title)
    for title in ("segments", "seconds", "resident MB", "inside the model"):
        table.add_column(title, justify="right")
    for stage in stages:
        figures = (f"{stage.segments:,}", f"{stage.seconds:,.1f}", f"{stage.resident_mb:,.0f}")
        table.add_row(stage.engine, stage.shape, *figures, _percent(stage.model_share))
    console = console_for(where)
    console.print("\nAfter so many more short segments in one process")
    console.print(table)


def console_for(where: dict[str, Any]) -> Console:
    """A console on which the circumstances have been told."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    versions = ", ".join(f"{name} {version}" for name, version in where["packages"].items())
    cores = ",".join(map(str, where["cpu_mask"]))
    load = " ".join(map(str, where["load_average"]))
    console.print(f"{where['date']}: {where['command']}", highlight=False)
    console.print(f"{where['cpu']}, cores {cores}, load {load} at the start", highlight=False)
    console.print(f"mekong {where['code']}, {versions}", highlight=False)
    return console


def _speeds(rows: Sequence[EngineRow]) -> Table:
    table = Table(box=None)
    table.add_column("engine")
    on_gpu = any(row.roofline_share is not None for row in rows)
    for title in ("min", "median", "max", "CPU s/1000", "padding", "MB", "sentences"):
        table.add_column(title, justify="right")
    if on_gpu:
        table.add_column("of roofline", justify="right")
    for row in rows:
        rates = row.tokens_per_second
        cells = [row.engine, *(f"{rate:,.0f}" for rate in (rates.min, rates.median, rates.max))]
        cells += [f"{row.cpu_seconds_per_1000_tokens:.2f}", _percent(row.padding_efficiency)]
        cells += [f"{row.memory_mb:,.0f}", f"{row.sentences:,}"]
        cells += [_percent(row.roofline_share)] if on_gpu else []
        table.add_row(*cells)
    return table


def _settings(row: EngineRow) -> str:
    """How an engine was run, in a line."""
    line = f"{row.engine}: {row.settings}"
    if row.swept:
        least, most = min(row.swept.values()), max(row.swept.values())
        line += f", the best of {len(row.swept)} settings between {least:,.0f} and {most:,.0f} tokens/s"
    return line


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.0%}"


def _ratios(rows: Sequence[EngineRow]) -> Table:
    peers = [peer.engine for peer in rows if any(peer.engine in row.ratio_to for row in rows)]
    table = Table(box=None)
    table.add_column("engine")
    for peer in peers:
        table.add_column(peer, justify="right")
    for row in rows:
        table.add_row(row.engine, *(_ratio(row.ratio_to.get(peer)) for peer in peers))
    return table


def _ratio(ratio: Spread | None) -> str:
    return "" if ratio is None else f"{ratio.median:.2f} ({ratio.min:.2f}-{ratio.max:.2f})"
