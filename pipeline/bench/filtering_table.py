"""What the filter benchmark has found, for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from pipeline.bench.filtering import CATCH_GOAL, GOLD, KEEP_GOAL, Key, Outcome, by_kind, caught, kept
from pipeline.bench.injection import INJECTORS, REPORT_ONLY
from pipeline.bench.table import console_for

RULES_SHOWN = 4


def show(
    outcomes: Sequence[Outcome], preset: str, encoder: str | None, model: str | None, where: dict[str, Any]
) -> None:
    """Print a table for each file and language, the kinds over all, and whether the goals hold."""
    console = console_for(where)
    similarity = f"similarity by {encoder or 'nothing: NO ENCODER'}"
    console.print(f"Preset {preset}; {similarity}; {f'read by {model}' if model else 'no --model'}", highlight=False)
    for one in outcomes:
        console.print(f"\n{one.file}: {one.pairs[GOLD, '']:,} gold pairs, {one.lang}-en", highlight=False)
        console.print(_table(one))
    console.print("\nOver all files" if len(outcomes) > 1 else "")
    kinds = by_kind(outcomes).items()
    for kind, (pairs, share) in kinds:
        note = " (report only)" if kind in REPORT_ONLY else ""
        console.print(f"{kind}: {share:.3f} of {pairs:,.0f} caught{note}", highlight=False)
    for line in goals(outcomes):
        console.print(line, highlight=False)
    if model is None:
        console.print("Swapped names and cut texts need a reader: --model qwen2.5-coder-1.5b", highlight=False)


def goals(outcomes: Sequence[Outcome]) -> list[str]:
    """Whether the goals hold, for each language and over all."""
    langs = sorted({one.lang for one in outcomes})
    groups = [(lang, [one for one in outcomes if one.lang == lang]) for lang in langs]
    if len(groups) > 1:
        groups.append(("all", list(outcomes)))
    return [_goal(name, group) for name, group in groups]


def rows(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """The figures as plain data, a row a file, language, kind and variant."""
    return [
        {
            "file": one.file,
            "lang": one.lang,
            "kind": key[0],
            "variant": key[1],
            "pairs": pairs,
            "rejected": one.rejected[key],
            "rules": dict(sorted(one.rules[key].items())),
        }
        for one in outcomes
        for key, pairs in one.pairs.items()
    ]


def _goal(name: str, group: Sequence[Outcome]) -> str:
    keeps, catches = kept(group), caught(group)
    holds = "hold" if keeps >= KEEP_GOAL and catches >= CATCH_GOAL else "DO NOT HOLD"
    figures = f"{keeps:.4f} of gold kept (goal {KEEP_GOAL}), {catches:.4f} of damage caught (goal {CATCH_GOAL})"
    return f"{name}: {figures}: the goals {holds}"


def _table(one: Outcome) -> Table:
    table = Table(box=None)
    for title in ("kind", "variant"):
        table.add_column(title, no_wrap=True)
    for title in ("pairs", "rejected"):
        table.add_column(title, justify="right")
    table.add_column("by which rules (share of the pairs)")
    for key in [(GOLD, ""), *INJECTORS]:
        if one.pairs[key]:
            note = " *" if key[0] in REPORT_ONLY else ""
            table.add_row(key[0] + note, key[1], f"{one.pairs[key]:,}", f"{one.share(key):.4f}", _rules(one, key))
    return table


def _rules(one: Outcome, key: Key) -> str:
    ranked = sorted(one.rules[key].items(), key=lambda item: (-item[1], item[0]))[:RULES_SHOWN]
    return ", ".join(f"{name} {count / one.pairs[key]:.3f}" for name, count in ranked)
