"""The sides of a test set from files.

A side is read from plain lines (UTF-8, cut at LF only), from JSONL, or from a run folder, whose translations stand
against the English that was aligned with their source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pipeline.errors import InputError, UsageError
from pipeline.files.lines import BOM, BadInput, json_object, read_whole
from pipeline.files.rows import json_objects
from pipeline.files.tables import JSON, JSON_LINES, PARQUET, TMX, kind
from pipeline.metrics.testset import DOCUMENT, Stream, Streams
from pipeline.run.manifest import FILE as MANIFEST
from pipeline.run.manifest import finished_shards
from pipeline.run.shards import Shards, shard_groups

Role = Literal["hypothesis", "reference", "source"]
TEXT_KEYS: Mapping[Role, tuple[str, ...]] = {
    "hypothesis": ("hypothesis", "mt", "translation", "tgt", "tgt_text", "text"),
    "reference": ("reference", "ref", "translation", "tgt", "tgt_text", "text"),
    "source": ("src", "src_text", "text", "source"),
}
"""The keys of JSONL that may hold the text of a side; the first that the file has is taken."""
REMEDY = "Give a text file, one segment a line, JSONL, or a run folder."


def read_streams(
    hypotheses: Sequence[Path],
    references: Sequence[Path],
    source: Path | None = None,
    documents: Path | None = None,
    by: str | None = None,
) -> Streams:
    """Read every side; a hypothesis that is named twice counts once. A run folder brings its own reference.

    `documents` is a file with the document of each reference segment, a line each. Without references, the source says
    what the segments are. Raises InputError on what cannot be read, UsageError where there is neither.
    """
    keys = {"id", DOCUMENT, *([by] if by else [])}
    paths = list(dict.fromkeys(hypotheses))
    if not references:
        runs = all(path.is_dir() for path in paths)
        if not runs and source is None:
            raise UsageError(
                "there is no reference", "Name one with --ref, or the source with --src for metrics without references."
            )
        found = [_run_reference(paths, keys)] if runs else []
    else:
        found = [read_stream(path, "reference", keys) for path in references]
    sides = [*found, *([read_stream(source, "source", keys)] if source else [])]
    if documents is not None:
        names = read_lines(documents)
        first = sides[0]
        if len(names) != len(first.segments):
            raise InputError(
                f"{documents} has {len(names)} lines, {first.name} has {len(first.segments)} segments",
                "Line n must be the document of segment n.",
            )
        sides[0] = Stream(first.name, first.segments, {**first.columns, DOCUMENT: tuple(names)})
    return Streams(
        tuple(read_stream(path, "hypothesis", keys) for path in paths),
        tuple(sides[: len(found)]),
        sides[-1] if source else None,
        by,
    )


def read_stream(path: Path, role: Role, keys: set[str]) -> Stream:
    """One side from a run folder, JSON (by its suffix) or plain lines, with the columns `keys` as far as it has them.

    Raises InputError when it cannot be read.
    """
    if path.is_dir():
        return _run_stream(path, role, keys)
    if kind(path) in (*JSON_LINES, JSON):
        return _json_stream(path, role, keys)
    if kind(path) in (PARQUET, TMX):
        raise InputError(f"{path} holds pairs, not one side of a test set", REMEDY)
    lines = read_lines(path)
    if _is_object(next(filter(str.strip, lines), "")):
        raise InputError(f"{path} holds JSON, not text", "Call it .jsonl, or give a text file, one segment a line.")
    return Stream(str(path), tuple(lines))


def _is_object(line: str) -> bool:
    try:
        json_object(line)
    except BadInput:
        return False
    return True


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 file, cut at LF only; one CR before it is dropped, and a byte order mark before all.

    Raises InputError when the file cannot be read, or with the line of the first byte that is not UTF-8.
    """
    data = read_whole(path, REMEDY)
    start = len(BOM) if data.startswith(BOM) else 0
    try:
        text = data[start:].decode("utf-8")
    except UnicodeDecodeError as error:
        place = start + error.start
        line = data.count(b"\n", 0, place) + 1
        raise InputError(f"{path}, line {line}: byte {place} is not UTF-8", "Convert the file to UTF-8.") from error
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def _json_stream(path: Path, role: Role, keys: set[str]) -> Stream:
    rows = list(json_objects(path, 'A line is like {"id": "7", "text": "..."}.'))
    if not rows:
        raise InputError(f"{path} is empty", "Give at least one segment.")
    options = TEXT_KEYS[role]
    key = next((option for option in options if option in rows[0][1]), None)
    if key is None:
        raise InputError(f"{path}, line {rows[0][0]} has no {role}", f"Name it with one of: {', '.join(options)}.")
    for number, row in rows:
        if not isinstance(row.get(key), str):
            raise InputError(f"{path}, line {number} has no text under {key!r}", "Every line needs what the first has.")
    for name in ("id", DOCUMENT):
        lacking = [number for number, row in rows if _name(row.get(name)) is None]
        if lacking and any(row.get(name) is not None for _, row in rows):
            raise InputError(
                f"{path}, line {lacking[0]} has no {name!r} that is text or a whole number, other lines have one",
                "Segments are matched by it: give it to all lines, or to none.",
            )
    columns: dict[str, tuple[str, ...]] = {}
    for name in sorted(keys):
        values = [value for _, row in rows if (value := _name(row.get(name))) is not None]
        if len(values) == len(rows):
            columns[name] = tuple(values)
    return Stream(str(path), tuple(row[key] for _, row in rows), columns)


def _name(value: object) -> str | None:
    """A text or whole number as text, 4.0 as data frames write it for 4 too; None for anything else."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, str | int) else None


def _run_stream(folder: Path, role: Role, keys: set[str]) -> Stream:
    count = finished_shards(folder)
    if count is None:
        raise InputError(f"{folder} holds no finished run (no {MANIFEST})", "Finish it with `mekong run`.")
    shards = Shards.stated(folder, count)
    groups = [group for number in shards.numbers for group in shard_groups(shards, number)]
    if not groups:
        raise InputError(
            f"no English of {folder} was aligned with a translated source", "Add English articles to its input."
        )
    columns = {DOCUMENT: tuple(group.doc_id for group in groups), "lang": tuple(group.lang for group in groups)}
    texts = tuple(str(getattr(group, role)) for group in groups)
    return Stream(str(folder), texts, {name: values for name, values in columns.items() if name in keys})


def _run_reference(folders: Sequence[Path], keys: set[str]) -> Stream:
    """The reference of runs, which must be the same for all of them."""
    first, *others = (_run_stream(folder, "reference", keys) for folder in folders)
    for other in others:
        if other.segments != first.segments:
            raise InputError(
                f"{first.name} and {other.name} have not the same reference segments",
                "Alignment follows translations; give both one reference with --ref and --realign.",
            )
    return first
