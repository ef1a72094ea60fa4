"""Years as Thai writes them: Buddhist, of the Rattanakosin era or common, with and without a word that says so.

Thai years are Buddhist: N - 543, and N - 542 for January to March up to 2482 (1939/40), when the year still began in
April. The Rattanakosin era counts from 1782: year 112 is 1893/94. A bare number is a year by what stands around it:
Thai names what it counts right after the number, so 2568 alone after the name of an event is no amount.
"""

from __future__ import annotations

import re
from decimal import Decimal

from pipeline.text.data import words
from pipeline.text.numbers.fragments import BE, CE, COMMON_YEARS, RS
from pipeline.text.numbers.quantities import Era, Number
from pipeline.text.patterns import THAI, either

BUDDHIST_OFFSET = 543
RATTANAKOSIN_OFFSET = 1781
LAST_APRIL_YEAR = 2482
BUDDHIST_YEARS = range(2400, 2600)
"""What may be a Buddhist year without any word for it."""
MARKED_YEARS = range(2101, 2700)
"""What is a Buddhist year after the word for year; below it the common era is meant."""
LIKELY_YEARS = range(2440, 2590)
RATTANAKOSIN_YEARS = range(70, 151)
SHORT_BUDDHIST = range(31, 76)
"""Two digits that are read as a Buddhist year (2531 to 2575) where a year stands."""
CONTEXT = 80

_COUNTED = re.compile(f" ?(?!วันที่|ปีที่|เดือน[ก-ฮเ])(?:{either(words('thai_counted.txt'))})(?!ละ)")
_AMOUNT = re.compile(f" ?(?!คน[กขงจทร]|หลังจ|หลังก|หลังถ)(?:{either(words('counted_units.txt'))})(?!ละ)")
_BE_BEFORE = re.compile(f"{BE} ?['’]?$")
_CE_BEFORE = re.compile(f"{CE} ?$")
_RS_BEFORE = re.compile(f"{RS} ?$")
_BE_AFTER = re.compile(r" ?B\.?E\.?(?![A-Za-z])")
_YEAR_BEFORE = re.compile(
    "(?:(?<!ทุก)(?<!ต่อ)(?<!ละ)(?<!ราย)(?<!หลาย)ปี ?(?:นักษัตร)?"
    f"(?:{either(words('thai_year_kinds.txt'))})? ?|(?<![A-Za-z])FY ?|ฤดูกาล ?)['’]?$"
)
_AGE_BEFORE = re.compile(r"\d ?ปี ?['’]?$")
_HALF_BEFORE = re.compile("(?:ครึ่ง(?:ปี)?(?:แรก|หลัง)|ไตรมาส(?:แรก|สุดท้าย)|งบประมาณ|งบฯ?) ?$|\\d ?เดือน(?:แรก|หลัง|สุดท้าย)? $")
_NAMED_SHORT_BEFORE = re.compile("(?:เลือกตั้ง(?:ทั่วไป)?|รัฐธรรมนูญ|รธน\\.|รัฐประหาร|ต้มยำกุ้ง|น้ำท่วม(?:ใหญ่)?) ?$")
_PERIOD = (
    rf"(?:(?:{either(words('thai_numbered_in_year.txt'))}) ?(?:\d{{1,2}}/\d{{2,4}} ?(?:และ|กับ|ถึง|หรือ|[,–-]) ?){{0,4}})"
)
_PERIOD_BEFORE = re.compile(_PERIOD + r"(?:\d{1,2} ?(?:[-–]|ถึง|และ) ?)?\d{1,3} ?(?:/|ปี) ?$")
_SLASH_BEFORE = re.compile(r"\d{1,3} ?/ ?$")
_MONTH_SLASH_BEFORE = re.compile(r"(?<![\d/])\d{1,2}/$")
_DOCUMENT_BEFORE = re.compile(f"(?:{either(words('thai_documents.txt'))})")
_AND_YEAR = re.compile(r" ?(?:[-–—/,;]|ถึง|และ|กับ|หรือ|จนถึง) ?(?:ปี ?)?")
_TO_YEAR = re.compile(r" ?[-–—] ?2\d{3}\)")
_DASH = re.compile(" ?[-–—/] ?")
_DATED_BEFORE = re.compile(
    rf"(?:{either(words('thai_dated_things.txt'))}|{either(words('thai_time_words.txt'))}"
    rf"|(?:พ\.ร\.[บกฎ]\.|พระราชบัญญัติ|พระราชกำหนด|ประมวล|มหกรรม|ศึก)[^\s\d]{{0,40}}) ?[\"”’)]?$"
)
_IDENTIFIED_BEFORE = re.compile(
    f"(?:{either(words('thai_identified.txt'))})(?:ที่)? ?$"
    # A number plate; a price; what follows no Thai word; the start of the text.
    rf"|\d ?[ก-ฮ]{{1,3}} ?$|฿ ?$|[^{THAI} )”\"’]$|[^{THAI})”\"’] $|^$"
)
_COMMON_AFTER = re.compile(r" ?\(?(?:ค\.ศ\. ?)?(\d{4})(?!\d)")
_LUNAR_BEFORE = re.compile("เดือน ?$")
_DECADE_BEFORE = re.compile("ทศวรรษ(?:ที่)? ?(?:พ\\.ศ\\. ?)?(?:\\d{4} ?(?:[-–]|และ|ถึง) ?)?$")
_BUDDHIST_CENTURY_BEFORE = re.compile(r"พุทธศตวรรษ(?:ที่)? ?(?:\d\d ?(?:[-–—]|ถึง|และ|หรือ|,) ?)?$")


