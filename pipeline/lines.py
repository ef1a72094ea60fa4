"""Lines of plain and compressed files, with a bound on their length."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import zstandard


class Inflating(io.RawIOBase):
    """A decompressed view of a .gz or .zst file, several members or frames allowed.

    Everything up to a damage is delivered before EOFError is raised, so that the lines before it are kept.
    """

    CHUNK = 1 << 16

    def __init__(self, stream: io.RawIOBase, new: Callable[[], Any]) -> None:
        self._stream, self._new, self._engine = stream, new, new()
        self._pending = self._input = b""
        self._damage = ""

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._stream.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        while not self._pending and not self._damage:
            data = self._input or self._stream.read(self.CHUNK) or b""
            if not data:
                if self._engine is None:
                    return 0
                self._damage = "it ends too early"
                break
            self._input = b""
            try:
                self._engine = self._engine or self._new()
                self._pending = self._engine.decompress(data)
            except (zlib.error, zstandard.ZstdError) as error:
                self._damage = str(error)
                break
            if self._engine.eof:
                self._input, self._engine = self._engine.unused_data, None
        if not self._pending:
            raise EOFError(self._damage)
        size = min(len(buffer), len(self._pending))
        buffer[:size], self._pending = self._pending[:size], self._pending[size:]
        return size


def open_lines(path: Path) -> LineReader:
    """Open a .gz, .zst or plain file. Reading raises EOFError where compressed data is damaged or ends too early."""
    stream = path.open("rb", buffering=0)
    name = path.name.lower()
    if name.endswith(".gz"):
        raw: io.RawIOBase = Inflating(stream, lambda: zlib.decompressobj(wbits=zlib.MAX_WBITS | 16))
    elif name.endswith(".zst"):
        raw = Inflating(stream, lambda: zstandard.ZstdDecompressor().decompressobj())
    else:
        raw = stream
    return LineReader(raw)


class LineReader:
    """`readline` over a raw stream; bytes read before an error come out before the error does.

    `io.BufferedReader` would drop what it holds when the raw stream raises.
    """

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw, self._buffer = raw, b""
        self._error: EOFError | None = None
        self._ended = False

    def readline(self, limit: int) -> bytes:
        while b"\n" not in self._buffer[:limit] and len(self._buffer) < limit and not (self._ended or self._error):
            try:
                data = self._raw.read(Inflating.CHUNK)
                self._ended = not data
                self._buffer += data or b""
            except EOFError as error:
                self._error = error
        end = self._buffer.find(b"\n", 0, limit)
        size = end + 1 if end >= 0 else min(limit, len(self._buffer))
        if self._error and end < 0:
            raise self._error
        line, self._buffer = self._buffer[:size], self._buffer[size:]
        return line

    def __enter__(self) -> LineReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()


def bounded_line(stream: LineReader, limit: int) -> tuple[bytes | None, int]:
    """The next line and its length in bytes; None instead of a line over `limit`, which is passed over in pieces."""
    line = stream.readline(limit + 2)
    length = len(line)
    if length <= limit + 1 and (line.endswith(b"\n") or length <= limit):
        return line.removesuffix(b"\n").removesuffix(b"\r"), length
    while not line.endswith(b"\n") and (line := stream.readline(limit)):
        length += len(line)
    return None, length
