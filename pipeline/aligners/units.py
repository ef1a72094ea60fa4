"""The units that beads are made of: phrases where a language does not mark its sentences, sentences elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.text import english, vietnamese
from pipeline.text.unicode import normalise

Span = tuple[int, int]

# Log-odds that a position is a sentence boundary.
LINE_BREAK = 6.0
BETWEEN_PHRASES = 3.0
BETWEEN_SENTENCES = 2.0

_PHRASAL = frozenset({"th"})
# A phrase never begins with a repetition or abbreviation mark.
_PHRASE = re.compile(r"\S+(?:\s+[ๆฯ]\S*)*")
_SPLITTERS: dict[str, Callable[[str], list[Span]]] = {"en": english.sentences, "vi": vietnamese.sentences}


@dataclass(frozen=True, slots=True)
class Units:
    """A text cut into n units: their spans in the text, their normalised texts, and the number of each one's line."""

    spans: tuple[Span, ...]
    texts: tuple[str, ...]
    lines: tuple[int, ...]
    between: float
    """Log-odds of a sentence boundary between two units of one line."""

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
        inner = [
            LINE_BREAK if one != other else self.between for one, other in zip(self.lines, self.lines[1:], strict=False)
        ]
        return np.array([LINE_BREAK, *inner, LINE_BREAK][: len(self.lines) + 1])


def is_phrasal(lang: str) -> bool:
    """Whether the language leaves the end of a sentence unmarked, so that phrases have to be its units."""
    return lang in _PHRASAL


def cut_units(text: str, lang: str, stretches: Iterable[Span]) -> Units:
    """The units of `stretches` (spans of `text`, in order): phrases at white space for Thai, sentences otherwise.

    White space and what normalisation removes are in no unit.
    """
    split = _phrases if is_phrasal(lang) else _SPLITTERS.get(lang, english.sentences)
    spans = []
    for start, end in stretches:
        line_start = start
        for line in text[start:end].split("\n"):
            spans += [(line_start + s, line_start + e) for s, e in split(line)]
            line_start += len(line) + 1
    return whole_units(text, lang, spans, BETWEEN_PHRASES if is_phrasal(lang) else BETWEEN_SENTENCES)


def whole_units(text: str, lang: str, spans: Iterable[Span], between: float = BETWEEN_SENTENCES) -> Units:
    """Units given by their spans in `text`; those without any content are left out."""
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
    return Units(tuple(kept), tuple(texts), tuple(lines), between)


def _phrases(line: str) -> list[Span]:
    return [match.span() for match in _PHRASE.finditer(line)]
