"""Translation units of TMX files, each read on its own, so that what is wrong with one costs no other.

The file is cut at the tags of its units and every unit is parsed strictly; one that is no XML (a control character, a
bare `&`, a tag that is not closed) is told with its place. Nothing of a document type is read: its external subset is
not fetched, and a file whose internal one defines entities is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.files.lines import BadInput, open_raw, path_text
from pipeline.files.table_row import NO_OFFSET, TableRow
from pipeline.files.xml_window import XmlWindow
from pipeline.types import Reject

MAX_UNIT_BYTES = 20_000_000
MAX_BETWEEN_BYTES = 1_000_000
"""From one unit to the next, or to the first: the header of a file."""
MAX_TAG_BYTES = 1 << 16
"""Of a document type, and of the tags before the first unit."""
_PREFIX = rb"(?:[A-Za-z_][\w.-]*:)?"
_UNIT = rb"<" + _PREFIX + rb"tu(?=[\s/>])"
_OUTSIDE = re.compile(
    rb"(?P<comment><!--)|(?P<instruction><\?)|(?P<doctype><!DOCTYPE)|(?P<unit>" + _UNIT + rb")"
    rb"|(?P<stray></" + _PREFIX + rb"tu\s*>)|(?P<end></" + _PREFIX + rb"(?:body|tmx)\s*>)"
    rb"|(?P<root><" + _PREFIX + rb"(?:tmx|body)(?=[\s>]))"
)
_INSIDE = re.compile(rb"(?P<comment><!--)|(?P<cdata><!\[CDATA\[)|(?P<next>" + _UNIT + rb")|</" + _PREFIX + rb"tu\s*>")
_CLOSED = {
    "comment": re.compile(rb"(?P<close>-->)|" + _UNIT),
    "cdata": re.compile(rb"(?P<close>\]\]>)|" + _UNIT),
}
_COMMENT_END, _INSTRUCTION_END = re.compile(rb"-->"), re.compile(rb"\?>")
_ATTRIBUTES = rb"(?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*"
_TAG = re.compile(rb"<[\w.:-]+" + _ATTRIBUTES + rb">")
_SCOPE = re.compile(rb"\sxmlns(?::[\w.-]+)?\s*=\s*(?:\"[^\"<]*\"|'[^'<]*')")
_DOCTYPE = re.compile(rb"<!DOCTYPE(?:[^<>\"'\[]|\"[^\"]*\"|'[^']*')*(?:\[(?P<subset>.*?)\]\s*)?>", re.DOTALL)
_WHERE_IN_UNIT = re.compile(r", line \d+, column \d+.*", re.DOTALL)
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def tmx_rows(path: Path) -> Iterator[TableRow | Reject]:
    """The units in order, each with its `id`, `translation` (the texts by language code as the file writes it, of two
    variants with one code the first that says anything) and `alternatives`, the texts of the others.

    Raises BadInput for a file of an unknown encoding, whose document type defines entities, or with MAX_BETWEEN_BYTES
    without a unit, OSError where the file cannot be opened.
    """
    with open_raw(path) as stream:
        yield from _TmxReader(path, XmlWindow(stream)).rows()


class _TmxReader:
    """One pass over the units of one file."""

    def __init__(self, path: Path, window: XmlWindow) -> None:
        from lxml import etree

        self._path, self._window, self._etree = path_text(path), window, etree
        self._parser = etree.XMLParser(resolve_entities=False, load_dtd=False, no_network=True)
        self._number = self._unit_end = 0
        self._scope: dict[bytes, bytes] = {}
        self._open = False

    def rows(self) -> Iterator[TableRow | Reject]:
        """Every unit, and a `Reject` for each one that is lost."""
        window = self._window
        while True:
            match, passed = window.pass_to(_OUTSIDE, self._left())
            if passed and self._number:
                yield self._reject(f"the XML is damaged before this place: {_shown(passed)} is no unit")
            if match is None:
                break
            what = match.lastgroup
            if what == "unit":
                yield self._unit()
            elif what == "stray":
                self._number += 1
                yield self._reject("the XML is damaged here: a unit ends that did not begin")
                window.move(len(match.group()))
                self._unit_end = window.offset
            else:
                yield from self._between(what, match)
        yield from self._end()

    def _left(self) -> int:
        """How many bytes may come before the next unit."""
        return self._unit_end + MAX_BETWEEN_BYTES - self._window.offset

    def _between(self, what: str | None, match: re.Match[bytes]) -> Iterator[Reject]:
        """Pass what stands between units."""
        window, size = self._window, len(match.group())
        if what in ("comment", "instruction"):
            place = self._reject(f"the XML is damaged here: a {what} does not end, so nothing after it is read")
            window.move(size)
            end, _ = window.pass_to(_COMMENT_END if what == "comment" else _INSTRUCTION_END, self._left())
            if end is None:
                yield place
                return
            size = len(end.group())
        elif what == "doctype":
            size = self._document_type()
        elif what == "root":
            size = self._root(size)
        elif what == "end":
            self._open = self._open and not match.group().rstrip(b" \t\r\n>").endswith(b"tmx")
        window.move(size)

    def _document_type(self) -> int:
        """The length of a document type."""
        match = self._window.match(_DOCTYPE, MAX_TAG_BYTES)
        if match is None:
            raise BadInput("a TMX file with a document type that does not end")
        subset = match.group("subset") or b""
        if b"<!ENTITY" in subset or b"%" in subset:
            raise BadInput("a TMX file with a document type that defines entities, which is not read")
        return len(match.group())

    def _root(self, size: int) -> int:
        """The length of a start tag around all units; the namespaces that it declares hold for them."""
        match = self._window.match(_TAG, MAX_TAG_BYTES)
        if match is None:
            return size
        self._open = self._open or match.group()[size - 3 : size] == b"tmx"
        for declared in _SCOPE.findall(match.group()):
            self._scope[declared.partition(b"=")[0].strip()] = declared
        return len(match.group())

    def _unit(self) -> TableRow | Reject:
        """The unit that begins here; the window moves behind it."""
        self._number += 1
        size, problem = self._extent()
        row = self._reject(problem) if problem else self._parsed(self._window.bytes(size))
        self._window.move(size)
        self._unit_end = self._window.offset
        return row

    def _extent(self) -> tuple[int, str]:
        """How many bytes the unit has, and what is wrong when its end is missing."""
        window, at = self._window, len(b"<tu")
        unclosed = dict.fromkeys(_CLOSED, 0)
        """Up to which place it is known that none of them ends: looked for once, not from each that begins."""
        while found := window.search(_INSIDE, at, MAX_UNIT_BYTES):
            end, match = found
            if match.lastgroup in _CLOSED:
                at = end
                if end >= unclosed[match.lastgroup]:
                    closed = window.search(_CLOSED[match.lastgroup], end, MAX_UNIT_BYTES)
                    if closed and closed[1].lastgroup:
                        at = closed[0]
                    else:
                        unclosed[match.lastgroup] = closed[0] if closed else MAX_UNIT_BYTES
                continue
            start = end - len(match.group())
            tag = _TAG.match(window.bytes(start))
            if tag and tag.group().endswith(b"/>"):
                return tag.end(), ""
            if match.lastgroup == "next":
                return start, "the XML is damaged here: the unit does not end before the next one begins"
            return end, ""
        if window.damage:
            return len(window.bytes(MAX_UNIT_BYTES)), f"the compressed file is damaged here: {window.damage}"
        if len(window.bytes(MAX_UNIT_BYTES)) == MAX_UNIT_BYTES:
            return MAX_UNIT_BYTES, f"a unit of over {MAX_UNIT_BYTES} bytes"
        return len(window.bytes(MAX_UNIT_BYTES)), "the XML is damaged here: the file ends inside a unit"

    def _parsed(self, data: bytes) -> TableRow | Reject:
        scope = b"".join(self._scope.values()).replace(b"\n", b" ")
        try:
            (unit,) = self._etree.fromstring(b"<units" + scope + b">" + data + b"</units>", self._parser)
        except (self._etree.XMLSyntaxError, ValueError) as error:
            line = self._window.line + (getattr(error, "lineno", None) or 1) - 1
            return self._reject(
                f"the XML is damaged here (line {line} of the file): {_WHERE_IN_UNIT.sub('', str(error))}"
            )
        return TableRow(self._number, self._offset(), _values(unit))

    def _end(self) -> Iterator[Reject]:
        window = self._window
        if window.damage:
            yield self._reject(f"the compressed file is damaged here: {window.damage}")
        elif not self._number:
            yield Reject(self._path, 0, NO_OFFSET, "no translation unit (<tu>) in it")
        elif self._open:
            yield self._reject("the XML is damaged here: the file ends before </tmx>, so units may be missing")

    def _offset(self) -> int:
        return self._window.offset if self._window.is_exact else NO_OFFSET

    def _reject(self, reason: str) -> Reject:
        return Reject(self._path, self._number, self._offset(), reason)


def _shown(data: bytes) -> str:
    return repr(data[:40].decode("utf-8", "replace"))


def _values(unit: Any) -> dict[str, Any]:
    texts: dict[str, str] = {}
    alternatives: list[str] = []
    for variant in unit.iter("{*}tuv"):
        code = variant.get(_XML_LANG) or variant.get("lang") or ""
        text = "".join(_said(segment) for segment in variant.iter("{*}seg"))
        if texts.get(code, "").strip():
            alternatives.append(text)
        else:
            texts[code] = text
    return {"id": unit.get("tuid", ""), "translation": texts, "alternatives": alternatives}


def _said(element: Any) -> str:
    """The text of a segment of TMX 1.4b without the codes of its format: of what is inside it, only hi holds text."""
    parts = [element.text or ""]
    for inner in element:
        is_text = isinstance(inner.tag, str) and inner.tag.rpartition("}")[2] == "hi"
        parts += [_said(inner) if is_text else "", inner.tail or ""]
    return "".join(parts)
