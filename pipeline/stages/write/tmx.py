"""TMX 1.4b, streamed. No document type is declared: readers that are careful refuse one."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from lxml import etree

from pipeline.files.store import replacing
from pipeline.stages.write.record import Record, Writer

CORPUS = "corpus.tmx"
FIRST_COLUMN = 3
"""The number of the first column of a .tsv behind source and English."""
# The complement of `Char` in XML 1.0 (fifth edition), production 2.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


class TmxWriter(Writer):
    """Writes one TMX file; characters that XML cannot hold are removed and counted."""

    def __init__(self, path: Path, version: str) -> None:
        super().__init__()
        self._path = path
        self._version = version
        self._removed = 0

    def open(self, stack: ExitStack) -> None:
        """Begin a file beside the final one; it takes its place when the stack closes without an error."""
        temporary = stack.enter_context(replacing(self._path))
        stream = stack.enter_context(temporary.open("wb"))
        self._xml = stack.enter_context(etree.xmlfile(stream, encoding="utf-8"))
        self._xml.write_declaration()
        stack.enter_context(self._xml.element("tmx", version="1.4"))
        self._xml.write("\n", etree.Element("header", self._header()), "\n")
        stack.enter_context(self._xml.element("body"))
        self._xml.write("\n")

    def add(self, record: Record) -> None:
        """Write one pair as a unit of two variants."""
        unit = etree.Element("tu", {"tuid": self._clean(record.id), "srclang": record.src_lang})
        properties = {
            "origin": record.origin,
            "document": record.src_doc,
            "english-document": record.tgt_doc,
            "licence": record.licence,
            "model": record.model,
            "model-use": record.model_use,
            "accepted-by-hand": "yes" if record.accepted_by_hand else "",
        }
        for name, text in properties.items():
            if text:
                self._property(unit, name, text)
        for number, text in enumerate(record.columns, FIRST_COLUMN):
            self._property(unit, f"column-{number}", text)
        for name, score in record.scores.items():
            if score is not None:
                self._property(unit, f"score-{name}", repr(float(score)))
        for lang, text in ((record.src_lang, record.src_text), (record.tgt_lang, record.tgt_text)):
            variant = etree.SubElement(unit, "tuv", {_LANG: lang})
            etree.SubElement(variant, "seg").text = self._clean(text)
        self._xml.write(unit, "\n")
        self.rows += 1

    def counts(self) -> dict[str, int]:
        """The pairs written, and how many characters XML could not hold."""
        return {"tmx": self.rows, "tmx_characters_removed": self._removed}

    def _header(self) -> dict[str, str]:
        """A stream cannot know its languages at its head: "*all*" here, and `srclang` on every unit."""
        return {
            "creationtool": "mekong-mt",
            "creationtoolversion": self._version,
            "segtype": "block",
            "o-tmf": "mekong-jsonl",
            "adminlang": "en",
            "srclang": "*all*",
            "datatype": "plaintext",
            "o-encoding": "UTF-8",
        }

    def _property(self, unit: Any, name: str, text: str) -> None:
        etree.SubElement(unit, "prop", {"type": f"x-{name}"}).text = self._clean(text)

    def _clean(self, text: str) -> str:
        cleaned, removed = _ILLEGAL.subn("", text)
        self._removed += removed
        return cleaned
