"""XML as a stream of UTF-8 bytes that can be searched, whatever the encoding of the file."""

from __future__ import annotations

import codecs
import io
import re

from pipeline.files.lines import BOM, BadInput

CHUNK = 1 << 16
KEPT = 256
"""What is kept of text that is passed over, since a mark may begin at its end."""
_DECLARED = re.compile(rb"\s*<\?xml[^>]{0,200}?\sencoding\s*=\s*[\"']([A-Za-z0-9._:-]{1,40})[\"']")
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_UNREADABLE = "mekong-unreadable"
# No XML holds a lone surrogate, so bytes that cannot be read make a parser refuse the unit they are in, and no other.
codecs.register_error(_UNREADABLE, lambda error: ("\udcff", error.end))  # type: ignore[attr-defined]


class XmlWindow:
    """The part of an XML file at hand, in UTF-8; it grows as far as a search needs.

    Places are relative to the beginning of the window, which `pass_to` moves. `offset` and `line` (from 1) say where it
    begins in the file, the offset in decompressed bytes; `is_exact` is false where the file is not UTF-8, so that its
    bytes are others. `damage` says why the stream ended too early, empty where it did not.

    Raises BadInput for an encoding that Python does not know.
    """

    def __init__(self, stream: io.RawIOBase) -> None:
        self._stream = stream
        self._data, self._at = b"", 0
        self._ended = False
        self._decoder: codecs.IncrementalDecoder | None = None
        self.offset, self.line = 0, 1
        self.damage = ""
        while len(self._data) < KEPT and self._grow():
            pass
        encoding = _encoding(self._data)
        self.is_exact = encoding == "utf-8"
        if not self.is_exact:
            self._decoder = codecs.getincrementaldecoder(encoding)(_UNREADABLE)
            self._data = self._utf8(self._data)
        if self._data.startswith(BOM):
            self._at = self.offset = len(BOM)

    def _grow(self) -> bool:
        """Take in as much again as the window holds; False at the end of the file."""
        if self._ended:
            return False
        self._data, self._at = self._data[self._at :], 0
        try:
            data = self._stream.read(max(CHUNK, len(self._data))) or b""
        except EOFError as error:
            data, self.damage = b"", str(error)
        self._ended = not data
        self._data += self._utf8(data)
        return not self._ended

    def _utf8(self, data: bytes) -> bytes:
        if self._decoder is None:
            return data
        try:
            return self._decoder.decode(data, not data).encode("utf-8", "surrogatepass")
        except UnicodeError as error:
            self._ended, self.damage = True, f"its encoding is not kept to: {error}"
            return b""

    def match(self, pattern: re.Pattern[bytes], limit: int) -> re.Match[bytes] | None:
        """The match that begins the window; None when there is none within `limit` bytes."""
        while len(self._data) - self._at < limit and self._grow():
            pass
        return pattern.match(self._data, self._at, self._at + limit)

    def search(self, pattern: re.Pattern[bytes], start: int, limit: int) -> tuple[int, re.Match[bytes]] | None:
        """The first match from `start` on with the place of its end; None when there is none within `limit` bytes."""
        while True:
            match = pattern.search(self._data, self._at + start)
            # What touches the end of the window may be cut there.
            if match and (match.end() < len(self._data) or self._ended):
                return match.end() - self._at, match
            if len(self._data) - self._at > limit or not self._grow():
                return (match.end() - self._at, match) if match and self._ended else None

    def pass_to(self, pattern: re.Pattern[bytes], limit: int) -> tuple[re.Match[bytes] | None, bytes]:
        """Move to the next match, or to the end; with the first KEPT bytes that are no space of what was passed.

        Raises BadInput where the next match is more than about `limit` bytes away.
        """
        passed = b""
        end = self.offset + limit
        while True:
            if self.offset > end:
                raise BadInput(f"nothing is read on: no translation unit (<tu>) before byte {self.offset:,}")
            match = pattern.search(self._data, self._at)
            whole = match is not None and (match.end() < len(self._data) or self._ended)
            if match and whole:
                passed += self._data[self._at : match.start()]
                self.move(match.start() - self._at)
                return match, passed.strip()[:KEPT]
            keep = 0 if self._ended else KEPT
            size = min(max(0, len(self._data) - self._at - keep), match.start() - self._at if match else 1 << 62)
            passed = (passed + self._data[self._at : self._at + size]).strip()[:KEPT]
            self.move(size)
            if not self._grow() and self._at == len(self._data):
                return None, passed

    def move(self, size: int) -> None:
        """Let the window begin `size` bytes later."""
        self.line += self._data.count(b"\n", self._at, self._at + size)
        self._at += size
        self.offset += size

    def bytes(self, end: int) -> bytes:
        """What the window holds up to the place `end`."""
        return self._data[self._at : self._at + end]


def _encoding(head: bytes) -> str:
    """The encoding by its mark, else as it is declared; a file that declares UTF-16 in single bytes is none."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    declared = _DECLARED.match(head.removeprefix(BOM))
    name = declared.group(1).decode("ascii").lower() if declared else "utf-8"
    name = "cp874" if name == "windows-874" else name  # Thai Windows; Python knows the other code pages by both names
    try:
        b"x".decode(name, "replace")  # a LookupError also for what decodes no text
        name = codecs.lookup(name).name
    except (LookupError, ValueError) as error:
        raise BadInput(f"the encoding {name!r} is not known") from error
    return "utf-8" if head.startswith(BOM) or name.startswith(("utf-16", "utf-32", "ascii", "utf-8")) else name
