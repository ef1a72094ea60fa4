"""The same few figures for parts of the run: by source, language, origin and length of the source text."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any
from urllib.parse import urlsplit

from pipeline.report.collect import share
from pipeline.report.rows import state
from pipeline.types import Scored, Segment, Source, Translation, Verdict

LENGTHS = (50, 100, 200, 400)
"""Where the bands of source characters end, each end excluded."""
MAX_TRACKED = 2000
MAX_SHOWN = 30
FURTHER = "further sources"
DIMENSIONS = ("language", "origin", "length", "source")


@dataclass
class Slice:
    """Counts and sums of one part."""

    pairs: int = 0
    kept: int = 0
    translations: int = 0
    passed: int = 0
    sums: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    counts: Counter[str] = field(default_factory=Counter)


def site(source: Source) -> str:
    """Where a document is from: the host of its URL, else its file if that holds many documents, else its folder."""
    try:
        host = urlsplit(source.url).hostname or ""
    except ValueError:
        host = ""
    path = PurePath(source.path)
    return host.removeprefix("www.") or (path.name if source.line else str(path.parent))


def band(text: str) -> str:
    """The band of lengths that a source text falls in, such as "50 to 99"."""
    edges = (1, *LENGTHS)
    for low, end in zip(edges, LENGTHS, strict=False):
        if len(text) < end:
            return f"{low} to {end - 1}"
    return f"{LENGTHS[-1]} and more"


class Slices:
    """Counts over pairs and translations; `scores` are those whose means are shown.

    After MAX_TRACKED sources the rest is counted together.
    """

    def __init__(self, scores: Sequence[str]) -> None:
        self.scores = tuple(dict.fromkeys(scores))
        self._slices: defaultdict[tuple[str, str], Slice] = defaultdict(Slice)
        self._sources: set[str] = set()

    def add_pair(self, scored: Scored, verdict: Verdict, source: Source) -> None:
        """Count one judged pair of a document from `source`."""
        pair = scored.pair
        for key in self._keys(pair.src_lang, pair.origin, pair.src_text, source):
            found = self._slices[key]
            found.pairs += 1
            found.kept += verdict.keep
            for name in self.scores:
                value = scored.scores.get(name)
                if value is not None:
                    found.sums[name] += value
                    found.counts[name] += 1

    def add_translation(self, segment: Segment, translation: Translation, lang: str, source: Source) -> None:
        """Count one translation and whether it passed its guards."""
        for key in self._keys(lang, "translated", segment.text, source):
            found = self._slices[key]
            found.translations += 1
            found.passed += state(translation) == "passed"

    def _keys(self, lang: str, origin: str, text: str, source: Source) -> list[tuple[str, str]]:
        return list(zip(DIMENSIONS, (lang, origin, band(text), self._source(source)), strict=True))

    def _source(self, source: Source) -> str:
        name = site(source)
        if name not in self._sources and len(self._sources) >= MAX_TRACKED:
            return FURTHER
        self._sources.add(name)
        return name

    def tables(self) -> list[dict[str, Any]]:
        """One table a dimension that has parts; lengths in order, the others with the most pairs first."""
        tables = []
        scores = tuple(name for name in self.scores if any(found.counts[name] for found in self._slices.values()))
        for dimension in DIMENSIONS:
            rows = [(name, found) for (kind, name), found in self._slices.items() if kind == dimension]
            if dimension == "length":
                rows.sort(key=lambda item: int(item[0].split(" ")[0]))
            else:
                rows.sort(key=lambda item: (-item[1].pairs, item[0]))
            shown = [self._row(name, found, scores) for name, found in rows[:MAX_SHOWN]]
            tables.append({"by": dimension, "scores": scores, "total": len(rows), "rows": shown})
        return [table for table in tables if table["rows"]]

    def _row(self, name: str, found: Slice, scores: Sequence[str]) -> dict[str, Any]:
        return {
            "name": name,
            "pairs": found.pairs,
            "kept": found.kept,
            "rejected": found.pairs - found.kept,
            "share": share(found.kept, found.pairs),
            "translations": found.translations,
            "passed": found.passed,
            "pass_rate": share(found.passed, found.translations),
            "means": {
                score: found.sums[score] / found.counts[score] if found.counts[score] else None for score in scores
            },
        }
