"""Parquet with zstd and an explicit schema; the same pairs give the same bytes with the same pyarrow."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.files.store import plain, replacing
from pipeline.stages.write.record import Record, Writer

PAIRS = "pairs.parquet"
GROUP_ROWS = 10_000
GROUP_CHARS = 4_000_000
_SPANS = pa.list_(pa.list_(pa.int32()))
_FLAGS = {"generated_by_machine": pa.bool_(), "accepted_by_hand": pa.bool_()}
_COLUMNS = {"src_spans": _SPANS, "tgt_spans": _SPANS, "columns": pa.list_(pa.string()), **_FLAGS}


def schema(scores: Sequence[str]) -> pa.Schema:
    """The fields of `Record` in order, with one nullable `score_<name>` float64 column a score in place of `scores`."""
    columns: list[pa.Field] = []
    for name in Record.__dataclass_fields__:
        if name == "scores":
            columns += [pa.field(f"score_{score}", pa.float64(), nullable=True) for score in scores]
        else:
            columns.append(pa.field(name, _COLUMNS.get(name, pa.string()), nullable=False))
    return pa.schema(columns)


class ParquetWriter(Writer):
    """Writes `pairs.parquet`; a row group is at most GROUP_ROWS pairs or about GROUP_CHARS characters."""

    def __init__(self, folder: Path, scores: Sequence[str]) -> None:
        super().__init__()
        self._path = folder / PAIRS
        self._schema = schema(scores)
        self._scores = tuple(scores)
        self._group: list[dict[str, Any]] = []
        self._chars = 0

    def open(self, stack: ExitStack) -> None:
        """Begin a file beside the final one; it takes its place when the stack closes without an error."""
        temporary = stack.enter_context(replacing(self._path))
        self._table = stack.enter_context(pq.ParquetWriter(temporary, self._schema, compression="zstd"))
        stack.push(lambda kind, error, trace: None if kind else self._flush())

    def add(self, record: Record) -> None:
        """Write one pair, which is one record."""
        row = plain(record)
        scores = row.pop("scores")
        self._group.append(row | {f"score_{name}": scores.get(name) for name in self._scores})
        self._chars += len(record.src_text) + len(record.tgt_text)
        self.rows += 1
        if len(self._group) >= GROUP_ROWS or self._chars >= GROUP_CHARS:
            self._flush()

    def counts(self) -> dict[str, int]:
        """The pairs written, under the name of the format."""
        return {"parquet": self.rows}

    def _flush(self) -> None:
        if self._group:
            self._table.write_table(pa.Table.from_pylist(self._group, schema=self._schema))
        self._group, self._chars = [], 0
