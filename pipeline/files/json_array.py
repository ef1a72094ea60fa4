"""Files called .json: an array of objects, one object, or, as many programs write them, JSON Lines."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.files.lines import BOM, BadInput, open_raw, parsed_lines, path_text
from pipeline.files.table_row import TableRow
from pipeline.types import Reject

MAX_BYTES = 200_000_000
"""Of an array, which is held in memory as a whole."""
_CHUNK = 1 << 20
_SPACE = re.compile(r"[ \t\r\n]*")
_NEXT = re.compile(r"\}\s*,\s*(?=\{)")
"""Where the next object of an array may begin after one that is no JSON."""
_END = "the array is damaged here"


def json_rows(path: Path, limit: int, parse: Callable[[str, int, int], TableRow]) -> Iterator[TableRow | Reject]:
    """The objects of the file in order; one that is no JSON costs no other.

    `parse(text, number, offset)` makes a row of an object; lines have at most `limit` bytes. Raises BadInput for an
    array of over MAX_BYTES bytes, OSError where the file cannot be opened.
    """
    if not _is_whole(path):
        yield from parsed_lines(path, limit, parse)
        return
    data, damage = _read(path)
    size = len(data)
    place, offset, number = 0, len(BOM) if data.startswith(BOM) else 0, 0
    del data[:offset]
    text = data.decode("utf-8", "surrogateescape")
    data.clear()
    for number, (start, value) in enumerate(_values(text), 1):
        offset += _size(text[place:start])
        place = start
        try:
            if isinstance(value, BadInput):
                raise value
            yield parse(_checked(value), number, offset)
        except BadInput as bad:
            yield Reject(path_text(path), number, offset + bad.offset, bad.reason)
    if damage:
        yield Reject(path_text(path), number + 1, size, f"the compressed file is damaged here: {damage}")


def _is_whole(path: Path) -> bool:
    """Whether the file is one value over several lines, or an array, by its first line that is not blank."""
    head = b""
    with open_raw(path) as stream:
        try:
            while len(head) < _CHUNK and (data := stream.read(_CHUNK)):
                head += data
        except EOFError:
            pass  # whoever reads on says so
    line, _, more = head.removeprefix(BOM).lstrip().partition(b"\n")
    return line.startswith(b"[") or (bool(more) and line.startswith(b"{") and not line.rstrip().endswith(b"}"))


def _read(path: Path) -> tuple[bytearray, str]:
    """What the file holds, and why it ends too early, empty where it does not."""
    data = bytearray()
    with open_raw(path) as stream:
        try:
            while chunk := stream.read(_CHUNK):
                data += chunk
                if len(data) > MAX_BYTES:
                    raise BadInput(f"a JSON array of over {MAX_BYTES} bytes: write it as JSON Lines (.jsonl)")
        except EOFError as error:
            return data, str(error)
    return data, ""


def _values(text: str) -> Iterator[tuple[int, str | BadInput]]:
    """(place, text) of the objects of an array, or of one object."""
    decoder = json.JSONDecoder()
    at = _after(_SPACE, text, 0)
    if text[at : at + 1] == "{":
        yield at, text[at:].rstrip()
        return
    at = _after(_SPACE, text, at + 1)
    while at < len(text):
        if text[at] == "]":
            at = _after(_SPACE, text, at + 1)
            if at == len(text):
                return
        end = _object_end(decoder, text, at)
        if end:
            yield at, text[at:end]
            at = _after(_SPACE, text, end)
            if text[at : at + 1] == ",":
                at = _after(_SPACE, text, at + 1)
            continue
        following = _NEXT.search(text, at)
        if following is None:
            yield at, BadInput(f"{_END}, and nothing can be read after it")
            return
        yield at, text[at : following.start() + 1] if text[at] == "{" else BadInput(_END)
        at = following.end()
    yield at, BadInput(f"{_END}: the file ends before it does")


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _object_end(decoder: json.JSONDecoder, text: str, at: int) -> int:
    """Where the value at a place ends, 0 where it is no JSON."""
    try:
        return decoder.raw_decode(text, at)[1]
    except (ValueError, RecursionError):
        return 0


def _checked(value: str) -> str:
    """The text of one object, as UTF-8 can hold it."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        byte = ord(value[error.start]) & 0xFF
        raise BadInput(f"not UTF-8: byte 0x{byte:02x}", _size(value[: error.start])) from error
    return value


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogateescape"))
