"""The orders that the ranking benchmark has found, for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from pipeline.bench.ranking import Ranking
from pipeline.bench.table import console_for


def show(rankings: Sequence[Ranking], recorded: str | None, where: dict[str, Any]) -> None:
    """Print a table for each measure, best system first, with what can be said of its order."""
    console = console_for(where)
    for ranking in rankings:
        console.print(f"\n{ranking.measure}|{ranking.signature}", highlight=False, markup=False, soft_wrap=True)
        console.print(_places(ranking, recorded))
        for line in _remarks(ranking, recorded):
            console.print(line, highlight=False, markup=False)


def _places(ranking: Ranking, recorded: str | None) -> Table:
    table = Table(box=None)
    table.add_column("system", overflow="fold")
    table.add_column(ranking.measure, justify="right")
    table.add_column("above the next", justify="right")
    if recorded:
        table.add_column(recorded, justify="right")
    for place in ranking.places:
        row = [place.system, f"{place.score:.4f}", "" if place.better is None else f"{place.better:.1%}"]
        table.add_row(*row, *([] if place.recorded is None else [f"{place.recorded:g}"]))
    return table


def _remarks(ranking: Ranking, recorded: str | None) -> list[str]:
    remarks = [f"this order in {ranking.confidence:.1%} of the resamples"]
    if ranking.as_recorded is not None:
        tau = "not defined" if ranking.tau is None else f"{ranking.tau:.2f}"
        remarks.append(f"the order of {recorded} in {ranking.as_recorded:.1%}; Kendall's tau with it {tau}")
    return remarks
