"""`mekong memory`: what the translation memory holds, making it smaller, and taking it elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.errors import UsageError
from pipeline.files.store import to_json
from pipeline.files.terminal import console, put

if TYPE_CHECKING:
    from pipeline.run.memory_file import KnownSegment, Maker
    from pipeline.stages.write.record import Record, Writer

app = typer.Typer(no_args_is_help=True, help="The translation memory: what it holds, pruning and exporting it.")

AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output.")]
File = Annotated[
    str, typer.Option("--file", metavar="FILE", help="Another memory than the usual one, as in translate.memory.")
]


@app.command("list")
def list_command(file: File = "auto", as_json: AsJson = False) -> None:
    """The models in the memory, with language, segments, bytes of text and the day of the last use.

    Example: mekong memory list
    """
    from pipeline.run.memory import megabytes
    from pipeline.run.memory_file import Holding, MemoryFile

    path, size = _path(file), 0
    holdings: list[Holding] = []
    if path.exists():
        with MemoryFile(path) as memory:
            holdings, size = memory.holdings(), memory.size
    if as_json:
        put(to_json({"file": str(path), "bytes": size, "models": holdings}, indent=True).decode())
        return
    if not holdings:
        put(f"There is nothing in {path}. `mekong run` fills it, with models that run on the mekong engine.")
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    for title in ("model", "language", "segments", "text", "last use", "made with"):
        table.add_column(title, overflow="fold", justify="right" if title in ("segments", "text") else "left")
    for one in holdings:
        row = (one.model, one.lang, f"{one.segments:,}", megabytes(one.bytes), one.last_use, one.made_with)
        table.add_row(*map(escape, row))
    screen = console()
    screen.print(table)
    screen.print(f"\n{path}: {megabytes(size)} on disk", soft_wrap=True, markup=False)


@app.command("prune")
def prune_command(
    model: Annotated[str | None, typer.Option(help="Only what this model made; alone: all of it.")] = None,
    older_than: Annotated[
        int | None, typer.Option("--older-than", metavar="DAYS", min=0, help="What was not used for so many days.")
    ] = None,
    size: Annotated[
        int | None,
        typer.Option("--size", metavar="MB", min=0, help="What was not used for longest, until it is so small."),
    ] = None,
    file: File = "auto",
    as_json: AsJson = False,
) -> None:
    """Forget translations, and give the room on the disk back.

    Example: mekong memory prune --older-than 180 --size 500
    """
    from pipeline.run.memory import megabytes
    from pipeline.run.memory_file import MemoryFile

    if model is None and older_than is None and size is None:
        raise UsageError("it is not said what to forget", "Give --model, --older-than or --size, or several.")
    path = _path(file)
    gone = left = now = 0
    if path.exists():
        with MemoryFile(path) as memory:
            gone = memory.prune(model, older_than, None if size is None else size * 10**6)
            left, now = sum(one.segments for one in memory.holdings()), memory.size
    if as_json:
        put(to_json({"file": str(path), "removed": gone, "segments": left, "bytes": now}, indent=True).decode())
    else:
        put(f"{path}: {gone:,} segments removed, {left:,} left, {megabytes(now)} on disk")


@app.command("export")
def export_command(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="Where to: a .tmx or a .jsonl.")],
    file: File = "auto",
) -> None:
    """Write all segments with their translations to a file: TMX 1.4b, or rows as in pairs.jsonl.

    They are segments as the model read them. Which documents they are from, and under which licence, is not known.

    Example: mekong memory export memory.tmx
    """
    from pipeline.registry.models import entries
    from pipeline.run.memory_file import MemoryFile

    path, writer = _path(file), _writer(target)
    if not path.exists():
        raise UsageError(f"there is no translation memory {path}", "`mekong run` makes it.")
    trials = {name: "trial" if entry.trial else "" for name, entry in entries().items()}
    with MemoryFile(path) as memory, writer:
        for maker, known in memory.each():
            writer.add(_record(maker, known, trials))
    put(f"{target}: {writer.rows:,} segments")


def _path(file: str) -> Path:
    from pipeline.run.memory import memory_path

    path = memory_path(file)
    if path is None:
        raise UsageError(f"--file is {file!r}, which is no file", "Name one, or leave it out.")
    return path


def _writer(target: Path) -> Writer:
    from pipeline.run.provenance import version
    from pipeline.stages.write.jsonl import JsonlWriter
    from pipeline.stages.write.tmx import TmxWriter

    if target.suffix == ".tmx":
        return TmxWriter(target, version())
    if target.suffix == ".jsonl":
        return JsonlWriter(target)
    raise UsageError(f"{target} is neither .tmx nor .jsonl", "Give it one of these endings.")


def _record(maker: Maker, known: KnownSegment, trials: Mapping[str, str]) -> Record:
    from pipeline.stages.translate.guards import clean
    from pipeline.stages.write.record import Record

    return Record(
        id=known.key.hex(),
        origin="translated",
        src_lang=maker.lang,
        tgt_lang="en",
        src_text=known.source,
        tgt_text=clean(known.hypothesis.text, known.source, chat=False),
        src_doc="",
        tgt_doc="",
        src_path="",
        tgt_path="",
        url="",
        tgt_url="",
        licence="",
        src_spans=(),
        tgt_spans=(),
        scores={},
        model=maker.model,
        model_use=trials.get(maker.model, ""),
        generated_by_machine=True,
        accepted_by_hand=False,
        columns=(),
    )
