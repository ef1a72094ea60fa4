"""Quarters, halves and months of a year as analysts write them in any language: Q3, 3Q24, H1 2024, 9M24."""

from __future__ import annotations

import re

_PERIOD = re.compile(r"(?<![A-Za-z0-9])(?:[QH]([1-4])|(\d{1,2})[QHM])(?:/?(\d{4}|\d\d))?(?![A-Za-z0-9])")


def period_values(text: str) -> set[int]:
    """The parts of years that `text` names so and the years joined to them, two digits as years of this century.

    They answer for numbers of another text and are not asked of it.
    """
    values: set[int] = set()
    for match in _PERIOD.finditer(text):
        values.add(int(match[1] or match[2]))
        if match[3]:
            values.add(int(match[3]) + (2000 if len(match[3]) == 2 else 0))
    return values
