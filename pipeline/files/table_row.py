"""One row of a file of texts or pairs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NO_OFFSET = -1


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a file: its number from 1 (a line, an item, a table row, a translation unit), its offset, its fields.

    The offset counts decompressed bytes; it is -1 in Parquet, and in TMX that is not UTF-8.
    """

    line: int
    offset: int
    values: Mapping[str, Any]
