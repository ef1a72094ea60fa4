"""Days, months, years and clock times in Thai, Vietnamese and English text.

Thai years are Buddhist: N - 543, and N - 542 for January to March up to 2482 (1939/40), when the year still began in
April. Months count by their number, whether a name or digits state them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from pipeline.text.numbers import dates_english, dates_thai, dates_vietnamese
from pipeline.text.numbers.fragments import BE
from pipeline.text.numbers.quantities import Era, Number

BUDDHIST_OFFSET = 543
LAST_APRIL_YEAR = 2482
BUDDHIST_YEARS = range(2400, 2600)
COMMON_YEARS = range(1000, 2200)
SHORT_BUDDHIST = range(40, 76)
"""Two digits that are read as a Buddhist year (2540 to 2575) where a year stands."""

EN_MONTHS = dates_english.NAMES
_FORMS = {"th": dates_thai, "vi": dates_vietnamese}
_DIGIT = re.compile(r"\d")
_DATE_WORD = re.compile(
    r"(?:ngày|hôm|sáng|trưa|chiều|tối|đêm|thứ \w+|nhật|từ|đến|vào|tới|nay|qua|mai|tháng|và|ngày \d+)[ ,(]*$|\($",
    re.IGNORECASE,
)
_MONTH_BEFORE = re.compile("(?:เดือน|ใน|ต้น|กลาง|ปลาย|สิ้น|ช่วง|ตั้งแต่|ถึง|[-–—]) ?$")
Span = tuple[int, int]


def stamps(text: str, lang: str) -> tuple[list[Number], list[Span]]:
    """Days, months, years and times, and the spans of all digits and names that state them."""
    stated: list[Number] = []
    used: list[Span] = []
    # Without a digit nothing but a month can stand there, by its name.
    digits = _DIGIT.search(text) is not None
    named = digits or _FORMS.get(lang, dates_english).WITHOUT_DIGITS.search(text) is not None
    for part in (_times(text, lang) if digits else (), _dates(text, lang) if named else ()):
        for numbers, spans in part:
            if all(_apart(span, other) for span in spans for other in used):
                used += spans
                stated += numbers
    return stated, used


def _apart(one: Span, other: Span) -> bool:
    return one[1] <= other[0] or other[1] <= one[0]


def _spans(match: re.Match[str], names: tuple[str, ...]) -> dict[str, Span]:
    groups = match.groupdict()
    return {name: match.span(name) for name in names if groups.get(name)}


def _dates(text: str, lang: str) -> Iterator[tuple[list[Number], list[Span]]]:
    for pattern in _FORMS.get(lang, dates_english).DATES:
        for match in pattern.finditer(text):
            spans = _spans(match, ("d1", "d2", "m", "m2", "month", "y"))
            if not _possible(match, spans, lang) or _fraction(match, spans) or _lone_initials(match, spans):
                continue
            found = []
            for name, (start, end) in spans.items():
                if name[0] == "d":
                    found.append(Number(start, end, Decimal(text[start:end]), "day"))
                elif name == "y":
                    found += _year_in_date(match, lang)
                elif not (lang == "en" and "m2" in spans):
                    found.append(Number(start, end, Decimal(_month(text[start:end])), "month"))
            if "y" in spans and not any(number.kind == "year" for number in found):
                del spans["y"]
            yield found, list(spans.values())


def _month(written: str) -> int:
    """The number (1 to 12) of a month in digits or by name, 0 where nothing is written."""
    if not written or written.isdigit():
        return int(written or 0)
    lower = written.lower()
    return dates_thai.MONTHS.get(lower) or dates_vietnamese.MONTHS.get(lower) or dates_english.MONTHS[lower[:3]]


def _possible(match: re.Match[str], spans: dict[str, Span], lang: str) -> bool:
    # English writes 12/31 and 31/12, so either may be the month.
    limits = {"d": 31, "m": 31 if lang == "en" and "m2" in spans else 12}
    stated = {name: match.string[slice(*span)] for name, span in spans.items() if name not in ("month", "y")}
    return all(1 <= int(digits) <= limits[name[0]] for name, digits in stated.items())


def _lone_initials(match: re.Match[str], spans: dict[str, Span]) -> bool:
    """Whether an abbreviated Thai month stands without day, year or a word for time: ก.พ. is an authority too."""
    if set(spans) != {"month"} or not match["month"].endswith("."):
        return False
    before, after = match.string[max(0, match.start() - 12) : match.start()], match.string[match.end() :][:1]
    return after not in ("-", "–", "—") and not _MONTH_BEFORE.search(before)


def _fraction(match: re.Match[str], spans: dict[str, Span]) -> bool:
    """Whether 2/3 is two thirds and not the second of March: a small proper fraction with no word for a date before."""
    if set(spans) != {"d1", "m"} or match.groupdict().get("sep") != "/":
        return False
    part, whole = int(match["d1"]), int(match["m"])
    return part < whole and not _DATE_WORD.search(match.string[max(0, match.start() - 14) : match.start()])


def _year_in_date(match: re.Match[str], lang: str) -> list[Number]:
    groups = match.groupdict()
    era = groups.get("era") or ""
    month = _month(groups.get("month") or groups.get("m") or "")
    hint: Era = "BE" if re.fullmatch(BE, era) else "CE" if era else ""
    number = year(match["y"], match.start("y"), lang, hint, month)
    return [number] if number else []


def year(digits: str, start: int, lang: str, era: Era = "", month: int = 0) -> Number | None:
    """The year that two or four `digits` at `start` state where a year must stand; None when they cannot be one.

    `era` is the calendar where it was named; `month` (1 to 12, 0 unknown) matters before 1941. Two
    digits are ambiguous.
    """
    value, end, short = int(digits), start + len(digits), len(digits) == 2
    if short and lang == "th":
        if era != "BE" and value not in SHORT_BUDDHIST:
            return None
        value, era = value + (2500 if value < SHORT_BUDDHIST.stop else 2400), "BE"
    elif short:
        value += 2000 if value < 70 else 1900
    if era == "BE" or (not era and lang == "th" and value in BUDDHIST_YEARS):
        offset = BUDDHIST_OFFSET - (value <= LAST_APRIL_YEAR and 1 <= month <= 3)
        return Number(start, end, Decimal(value - offset), "year", "BE", short)
    if era == "CE" or value in COMMON_YEARS:
        return Number(start, end, Decimal(value), "year", "CE", short)
    return None


def _times(text: str, lang: str) -> Iterator[tuple[list[Number], list[Span]]]:
    for pattern in _FORMS.get(lang, dates_english).TIMES:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            hour = int(groups.get("h") or 0)
            if groups.get("night"):
                hour = int(groups["night"]) + 18
            elif groups.get("pm"):
                hour = int(groups["pm"]) + 12
            elif groups.get("later") and hour < 12:
                hour += 12
            elif groups.get("half"):
                hour = hour % 12 + (12 if groups["half"].lower() == "p" else 0)
            value = Decimal(hour) + Decimal(groups.get("min") or 0) / 100
            name = next(name for name in ("h", "night", "pm") if groups.get(name))
            start = match.start(name)
            end = match.end("min") if groups.get("min") else match.end(name)
            yield [Number(start, end, value, "time")], [(start, end)]
