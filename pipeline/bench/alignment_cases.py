"""Gold alignments from files: texts with the spans of their sentences, or sentences given one a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.files.rows import read_rows
from pipeline.metrics.alignment import Gold, Link
from pipeline.text.language import detect

FORMAT = (
    "A case is a JSON line with id, src_text, tgt_text (English), src_spans, tgt_spans ([start, end] of each sentence "
    "in characters) and links ([[source sentences], [target sentences]], numbers from 0). Where sentences are given, "
    "name a folder with NAME.de, NAME.fr (a sentence a line) and NAME.defr (a line [0, 1]:[2] a bead)."
)
KEYS = ("id", "src_text", "tgt_text", "src_spans", "tgt_spans", "links")

_LINKS_FILE = re.compile(r"\.([a-z]{2})([a-z]{2})")


@dataclass(frozen=True, slots=True)
class Case:
    """A document pair with its true beads; with `given` an aligner is told the sentences, one a line."""

    id: str
    src_lang: str
    tgt_lang: str
    gold: Gold
    given: bool


def read_cases(path: Path) -> list[Case]:
    """The cases of a JSONL file, or of a folder.

    Raises InputError, telling the format, for what is neither.
    """
    try:
        cases = list(_folder(path) if path.is_dir() else _file(path))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", FORMAT) from error
    if not cases:
        raise InputError(f"{path} holds no case", FORMAT)
    repeated = {case.id for case in cases if sum(other.id == case.id for other in cases) > 1}
    if repeated:
        raise InputError(f"{path} has the id {min(repeated)!r} more than once", "Give each case an id of its own.")
    return cases


def _file(path: Path) -> Iterator[Case]:
    for where, row in read_rows(path, KEYS, FORMAT):
        yield _case(row, where)


def _case(row: dict[str, Any], where: str) -> Case:
    try:
        gold = Gold(
            str(row["src_text"]),
            str(row["tgt_text"]),
            tuple((int(start), int(end)) for start, end in row["src_spans"]),
            tuple((int(start), int(end)) for start, end in row["tgt_spans"]),
            tuple(_link(src, tgt) for src, tgt in row["links"]),
        )
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: spans or links are not pairs of numbers ({error})", FORMAT) from error
    return _checked(Case(str(row["id"]), detect(gold.src_text), "en", gold, given=False), where)


def _link(src: Sequence[int], tgt: Sequence[int]) -> Link:
    return tuple(int(number) for number in src), tuple(int(number) for number in tgt)


def _checked(case: Case, where: str) -> Case:
    """The case, if its spans lie in their texts and its links name sentences that are there."""
    gold = case.gold
    for text, spans in ((gold.src_text, gold.src_spans), (gold.tgt_text, gold.tgt_spans)):
        ends = [0, *(at for span in spans for at in span), len(text)]
        if ends != sorted(ends):
            raise InputError(f"{where}: the spans are not in order inside a text of {len(text)} characters", FORMAT)
    for link in gold.links:
        for numbers, spans in zip(link, (gold.src_spans, gold.tgt_spans), strict=True):
            if any(not 0 <= number < len(spans) for number in numbers):
                raise InputError(f"{where}: the link {link} names a sentence that is not there", FORMAT)
    return case


def _folder(path: Path) -> Iterator[Case]:
    for links in sorted(path.iterdir()):
        langs = _LINKS_FILE.fullmatch(links.suffix)
        if langs is None:
            continue
        src_lang, tgt_lang = langs.groups()
        src_text, src_spans = _sentences(links.with_suffix(f".{src_lang}"))
        tgt_text, tgt_spans = _sentences(links.with_suffix(f".{tgt_lang}"))
        gold = Gold(src_text, tgt_text, src_spans, tgt_spans, tuple(_index(links)))
        yield _checked(Case(links.stem, src_lang, tgt_lang, gold, given=True), str(links))


def _sentences(path: Path) -> tuple[str, tuple[tuple[int, int], ...]]:
    text = path.read_text("utf-8").removesuffix("\n")
    ends = list(accumulate(len(line) + 1 for line in text.split("\n")))
    return text, tuple(zip([0, *ends[:-1]], [end - 1 for end in ends], strict=True))


def _index(path: Path) -> Iterator[Link]:
    for number, line in enumerate(path.read_text("utf-8").split("\n"), 1):
        if line.strip():
            try:
                src, tgt = (json.loads(part) for part in line.split(":")[:2])
                yield _link(src, tgt)
            except (TypeError, ValueError) as error:
                raise InputError(f"{path}, line {number} is no bead: {line!r}", FORMAT) from error
