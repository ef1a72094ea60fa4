"""`mekong models`: the registry, the model store, and adding to it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.model_add import add
from pipeline.errors import ModelError, ModelRefused, UsageError
from pipeline.files.store import to_json
from pipeline.files.terminal import console, put, tell
from pipeline.registry.models import Entry, check, entries, entry, locate, read_lock, root

app = typer.Typer(no_args_is_help=True, help="The models: what there is, what is in the store, getting one.")

AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]


@app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """All models of the registry, and which are in the store.

    Example: mekong models list
    """
    rows = [_row(one) for one in entries().values()]
    if as_json:
        put(to_json(rows, indent=True).decode())
        return
    from rich.table import Table

    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for title in ("name", "kind", "use", "languages", "licence", "commercial", "in store"):
        table.add_column(title, no_wrap=title in ("name", "kind", "commercial"), overflow="fold")
    for row in rows:
        yes = {True: "yes", False: "no"}
        languages = " ".join(row["languages"])
        known = (row["kind"], row["use"], languages, row["licence"], yes[row["commercial"]], row["state"])
        table.add_row(row["name"], *known)
    screen = console()
    screen.print(table)
    screen.print(f"\nStore: {root()}. Get a model with: mekong models add NAME", soft_wrap=True, highlight=False)


@app.command("check")
def check_command(
    names: Annotated[list[str] | None, typer.Argument(help="Models; all in the store when none is named.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hash every file of the models in the store again; exit code 1 when one is not as it was.

    Example: mekong models check qwen2.5-coder-1.5b
    """
    chosen = [entry(name) for name in names] if names else [one for one in entries().values() if _state(one) != "no"]
    results: list[dict[str, Any]] = []
    for one in chosen:
        problems = [f"{finding.file} {finding.problem}" for finding in check(one)]
        lock = read_lock(one)
        results.append(
            {"name": one.name, "source": lock.source, "version": lock.version, "files": len(lock.files)}
            | {"problems": problems}
        )
    if as_json:
        put(to_json(results, indent=True).decode())
    else:
        _print_results(results)
    if any(result["problems"] for result in results):
        raise typer.Exit(1)


@app.command("add")
def add_command(
    names: Annotated[list[str] | None, typer.Argument(help="Names from `mekong models list`.")] = None,
    scorer: Annotated[
        list[str] | None,
        typer.Option("--scorer", help="A learned metric: comet, cometkiwi, xcomet, metricx; repeat."),
    ] = None,
    given: Annotated[
        Path | None,
        typer.Option("--from", metavar="FOLDER", help="Take the one model from a folder with its published files."),
    ] = None,
) -> None:
    """Get models, check them and put them into the store; the only command that uses the network.

    A learned metric also gets an environment of its own, once for all of them.

    Example: mekong models add qwen2.5-coder-1.5b use-multilingual-v3

    Example: mekong models add --scorer comet
    """
    from pipeline.metrics.learned import scorer as scorer_entry

    chosen = [entry(name) for name in names or ()] + [scorer_entry(name) for name in scorer or ()]
    if not chosen:
        raise UsageError("there is nothing to add", "Name a model, or a learned metric with --scorer.")
    if given is not None and len(chosen) > 1:
        raise UsageError(f"--from is for one model, {len(chosen)} are named", "Add them one by one.")
    for one in chosen:
        put(str(add(one.name, tell, given)))
        if not one.commercial:
            tell(f"{one.name}: licence {one.licence}, not known to allow commercial use")


@app.command("lexicon")
def lexicon_command(
    pairs: Annotated[Path, typer.Argument(help="Sentence pairs, one a line: source TAB English; .gz if packed.")],
    lang: Annotated[str, typer.Option(help="Language code of the source, for example vi.")],
    out: Annotated[Path, typer.Option(help="The file to write; its name usually ends in .tsv.gz.")],
) -> None:
    """Learn a lexicon for `align.lexicon` from sentence pairs, for a language that the encoder does not know.

    Example: mekong models lexicon pairs.tsv.gz --lang vi --out vi-en.tsv.gz
    """
    from pipeline.stages.align.lexicon_training import learn, read_pairs

    lexicon = learn(read_pairs(pairs), lang)
    lexicon.write(out)
    put(f"{out}: {len(lexicon.senses):,} terms, {out.stat().st_size:,} bytes")


def _row(one: Entry) -> dict[str, Any]:
    fields = one.model_dump(include={"name", "kind", "use", "family", "licence", "commercial", "url"})
    return fields | {"languages": list(one.languages), "state": _state(one)}


def _state(one: Entry) -> str:
    """Whether a model is in the store: yes, no, incomplete, or changed since it was added."""
    try:
        locate(one)
    except ModelRefused:
        return "changed"
    except ModelError:
        return "incomplete" if (root() / one.name).is_dir() else "no"
    return "yes"


def _print_results(results: list[dict[str, Any]]) -> None:
    if not results:
        put(f"There is no model in {root()}. Get one with: mekong models add NAME")
    for result in results:
        put(f"{result['name']}: {'; '.join(result['problems']) or 'as it was'} ({result['files']} files)")
