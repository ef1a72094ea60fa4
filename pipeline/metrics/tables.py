"""Tables of scores for a terminal and for a paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.metrics.base import MetricScore
from pipeline.metrics.evaluation import SystemScores
from pipeline.metrics.realign import BeadCounts

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

SIGNIFICANT = 0.05
_BAR = r"\textbar{}"
_SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": _BAR,
        **{char: f"\\{char}" for char in "&%$#_{}"},
    }
)


def print_tables(systems: Sequence[SystemScores], realigned: Sequence[BeadCounts], console: Console) -> None:
    """Scores with systems as rows, how hypotheses were realigned (nothing where they were not), slices
    (of folded names in JSON only), signatures."""
    names = _short_names(systems)
    table = _table("system", _columns(systems))
    for name, system in zip(names, systems, strict=True):
        for variant, cells in _rows(system).items():
            label = f"  {variant}" if variant else name
            table.add_row(label, *(_text_cell(cells.get(column), systems) for column in _columns(systems)))
    console.print(table)
    if realigned:
        table = _table("realigned", ["beads", "1:1", "omissions", "insertions"])
        for name, counts in zip(names, realigned, strict=True):
            share = f"{counts.one_to_one / counts.beads:.1%}" if counts.beads else ""
            table.add_row(name, str(counts.beads), share, str(counts.omissions), str(counts.insertions))
        console.print(table)
    for place, score in enumerate(systems[0].metrics):
        if score.slices and not _parts(score)[1]:
            console.print(_slice_table(place, systems, names))
    legend = _legend(systems)
    for line in [*_signatures(systems), *_notes(systems), *([f"* {legend}"] if legend else [])]:
        console.print(line, soft_wrap=True, highlight=False)


def latex_table(systems: Sequence[SystemScores], realigned: Sequence[BeadCounts] = ()) -> str:
    """A table environment (package booktabs): the best score of a column in bold, signatures below, and how hypotheses
    were realigned."""
    columns = _columns(systems)
    best = {score.name: _best(place, systems) for place, score in enumerate(systems[0].metrics)}
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\begin{{tabular}}{{l{'r' * len(columns)}}}",
        r"\toprule",
        " & ".join(["System", *map(latex_escape, columns)]) + r" \\",
        r"\midrule",
    ]
    for name, system in zip(_short_names(systems), systems, strict=True):
        for variant, cells in _rows(system).items():
            label = rf"\quad {latex_escape(variant)}" if variant else latex_escape(name)
            found = [_latex_cell(cells.get(column), systems, best) for column in columns]
            lines.append(" & ".join([label, *found]) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}", r"\par\smallskip", r"{\footnotesize\raggedright"]
    for line in _signatures(systems):
        breakable = latex_escape(line).replace(_BAR, rf"{_BAR}\allowbreak{{}}")
        lines.append(rf"\texttt{{{breakable}}}\\")
    legend = _legend(systems)
    dagger = [rf"$^{{\dagger}}$ {latex_escape(legend)}\\"] if legend else []
    lines += [*(rf"{latex_escape(line)}\\" for line in _notes(systems)), *dagger]
    lines += [rf"{latex_escape(line)}\\" for line in _realignments(systems, realigned)]
    return "\n".join([*lines, r"\par}", r"\end{table}"])


def _realignments(systems: Sequence[SystemScores], realigned: Sequence[BeadCounts]) -> list[str]:
    """How each hypothesis was realigned, in words; nothing where they were not."""
    return [
        f"{name} realigned: {counts.beads} beads, {counts.one_to_one / counts.beads:.1%} 1:1, "
        f"{counts.omissions} omissions, {counts.insertions} insertions"
        for name, counts in zip(_short_names(systems), realigned, strict=False)
    ]


def latex_escape(text: str) -> str:
    """`text` with every character that means something to LaTeX written so that it is printed."""
    return " ".join(text.split()).translate(_SPECIAL)


def _short_names(systems: Sequence[SystemScores]) -> list[str]:
    """File names instead of paths where they still tell the systems apart."""
    short = [Path(system.name).name for system in systems]
    return short if all(short) and len(set(short)) == len(short) else [system.name for system in systems]


def _parts(score: MetricScore) -> tuple[str, str]:
    """The metric and its variant: "BLEU (names folded)" stands in the column of BLEU."""
    name, _, variant = score.name.partition(" (")
    return name, variant.removesuffix(")")


def _columns(systems: Sequence[SystemScores]) -> list[str]:
    return list(dict.fromkeys(_parts(score)[0] for score in systems[0].metrics))


def _rows(system: SystemScores) -> Mapping[str, Mapping[str, MetricScore]]:
    """The scores by variant, the plain ones first, and by column."""
    rows: dict[str, dict[str, MetricScore]] = {}
    for score in system.metrics:
        column, variant = _parts(score)
        rows.setdefault(variant, {})[column] = score
    return rows


def _digits(score: MetricScore, systems: Sequence[SystemScores]) -> int:
    """One decimal where a metric counts to 100, four where it counts to 1."""
    found = [one.score for system in systems for one in system.metrics if one.name == score.name]
    return 1 if max(map(abs, found)) > 1 or not any(found) else 4


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}"


def _best(place: int, systems: Sequence[SystemScores]) -> str:
    """The best score of a metric as it is printed; empty where there is nothing to compare."""
    scores = [system.metrics[place] for system in systems]
    if len(scores) < 2:
        return ""
    choose = max if scores[0].higher_better else min
    return _number(choose(score.score for score in scores), _digits(scores[0], systems))


def _significant(score: MetricScore, systems: Sequence[SystemScores]) -> bool:
    """Whether the score differs from the baseline's at all, and significantly."""
    baseline = next(one.score for one in systems[0].metrics if one.name == score.name)
    return score.p_value is not None and score.p_value < SIGNIFICANT and score.score != baseline


