"""Files, folders and globs to documents; what cannot be read becomes a `Reject` and the reading goes on.

Texts are strict UTF-8 (a byte order mark is accepted). LF is the only line end; one CR before it is removed.
"""

from __future__ import annotations

import glob
import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from pipeline.config.settings import ReadSettings
from pipeline.errors import InputError
from pipeline.files.lines import BOM, BadInput, decode, json_object, parsed_lines, path_text
from pipeline.text.language import detect
from pipeline.text.languages import table
from pipeline.types import Document, Reject, Source

log = logging.getLogger(__name__)

TEXT = (".txt",)
LINES = (".jsonl", ".jsonl.gz", ".jsonl.zst")
TABLE = (".parquet",)
KNOWN = ("id", "text", "lang", "date", "url", "licence")
DATASET_MARK = "state.json"
NO_OFFSET = -1


@dataclass
class Reader:
    """Reads documents one after the other and remembers the ids it has given out."""

    settings: ReadSettings
    seen: dict[str, str] = field(default_factory=dict)

    def read(self, paths: Iterable[str]) -> Iterator[Document | Reject]:
        """Yield every document and every reject of `paths`, in the order of the paths, folders sorted by name.

        Raises InputError when a path does not exist or a glob matches nothing.
        """
        for path in expand(paths):
            try:
                yield from self._file(path)
            except BadInput as bad:
                yield Reject(path_text(path), 0, bad.offset, bad.reason)
            except OSError as error:
                yield Reject(path_text(path), 0, 0, f"cannot be read: {error.strerror or error}")

    def _file(self, path: Path) -> Iterator[Document | Reject]:
        name = path.name.lower()
        if path.is_dir():
            yield from self._rows(path, _dataset_rows(path))
        elif name.endswith(TEXT):
            yield self._text(path)
        elif name.endswith(LINES):
            yield from self._lines(path)
        elif name.endswith(TABLE):
            yield from self._rows(path, _parquet_rows(path))
        else:
            raise BadInput(f"the file type {path.suffix or '(none)'!r} is not one of {', '.join(TEXT + LINES + TABLE)}")

    def _text(self, path: Path) -> Document:
        limit = self.settings.max_document_bytes
        with path.open("rb") as stream:
            data = stream.read(limit + 1)
        if len(data) > limit:
            raise BadInput(f"over {limit} bytes (read.max_document_bytes)", limit)
        start = len(BOM) if data.startswith(BOM) else 0
        return self._document({"text": decode(data[start:], start)}, path, 0)

    def _lines(self, path: Path) -> Iterator[Document | Reject]:
        def parse(line: str, number: int, offset: int) -> Document:
            return self._document(json_object(line), path, number)

        return parsed_lines(path, self.settings.max_line_bytes, parse)

    def _rows(self, path: Path, rows: Iterator[Mapping[str, Any]]) -> Iterator[Document | Reject]:
        number = 0
        while True:
            try:
                row = next(rows, None)
            except (OSError, ValueError, KeyError) as error:
                yield Reject(path_text(path), number + 1, NO_OFFSET, f"the table is damaged here: {error}")
                return
            if row is None:
                return
            number += 1
            try:
                yield self._document({k: v for k, v in row.items() if v is not None}, path, number)
            except BadInput as bad:
                yield Reject(path_text(path), number, NO_OFFSET, bad.reason)

    def _document(self, row: Mapping[str, Any], path: Path, line: int) -> Document:
        if "text" not in row:
            raise BadInput(f"no 'text' among the keys {sorted(row)}")
        values = {key: row.get(key, "") for key in KNOWN}
        if isinstance(values["id"], int):
            values["id"] = str(values["id"])
        for key, value in values.items():
            if not isinstance(value, str):
                raise BadInput(f"{key!r} is a {type(value).__name__}, not a string")
        text = values["text"].replace("\r\n", "\n")
        self._check_text(text)
        lang = values["lang"] or self._language(text)
        if lang not in table():
            raise BadInput(f"the language {lang!r} is not one of {', '.join(table())}")
        licence = values["licence"] or self.settings.licence
        source = Source(path_text(path), line, values["url"], licence, values["date"])
        meta = {k: v if isinstance(v, str) else orjson.dumps(v, default=str).decode() for k, v in row.items()}
        meta = {k: v for k, v in meta.items() if k not in KNOWN}
        return Document(self._id(values["id"], text, path, line), lang, text, source, meta)

    def _check_text(self, text: str) -> None:
        if not text.strip():
            raise BadInput("the text is empty")
        if "\0" in text:
            raise BadInput("holds a NUL character, so it is not text", len(text[: text.index("\0")].encode()))
        size = len(text.encode(errors="surrogatepass"))
        if size > self.settings.max_document_bytes:
            raise BadInput(f"a text of {size} bytes, over {self.settings.max_document_bytes} (read.max_document_bytes)")
        bad = next((i for i, ch in enumerate(text) if "\ud800" <= ch <= "\udfff"), None)
        if bad is not None:
            raise BadInput(f"a lone surrogate (\\u{ord(text[bad]):04x}) at character {bad}")

    def _language(self, text: str) -> str:
        return detect(text) if self.settings.lang == "auto" else self.settings.lang

    def _id(self, given: str, text: str, path: Path, line: int) -> str:
        """The given id, else a hash of file name, line and text; a repeated hash gets a number."""
        where = f"{path_text(path)}:{line}" if line else path_text(path)
        if given:
            if given in self.seen:
                raise BadInput(f"the id {given!r} is already used by {self.seen[given]}")
            self.seen[given] = where
            return given
        base = hashlib.blake2b(f"{path_text(Path(path.name))}\0{line}\0{text}".encode(), digest_size=8).hexdigest()
        new, copies = base, 1
        while new in self.seen:
            copies += 1
            new = f"{base}-{copies}"
        self.seen[new] = where
        return new


