"""Rows of the report's tables, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from pathlib import PurePath
from typing import Any

from pipeline.report.collect import share
from pipeline.report.data import DocumentWork
from pipeline.report.marks import marked, word_differences
from pipeline.types import Document, Pair, Reject, Scored, Segment, Source, Translation, Verdict

NO_TEXT = ("failed", "empty")
TITLE_CHARS = 120
SHOWN_CHARS = 3000
"""Of a text of an example; a line of a crawl can be a whole page, and marking it takes its square."""
_TITLES = {"headline": 0, "boilerplate": 2}
"""Kinds of segments by how soon they are taken for a title; all others come between."""


def label(source: Source | Reject) -> str:
    """A short name for people: the file, and the line where it holds many documents."""
    name = PurePath(source.path).name or source.path
    return f"{name}:{source.line}" if source.line else name


def state(translation: Translation) -> str:
    """`passed` every guard (or had nothing to translate), `marked` by one, or `failed`: there is no English at all."""
    if translation.ended in ("stop", "skipped"):
        return "passed"
    return "failed" if translation.ended in NO_TEXT else "marked"


def title(document: Document, segments: tuple[Segment, ...]) -> str:
    """The headline, else the first text that is not boilerplate, at most TITLE_CHARS characters."""
    texts = [segment.text for segment in sorted(segments, key=lambda segment: _TITLES.get(segment.kind, 1))]
    first = (texts or [document.text.strip().split("\n")[0]])[0]
    return first if len(first) <= TITLE_CHARS else first[: TITLE_CHARS - 1].rstrip() + "…"


def pair_row(scored: Scored, verdict: Verdict, document: str, machine: str) -> dict[str, Any]:
    """A pair as an example; `document` is the label of its source document.

    `machine` is the translation of the same source where the English is not a translation of ours, else empty.
    """
    pair = scored.pair
    return {
        "id": pair.id,
        "origin": pair.origin,
        "document": document,
        "lang": pair.src_lang,
        "src": _shown(pair.src_text),
        "tgt": _shown(pair.tgt_text),
        "machine": _shown(machine),
        "scores": dict(scored.scores),
        "keep": verdict.keep,
        "reasons": list(verdict.texts),
    }


def _shown(text: str) -> str:
    return text if len(text) <= SHOWN_CHARS else f"{text[: SHOWN_CHARS - 1]}…"


def machine_text(pair: Pair, translations: Mapping[str, Translation]) -> str:
    """The translations of an aligned pair's source segments; they may say more, as a bead can be part of a segment."""
    if pair.origin == "translated":
        return ""
    return " ".join(translations[key].text for key in pair.src_segments if key in translations)


def with_marks(row: dict[str, Any]) -> dict[str, Any]:
    """A row of two texts with what they do not share marked in both, and what a translation of ours has otherwise."""
    src, tgt = marked(row["src"], row["lang"], row["tgt"])
    found = row | {"src_runs": src, "tgt_runs": tgt}
    if row.get("machine"):
        machine, english = word_differences(row["machine"], row["tgt"])
        found |= {"machine_runs": machine, "english_runs": english}
    return found


def marked_row(segment: Segment, translation: Translation, document: Document) -> dict[str, Any]:
    """A translation that did not pass its guards."""
    row = {
        "document": label(document.source),
        "lang": document.lang,
        "segment": segment.id,
        "state": state(translation),
        "ended": translation.ended,
        "problems": list(translation.problems),
        "attempts": translation.attempts,
        "src": segment.text,
        "tgt": translation.text,
    }
    return with_marks(row)


def document_row(work: DocumentWork, anchor: str) -> dict[str, Any]:
    """One document in figures; `anchor` is its place in the reading view, empty when it has none."""
    document = work.document
    states = [state(translation) for translation in work.translations]
    kept = sum(verdict.keep for _, verdict in work.pairs)
    return {
        "id": document.id,
        "label": label(document.source),
        "path": document.source.path,
        "url": document.source.url,
        "licence": document.source.licence,
        "date": document.source.date,
        "lang": document.lang,
        "title": title(document, work.segments),
        "characters": len(document.text),
        "segments": len(work.segments),
        "passed": states.count("passed"),
        "marked": states.count("marked"),
        "failed": states.count("failed"),
        "pairs": len(work.pairs),
        "kept": kept,
        "share": share(kept, len(work.pairs)),
        "anchor": anchor,
    }


def reading_row(work: DocumentWork, anchor: str) -> dict[str, Any]:
    """A translated document, paragraph by paragraph; the English of a segment is None where it was not translated."""
    english = {translation.segment_id: translation for translation in work.translations}
    refused = {
        segment_id: list(verdict.texts)
        for scored, verdict in work.pairs
        if scored.pair.origin == "translated" and not verdict.keep
        for segment_id in scored.pair.src_segments
    }
    paragraphs = [
        [_reading_segment(segment, english.get(segment.id), refused.get(segment.id, [])) for segment in segments]
        for _, segments in groupby(work.segments, key=lambda segment: segment.paragraph)
    ]
    document = work.document
    return {
        "anchor": anchor,
        "id": document.id,
        "label": label(document.source),
        "lang": document.lang,
        "title": title(document, work.segments),
        "paragraphs": paragraphs,
    }


def _reading_segment(segment: Segment, translation: Translation | None, refused: list[str]) -> dict[str, Any]:
    return {
        "text": segment.text,
        "kind": segment.kind,
        "english": translation.text if translation else None,
        "state": state(translation) if translation else "untranslated",
        "ended": translation.ended if translation else None,
        "problems": list(translation.problems) if translation else [],
        "reasons": refused,
    }


def reject_row(reject: Reject) -> dict[str, Any]:
    """Input that was set aside."""
    return {"path": reject.path, "line": reject.line, "offset": reject.offset, "reason": reject.reason}