def thai_year(digits: str, start: int, era: Era = "", month: int = 0) -> Number | None:
    """The year that two or four `digits` at `start` state where a year must stand; None when they cannot be one.

    `era` is the calendar where it was named; `month` (1 to 12, 0 unknown) matters before 1941. Two digits are
    ambiguous.
    """
    value, end, short = int(digits), start + len(digits), len(digits) == 2
    if era == "RS":
        stated = value in RATTANAKOSIN_YEARS
        return Number(start, end, Decimal(value + RATTANAKOSIN_OFFSET), "year", "RS") if stated else None
    if short:
        if era != "BE" and value not in SHORT_BUDDHIST:
            return None
        value, era = value + (2500 if value < SHORT_BUDDHIST.stop else 2400), "BE"
    if era == "BE" or (not era and value in MARKED_YEARS):
        offset = BUDDHIST_OFFSET - (value <= LAST_APRIL_YEAR and 1 <= month <= 3)
        return Number(start, end, Decimal(value - offset), "year", "BE", short) if value > offset else None
    return Number(start, end, Decimal(value), "year", "CE") if era == "CE" or value in COMMON_YEARS else None


def is_counted(text: str, end: int) -> bool:
    """Whether what ends at `end` of `text` counts or measures what follows, as in 67 คน."""
    return _AMOUNT.match(text, end) is not None


def bare_year(text: str, number: Number, previous: Number | None) -> Number | None:
    """`number`, digits without a month, as a year; None where it stands for something else."""
    digits = text[number.start : number.end]
    before = text[max(0, number.start - CONTEXT) : number.start]
    if len(digits) <= 3 and (_RS_BEFORE.search(before) or _after_rattanakosin(text, number, previous)):
        return thai_year(digits, number.start, "RS")
    if len(digits) not in (2, 4):
        return None
    named = _of_named_era(text, number, before)
    if named:
        return named
    following = _after_year(text, number, previous)
    if following:
        return following
    if _SLASH_BEFORE.search(before):
        return _numbered(digits, number, before)
    return _short(text, number, before) if len(digits) == 2 else _long(text, number, before)


def _after_rattanakosin(text: str, number: Number, previous: Number | None) -> bool:
    """Whether `number` ends a range or list of years of that era, as in ร.ศ. 112-113."""
    return bool(previous and previous.era == "RS" and _AND_YEAR.fullmatch(text, previous.end, number.start))


def _of_named_era(text: str, number: Number, before: str) -> Number | None:
    digits = text[number.start : number.end]
    if _BE_BEFORE.search(before) or _BE_AFTER.match(text, number.end):
        return thai_year(digits, number.start, "BE")
    if len(digits) == 4 and _CE_BEFORE.search(before):
        return thai_year(digits, number.start, "CE")
    return None


def _after_year(text: str, number: Number, previous: Number | None) -> Number | None:
    """The second year of a range or list: 2542 in ปี 2540, 2542; 41 in ปี 2540-41; 67 in ปี 66 และ 67."""
    gap = text[previous.end : number.start] if previous and previous.kind == "year" else ""
    if not previous or not gap or not _AND_YEAR.fullmatch(gap):
        return None
    digits, first = text[number.start : number.end], text[previous.start : previous.end]
    if not first.isdigit() or len(first) not in (2, 4):
        return None
    written = int(first)
    if len(digits) == 4:
        era: Era = "BE" if previous.era == "BE" and written <= int(digits) < MARKED_YEARS.stop else ""
        return thai_year(digits, number.start, era) if len(first) == 4 else None
    later = int(digits) - written % 100
    dashed = bool(_DASH.fullmatch(gap))
    if (dashed and (1 <= later <= 30 or later == -99)) or (later == 1 and not is_counted(text, number.end)):
        return Number(number.start, number.end, previous.value + later % 100, "year", previous.era, previous.ambiguous)
    listed = len(first) == 2 and not is_counted(text, number.end)
    return thai_year(digits, number.start) if listed else None


