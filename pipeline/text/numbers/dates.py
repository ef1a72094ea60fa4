"""Days, months, years and clock times in Thai, Vietnamese and English text.

Months count by their number, whether a name or digits state them. Thai, which has a calendar and hours of its own, is
read by `dates_thai` and `times_thai`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from pipeline.text.numbers import dates_english, dates_thai, dates_vietnamese, times_thai
from pipeline.text.numbers.fragments import COMMON_YEARS
from pipeline.text.numbers.quantities import Era, Number
from pipeline.text.numbers.years_thai import BUDDHIST_OFFSET

EN_MONTHS = dates_english.NAMES
_FORMS = {"vi": dates_vietnamese}
_DIGIT = re.compile(r"\d")
_DATE_WORD = re.compile(
    r"(?:ngày|hôm|sáng|trưa|chiều|tối|đêm|thứ \w+|nhật|từ|đến|vào|tới|nay|qua|mai|tháng|và|ngày \d+)[ ,(]*$|\($",
    re.IGNORECASE,
)
Span = tuple[int, int]


def stamps(text: str, lang: str) -> tuple[list[Number], list[Span]]:
    """Days, months, years and times, and the spans of all digits and names that state them."""
    stated: list[Number] = []
    used: list[Span] = []
    parts = (times_thai.times(text), dates_thai.dates(text)) if lang == "th" else _parts(text, lang)
    for part in parts:
        for numbers, spans in part:
            if all(_apart(span, other) for span in spans for other in used):
                used += spans
                stated += numbers
    return stated, used


def _parts(text: str, lang: str) -> Iterator[Iterator[tuple[list[Number], list[Span]]]]:
    # Without a digit nothing but a month can stand there, by its name.
    digits = _DIGIT.search(text) is not None
    if digits:
        yield _times(text, lang)
    if digits or _FORMS.get(lang, dates_english).WITHOUT_DIGITS.search(text):
        yield _dates(text, lang)


def _apart(one: Span, other: Span) -> bool:
    return one[1] <= other[0] or other[1] <= one[0]


def _spans(match: re.Match[str], names: tuple[str, ...]) -> dict[str, Span]:
    groups = match.groupdict()
    return {name: match.span(name) for name in names if groups.get(name)}


def _dates(text: str, lang: str) -> Iterator[tuple[list[Number], list[Span]]]:
    for pattern in _FORMS.get(lang, dates_english).DATES:
        for match in pattern.finditer(text):
            spans = _spans(match, ("d1", "d2", "m", "m2", "month", "y"))
            if not _possible(match, spans, lang) or _fraction(match, spans):
                continue
            found = []
            for name, (start, end) in spans.items():
                if name[0] == "d":
                    found.append(Number(start, end, Decimal(text[start:end]), "day"))
                elif name == "y":
                    found += _year_in_date(match)
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
    return dates_vietnamese.MONTHS.get(lower) or dates_english.MONTHS[lower[:3]]


def _possible(match: re.Match[str], spans: dict[str, Span], lang: str) -> bool:
    # English writes 12/31 and 31/12, so either may be the month.
    limits = {"d": 31, "m": 31 if lang == "en" and "m2" in spans else 12}
    stated = {name: match.string[slice(*span)] for name, span in spans.items() if name not in ("month", "y")}
    return all(1 <= int(digits) <= limits[name[0]] for name, digits in stated.items())


def _fraction(match: re.Match[str], spans: dict[str, Span]) -> bool:
    """Whether 2/3 is two thirds and not the second of March: a small proper fraction with no word for a date before."""
    if set(spans) != {"d1", "m"} or match.groupdict().get("sep") != "/":
        return False
    part, whole = int(match["d1"]), int(match["m"])
    return part < whole and not _DATE_WORD.search(match.string[max(0, match.start() - 14) : match.start()])


def _year_in_date(match: re.Match[str]) -> list[Number]:
    number = year(match["y"], match.start("y"))
    return [number] if number else []


def year(digits: str, start: int, era: Era = "") -> Number | None:
    """The year that two or four `digits` at `start` state where a year must stand; None when they cannot be one.

    `era` is the calendar where it was named. Two digits are ambiguous.
    """
    value, end, short = int(digits), start + len(digits), len(digits) == 2
    if short:
        value += 2000 if value < 70 else 1900
    if era == "BE":
        return Number(start, end, Decimal(value - BUDDHIST_OFFSET), "year", "BE", short)
    if era == "CE" or value in COMMON_YEARS:
        return Number(start, end, Decimal(value), "year", "CE", short)
    return None


def _times(text: str, lang: str) -> Iterator[tuple[list[Number], list[Span]]]:
    for pattern in _FORMS.get(lang, dates_english).TIMES:
        for match in pattern.finditer(text):
            groups = match.groupdict()
            hour = int(groups.get("h") or 0)
            if groups.get("later") and hour < 12:
                hour += 12
            elif groups.get("half"):
                hour = hour % 12 + (12 if groups["half"].lower() == "p" else 0)
            value = Decimal(hour) + Decimal(groups.get("min") or 0) / 100
            start = match.start("h")
            end = match.end("min") if groups.get("min") else match.end("h")
            yield [Number(start, end, value, "time")], [(start, end)]