def _text_cell(score: MetricScore | None, systems: Sequence[SystemScores]) -> str:
    if score is None:
        return ""
    digits = _digits(score, systems)
    text = _number(score.score, digits)
    if score.ci is not None:
        text += f" ± {_number(score.ci, digits)}"
    if score.p_value is not None:
        text += f"\np {score.p_value:.4f}{'*' if _significant(score, systems) else ' '}"
    return text


def _latex_cell(score: MetricScore | None, systems: Sequence[SystemScores], best: Mapping[str, str]) -> str:
    if score is None:
        return ""
    digits = _digits(score, systems)
    number = _number(score.score, digits)
    text = rf"\textbf{{{number}}}" if number == best[score.name] else number
    if score.ci is not None:
        text += rf" $\pm$ {_number(score.ci, digits)}"
    return text + (r"$^{\dagger}$" if _significant(score, systems) else "")


def _slice_table(place: int, systems: Sequence[SystemScores], names: Sequence[str]) -> Table:
    """The slices of one metric as rows, systems as columns."""
    score = systems[0].metrics[place]
    table, digits = _table(score.name, ["segments", *names]), _digits(score, systems)
    for row, part in enumerate(score.slices):
        found = [system.metrics[place].slices[row].score for system in systems]
        table.add_row(part.name, str(part.segments), *(_number(one, digits) for one in found))
    return table


def _signatures(systems: Sequence[SystemScores]) -> list[str]:
    return [f"{score.name}|{score.signature}" for score in systems[0].metrics]


def _notes(systems: Sequence[SystemScores]) -> list[str]:
    return list(dict.fromkeys(score.note for system in systems for score in system.metrics if score.note))


def _legend(systems: Sequence[SystemScores]) -> str:
    """What the mark of significance means, empty where nothing was tested."""
    if all(score.p_value is None for system in systems for score in system.metrics):
        return ""
    return f"differs from {_short_names(systems)[0]}, p < {SIGNIFICANT}"


def _table(first: str, columns: Sequence[str]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column(first, overflow="fold")
    for column in columns:
        table.add_column(column, justify="right", overflow="fold")
    return table
