"""What `mekong bench engine --model` has found, for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from pipeline.bench.harness import Spread
from pipeline.bench.systems import PEERS, SystemRow, search_name
from pipeline.bench.table import console_for


def show_systems(rows: Sequence[SystemRow], where: dict[str, Any]) -> None:
    """Print one table a search, and the signatures of the scores."""
    console = console_for(where)
    console.print(f"{rows[0].model}, real weights, {rows[0].lines:,} lines", highlight=False)
    for beam in dict.fromkeys(row.beam for row in rows):
        mine = [row for row in rows if row.beam == beam]
        console.print(f"\n{search_name(beam)}: generated tokens a second, median (min-max), and scores")
        console.print(_table(mine))
    console.print()
    for name, signature in rows[0].signatures.items():
        console.print(f"{name}: {signature}", highlight=False)


def _table(rows: Sequence[SystemRow]) -> Table:
    peers = [name for name in PEERS if any(name in row.ratio_to for row in rows)]
    metrics = list(rows[0].signatures)
    table = Table(box=None)
    table.add_column("engine")
    for title in ("tokens/s", "rounds", *(f"to {peer}" for peer in peers), *metrics, "same text"):
        table.add_column(title, justify="right")
    for row in rows:
        ratios = [_ratio(row.ratio_to.get(peer)) for peer in peers]
        scores = [f"{row.scores[name]:.1f}" for name in metrics]
        same = "-" if row.same is None else f"{row.same:.0%}"
        table.add_row(row.engine, _rate(row.tokens_per_second), str(row.rounds), *ratios, *scores, same)
    return table


def _rate(rate: Spread) -> str:
    return f"{rate.median:,.0f} ({rate.min:,.0f}-{rate.max:,.0f})"


def _ratio(ratio: Spread | None) -> str:
    return "" if ratio is None else f"{ratio.median:.2f}"
