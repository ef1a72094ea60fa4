"""Moses: two plain text files a language pair; line n of one means line n of the other.

What any reader could take for a line end becomes a space (`pipeline.files.separators`), tabs too, because formats built
on this one split at them.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import StoreError
from pipeline.files.separators import one_line
from pipeline.files.store import replacing
from pipeline.stages.write.record import Record, Writer

_CHUNK = 1 << 20


class MosesWriter(Writer):
    """Writes `corpus.th-en.th` with `corpus.th-en.en`, and the same for every other source language that occurs."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._streams: dict[str, tuple[BinaryIO, BinaryIO]] = {}
        self._changed = 0

    def open(self, stack: ExitStack) -> None:
        """Nothing yet: a language's files are opened by its first pair."""

    def add(self, record: Record) -> None:
        """Write one pair, a line in each of its two files; what would break a line becomes a space."""
        streams = self._streams.get(record.src_lang) or self._open_language(record.src_lang)
        for stream, text in zip(streams, (record.src_text, record.tgt_text), strict=True):
            line, changed = one_line(text)
            stream.write(line.encode() + b"\n")
            self._changed += changed
        self.rows += 1

    def counts(self) -> dict[str, int]:
        """The pairs written, and how many runs of characters became a space."""
        return {"moses": self.rows, "moses_runs_replaced": self._changed}

    def _open_language(self, lang: str) -> tuple[BinaryIO, BinaryIO]:
        names = [self._folder / f"corpus.{lang}-en.{side}" for side in (lang, "en")]
        paths = [self._stack.enter_context(replacing(path)) for path in names]
        # Exit callbacks run in reverse: the streams are closed, then the counts are compared, then both files appear.
        self._stack.push(lambda kind, error, trace: None if kind else _check_counts(*paths))
        src, tgt = (self._stack.enter_context(path.open("wb")) for path in paths)
        self._streams[lang] = (src, tgt)
        return src, tgt


def _check_counts(src: Path, tgt: Path) -> None:
    """Raise StoreError unless both files have the same number of line feeds, counted on the bytes."""
    counts = [_line_feeds(path) for path in (src, tgt)]
    if counts[0] != counts[1]:
        raise StoreError(f"the Moses files have {counts[0]} and {counts[1]} lines", "Report this as a bug.")


def _line_feeds(path: Path) -> int:
    with path.open("rb") as stream:
        return sum(chunk.count(b"\n") for chunk in iter(partial(stream.read, _CHUNK), b""))
