"""How English writes days, months, years and clock times: the first pattern that fits wins.

Text that was prepared for another program may have spaces around points and commas, and no capitals.
"""

from __future__ import annotations

import re

from pipeline.text.data import values
from pipeline.text.numbers.fragments import CLOCK, DASH, END, HOUR, ISO

NAMES = tuple(values("english_months.txt"))
MONTHS = {name[:3].lower(): i for i, name in enumerate(NAMES, 1)}
_SHORT_OR_FULL = (
    r"(?:Jan(?:uary| ?\.)?|Feb(?:ruary| ?\.)?|Mar(?:ch| ?\.)?|Apr(?:il| ?\.)?|May|June?|July?|Aug(?:ust| ?\.)?|"
    r"Sept?(?:ember| ?\.)?|Oct(?:ober| ?\.)?|Nov(?:ember| ?\.)?|Dec(?:ember| ?\.)?)"
)
_MONTH = f"(?P<month>(?-i:May|March|MAY|MARCH)|(?i:(?!may|march){_SHORT_OR_FULL}))"
_FULL = "|".join(NAMES)
# May, March and, in small letters, august are other words as well.
_SURE = "|".join(name for name in NAMES if name not in ("March", "May", "August"))
_BEFORE = "in|of|since|until|till|by|from|to|between|and|or|during|last|this|next|early|late|mid|through|before|after"
_BEFORE_SMALL = "in|of|since|until|till|by|from|between|during|last|next|early|late|mid|through|before|after"
_TH = "(?: ?(?:st|nd|rd|th))?"
_TO = f" ?(?:{DASH}|to|and|&) ?"
_YEAR = rf"(?: ?,? ?(?:of )?(?P<y>\d{{4}}){END})?"
_ORDINALS = values("english_ordinals.txt")
_NTH = {word: value for word, value in _ORDINALS.items() if value <= 12}
HOURS = {word: value for word, value in values("english_units.txt").items() if value <= 12}
_HOUR_WORD = f"(?P<word>{'|'.join(HOURS)})"

# Each with what stands in the text, in small letters, wherever it fits: most texts have little of it.
_NAMED = "|".join(MONTHS)
DATES = [
    (re.compile(probe), re.compile(pattern))
    for probe, pattern in (
        (r"\d-\d", ISO),
        (
            r"\d ?/ ?\d",
            r"(?<![\d/])(?P<m>\d{1,2})(?P<gap> ?)/(?P=gap)(?P<m2>\d{1,2})(?P=gap)/(?P=gap)(?P<y>\d{4}|\d\d)(?![\d/])",
        ),
        (_NAMED, rf"(?<!\w){_MONTH} (?P<d1>\d{{1,2}}){_TH}(?:{_TO}(?P<d2>\d{{1,2}}){_TH})?{END}{_YEAR}"),
        (
            _NAMED,
            rf"(?<![\d.,])(?P<d1>\d{{1,2}}){_TH}(?:{_TO}(?P<d2>\d{{1,2}}){_TH})? (?:of )?{_MONTH}\b{_YEAR}",
        ),
        (
            r"(?:may|march) \d",
            rf"\b(?:{_BEFORE_SMALL}|on|to) (?P<month>may|march) (?P<d1>\d{{1,2}}){_TH}{END}{_YEAR}",
        ),
        (
            r" (?:may|march)\b",
            rf"(?<![\d.,])(?P<d1>\d{{1,2}}){_TH} (?:of )?(?P<month>may|march)"
            rf"(?:,? ?(?P<y>\d{{4}}){END}|(?= ?[.,;)]|$))",
        ),
        (_NAMED, rf"\b{_MONTH} ?(?:{DASH}|to|and|or|through|&) ?(?P<month2>{_FULL}|{_SHORT_OR_FULL})\b"),
        (
            _NAMED,
            rf"\b(?P<month>(?i:{_SURE})|August|Sept|AUGUST|(?:March|May)(?=,? (?:of )?(?:19|20)\d\d(?!\d)))\b",
        ),
        ("[ -](?:march|may)", rf"\b(?i:{_BEFORE})[ -](?P<month>March|May|MARCH|MAY)\b"),
        ("[ -](?:march|may|august)", rf"\b(?:{_BEFORE_SMALL})[ -](?P<month>march|may|august)\b"),
        # The months of the lunar year go by their numbers.
        (
            "lunar",
            rf"\b(?i:(?P<lunar>{'|'.join(_NTH)}|last|1[0-2](?:st|nd|rd|th)|[1-9](?:st|nd|rd|th)) (?:lunar month"
            r"|month of the (?:lunar|Lunar)))",
        ),
        ("th[aá]ng ", r"\bTh[aá]ng (?P<m>\d{1,2})(?!\d)"),
    )
]
TIMES = [
    (re.compile(probe), re.compile(pattern, re.IGNORECASE))
    for probe, pattern in (
        (r"\d ?[ap] ?\.? ?m", rf"(?<![\d:.,]){HOUR}(?: ?[.:] ?(?P<min>[0-5]\d))? ?(?P<half>[ap]) ?\.? ?m\b\.?"),
        (
            r"\d (?:o['’]clock|in the )",
            rf"(?<![\d:.,]){HOUR}(?:[.:](?P<min>[0-5]\d))?(?: o['’]clock)? "
            r"(?:in the (?P<part>morning|afternoon|evening)(?= ?(?:[.,;)]|$|on\b|of\b))|o['’]clock)",
        ),
        (
            "(?:half|quarter|minutes) (?:past|to) ",
            r"\b(?P<past>(?:half|(?:a )?quarter|(?:five|ten|twenty) minutes) (?:past|to)) "
            rf"(?:{HOUR}(?!\d)|{_HOUR_WORD}\b)",
        ),
        (
            "(?:fifteen|thirty|five) [ap]",
            rf"\b{_HOUR_WORD}[ -](?P<past>fifteen|thirty|forty[- ]five) (?P<half>[ap]) ?\.? ?m\b\.?",
        ),
        (r"\d:\d", CLOCK),
        (r"\d : \d", rf"(?<![\d:.,]){HOUR} : (?P<min>[0-5]\d)(?!\d| ?: ?\d)"),
    )
]
WITHOUT_DIGITS = re.compile(rf"{_NAMED}|lunar|(?:half|quarter|minutes) (?:past|to) |(?:fifteen|thirty|five) [ap]")
"""A text with neither a digit nor this, in small letters, in it states no date and no time."""
_PAST = {"half": 30, "quarter": 15, "fifteen": 15, "thirty": 30, "forty": 45, "five": 5, "ten": 10, "twenty": 20}


def lunar_month(written: str) -> int:
    """The number of a month of the lunar year: first, 3rd, last."""
    digits = re.match(r"\d+", written)
    return int(digits[0]) if digits else _NTH.get(written.lower(), 12)


def minutes_past(written: str) -> int:
    """The minutes of "half past", "a quarter to" (-15), and of "thirty" after the hour."""
    lower = written.lower()
    size = next(size for word, size in _PAST.items() if word in lower)
    return -size if lower.endswith("to") else size


def hour_of_day(part: str, hour: int) -> int:
    """The hour (0 to 24) that `hour` (1 to 12) is in the morning, afternoon or evening."""
    return hour % 12 if part == "morning" else hour % 12 + 12
