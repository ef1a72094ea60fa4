"""A file that is nothing but trouble is not read to its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from pipeline.files.lines import path_text
from pipeline.types import Reject

T = TypeVar("T")
MOST = 10_000
"""Rejects of a file, from which more of them than of rows end its reading: a few bytes can unpack to millions."""


def bounded(rows: Iterable[T | Reject], path: Path) -> Iterator[T | Reject]:
    """The rows of a file and what of it is set aside; where that is MOST and more than the rows, a last reject says
    that nothing more was read."""
    good = bad = 0
    for row in rows:
        yield row
        if not isinstance(row, Reject):
            good += 1
            continue
        bad += 1
        if bad >= MOST and bad > good:
            reason = f"nothing after this place is read: {bad:,} of {bad + good:,} were set aside"
            yield Reject(path_text(path), row.line, row.offset, reason)
            return
