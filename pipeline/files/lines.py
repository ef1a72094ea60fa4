"""Lines of plain and compressed files, with a bound on their length, and what to do with the ones that are no good."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import orjson
import zstandard

from pipeline.errors import InputError
from pipeline.types import Reject

T = TypeVar("T")
BOM = b"\xef\xbb\xbf"
WHOLE_CHUNK = 1 << 20
MOST_WHOLE = 1 << 30
"""Bytes of a file that is held in memory as a whole; a device never ends."""


class BadInput(Exception):
    """One line, row or file that is set aside, with the byte offset of the trouble inside it."""

    def __init__(self, reason: str, offset: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.offset = offset


class Inflating(io.RawIOBase):
    """A decompressed view of a .gz or .zst file, several members or frames allowed.

    Everything up to a damage is delivered before EOFError is raised, so that the lines before it are kept. Input is
    taken in small pieces, because a few bytes can inflate to a thousand times (.gz) or 30,000 times (.zst) as many.
    Text shrinks to a tenth, much repeated text to a fiftieth; where STRETCH bytes come from less than 1 / RATIO as
    many, the file is taken for a bomb, and ends there as a damaged one does.
    """

    CHUNK = 1 << 11
    STRETCH, RATIO = 1 << 20, 250

    def __init__(self, stream: io.BufferedReader, new: Callable[[], Any]) -> None:
        self._stream, self._new, self._engine = stream, new, new()
        self._pending = memoryview(b"")
        self._input = b""
        self._taken = self._given = 0
        """Compressed bytes and what they came to, since the last stretch."""
        self._damage = ""

    def readable(self) -> bool:
        """True, as `io.RawIOBase` asks."""
        return True

    def close(self) -> None:
        """Close the compressed stream as well."""
        self._stream.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` with decompressed bytes as far as some are at hand; their number, 0 at the end.

        Raises EOFError where the compressed data is damaged or ends too early.
        """
        while not self._pending and not self._damage:
            data = self._input or self._stream.read(self.CHUNK)
            if not data:
                if self._engine is None:
                    return 0
                self._damage = "it ends too early"
                break
            self._input = b""
            try:
                self._engine = self._engine or self._new()
                self._pending = memoryview(self._engine.decompress(data))
            except (zlib.error, zstandard.ZstdError) as error:
                self._damage = str(error)
                break
            if self._engine.eof:
                self._input, self._engine = self._engine.unused_data, None
            self._check_ratio(len(data) - len(self._input))
        if not self._pending:
            raise EOFError(self._damage)
        size = min(len(buffer), len(self._pending))
        buffer[:size], self._pending = self._pending[:size], self._pending[size:]
        return size

    def _check_ratio(self, taken: int) -> None:
        self._taken += taken
        self._given += len(self._pending)
        if self._given <= self.STRETCH:
            return
        if self._given > self.RATIO * self._taken:
            self._pending = memoryview(b"")
            self._damage = f"it unpacks to over {self.RATIO} times its size, as no text does: unpack it to have it read"
        self._taken = self._given = 0


def open_raw(path: Path) -> io.RawIOBase:
    """Open a .gz, .zst or plain file. Reading raises EOFError where compressed data is damaged or ends too early."""
    stream = path.open("rb")
    name = path.name.lower()
    if name.endswith(".gz"):
        return Inflating(stream, lambda: zlib.decompressobj(wbits=zlib.MAX_WBITS | 16))
    if name.endswith(".zst"):
        return Inflating(stream, lambda: zstandard.ZstdDecompressor().decompressobj())
    return stream.detach()


def check_file(path: Path, remedy: str) -> None:
    """Raises InputError where a path is no file: nothing, a folder, a pipe."""
    if path.is_dir():
        raise InputError(f"{path} is a folder, not a file", remedy)
    if not path.is_file():
        raise InputError(f"{path} is no file" if path.exists() else f"{path} does not exist", remedy)


def text_lines(path: Path, noun: str) -> Iterator[tuple[str, str]]:
    """Each line of a small UTF-8 file, without its end, with PATH:LINE before it; `noun` says what the file is.

    Raises InputError as `read_whole`, and where the file is not UTF-8.
    """
    try:
        text = read_whole(path, "Give a UTF-8 file.").decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"the {noun} {path} cannot be read: {error}", "Give a UTF-8 file.") from error
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        yield f"{path}:{number}", line.removesuffix("\r")


