"""Files that hold texts or pairs: plain lines, TSV, JSON Lines, Moses pairs, TMX (also .gz, .zst), and Parquet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.files.lines import BadInput, json_object, open_raw, parsed_lines, path_text
from pipeline.types import Reject

SOURCE_KEYS = ("src_text", "src")
ENGLISH_KEYS = ("tgt_text", "tgt")
NO_TEXT = re.compile(r"(.+_)?(id|doc|lang|url|path)|origin|model|date|licen[cs]e")
"""Names of fields that say something of a text and hold none."""
MAX_LINE_BYTES = 1_000_000
NO_OFFSET = -1
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a file: its number from 1 (a line, a table row or a translation unit), its byte offset, its fields.

    The offset counts decompressed bytes; it is -1 in Parquet and TMX.
    """

    line: int
    offset: int
    values: Mapping[str, Any]


def rows(path: Path, limit: int = MAX_LINE_BYTES) -> Iterator[TableRow | Reject]:
    """The rows of a file by the end of its name; any name but .tsv, .jsonl, .parquet and .tmx holds plain lines.

    Raises InputError when the file cannot be opened.
    """
    suffix = kind(path)
    try:
        if suffix == ".parquet":
            yield from _parquet(path)
        elif suffix == ".tmx":
            yield from _tmx(path)
        else:
            yield from parsed_lines(path, limit, {".tsv": _tsv, ".jsonl": _json}.get(suffix, _plain))
    except BadInput as bad:
        yield Reject(path_text(path), 0, NO_OFFSET, bad.reason)
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}", "Check the path and its rights."
        ) from error


def kind(path: Path) -> str:
    """The last suffix in lower case, that of the compression apart: ".tsv" of corpus.tsv.gz."""
    return next((suffix for suffix in reversed(path.suffixes) if suffix.lower() not in (".gz", ".zst")), "").lower()


def _plain(line: str, number: int, offset: int) -> TableRow:
    return TableRow(number, offset, {"text": line})


def _json(line: str, number: int, offset: int) -> TableRow:
    return TableRow(number, offset, json_object(line))


def _tsv(line: str, number: int, offset: int) -> TableRow:
    fields = line.split("\t")
    if len(fields) < 2:
        raise BadInput("no tab: a line is source TAB English")
    return TableRow(number, offset, {"src": fields[0], "tgt": fields[1], "columns": fields[2:]})


def _parquet(path: Path) -> Iterator[TableRow | Reject]:
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        for batch in pyarrow.parquet.ParquetFile(path).iter_batches(batch_size=256):
            for values in batch.to_pylist():
                number += 1
                yield TableRow(number, NO_OFFSET, {key: value for key, value in values.items() if value is not None})
    except (pyarrow.ArrowException, ValueError) as error:
        yield Reject(path_text(path), number + 1, NO_OFFSET, f"the table is damaged here: {error}")


def _tmx(path: Path) -> Iterator[TableRow | Reject]:
    """Translation units as {language: text}; a document type is refused, for it may define entities."""
    from lxml import etree

    number = 0
    with open_raw(path) as stream:
        try:
            units = etree.iterparse(stream, tag="tu", resolve_entities=False, load_dtd=False, no_network=True)
            for _, unit in units:
                if unit.getroottree().docinfo.internalDTD is not None:
                    raise BadInput("a TMX file with a document type, which is not read")
                number += 1
                yield TableRow(number, NO_OFFSET, _variants(unit))
                unit.clear()
                while unit.getprevious() is not None:
                    del unit.getparent()[0]
        except (etree.XMLSyntaxError, EOFError) as error:
            yield Reject(path_text(path), number + 1, NO_OFFSET, f"the XML is damaged here: {error}")


def _variants(unit: Any) -> dict[str, str]:
    """The texts of a unit by language; of two variants of one language (en-US, en-GB) the first counts."""
    found = {"id": unit.get("tuid", "")}
    for variant in unit.iter("tuv"):
        lang = language(variant.get(_XML_LANG) or variant.get("lang") or "")
        found.setdefault(lang, "".join(_said(seg) for seg in variant.iter("seg")))
    return found


def _said(element: Any) -> str:
    """The text of a segment of TMX 1.4b without the codes of its format: of what is inside it, only hi holds text."""
    parts = [element.text or ""]
    for inner in element:
        parts += [_said(inner) if inner.tag == "hi" else "", inner.tail or ""]
    return "".join(parts)


def language(code: str) -> str:
    """The language of a code with or without a country: "en" of "en-US", "en_GB" and "EN"."""
    return code.lower().replace("_", "-").split("-")[0]


def texts(path: Path) -> Iterator[tuple[str, str]]:
    """(FILE:LINE, text) of everything that a file says, both sides of pairs; texts of several lines line by line.

    That is every string in it, whatever its field is called, but in those of NO_TEXT: a text that was passed over would
    not be kept out of anything.

    Raises InputError where anything in it cannot be read.
    """
    for row in rows(path):
        if isinstance(row, Reject):
            raise InputError(f"{path}, line {row.line} (byte {row.offset}): {row.reason}", "Correct the file.")
        found = list(_strings(row.values))
        if not found:
            raise InputError(
                f"{path}, line {row.line} has no text among its fields {sorted(row.values)}",
                'A line is like {"src": "...", "ref": "..."}.',
            )
        for text in found:
            yield from ((f"{path}:{row.line}", line) for line in text.split("\n") if line.strip())


def _strings(value: Any) -> Iterator[str]:
    """The strings of a row, those in lists and mappings in it too, as in {"translation": {"th": ..., "en": ...}}."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if not NO_TEXT.fullmatch(key):
                yield from _strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
