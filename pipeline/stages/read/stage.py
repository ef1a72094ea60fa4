"""Files, folders and globs to documents; what cannot be read becomes a `Reject` and the reading goes on.

Texts are strict UTF-8 (a byte order mark is accepted). LF is the only line end; one CR before it is removed.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson

from pipeline.config.settings import ReadSettings
from pipeline.errors import InputError
from pipeline.files.lines import BOM, BadInput, check_file, decode, open_raw, path_text
from pipeline.files.rejects import bounded
from pipeline.files.table_row import NO_OFFSET, TableRow
from pipeline.files.tables import JSON, JSON_LINES, PARQUET, TMX, kind, open_rows
from pipeline.stages.read.fields import date_field, id_field, is_missing, text_field
from pipeline.stages.read.paths import READ, TEXT, expand
from pipeline.text.language import detect
from pipeline.text.languages import known_code, table
from pipeline.types import Document, Reject, Source

log = logging.getLogger(__name__)

ROWS = (*JSON_LINES, JSON, PARQUET)
KNOWN = ("id", "text", "lang", "date", "url", "licence")
_FIELDS = {"id": id_field, "date": date_field}


@dataclass
class Reader:
    """Reads documents one after the other; `seen` are the ids it has given out, `warn` is told what is passed over."""

    settings: ReadSettings
    warn: Callable[[str], None] = log.warning
    seen: dict[str, str] = field(default_factory=dict)
    copies: dict[str, int] = field(default_factory=dict)
    """How many texts of a file have the same hash, where there are several."""
    names: dict[Path, str] = field(default_factory=dict)
    """What documents and rejects call the files that they are from."""

    def read(self, paths: Iterable[str]) -> Iterator[Document | Reject]:
        """Yield every document and every reject of `paths`, in the order of the paths, folders sorted by name.

        Raises InputError when a path does not exist, a glob matches nothing, or a folder has nothing to read.
        """
        yield from self.read_files(self.files(paths))

    def files(self, paths: Iterable[str]) -> list[Path]:
        """The files that `read` reads; raises what it raises."""
        found = expand(paths)
        if found.passed_over:
            self.warn(f"passed over are {found.passed_over_text()}; read are {READ}")
        self.names |= found.names
        return found.files

    def read_files(self, files: Iterable[Path]) -> Iterator[Document | Reject]:
        """Yield every document and every reject of files from `files`."""
        for path in files:
            for row in self._documents(path, self._file):
                yield replace(row, path=self._name(path)) if isinstance(row, Reject) else row

    def read_one(self, path: Path) -> Document:
        """The document that a file holds: its text, whatever it is called, or the only row of JSON and Parquet.

        Raises InputError for a folder, a file of pairs, one that cannot be read, and one with no document or several.
        """
        remedy = "Give one file with one UTF-8 text."
        if path.is_dir() or not path.exists():
            check_file(path, remedy)
        if kind(path) in (".tsv", TMX):
            raise InputError(f"{path} holds pairs, not a document", remedy)
        read = self._file if kind(path) in ROWS else self._text
        documents: list[Document] = []
        for found in self._documents(path, read):
            if isinstance(found, Reject):
                place = f"{path}, line {found.line}" if found.line else path
                raise InputError(f"{place}: {found.reason}", remedy)
            documents.append(found)
            if len(documents) > 1:
                raise InputError(f"{path} holds more than one document", remedy)
        if not documents:
            raise InputError(f"{path}: no document in it", remedy)
        return documents[0]

    def _documents(
        self, path: Path, read: Callable[[Path], Iterator[Document | Reject]]
    ) -> Iterator[Document | Reject]:
        try:
            yield from bounded(read(path), path)
        except BadInput as bad:
            yield Reject(path_text(path), 0, bad.offset, bad.reason)
        except OSError as error:
            yield Reject(path_text(path), 0, 0, f"cannot be read: {error.strerror or error}")

    def _file(self, path: Path) -> Iterator[Document | Reject]:
        suffix = kind(path)
        if path.is_dir():
            yield from self._rows(path, _dataset_rows(path))
        elif path.exists() and not path.is_file():
            raise BadInput("a pipe or a device, not a file")
        elif suffix == TEXT:
            yield from self._text(path)
        elif suffix in ROWS:
            yield from self._rows(path, open_rows(path, self.settings.max_line_bytes))
        else:
            raise BadInput(f"the file type {suffix or path.suffix or '(none)'!r} is not one of {READ}")

    def _text(self, path: Path) -> Iterator[Document]:
        limit = self.settings.max_document_bytes
        data = b""
        with open_raw(path) as stream:
            try:
                while len(data) <= limit and (more := stream.read(limit + 1 - len(data))):
                    data += more
            except EOFError as error:
                raise BadInput(f"the compressed file is damaged: {error}", len(data)) from error
        if len(data) > limit:
            raise BadInput(f"over {limit} bytes (read.max_document_bytes)", limit)
        start = len(BOM) if data.startswith(BOM) else 0
        yield self._document({"text": decode(data[start:], start)}, path, 0)

    def _rows(self, path: Path, rows: Iterator[TableRow | Reject]) -> Iterator[Document | Reject]:
        for row in rows:
            if isinstance(row, Reject):
                yield row
                continue
            try:
                yield self._document(row.values, path, row.line)
            except BadInput as bad:
                offset = NO_OFFSET if row.offset == NO_OFFSET else row.offset + bad.offset
                yield Reject(path_text(path), row.line, offset, bad.reason)

    def _document(self, row: Mapping[str, Any], path: Path, line: int) -> Document:
        if "text" not in row:
            raise BadInput(f"no 'text' among the keys {sorted(map(str, row))}")
        if not isinstance(row["text"], str):
            raise BadInput(f"'text' is a {type(row['text']).__name__}, not a string")
        values = {key: _FIELDS.get(key, text_field)(row.get(key), key) for key in KNOWN}
        text = values["text"].replace("\r\n", "\n")
        self._check_text(text)
        lang = known_code(values["lang"]) or self._language(text)
        if lang not in table():
            raise BadInput(f"the language {values['lang'] or lang!r} is not one of {', '.join(table())}")
        licence = values["licence"] or self.settings.licence
        source = Source(self._name(path), line, values["url"], licence, values["date"])
        return Document(self._id(values["id"], text, path, line), lang, text, source, _meta(row))

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

    def _name(self, path: Path) -> str:
        return self.names.get(path) or path_text(path)

    def _language(self, text: str) -> str:
        return detect(text) if self.settings.lang == "auto" else self.settings.lang

    def _id(self, given: str, text: str, path: Path, line: int) -> str:
        """The given id, else a hash of file name and text, so that it stays what it is wherever in the file the text
        stands; a repeated hash gets a number."""
        where = f"{self._name(path)}:{line}" if line else self._name(path)
        if given:
            if given in self.seen:
                raise BadInput(f"the id {given!r} is already used by {self.seen[given]}")
            self.seen[given] = where
            return given
        base = hashlib.blake2b(f"{path_text(Path(path.name))}\x000\0{text}".encode(), digest_size=8).hexdigest()
        new, copies = base, self.copies.get(base, 1)
        while new in self.seen:
            copies += 1
            new = f"{base}-{copies}"
        if copies > 1:
            self.copies[base] = copies
        self.seen[new] = where
        return new


def _meta(row: Mapping[str, Any]) -> dict[str, str]:
    """The fields that are not known: text as it is, everything else as JSON; what says nothing is left out."""
    meta: dict[str, str] = {}
    for key, value in row.items():
        if key in KNOWN or is_missing(value):
            continue
        try:
            meta[key] = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
        except TypeError as error:  # lists in lists too deep for it, keys that are no strings
            raise BadInput(f"{key!r} cannot be kept: {error}") from error
    return meta


def _dataset_rows(path: Path) -> Iterator[TableRow | Reject]:
    import datasets
    from pyarrow import ArrowException

    number = 0
    try:
        loaded = datasets.load_from_disk(str(path))
    except (FileNotFoundError, ValueError, KeyError, ArrowException) as error:
        raise BadInput(f"not a datasets folder: {error}") from error
    try:
        for number, values in enumerate(loaded, 1):
            yield TableRow(number, NO_OFFSET, values)
    except (OSError, ValueError, KeyError, OverflowError, ArrowException) as error:
        yield Reject(path_text(path), number + 1, NO_OFFSET, f"the table is damaged here: {error}")
