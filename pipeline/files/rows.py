"""Test cases: the rows of a JSONL file that must have certain keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson

from pipeline.errors import InputError


def read_rows(path: Path, keys: Sequence[str], remedy: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each row with where it stands ("PATH, line N"), for messages; empty lines are passed over.

    Raises InputError with the remedy when the file cannot be read, or a line is not JSON or has not all of the keys.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", remedy) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InputError(f"{where} is not JSON: {error}", remedy) from error
        missing = [key for key in keys if not isinstance(row, dict) or key not in row]
        if missing:
            raise InputError(f"{where} has no {', '.join(missing)}", remedy)
        yield where, row
