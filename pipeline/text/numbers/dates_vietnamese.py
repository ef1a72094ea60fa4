"""How Vietnamese writes days, months, years and clock times: the first pattern that fits wins."""

from __future__ import annotations

import re

from pipeline.text.data import values
from pipeline.text.numbers.fragments import CLOCK, DASH, END, HOUR, ISO, NUMERIC

MONTHS = values("vietnamese_months.txt")
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))

DATES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        ISO,
        NUMERIC,
        rf"(?<![\d/])(?P<d1>\d{{1,2}}) ?(?:{DASH}|và|đến) ?(?P<d2>\d{{1,2}})/(?P<m>\d{{1,2}})"
        r"(?:/(?P<y>\d{4}))?(?![\d/])",
        r"(?<!quý )(?<!số )(?<![\d/])(?P<m>\d{1,2})[/-](?P<y>(?:19|20)\d\d)(?![\d/])",
        r"(?<![\d/,.-])(?P<d1>\d{1,2})(?P<sep>/)(?P<m>\d{1,2})(?![\d/]|[.,]\d)",
        r"\b(?:ngày (?:mùng |mồng )?|mùng |mồng )(?P<d1>\d{1,2})"
        rf"(?: ?(?:{DASH}|và|đến|,) ?(?:ngày )?(?P<d2>\d{{1,2}}))?{END}"
        r"(?:[ -](?:tháng )?(?P<m>\d{1,2})(?!\d|[.,]\d)(?:(?: năm |-)(?P<y>\d{4}))?)?",
        rf"\btháng (?P<m>\d{{1,2}}){END}(?: ?(?:{DASH}|và|đến|,) ?(?P<m2>\d{{1,2}}){END}(?! [^\W\d]))?"
        r"(?:(?: năm| ?/) ?(?P<y>\d{4}))?",
        rf"(?<!\d )\bnăm (?P<y>\d{{4}}){END}(?! (?:nghìn|ngàn|triệu|tỷ|tỉ))",
        rf"(?<!mỗi )(?<!hàng )(?<!một )\btháng (?P<month>{_MONTH})\b"
        r"(?! (?:lần|người|trăm|nghìn|ngàn|triệu|tỷ|tỉ)\b| (?!19|20)\d)",
    )
]
TIMES = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # With seconds it is how long something took, not when it was.
        r"(?!\d{1,2} ?giờ \d{1,2} ?phút \d{1,2} ?giây)"
        rf"(?<![\d:.,]){HOUR} ?(?:giờ|h|g(?=[0-5]\d))(?: ?(?P<min>[0-5]\d)(?!\d| ?[./]\d))?(?![^\W\d_])"
        "(?:(?: phút)? (?P<later>chiều|tối)\\b)?",
        CLOCK,
    )
]
WITHOUT_DIGITS = re.compile("tháng", re.IGNORECASE)
"""A text with neither a digit nor this in it states no date."""
