"""How Thai writes days, months, years and clock times: the first pattern that fits wins."""

from __future__ import annotations

import re

from pipeline.text.data import values
from pipeline.text.numbers.fragments import BE, CE, CLOCK, DASH, END, HOUR, ISO, NUMERIC

MONTHS = values("thai_months.txt")
_MONTH = "|".join(re.escape(name) for name in MONTHS)

DATES = [
    re.compile(pattern)
    for pattern in (
        ISO,
        NUMERIC,
        rf"(?:(?:(?<![\d.,])(?P<d1>\d{{1,2}}) ?(?:{DASH}|ถึง|และ|,) ?(?:วันที่ ?)?)?"
        r"(?<!\d)(?P<d2>\d{1,2}) ?(?:เดือน ?)?)?"
        rf"(?P<month>{_MONTH})(?: ?(?:ปี ?)?(?P<era>{BE}|{CE})?(?:ปี)? ?(?P<y>\d{{4}}|\d\d){END}(?! ?ปี))?",
        rf"วันที่ ?(?P<d1>\d{{1,2}})(?: ?(?:{DASH}|ถึง|และ) ?(?:วันที่ ?)?(?P<d2>\d{{1,2}}))?{END}",
    )
]
TIMES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?<![\d:.,]){HOUR}[.:](?P<min>[0-5]\d)(?= ?(?:{DASH}|ถึง) ?\d{{1,2}}[.:]\d\d ?(?:น\.|นาฬิกา))",
        rf"(?<![\d:.,]){HOUR}(?:[.:](?P<min>[0-5]\d))? ?(?:น\.|นาฬิกา)",
        rf"เวลา ?{HOUR}[.:](?P<min>[0-5]\d)(?!\d)",
        r"(?<![\d.,])(?P<night>[1-6]) ?ทุ่ม",
        r"บ่าย ?(?P<pm>[1-6])(?![\d.:]) ?(?:โมง)?",
        r"(?<![\d.,])(?P<pm>[3-7]) ?โมงเย็น",
        r"(?<![\d.,])(?P<h>[6-9]|1[01]) ?โมง",
        r"(?<![ก-๎])ตี ?(?P<h>[1-5])(?![\d.,]| ?(?:ครั้ง|คน|ลูก))",
        CLOCK,
    )
]
WITHOUT_DIGITS = re.compile(_MONTH)
"""A text with neither a digit nor this in it states no date."""