def read_whole(path: Path, remedy: str) -> bytes:
    """All bytes of a file, decompressed.

    Raises InputError where it cannot be opened, is damaged or cut, or has more than MOST_WHOLE bytes.
    """
    data = bytearray()
    try:
        with open_raw(path) as stream:
            for chunk in iter(partial(stream.read, WHOLE_CHUNK), b""):
                data += chunk
                if len(data) > MOST_WHOLE:
                    raise InputError(f"cannot read {path}: it has more than {MOST_WHOLE:,} bytes", remedy)
            return bytes(data)
    except EOFError as error:
        raise InputError(f"cannot read {path}: the compressed file is damaged: {error}", "Get it anew.") from error
    except OSError as error:
        problem = "is a folder, not a file" if path.is_dir() else error.strerror
        raise InputError(f"cannot read {path}: {problem}", remedy) from error


def open_lines(path: Path) -> LineReader:
    """The lines of what `open_raw` opens."""
    return LineReader(open_raw(path))


class LineReader:
    """`readline` over a raw stream; bytes read before an error come out before the error does."""

    CHUNK = 1 << 16

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self._buffer, self._at = b"", 0
        self._error: EOFError | None = None
        self._ended = False

    def readline(self, limit: int) -> bytes:
        """The next line with its end, or `limit` bytes of it; empty at the end.

        Raises EOFError as the stream does, once what came before is read.
        """
        end = self._line_end(limit)
        while end < 0 and len(self._buffer) - self._at < limit and not (self._ended or self._error):
            try:
                data = self._raw.read(self.CHUNK) or b""
                self._ended = not data
                self._buffer, self._at = self._buffer[self._at :] + data, 0
            except EOFError as error:
                self._error = error
            end = self._line_end(limit)
        if self._error and end < 0:
            raise self._error
        start = self._at
        self._at = end if end >= 0 else min(start + limit, len(self._buffer))
        return self._buffer[start : self._at]

    def _line_end(self, limit: int) -> int:
        """Where the line at hand ends in the buffer; -1 when no line feed is within `limit` bytes."""
        found = self._buffer.find(b"\n", self._at, self._at + limit)
        return found + 1 if found >= 0 else -1

    def __enter__(self) -> LineReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()


def bounded_line(stream: LineReader, limit: int) -> tuple[bytes | None, int]:
    """The next line without its end (LF or CR LF), and how many bytes were taken, 0 at the end of the stream.

    A line over `limit` is passed over in pieces, and None stands for it.
    """
    line = stream.readline(limit + 2)
    length = len(line)
    content = line.removesuffix(b"\n").removesuffix(b"\r") if line.endswith(b"\n") else line
    if len(content) <= limit:
        return content, length
    while not line.endswith(b"\n") and (line := stream.readline(limit)):
        length += len(line)
    return None, length


def numbered_lines(path: Path, limit: int) -> Iterator[tuple[int, int, str | BadInput]]:
    """(number from 1, byte offset, text or what is wrong) of every line; the offset counts decompressed bytes.

    Lines are strict UTF-8 of at most `limit` bytes (read.max_line_bytes); a byte order mark is dropped. Where a
    compressed file is damaged, that is the last item.
    """
    offset = number = 0
    with open_lines(path) as stream:
        while True:
            try:
                line, length = bounded_line(stream, limit)
            except (EOFError, OSError) as error:
                yield number + 1, offset, BadInput(f"the compressed file is damaged here: {error}")
                return
            if not length:
                return
            number += 1
            start = len(BOM) if number == 1 and line and line.startswith(BOM) else 0
            try:
                if line is None:
                    raise BadInput(f"a line of {length} bytes, over {limit} (read.max_line_bytes)")
                yield number, offset + start, decode(line[start:])
            except BadInput as bad:
                yield number, offset + start, bad
            offset += length


def parsed_lines(path: Path, limit: int, parse: Callable[[str, int, int], T]) -> Iterator[T | Reject]:
    """`parse(line, number, offset)` of every line that is not blank; what is wrong with a line makes it a `Reject`."""
    for number, offset, line in numbered_lines(path, limit):
        try:
            if isinstance(line, BadInput):
                raise line
            if line.strip():
                yield parse(line, number, offset)
        except BadInput as bad:
            yield Reject(path_text(path), number, offset + bad.offset, bad.reason)


def path_text(path: Path) -> str:
    """The path as text that UTF-8 can hold; bytes of a name that is not UTF-8 (old ZIP archives) read `\\xNN`."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def decode(data: bytes, start: int = 0) -> str:
    """Strict UTF-8 with LF line ends; `start` is added to the byte offset in the complaint."""
    try:
        return data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise BadInput(f"not UTF-8: byte 0x{data[error.start]:02x}, {error.reason}", start + error.start) from error


def json_object(text: str) -> dict[str, Any]:
    """The JSON object that a line holds."""
    try:
        row = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"not JSON: {error.msg}", len(text[: error.pos].encode())) from error
    if not isinstance(row, dict):
        raise BadInput(f"no JSON object but a JSON {type(row).__name__}")
    return row
