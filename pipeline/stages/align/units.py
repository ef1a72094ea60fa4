"""The units that beads are made of: the stretches between places where a sentence might begin.

Which of them are boundaries is left to the alignment, since no splitter finds them all: Thai marks none, and an English
headline often runs into the sentence after it by a space (`pipeline.stages.segment.boundary_model`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.align.beads import LINE_BREAK
from pipeline.stages.segment import boundaries
from pipeline.text.languages import language
from pipeline.text.unicode import normalise
from pipeline.types import ENGLISH

Span = tuple[int, int]

DOCUMENTS = 1024
"""Documents whose units are remembered, some 20 kB each: to cut one takes most of the time of its alignment, and it is
asked for as a candidate, in another reading, and as a pair."""
# Log-odds that a sentence begins at a place.
BETWEEN_SENTENCES = 2.0
WEAKEST = -6.0
"""Where it is less likely than that no unit begins; on news 1 boundary in 1,000 or fewer is lost by it."""


@dataclass(frozen=True)
class Units:
    """A text cut into n units: their spans in the text, their normalised texts, the number of each one's line, and the
    log-odds that a sentence begins with each."""

    spans: tuple[Span, ...]
    texts: tuple[str, ...]
    lines: tuple[int, ...]
    odds: tuple[float, ...]

    def by_line(self, texts: Sequence[str] | None = None) -> list[list[str]]:
        """The units' texts (or others, one a unit) grouped by line."""
        grouped: dict[int, list[str]] = {}
        for line, text in zip(self.lines, self.texts if texts is None else texts, strict=True):
            grouped.setdefault(line, []).append(text)
        return list(grouped.values())

    def sentences(self) -> list[tuple[int, int]]:
        """The likely sentences as unit ranges: from each place that is rather a boundary than not to the next."""
        starts = [number for number, odds in enumerate(self.odds) if odds > 0]
        return list(pairwise([*starts, len(self.odds)]))

    @cached_property
    def lengths(self) -> NDArray[np.float64]:
        """Characters without white space, (n,)."""
        return np.array([sum(map(len, text.split())) for text in self.texts], dtype=np.float64)

    @cached_property
    def cuts(self) -> NDArray[np.float64]:
        """Log-odds of a sentence boundary at each position 0..n, (n+1,)."""
        return np.array([*self.odds, LINE_BREAK])


def is_phrasal(lang: str) -> bool:
    """Whether the language leaves the end of a sentence unmarked, so that a sentence has many units."""
    return not language(lang).sentence_marks


def cut_units(text: str, lang: str, stretches: Iterable[Span]) -> Units:
    """The units of `stretches` (spans of `text`, in order), in a language without a boundary model by the English one.

    White space and what normalisation removes are in no unit.
    """
    return _cut_units(text, lang, tuple(stretches))


@lru_cache(DOCUMENTS)
def _cut_units(text: str, lang: str, stretches: tuple[Span, ...]) -> Units:
    lines = [(start, normalise(text[start:end], lang)) for start, end in _lines(text, stretches)]
    lines = [(start, line) for start, line in lines if line.text]
    model = boundaries.load(lang if language(lang).boundaries else ENGLISH)
    odds = model.log_odds("\n".join(line.text for _, line in lines))
    places: list[tuple[int, float]] = []
    base, at = 0, 0
    for start, line in lines:
        places.append((start + line.offsets[0], LINE_BREAK))
        while at < len(odds) and odds[at][0] < base + len(line.text):
            place, likely = odds[at]
            if likely > WEAKEST:
                places.append((start + line.offsets[place - base], likely))
            at += 1
        base += len(line.text) + 1
    ends = [start + line.offsets[-1] for start, line in lines]
    return _units(text, lang, _between(text, places, ends), [likely for _, likely in places])


def whole_units(text: str, lang: str, spans: Iterable[Span]) -> Units:
    """Units given by their spans in `text`, in order; those without any content are left out."""
    given = list(spans)
    return _units(text, lang, given, [BETWEEN_SENTENCES] * len(given))


def _units(text: str, lang: str, spans: Sequence[Span], likely: Sequence[float]) -> Units:
    kept: list[Span] = []
    texts: list[str] = []
    lines: list[int] = []
    odds: list[float] = []
    done = line = 0
    for (start, end), chance in zip(spans, likely, strict=True):
        line += text.count("\n", done, start)
        done = start
        content = normalise(text[start:end], lang).text.strip()
        if content:
            odds.append(LINE_BREAK if not lines or lines[-1] != line else chance)
            kept.append((start, end))
            texts.append(content)
            lines.append(line)
    return Units(tuple(kept), tuple(texts), tuple(lines), tuple(odds))


def _lines(text: str, stretches: Iterable[Span]) -> Iterator[Span]:
    """The lines of the stretches; neighbours with only spaces between them are one."""
    joined: list[Span] = []
    for start, end in stretches:
        between = text[joined[-1][1] : start] if joined else "\n"
        if between.strip() or "\n" in between:
            joined.append((start, end))
        else:
            joined[-1] = (joined[-1][0], end)
    for start, end in joined:
        for line in text[start:end].split("\n"):
            yield start, start + len(line)
            start += len(line) + 1


def _between(text: str, places: Sequence[tuple[int, float]], ends: Sequence[int]) -> list[Span]:
    """From each place to the next, or to the end of its line, without the space there."""
    edges = sorted({*(place for place, _ in places[1:]), *ends})
    found = []
    at = 0
    for start, _ in places:
        while edges[at] <= start:
            at += 1
        found.append((start, start + len(text[start : edges[at]].rstrip())))
    return found
