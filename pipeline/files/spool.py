"""Records that a pass over much data comes back to: on disk, in a file without a name, gone with the process."""

from __future__ import annotations

import os
import tempfile
import weakref
from array import array

from pipeline.errors import StoreError

PENDING = 1 << 18
"""Bytes that are gathered before they are written."""


class Spool:
    """Byte strings by number, in the order in which they were appended; memory holds where each ends (8 bytes).

    The file lies in the folder for temporary files. Every method raises StoreError when it cannot be written or read.
    """

    def __init__(self) -> None:
        try:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - lives as long as the object
        except OSError as error:
            raise _failed(error) from error
        weakref.finalize(self, self._file.close)
        self._ends = array("Q", [0])
        self._pending = bytearray()
        self._written = 0

    def __len__(self) -> int:
        return len(self._ends) - 1

    def append(self, record: bytes) -> int:
        """Keep a record; returns its number."""
        self._pending += record
        self._ends.append(self._ends[-1] + len(record))
        if len(self._pending) >= PENDING:
            self._flush()
        return len(self) - 1

    def __getitem__(self, number: int) -> bytes:
        """The record of that number, 0 or more."""
        return self.span(number, number + 1)

    def span(self, first: int, end: int) -> bytes:
        """The records from `first` to before `end`, one after another."""
        start, size = self._ends[first], self._ends[end] - self._ends[first]
        if start >= self._written:
            at = start - self._written
            return bytes(self._pending[at : at + size])
        if start + size > self._written:
            self._flush()
        try:
            data = os.pread(self._file.fileno(), size, start)
        except OSError as error:
            raise _failed(error) from error
        if len(data) < size:
            raise StoreError(f"a temporary file in {tempfile.gettempdir()} was cut short", "Run the command again.")
        return data

    def _flush(self) -> None:
        try:
            with memoryview(self._pending) as left:
                done = 0
                while done < len(left):
                    done += os.write(self._file.fileno(), left[done:])
        except OSError as error:
            raise _failed(error) from error
        self._written += len(self._pending)
        self._pending.clear()


def _failed(error: OSError) -> StoreError:
    folder = tempfile.gettempdir()
    return StoreError(
        f"a temporary file in {folder} cannot be used: {error.strerror or error}",
        "Free some space there, or name a folder on a larger disk in the environment variable TMPDIR.",
    )