def expand(paths: Iterable[str]) -> Iterator[Path]:
    """The files behind files, folders and globs; a `datasets` folder is yielded as itself, and each path once.

    Raises InputError when a path does not exist, a glob matches nothing, or a folder cannot be listed.
    """
    done: set[Path] = set()
    for given in paths:
        try:
            found = _matches(given)
        except OSError as error:
            raise InputError(
                f"{error.filename or given} cannot be listed: {error.strerror}", "Check its rights."
            ) from error
        if not found:
            raise InputError(f"{given} does not exist", "Check read.paths (relative to the working directory).")
        for path in found:
            if path not in done:
                done.add(path)
                yield path


def _matches(given: str) -> list[Path]:
    path = Path(given)
    if path.is_dir():
        return _inside(path, set())
    if path.exists() or path.is_symlink():
        return [path]
    return [inner for match in sorted(glob.glob(given, recursive=True)) for inner in _matches(match)]


def _inside(folder: Path, seen: set[Path]) -> list[Path]:
    """The readable files of a folder tree, sorted; other types are left alone, and their number is said.

    `seen` holds the real places of the folders already listed, since links can lead in circles.
    """
    if (folder / DATASET_MARK).is_file():
        return [folder]
    if folder.resolve() in seen:
        return []
    seen.add(folder.resolve())
    found: list[Path] = []
    others = 0
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            found += _inside(path, seen)
        elif path.name.lower().endswith(TEXT + LINES + TABLE) and (path.is_file() or path.is_symlink()):
            found.append(path)
        else:
            others += 1
    if others:
        log.info("%s: %d file(s) of other types are not read", folder, others)
    return found


def _parquet_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.ParquetFile(path)
    except pyarrow.ArrowInvalid as error:
        raise BadInput(f"not a Parquet file: {error}") from error
    for batch in table.iter_batches(batch_size=256):
        yield from batch.to_pylist()


def _dataset_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    import datasets

    try:
        loaded = datasets.load_from_disk(str(path))
    except (FileNotFoundError, ValueError) as error:
        raise BadInput(f"not a datasets folder: {error}") from error
    yield from loaded
