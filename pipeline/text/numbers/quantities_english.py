"""Halves and quarters in English words: two years and a half, an hour and a half, a quarter of a million."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from pipeline.text.numbers.quantities import ENGLISH, Number, apart
from pipeline.text.patterns import either

_AND_A_HALF = re.compile(r"[ -](?:[a-z]+ )?and[ -]a[ -]half\b", re.IGNORECASE)
_ONE_AND_A_HALF = re.compile(r"\ban? [a-z]+ and a half\b", re.IGNORECASE)
_QUARTERS = re.compile(
    rf"\b(?:(?P<three>three)[ -]quarters|quarter) of an? (?P<scale>{either(ENGLISH)})\b|\b(?P<short>quarter) million\b",
    re.IGNORECASE,
)


def with_parts(text: str, numbers: list[Number]) -> list[Number]:
    """`numbers` of an English text in order, with halves after what is counted and with quarters of large numbers."""
    lower = text.lower()
    if "half" in lower:
        numbers = [_halved(text, number) for number in numbers]
    if " half" in lower or "quarter" in lower:
        parts = list(_parts(text))
        numbers = sorted([*apart(numbers, parts), *parts], key=lambda number: number.start)
    return numbers


def _halved(text: str, number: Number) -> Number:
    half = _AND_A_HALF.match(text, number.end)
    if not half or number.kind != "number" or number.value % 1:
        return number
    return replace(number, value=number.value + Decimal("0.5"), otherwise=(*number.otherwise, (number,)))


def _parts(text: str) -> Iterator[Number]:
    for match in _ONE_AND_A_HALF.finditer(text):
        if match[0].lower().split()[1] not in ENGLISH:
            yield Number(match.start(), match.end(), Decimal("1.5"))
    for match in _QUARTERS.finditer(text):
        scale = ENGLISH[(match["scale"] or "million").lower()]
        yield Number(match.start(), match.end(), Decimal(scale) * (3 if match["three"] else 1) / 4)
