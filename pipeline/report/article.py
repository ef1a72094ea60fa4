"""One article as it was read, as it was normalised, and as it was cut into segments, line beside line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from pipeline.report.data import DocumentWork
from pipeline.report.rows import label, title
from pipeline.text.unicode import Normalised, normalise

BOILERPLATE = "boilerplate"
MAX_CHARS = 20_000
"""Lines are shown until this many characters are."""


def rank(work: DocumentWork) -> int:
    """How well a document shows what was done to it, less is better: Thai first, then one with boilerplate."""
    marked = any(segment.kind == BOILERPLATE for segment in work.segments)
    return 2 * (work.document.lang != "th") + (not marked)


def article(work: DocumentWork) -> dict[str, Any]:
    """A document line by line; `lines` is a table of `number` (from 1), `original`, `normalised` and `segments`.

    The texts are lists of runs, `changed` where the other one differs. A line is shown whole or not at all.
    """
    document, rows, shown, total = work.document, [], 0, 0
    segments = _by_line(work)
    for number, line in enumerate(document.text.split("\n"), 1):
        if not line.strip():
            continue
        total += 1
        shown += len(line)
        if shown > MAX_CHARS:
            continue
        normal = normalise(line, document.lang)
        original, changed = _differences(line, normal)
        rows.append(
            {
                "number": number,
                "original": list(_runs(line, original)),
                "normalised": list(_runs(normal.text, changed)),
                "segments": segments.get(number, []),
            }
        )
    return {
        "label": label(document.source),
        "title": title(document, work.segments),
        "lang": document.lang,
        "lines": {"total": total, "rows": rows},
    }


def _by_line(work: DocumentWork) -> dict[int, list[dict[str, str]]]:
    """The segments by the number of the line they begin on."""
    found: dict[int, list[dict[str, str]]] = {}
    line, done, text = 1, 0, work.document.text
    for segment in work.segments:
        line += text.count("\n", done, segment.start)
        done = segment.start
        found.setdefault(line, []).append({"id": segment.id, "kind": segment.kind, "text": segment.text})
    return found


def _differences(line: str, normal: Normalised) -> tuple[list[bool], list[bool]]:
    """For each character of both texts whether normalisation changed it, by the map from the one to the other."""
    original, changed = [True] * len(line), [True] * len(normal.text)
    for i, char in enumerate(normal.text):
        start, end = normal.span(i, i + 1)
        if line[start:end].startswith(char):
            # What was removed counts to the character before it, which itself is as it was.
            original[start] = changed[i] = False
    return original, changed


def _runs(text: str, flags: Iterable[bool]) -> Iterator[dict[str, Any]]:
    for changed, run in groupby(zip(text, flags, strict=True), key=lambda item: item[1]):
        yield {"text": "".join(char for char, _ in run), "changed": changed}
