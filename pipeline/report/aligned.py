"""An aligned document pair: which stretch of the one side is linked with which of the other, and what is left over."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pipeline.report.data import AlignedWork, DocumentWork
from pipeline.report.rows import label, machine_text, title, with_marks
from pipeline.types import Pair, Scored, Verdict

Span = tuple[int, int]


def aligned_row(work: AlignedWork, rank_by: str, anchor: str) -> dict[str, Any]:
    """One aligned document pair.

    `left` and `right` are the stretches of both columns from top to bottom: bead number (None where unaligned), kind,
    number of characters, and the `id` of the row that shows it. `rows` is the same as a table: beads, with what is
    unaligned in its place between them.
    """
    source, english = work.source.document, work.english.document
    beads = sorted(
        (item for item in work.source.pairs if item[0].pair.tgt_doc == english.id),
        key=lambda item: (item[0].pair.src_spans, item[0].pair.tgt_spans),
    )
    pairs = [scored.pair for scored, _ in beads]
    left = _stretches(work.source, [pair.src_spans for pair in pairs], f"{anchor}-", "s")
    right = _stretches(work.english, [pair.tgt_spans for pair in pairs], f"{anchor}-", "t")
    translations = {translation.segment_id: translation for translation in work.source.translations}
    rows = [
        _bead_row(f"{anchor}-{number}", number, scored, verdict, machine_text(scored.pair, translations), rank_by)
        for number, (scored, verdict) in enumerate(beads, 1)
    ]
    return {
        "anchor": anchor,
        "src_label": label(source.source),
        "tgt_label": label(english.source),
        "src_title": title(source, work.source.segments),
        "tgt_title": title(english, work.english.segments),
        "lang": source.lang,
        "similarity": work.pair.similarity,
        "bead_score": work.pair.bead_score,
        "coverage": work.pair.coverage,
        "rank_by": rank_by,
        "kept": sum(verdict.keep for _, verdict in beads),
        "left": [_plain_stretch(stretch) for stretch in left],
        "right": [_plain_stretch(stretch) for stretch in right],
        "rows": list(_table(rows, pairs, left, right)),
    }


def _stretches(
    work: DocumentWork, spans_of_beads: Sequence[Sequence[Span]], anchor: str, side: str
) -> list[dict[str, Any]]:
    """The linked spans and, between them, what the segments hold beyond them; ordered by position."""
    found: list[dict[str, Any]] = []
    linked = [(start, end, number) for number, spans in enumerate(spans_of_beads, 1) for start, end in spans]
    text = work.document.text
    for start, end, number in linked:
        found.append({"bead": number, "kind": "linked", "start": start, "text": text[start:end]})
    taken = sorted((start, end) for start, end, _ in linked)
    for segment in work.segments:
        for start, end in _rest((segment.start, segment.end), taken):
            if text[start:end].strip():
                found.append({"bead": None, "kind": segment.kind, "start": start, "text": text[start:end].strip()})
    found.sort(key=lambda stretch: stretch["start"])
    for place, stretch in enumerate(found, 1):
        stretch["id"] = anchor + (f"{side}{place}" if stretch["bead"] is None else str(stretch["bead"]))
    return found


def _rest(span: Span, taken: Iterable[Span]) -> Iterable[Span]:
    """The parts of `span` that no span of `taken` (sorted) covers."""
    at, last = span
    for start, end in taken:
        if end <= at or start >= last:
            continue
        if start > at:
            yield at, start
        at = max(at, end)
    if at < last:
        yield at, last


def _plain_stretch(stretch: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": stretch["id"],
        "bead": stretch["bead"],
        "kind": stretch["kind"],
        "characters": len(stretch["text"]),
    }


def _table(
    beads: Sequence[dict[str, Any]],
    pairs: Sequence[Pair],
    left: list[dict[str, Any]],
    right: list[dict[str, Any]],
) -> Iterable[dict[str, Any]]:
    free = [[stretch for stretch in side if stretch["bead"] is None] for side in (left, right)]
    for row, pair in zip(beads, pairs, strict=True):
        yield from _before(free[0], _first(pair.src_spans), "src")
        yield from _before(free[1], _first(pair.tgt_spans), "tgt")
        yield row
    yield from _before(free[0], None, "src")
    yield from _before(free[1], None, "tgt")


def _first(spans: Sequence[Span]) -> int:
    return min((start for start, _ in spans), default=0)


def _before(free: list[dict[str, Any]], position: int | None, side: str) -> Iterable[dict[str, Any]]:
    """Take from `free` what begins before `position` (all of it for None), as rows with one empty side."""
    while free and (position is None or free[0]["start"] < position):
        stretch = free.pop(0)
        texts = {"src": "", "tgt": ""} | {side: stretch["text"]}
        yield {
            "id": stretch["id"],
            "bead": None,
            "kind": stretch["kind"],
            **texts,
            "score": None,
            "keep": False,
            "reasons": [],
        }


def _bead_row(name: str, number: int, scored: Scored, verdict: Verdict, machine: str, rank_by: str) -> dict[str, Any]:
    row = {
        "id": name,
        "bead": number,
        "kind": "linked",
        "lang": scored.pair.src_lang,
        "src": scored.pair.src_text,
        "tgt": scored.pair.tgt_text,
        "machine": machine,
        "score": scored.scores.get(rank_by),
        "keep": verdict.keep,
        "reasons": list(verdict.texts),
    }
    return with_marks(row)
