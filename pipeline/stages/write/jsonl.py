"""JSON Lines: one object a line, UTF-8, LF, no NaN. The native format; every other one is a projection of it."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pipeline.files.store import replacing, to_json
from pipeline.stages.write.record import Record, Writer

PAIRS = "pairs.jsonl"


class JsonlWriter(Writer):
    """Writes one JSONL file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def open(self, stack: ExitStack) -> None:
        """Begin a file beside the final one; it takes its place when the stack closes without an error."""
        temporary = stack.enter_context(replacing(self._path))
        self._stream = stack.enter_context(temporary.open("wb"))

    def add(self, record: Record) -> None:
        """Write one pair, which is one record."""
        self.add_row(record)

    def add_row(self, row: Any) -> None:
        """Write any plain row."""
        self._stream.write(to_json(row) + b"\n")
        self.rows += 1

    def counts(self) -> dict[str, int]:
        """The pairs written, under the name of the format."""
        return {"jsonl": self.rows}
