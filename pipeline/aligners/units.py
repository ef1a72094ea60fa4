"""The units that beads are made of: phrases where a language does not mark its sentences, sentences elsewhere."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from pipeline.text import english, thai, vietnamese
from pipeline.text.unicode import normalise

Span = tuple[int, int]

# Log-odds that a position is a sentence boundary. Those between Thai phrases are raised, because the search should
# trust the other language rather than the rules: what no rule can tell counts as a boundary that costs nothing.
LINE_BREAK = 6.0
BETWEEN_SENTENCES = 2.0
INSIDE_PHRASE = 0.0
PHRASE_LIFT = 4.0

_PHRASAL = frozenset({"th"})
# A unit never begins with a repetition or abbreviation mark.
_SPACED = re.compile(r"\S+(?:\s+[ๆฯ]\S*)*")
_SPLITTERS: dict[str, Callable[[str], list[Span]]] = {"en": english.sentences, "vi": vietnamese.sentences}


@dataclass(frozen=True, slots=True)
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

    @property
    def lengths(self) -> NDArray[np.float64]:
        """Characters without white space, (n,)."""
        return np.array([sum(not char.isspace() for char in text) for text in self.texts], dtype=np.float64)

    @property
    def cuts(self) -> NDArray[np.float64]:
        """Log-odds of a sentence boundary at each position 0..n, (n+1,)."""
        return np.array([*self.odds, LINE_BREAK])


def is_phrasal(lang: str) -> bool:
    """Whether the language leaves the end of a sentence unmarked, so that phrases have to be its units."""
    return lang in _PHRASAL


def cut_units(text: str, lang: str, stretches: Iterable[Span]) -> Units:
    """The units of `stretches` (spans of `text`, in order): what stands between spaces for Thai, sentences otherwise.

    White space and what normalisation removes are in no unit.
    """
    split = _spaced if is_phrasal(lang) else _SPLITTERS.get(lang, english.sentences)
    spans = []
    for start, end in stretches:
        for line_start, line in _lines(text[start:end]):
            spans += [(start + line_start + s, start + line_start + e) for s, e in split(line)]
    return whole_units(text, lang, spans)


def whole_units(text: str, lang: str, spans: Iterable[Span]) -> Units:
    """Units given by their spans in `text`, in order; those without any content are left out."""
    kept: list[Span] = []
    texts: list[str] = []
    lines: list[int] = []
    done = line = 0
    for start, end in spans:
        line += text.count("\n", done, start)
        done = start
        content = normalise(text[start:end], lang).text.strip()
        if content:
            kept.append((start, end))
            texts.append(content)
            lines.append(line)
    inner = _phrase_odds(text, lang, kept) if is_phrasal(lang) else [BETWEEN_SENTENCES] * len(kept)
    odds = [LINE_BREAK if i == 0 or lines[i] != lines[i - 1] else inner[i] for i in range(len(kept))]
    return Units(tuple(kept), tuple(texts), tuple(lines), tuple(odds))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for line in text.split("\n"):
        yield start, line
        start += len(line) + 1


def _spaced(line: str) -> list[Span]:
    return [match.span() for match in _SPACED.finditer(line)]


def _phrase_odds(text: str, lang: str, spans: Sequence[Span]) -> list[float]:
    """Log-odds, by the rules of the language, that a sentence begins with each of the spans."""
    odds = [INSIDE_PHRASE] * len(spans)
    starts = [start for start, _ in spans]
    for line_start, line in _lines(text):
        normal = normalise(line, lang)
        phrases = thai.phrases(normal.text)
        for (start, _), score in zip(phrases[1:], thai.boundary_scores(normal.text, phrases), strict=False):
            unit = bisect_right(starts, line_start + normal.offsets[start]) - 1
            if unit >= 0:
                odds[unit] = PHRASE_LIFT + log(score / (1 - score))
    return odds
