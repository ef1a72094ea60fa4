"""What the bench of whole runs has found, for people, beside what it should be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from pipeline.bench.pipeline import COUNTED, WholeRun
from pipeline.bench.table import console_for

CPU_A_SEGMENT = 1.5
"""Milliseconds of processor time of everything but the engine."""
SPREAD = 1.85
"""One process over one a core, on two cores."""
STAGE, WHOLE = 0.92, 0.75
"""Of the engine's own speed: the translate stage, and the whole run."""
GREW = 0.1
"""Share by which the peak of memory may grow."""


def show(found: Mapping[str, Sequence[WholeRun]], where: dict[str, Any]) -> None:
    """Print the tables, and which of the goals hold."""
    console = console_for(where)
    if "stages" in found:
        alone, spread = found["stages"]
        console.print(f"\n{alone.segments:,} segments, {alone.pairs:,} pairs, an engine that costs nothing")
        console.print(_stages(alone, spread))
    for line in goals(found):
        console.print(line, highlight=False)


def _stages(alone: WholeRun, spread: WholeRun) -> Table:
    table = Table(box=None)
    table.add_column("stage")
    for title in ("CPU ms a segment", "seconds, 1 process", f"seconds, {spread.workers}", "times as fast"):
        table.add_column(title, justify="right")
    for name in COUNTED:
        cpu = alone.costs[name]["cpu_seconds"] / alone.segments * 1000
        seconds = [run.costs[name]["seconds"] for run in (alone, spread)]
        table.add_row(name, f"{cpu:.2f}", *(f"{value:.1f}" for value in seconds), f"{seconds[0] / seconds[1]:.2f}")
    table.add_row(
        "all",
        f"{alone.cpu_seconds / alone.segments * 1000:.2f}",
        f"{alone.seconds:.1f}",
        f"{spread.seconds:.1f}",
        f"{alone.seconds / spread.seconds:.2f}",
    )
    return table


def goals(found: Mapping[str, Sequence[WholeRun]]) -> list[str]:
    """A line for each figure that has a goal: what it is, what it should be, whether it is."""
    lines = []
    if "stages" in found:
        alone, spread = found["stages"]
        cpu = alone.cpu_seconds / alone.segments * 1000
        lines.append(
            _line(
                "CPU of all but the engine, a segment",
                f"{cpu:.2f} ms",
                f"at most {CPU_A_SEGMENT} ms",
                cpu <= CPU_A_SEGMENT,
            )
        )
        ratio = alone.seconds / spread.seconds
        lines.append(
            _line(f"{spread.workers} processes against one", f"{ratio:.2f}", f"at least {SPREAD}", ratio >= SPREAD)
        )
    if "memory" in found:
        small, large = found["memory"]
        grew = large.peak_mb / small.peak_mb - 1
        what = f"peak memory, {small.segments:,} to {large.segments:,} segments"
        lines.append(
            _line(what, f"{small.peak_mb:,.0f} to {large.peak_mb:,.0f} MB", f"grows {GREW:.0%} at most", grew <= GREW)
        )
    if "engine" in found:
        (run,) = found["engine"]
        for what, ratio, goal in (
            ("translate stage over the engine alone, tokens a second", run.stage_ratio, STAGE),
            ("engine alone over the whole run, seconds", run.whole_ratio, WHOLE),
        ):
            lines.append(_line(what, f"{ratio:.2f}", f"at least {goal}", ratio >= goal))
    return lines


def _line(what: str, value: str, goal: str, holds: bool) -> str:
    return f"{what}: {value} (goal: {goal}; {'holds' if holds else 'missed'})"
