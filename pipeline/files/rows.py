"""Rows that commands need whole: the objects of a JSON file, every one of them as it must be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.files.json_array import json_rows
from pipeline.files.lines import BadInput, json_object, parsed_lines
from pipeline.files.table_row import TableRow
from pipeline.files.tables import JSON, kind
from pipeline.types import Reject

MAX_LINE_BYTES = 1 << 30


def json_objects(path: Path, remedy: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number, object) of a file of JSON Lines, or of a .json file; blank lines are passed over.

    Raises InputError with the remedy when the file cannot be read, or anything in it is no JSON object.
    """
    read = json_rows if kind(path) == JSON else parsed_lines
    try:
        for row in read(path, MAX_LINE_BYTES, _row):
            if isinstance(row, Reject):
                says = " is" if row.reason.startswith(("no", "a ")) else ":"
                raise InputError(f"{path}, line {row.line}{says} {row.reason}", remedy)
            yield row.line, dict(row.values)
    except BadInput as bad:
        raise InputError(f"{path}: {bad.reason}", remedy) from bad
    except OSError as error:
        problem = "is a folder, not a file" if path.is_dir() else f"cannot be read: {error.strerror}"
        raise InputError(f"{path} {problem}", remedy) from error


def _row(text: str, number: int, offset: int) -> TableRow:
    return TableRow(number, offset, json_object(text))


def read_rows(path: Path, keys: Sequence[str], remedy: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Test cases: each row with where it stands ("PATH, line N"), for messages.

    Raises InputError as `json_objects` does, and when a row has not all of the keys.
    """
    for number, row in json_objects(path, remedy):
        where = f"{path}, line {number}"
        missing = [key for key in keys if key not in row]
        if missing:
            raise InputError(f"{where} has no {', '.join(missing)}", remedy)
        yield where, row