def _numbered(digits: str, number: Number, before: str) -> Number | None:
    """The year after a slash: of ครั้งที่ 5/2567, not of คำสั่งที่ 5/2558, whose number English keeps as it is."""
    if _PERIOD_BEFORE.search(before):
        return thai_year(digits, number.start)
    if len(digits) == 4 and _MONTH_SLASH_BEFORE.search(before) and not _DOCUMENT_BEFORE.search(before):
        return thai_year(digits, number.start) if int(digits) in BUDDHIST_YEARS or int(digits) in COMMON_YEARS else None
    return None


def _short(text: str, number: Number, before: str) -> Number | None:
    """Two digits as a year: after the word for year, a period of a year or the name of what is dated."""
    marked = _YEAR_BEFORE.search(before) and (not _AGE_BEFORE.search(before) or _PERIOD_BEFORE.search(before))
    if marked or _HALF_BEFORE.search(before):
        counted = is_counted(text, number.end)
    elif _NAMED_SHORT_BEFORE.search(before):
        counted = _COUNTED.match(text, number.end) is not None
    else:
        return None
    return None if counted else thai_year(text[number.start : number.end], number.start)


def _long(text: str, number: Number, before: str) -> Number | None:
    """Four digits as a year: marked, beside its year in the other era, or after what has a date and no amount."""
    value, start = int(text[number.start : number.end]), number.start
    other = _COMMON_AFTER.match(text, number.end)
    if other and value - int(other[1]) in (BUDDHIST_OFFSET, BUDDHIST_OFFSET - 1):
        return thai_year(str(value), start, "BE")
    if _YEAR_BEFORE.search(before) or _DECADE_BEFORE.search(before):
        return thai_year(str(value), start)
    if before.endswith("(") and value in MARKED_YEARS and _TO_YEAR.match(text, number.end):
        return thai_year(str(value), start, "BE")
    if before.endswith("(") and text.startswith(")", number.end):
        return thai_year(str(value), start) if value in BUDDHIST_YEARS or value in COMMON_YEARS else None
    dated = _DATED_BEFORE.search(before) or _HALF_BEFORE.search(before)
    if value in BUDDHIST_YEARS and dated and not _AMOUNT.match(text, number.end):
        return thai_year(str(value), start, "BE")
    if _COUNTED.match(text, number.end):
        return None
    if value in LIKELY_YEARS and not _IDENTIFIED_BEFORE.search(before):
        return Number(start, number.end, Decimal(value - BUDDHIST_OFFSET), "year", "BE", ambiguous=True)
    return thai_year(str(value), start, "CE") if 1900 <= value <= 2100 else None


def is_lunar_month(text: str, number: Number) -> bool:
    """Whether `number` of Thai `text` counts a month, as those of the lunar calendar are: ขึ้น 15 ค่ำ เดือน 3."""
    return _LUNAR_BEFORE.search(text, max(0, number.start - 16), number.start) is not None


def other_readings(text: str, number: Number) -> set[Decimal]:
    """Further values that English may give for a Thai `number` of `text`.

    Decades of the Buddhist era overlap two of ours (2510 to 2519 is 1967 to 1976), and so do its centuries; a year of
    two digits may be of this century; a year of the Rattanakosin era keeps its number in names of events.
    """
    before = text[max(0, number.start - 30) : number.start]
    value = number.value
    if number.kind == "year" and number.era == "RS":
        return {value - RATTANAKOSIN_OFFSET}
    if number.kind == "year" and number.ambiguous:
        written = Decimal(text[number.start : number.end])
        return {written + 2000 if number.end - number.start == 2 else written}
    if number.kind == "year" and number.era == "BE" and _DECADE_BEFORE.search(before):
        century = value // 10 * 10
        return {century, century + 10, century % 100}
    if number.kind in ("number", "ordinal") and _BUDDHIST_CENTURY_BEFORE.search(before):
        return {value - 5, value - 6}
    return set()
