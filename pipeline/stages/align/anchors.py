"""Anchors: what stays recognisable across languages without any model. Numbers by value, names in Latin letters,
addresses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.text.languages import language
from pipeline.text.numbers import numbers
from pipeline.text.patterns import ADDRESS, THAI
from pipeline.text.unicode import fold

Rows = NDArray[np.float64]

_LETTER = rf"[^\W\d_{THAI}]"
_NAME = re.compile(rf"{_LETTER}[\w'’-]*(?: {_LETTER}[\w'’-]*)*")


def anchors(text: str, lang: str) -> Counter[str]:
    """The anchors of `text` and how often each occurs.

    Names are folded (case, marks) and come as single words and as joined pairs, so that `Việt Nam` meets `Vietnam`;
    in a text of another script every Latin word counts as one.
    """
    found: Counter[str] = Counter(f"number {number.value.normalize():f}" for number in numbers(text, lang))
    found.update(f"address {match[0].rstrip('.,;:)/').lower()}" for match in ADDRESS.finditer(text))
    for run in _NAME.finditer(ADDRESS.sub(" ", text)):
        found.update(_names(run[0].split(" "), lang))
    return found


def _names(words: Sequence[str], lang: str) -> list[str]:
    names: list[str] = []
    before = ""
    for word in words:
        name = fold(word).replace("'", "").removesuffix("s") if language(lang).script or word[0].isupper() else ""
        if len(name) > 1:
            names.append(f"name {name}")
        if before and name:
            names.append(f"name {before}{name}")
        before = name
    return names


def shared_rows(src: Sequence[Counter[str]], tgt: Sequence[Counter[str]]) -> tuple[Rows, Rows]:
    """Anchor weights of the units of two sides, shapes (n, d) and (m, d), to be added up over spans.

    Only anchors that both sides have are columns; one weighs less the more units carry it.
    """
    carriers = Counter(key for unit in (*src, *tgt) for key in unit)
    both = {key for unit in src for key in unit} & {key for unit in tgt for key in unit}
    column = {key: i for i, key in enumerate(sorted(both))}
    weight = {key: np.log1p((len(src) + len(tgt)) / carriers[key]) for key in column}

    def rows(units: Sequence[Counter[str]]) -> Rows:
        found = np.zeros((len(units), max(1, len(column))))
        for i, unit in enumerate(units):
            for key in unit.keys() & column.keys():
                found[i, column[key]] = unit[key] * weight[key]
        return found

    return rows(src), rows(tgt)
