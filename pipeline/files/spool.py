"""Records that a pass over much data comes back to: on disk, in a file without a name, gone with the process."""

from __future__ import annotations

import os
import tempfile
import weakref
from array import array

from pipeline.errors import StoreError

PENDING = 1 << 18
"""Bytes that are gathered before they are written."""
BLOCK = 1 << 16
"""Ends of records that lie together: a list that grew as one would be copied, and leave holes in memory."""


class Spool:
    """Byte strings by number, in the order in which they were appended; memory holds where each ends (8 bytes).

    The file lies in the folder for temporary files. Every method raises StoreError when it cannot be written or read.
    """

    def __init__(self, size: int = 0) -> None:
        """`size` is the number of bytes of every record where all have the same: then memory holds nothing of them."""
        try:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - lives as long as the object
        except OSError as error:
            raise _failed(error) from error
        weakref.finalize(self, self._file.close)
        self._size = size
        self._ends: list[array[int]] = []
        self._records = self._bytes = self._written = 0
        self._pending = bytearray()

    def __len__(self) -> int:
        return self._records

    def append(self, record: bytes) -> int:
        """Keep a record; returns its number."""
        self._pending += record
        self._bytes += len(record)
        if not self._size:
            if self._records % BLOCK == 0:
                self._ends.append(array("Q", bytes(8 * BLOCK)))
            self._ends[-1][self._records % BLOCK] = self._bytes
        self._records += 1
        if len(self._pending) >= PENDING:
            self._flush()
        return self._records - 1

    def __getitem__(self, number: int) -> bytes:
        """The record of that number, 0 or more."""
        return self.span(number, number + 1)

    def span(self, first: int, end: int) -> bytes:
        """The records from `first` to before `end`, one after another."""
        start = self._end(first - 1)
        size = self._end(end - 1) - start
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

    def _end(self, number: int) -> int:
        """Where a record ends, 0 for the one before the first."""
        if self._size:
            return (number + 1) * self._size
        return self._ends[number // BLOCK][number % BLOCK] if number >= 0 else 0

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
