"""What the bench of whole runs has found, for people, beside what it should be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rich.table import Table

from pipeline.bench.duplicates import DuplicateFigures
from pipeline.bench.pipeline import COUNTED, Findings, WholeRun
from pipeline.bench.table import console_for

CPU_A_SEGMENT = 1.5
"""Milliseconds of processor time of everything but the engine."""
SPREAD = 1.85
"""One process over one a core, on two cores."""
STAGE, WHOLE = 0.92, 0.75
"""Of the engine's own speed: the translate stage, and the whole run."""
GREW = 0.1
"""Share by which the peak of memory may grow."""


MATCHED, MATCH_MINUTES, MATCH_MB = 100_000, 15, 4_000
"""Documents a side, and what matching them may take."""
LINEAR = 1.3
"""How much longer ten times the pairs may take, a pair."""
BYTES_A_PAIR = 200


def show(found: Findings, where: dict[str, Any]) -> None:
    """Print the tables, and which of the goals hold."""
    console = console_for(where)
    if "stages" in found.runs:
        alone, spread = found.runs["stages"]
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


def goals(found: Findings) -> list[str]:
    """A line for each figure that has a goal: what it is, what it should be, whether it is."""
    return [
        *(line for name, lines in _GOALS.items() if name in found.runs for line in lines(*found.runs[name])),
        *(_of_matching(found.matching) if found.matching else ()),
        *(_of_duplicates(*found.duplicates) if found.duplicates else ()),
    ]


def _of_stages(alone: WholeRun, spread: WholeRun) -> Iterator[str]:
    cpu = alone.cpu_seconds / alone.segments * 1000
    yield _line(
        "CPU of all but the engine, a segment", f"{cpu:.2f} ms", f"at most {CPU_A_SEGMENT} ms", cpu <= CPU_A_SEGMENT
    )
    ratio = alone.seconds / spread.seconds
    yield _line(f"{spread.workers} processes against one", f"{ratio:.2f}", f"at least {SPREAD}", ratio >= SPREAD)


def _of_memory(small: WholeRun, large: WholeRun) -> Iterator[str]:
    grew = large.peak_mb / small.peak_mb - 1
    what = f"peak memory, {small.segments:,} to {large.segments:,} segments"
    yield _line(what, f"{small.peak_mb:,.0f} to {large.peak_mb:,.0f} MB", f"grows {GREW:.0%} at most", grew <= GREW)


def _of_engine(run: WholeRun) -> Iterator[str]:
    for what, ratio, goal in (
        ("translate stage over the engine alone, tokens a second", run.stage_ratio, STAGE),
        ("engine alone over the whole run, seconds", run.whole_ratio, WHOLE),
    ):
        yield _line(what, f"{ratio:.2f}", f"at least {goal}", ratio >= goal)


_GOALS: dict[str, Callable[..., Iterator[str]]] = {"stages": _of_stages, "memory": _of_memory, "engine": _of_engine}


def _of_matching(figures: Mapping[str, Any]) -> Iterator[str]:
    count = figures["documents"]
    minutes, peak = figures["seconds"] / 60, figures["peak_mb"]
    value = f"{minutes:.1f} min ({figures['cpu_seconds'] / 60:.1f} of CPU), {peak:,.0f} MB"
    what = f"matching {count:,} documents with {count:,}"
    if count < MATCHED:
        yield f"{what}: {value} (the goal is for {MATCHED:,})"
    else:
        holds = minutes < MATCH_MINUTES and peak < MATCH_MB
        yield _line(what, value, f"under {MATCH_MINUTES} min and {MATCH_MB:,} MB", holds)


def _of_duplicates(few: DuplicateFigures, many: DuplicateFigures) -> Iterator[str]:
    longer = many.seconds / many.pairs / (few.seconds / few.pairs)
    what = f"copies among {many.pairs:,} formulaic pairs"
    value = f"{many.seconds / many.pairs * 1e6:.0f} us and {many.bytes_a_pair:.0f} bytes a pair"
    value += f", {longer:.2f} times as long a pair as among {few.pairs:,}"
    holds = longer <= LINEAR and many.bytes_a_pair < BYTES_A_PAIR
    yield _line(what, value, f"at most {LINEAR} times, under {BYTES_A_PAIR} bytes", holds)


def _line(what: str, value: str, goal: str, holds: bool) -> str:
    return f"{what}: {value} (goal: {goal}; {'holds' if holds else 'missed'})"
