"""How Thai writes days, months and years: a table of patterns, the first one that fits wins.

Months stand in full, abbreviated, abbreviated with points left out or spaces put in (ธค. ธ.ค ธ. ค.), and as people say
them (ตุลา, ตุลาฯ). The looser a form, the more must stand around it: มีนา and กันยา are names of people too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from pipeline.text.data import values, words
from pipeline.text.numbers.fragments import BE, CE, DASH, END
from pipeline.text.numbers.quantities import Era, Number
from pipeline.text.numbers.years_thai import SHORT_BUDDHIST, is_counted, thai_year
from pipeline.text.patterns import either, prefix_tree

Span = tuple[int, int]
Stamp = tuple[list[Number], list[Span]]

_NAMED = values("thai_months.txt")
_SPOKEN = values("thai_months_spoken.txt")
_SHORT = {name.replace(".", ""): month for name, month in _NAMED.items() if name.endswith(".")}
_LAST_DAY = 31
_INITIALS = frozenset({"ก.พ.", "ก.ค."})
"""Months that are offices or ranks of offices as well."""


_LOOSE = prefix_tree(f"{initials[:-1]}{gap}{initials[-1]}" for initials in _SHORT for gap in ("", ".", ". "))
"""The consonants of a month with or without points and a space between them."""
_MONTH = (
    f"(?:{prefix_tree(name for name in _NAMED if not name.endswith('.'))}"
    rf"|{prefix_tree(_SPOKEN)}ฯ?(?!การ|ยน|คม)|{_LOOSE}(?:\.(?!ศ\.|ส\.)|(?![ก-๎.])))"
)
_MONTH_RE = re.compile(_MONTH)
_TO = f" ?(?:{DASH}|ถึง|และ|กับ|หรือ|,) ?(?:วันที่ ?)?"
_DAYS = rf"(?P<days>(?<![\d.,])(?:\d{{1,2}}{_TO}){{0,9}}(?<!\d)\d{{1,2}})"
_YEAR = rf"(?:ปี ?)?(?P<era>{BE}|{CE})? ?(?:ปี ?)?['’]?(?P<y>\d{{4}}|\d\d){END}(?! ?ปี)"

_PERIOD = (
    r"(?<![A-Za-z0-9])(?:[QH](?P<part>[1-4])|(?P<part2>[1-4])[QH]|(?P<part3>3|6|9|12)M)"
    rf"(?: ?[/-] ?| ?)(?:ปี ?)?['’]?(?P<y>\d{{4}}|\d\d){END}"
)
DATES = [
    (word, re.compile(pattern))
    for word, pattern in (
        (
            "",
            r"(?<![\d/.-])(?P<y>(?:19|20|2[45])\d\d)(?P<sep>[/-])(?P<m>\d{1,2})(?P=sep)(?P<days>\d{1,2})(?!\d|[/-]\d)",
        ),
        ("", r"(?<![\d/.-])(?P<days>\d{1,2})(?P<sep>[/.-])(?P<m>\d{1,2})(?P=sep)(?P<y>\d{4}|\d\d)(?![\d/]|[.-]\d)"),
        ("", rf"(?P<month>{_MONTH}) ?(?P<days>\d{{1,2}}), ?(?P<y>\d{{4}}){END}"),
        ("", rf"(?:{_DAYS} ?(?:เดือน ?)?)?(?P<month>{_MONTH})(?:,? ?{_YEAR})?"),
        ("วันที่", rf"วันที่ ?{_DAYS} ?เดือน ?(?P<m>\d{{1,2}}){END}(?:,? ?{_YEAR})?"),
        ("เดือน", rf"เดือน ?(?P<m>\d{{1,2}}) ?(?:/ ?|(?=ปี|พ\.ศ)){_YEAR}"),
        ("วันที่", r"วันที่ ?(?P<days>\d{1,2})/(?P<m>\d{1,2})(?![\d/]|[.,]\d)"),
        ("วันที่", rf"วันที่ ?{_DAYS}{END}"),
        *((letter, _PERIOD) for letter in "QHM"),
    )
]
"""In the order in which they count; each is tried where its word stands."""
_MONTH_BEFORE = re.compile("(?:เดือน|ใน|ต้น|กลาง|ปลาย|สิ้น|ช่วง|ตั้งแต่|ถึง|จนถึง|งวด|[-–—]) ?$")
_PHRASE_BEFORE = re.compile("(?:จาก|เป็น|เมื่อ|ภายใน|ก่อน|หลัง|และ|หรือ|รอบ|ประจำ|นับแต่|คือ|ราว|จน) ?$")
_PHRASE_AFTER = re.compile(" ?(?:นี้|ปี|ที่(?:ผ่าน|แล้ว)|หน้า)")
_SPOKEN_BEFORE = re.compile(f"(?:เดือน|ต้น|กลาง|ปลาย|สิ้น|ช่วง|(?:{either(_SPOKEN)})ฯ? ?[-–—/] ?) ?$")
_RANGE_AFTER = re.compile(f" ?(?:[-–—,/]|ถึง|และ|เป็น|หรือ|ไป) ?(?:เดือน ?)?{_MONTH}")
_TITLE_BEFORE = re.compile(f"(?:{either(words('thai_titles.txt'))}|คุณ|น้อง) ?$")


def dates(text: str) -> Iterator[Stamp]:
    """Days, months and years that dates of `text` state, each date with the spans of its digits and names."""
    named = _MONTH_RE.search(text) is not None
    for word, pattern in DATES:
        if word not in text or ("month" in pattern.groupindex and not named):
            continue
        for match in pattern.finditer(text):
            stated = _stated(match)
            if stated:
                yield stated, [(number.start, number.end) for number in stated]


def _stated(match: re.Match[str]) -> list[Number]:
    groups = match.groupdict()
    days = _days(match) if groups.get("days") else []
    if groups.get("days") and not days and not groups.get("month"):
        return []
    year = _year(match, bool(days)) if groups.get("y") else None
    if "part" in groups:
        return _period(match, year)
    if not groups.get("month") and not groups.get("m"):
        return days
    month = month_number(groups.get("month") or groups["m"])
    if not 1 <= month <= 12 or (groups.get("month") and not _is_month(match, days, year)):
        return []
    name = "month" if groups.get("month") else "m"
    stated = [*days, Number(*match.span(name), Decimal(month), "month"), *([year] if year else [])]
    return sorted(stated, key=lambda number: number.start)


def _period(match: re.Match[str], year: Number | None) -> list[Number]:
    """Quarters, halves and months of a year as analysts write them: 3Q67, H1/68, 9M67."""
    name = next(name for name in ("part", "part2", "part3") if match[name])
    return [Number(*match.span(name), Decimal(match[name])), year] if year else []


def _days(match: re.Match[str]) -> list[Number]:
    """The days of a list or range, without what stands before them and can be none: 66 in ปี 66 ถึง 14 ส.ค."""
    start = match.start("days")
    days: list[Number] = []
    for part in reversed(list(re.finditer(r"\d+", match["days"]))):
        if not 1 <= int(part[0]) <= _LAST_DAY:
            break
        days.insert(0, Number(start + part.start(), start + part.end(), Decimal(part[0]), "day"))
    return days


def month_number(written: str) -> int:
    """The number of a month in digits or by any of its names; 0 for what is none."""
    if written.isdigit():
        return int(written)
    bare = written.rstrip("ฯ")
    return _NAMED.get(bare) or _SPOKEN.get(bare) or _SHORT.get(re.sub(r"[. ]", "", bare), 0)


def full_month(written: str) -> str:
    """The name in full of a month that is written in another way."""
    month = month_number(written)
    return next(name for name, number in _NAMED.items() if number == month)


def is_full_month(written: str) -> bool:
    """Whether a month is written in full or with all points of its abbreviation."""
    return written in _NAMED


def _is_month(match: re.Match[str], days: list[Number], year: Number | None) -> bool:
    """Whether enough stands around a month that is not written in full."""
    written = match["month"]
    before = match.string[max(0, match.start("month") - 16) : match.start("month")]
    if written in _NAMED and not written.endswith("."):
        return True
    if days:
        return True
    if written.rstrip("ฯ") in _SPOKEN:
        if _TITLE_BEFORE.search(before):
            return False
        return bool(year or written.endswith("ฯ") or _SPOKEN_BEFORE.search(before) or _next_month(match))
    if year or _MONTH_BEFORE.search(before) or _next_month(match):
        return written in _NAMED or not re.search(r"[ก-๎.]$", before) or bool(_MONTH_BEFORE.search(before))
    sure = written in _NAMED and written not in _INITIALS
    return sure and bool(_PHRASE_BEFORE.search(before) or _PHRASE_AFTER.match(match.string, match.end("month")))


def _next_month(match: re.Match[str]) -> bool:
    return _RANGE_AFTER.match(match.string, match.end()) is not None


def _year(match: re.Match[str], has_day: bool) -> Number | None:
    groups = match.groupdict()
    digits, start = match["y"], match.start("y")
    month = month_number(groups.get("month") or groups.get("m") or "")
    named = groups.get("era") or ""
    era: Era = "BE" if re.fullmatch(BE, named) else "CE" if named else ""
    if len(digits) == 4 or era:
        return thai_year(digits, start, era, month)
    end = start + 2
    if (not has_day and is_counted(match.string, end)) or _MONTH_RE.match(match.string[end : end + 14].lstrip()):
        return None
    spoken = has_day and (groups.get("month") or "").rstrip("ฯ") in _SPOKEN
    if "part" in groups and int(digits) < SHORT_BUDDHIST.start:
        return Number(start, end, Decimal(2000 + int(digits)), "year", "CE", ambiguous=True)
    return thai_year(digits, start, "BE" if spoken else "", month)
