"""Files that hold texts or pairs: plain lines, TSV, JSON Lines, JSON, TMX (also .gz, .zst), and Parquet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.files.json_array import json_rows
from pipeline.files.lines import BadInput, json_object, parsed_lines, path_text
from pipeline.files.published import published
from pipeline.files.table_row import NO_OFFSET, TableRow
from pipeline.files.tmx import tmx_rows
from pipeline.types import Reject

SOURCE_KEYS = ("src_text", "src")
ENGLISH_KEYS = ("tgt_text", "tgt")
NO_TEXT = re.compile(r"(.+_)?(id|doc|lang|url|path)|origin|model|date|licen[cs]e")
"""Names of fields that say something of a text and hold none."""
MAX_LINE_BYTES = 1_000_000
JSON_LINES = (".jsonl", ".ndjson")
JSON = ".json"
PARQUET = ".parquet"
TMX = ".tmx"
COMPRESSIONS = (".gz", ".zst")


def rows(path: Path, limit: int = MAX_LINE_BYTES) -> Iterator[TableRow | Reject]:
    """The rows of a file by the end of its name: .tsv, .jsonl, .ndjson, .json, .parquet or .tmx.

    A file of any other name holds plain lines, each of at most `limit` bytes.

    Raises InputError when the file cannot be opened.
    """
    try:
        yield from open_rows(path, limit)
    except BadInput as bad:
        yield Reject(path_text(path), 0, NO_OFFSET, bad.reason)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}", "Check the path and its rights."
        ) from error


def open_rows(path: Path, limit: int) -> Iterator[TableRow | Reject]:
    """`rows`, but for what it raises: BadInput where the whole file is no good, OSError where it cannot be opened."""
    suffix = kind(path)
    if suffix == PARQUET:
        return _parquet(path)
    if suffix == TMX:
        return tmx_rows(path)
    if suffix == JSON:
        return json_rows(path, limit, _json)
    return parsed_lines(path, limit, _tsv if suffix == ".tsv" else _json if suffix in JSON_LINES else _plain)


def kind(path: Path) -> str:
    """The last suffix in lower case, that of the compression apart: ".tsv" of corpus.TSV.gz."""
    return next((suffix for suffix in map(str.lower, reversed(path.suffixes)) if suffix not in COMPRESSIONS), "")


def _plain(line: str, number: int, offset: int) -> TableRow:
    return TableRow(number, offset, {"text": line})


def _json(line: str, number: int, offset: int) -> TableRow:
    return TableRow(number, offset, json_object(line))


def _tsv(line: str, number: int, offset: int) -> TableRow:
    fields = line.split("\t")
    if len(fields) < 2:
        raise BadInput("no tab: a line is source TAB English")
    return TableRow(number, offset, {"src": fields[0], "tgt": fields[1], "columns": fields[2:]})


def _parquet(path: Path) -> Iterator[TableRow | Reject]:
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        table = pyarrow.parquet.ParquetFile(path)
    except (pyarrow.ArrowException, ValueError) as error:
        raise BadInput(f"not a Parquet file, or a damaged one: {error}") from error
    try:
        for batch in table.iter_batches(batch_size=256):
            for values in _plain_rows(batch):
                number += 1
                if isinstance(values, BadInput):
                    yield Reject(path_text(path), number, NO_OFFSET, values.reason)
                else:
                    yield TableRow(number, NO_OFFSET, values)
    except (pyarrow.ArrowException, ValueError) as error:
        yield Reject(path_text(path), number + 1, NO_OFFSET, f"the table is damaged here: {error}")


def _plain_rows(batch: Any) -> list[dict[str, Any] | BadInput]:
    """The rows of an Arrow batch as Python has them; a value that it cannot have (the year 12024, text that is not
    UTF-8) costs its row alone."""
    import pyarrow

    try:
        return list(batch.to_pylist())
    except (pyarrow.ArrowException, ValueError, OverflowError) as error:
        if batch.num_rows == 1:
            return [BadInput(f"the row cannot be read: {error}")]
    return [row for number in range(batch.num_rows) for row in _plain_rows(batch.slice(number, 1))]


def texts(path: Path) -> Iterator[tuple[str, str]]:
    """(FILE:LINE, text) of everything that a file says, both sides of pairs; texts of several lines line by line.
    FILE is as others may see it.

    That is every string in it, whatever its field is called, but in those of NO_TEXT: a text that was passed over would
    not be kept out of anything.

    Raises InputError where anything in it cannot be read.
    """
    for row in rows(path):
        if isinstance(row, Reject):
            raise InputError(f"{path}, line {row.line} (byte {row.offset}): {row.reason}", "Correct the file.")
        found = list(_strings(row.values))
        if not found:
            raise InputError(
                f"{path}, line {row.line} has no text among its fields {sorted(row.values)}",
                'A line is like {"src": "...", "ref": "..."}.',
            )
        for text in found:
            yield from ((f"{published(path)}:{row.line}", line) for line in text.split("\n") if line.strip())


def _strings(value: Any) -> Iterator[str]:
    """The strings of a row, those in lists and mappings in it too, as in {"translation": {"th": ..., "en": ...}}."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if not NO_TEXT.fullmatch(key):
                yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
