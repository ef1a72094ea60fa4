"""How English writes days, months, years and clock times: the first pattern that fits wins."""

from __future__ import annotations

import re

from pipeline.text.data import values
from pipeline.text.numbers.fragments import CLOCK, DASH, END, HOUR, ISO

NAMES = tuple(values("english_months.txt"))
MONTHS = {name[:3].lower(): i for i, name in enumerate(NAMES, 1)}
_MONTH = (
    r"(?P<month>Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?|July?|Aug(?:ust|\.)?|"
    r"Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?|" + "|".join(map(str.upper, NAMES)) + ")"
)
# May and March are other words as well.
_EN_FULL = "Sept|" + "|".join(f"{name}|{name.upper()}" for name in NAMES if name not in ("March", "May"))
_EN_BEFORE = (
    "in|of|since|until|till|by|from|to|between|and|or|during|last|this|next|early|late|mid|through|before|after"
)
_TH = "(?:st|nd|rd|th)?"
_EN_TO = f" ?(?:{DASH}|to|and|&) ?"


DATES = [
    re.compile(pattern)
    for pattern in (
        ISO,
        r"(?<![\d/])(?P<m>\d{1,2})/(?P<m2>\d{1,2})/(?P<y>\d{4}|\d\d)(?![\d/])",
        rf"\b{_MONTH} (?P<d1>\d{{1,2}}){_TH}(?:{_EN_TO}(?P<d2>\d{{1,2}}){_TH})?{END}(?:,? (?P<y>\d{{4}}){END})?",
        rf"(?<![\d.,])(?P<d1>\d{{1,2}}){_TH}(?:{_EN_TO}(?P<d2>\d{{1,2}}){_TH})? (?:of )?{_MONTH}\b"
        rf"(?:,? (?P<y>\d{{4}}){END})?",
        rf"\b(?P<month>{_EN_FULL}|(?:March|May)(?=,? (?:19|20)\d\d(?!\d)))\b",
        rf"\b(?i:{_EN_BEFORE})[ -](?P<month>March|May)\b",
    )
]
TIMES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?<![\d:.,]){HOUR}(?:[.:](?P<min>[0-5]\d))? ?(?P<half>[ap])\.?m\b\.?",
        CLOCK,
    )
]
WITHOUT_DIGITS = re.compile("|".join(name[:3] for name in (*NAMES, *map(str.upper, NAMES))))
"""A text with neither a digit nor this in it states no date."""
