"""Days, months, years and clock times in Thai, Vietnamese and English text.

Months count by their number, whether a name or digits state them. Thai, which has a calendar and hours of its own, is
read by `dates_thai` and `times_thai`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from pipeline.text.numbers import dates_english, dates_thai, dates_vietnamese, times_thai
from pipeline.text.numbers.fragments import COMMON_YEARS
from pipeline.text.numbers.quantities import Era, Kind, Number
from pipeline.text.numbers.times import times
from pipeline.text.numbers.years_thai import BUDDHIST_OFFSET

EN_MONTHS = dates_english.NAMES
_FORMS = {"vi": dates_vietnamese}
_DIGIT = re.compile(r"\d")
Span = tuple[int, int]
_NAMES = ("d1", "d2", "m", "m2", "m3", "month", "month2", "lunar", "n", "y")
_DAY_KINDS: tuple[tuple[str, Kind], ...] = (("d1", "day"), ("m", "month"))


def stamps(text: str, lang: str) -> tuple[list[Number], bytearray]:
    """Days, months, years and times, and for every character of `text` whether digits or names stand there that state
    them (1, else 0)."""
    stated: list[Number] = []
    used = bytearray(len(text))
    parts = (times_thai.times(text), dates_thai.dates(text)) if lang == "th" else _parts(text, lang)
    for part in parts:
        for numbers, spans in part:
            if not any(1 in used[start:end] for start, end in spans):
                stated += numbers
                for start, end in spans:
                    used[start:end] = b"\1" * (end - start)
    return stated, used


def _parts(text: str, lang: str) -> Iterator[Iterator[tuple[list[Number], list[Span]]]]:
    # Without a digit nothing but a month can stand there, by its name.
    digits = _DIGIT.search(text) is not None
    if not digits and not _FORMS.get(lang, dates_english).WITHOUT_DIGITS.search(text.lower()):
        return
    yield times(text, lang)
    if lang == "vi" and digits:
        yield _likely_days(text)
    yield _dates(text, lang)


def _spans(match: re.Match[str], names: tuple[str, ...]) -> dict[str, Span]:
    groups = match.groupdict()
    return {name: match.span(name) for name in names if groups.get(name)}


def _dates(text: str, lang: str) -> Iterator[tuple[list[Number], list[Span]]]:
    lower = text.lower()
    patterns = (pattern for probe, pattern in _FORMS.get(lang, dates_english).DATES if probe.search(lower))
    for pattern in patterns:
        for match in pattern.finditer(text):
            spans = _spans(match, _NAMES)
            if not _possible(match, spans, lang):
                continue
            found = []
            for name, (start, end) in spans.items():
                if name[0] in "dn":
                    kind: Kind = "day" if name[0] == "d" else "number"
                    found.append(Number(start, end, Decimal(text[start:end]), kind))
                elif name == "lunar":
                    found.append(Number(start, end, Decimal(dates_english.lunar_month(text[start:end])), "month"))
                elif name == "y":
                    found += _year_in_date(match)
                elif not (lang == "en" and "m2" in spans):
                    found.append(Number(start, end, Decimal(_month(text[start:end])), "month"))
            if "y" in spans and not any(number.kind == "year" for number in found):
                del spans["y"]
            yield found, list(spans.values())


def _likely_days(text: str) -> Iterator[tuple[list[Number], list[Span]]]:
    """The days of Vietnamese text that are written as ranges, fractions or decimal numbers are: 5-12, 5/12, 5.12."""
    for match in dates_vietnamese.DAY_MONTH.finditer(text):
        if dates_vietnamese.is_day(match) and dates_vietnamese.is_likely_day(match):
            day, month = day_of_month(match)
            spans = [(day.start, day.end), (month.start, month.end)]
            yield [replace(day, otherwise=(plain_reading(match),)), month], spans


def day_of_month(match: re.Match[str]) -> tuple[Number, Number]:
    """The day and the month of a match of `dates_vietnamese.DAY_MONTH`."""
    day, month = (Number(*match.span(name), Decimal(match[name]), kind) for name, kind in _DAY_KINDS)
    return day, month


def plain_reading(match: re.Match[str]) -> tuple[Number, ...]:
    """A match of `dates_vietnamese.DAY_MONTH` as a decimal number or as the two ends of a range or fraction."""
    if match["sep"] == ".":
        return (Number(match.start(), match.end(), Decimal(match[0])),)
    return tuple(replace(number, kind="number") for number in day_of_month(match))


def _month(written: str) -> int:
    """The number (1 to 12) of a month in digits or by name, 0 where nothing is written."""
    if not written or written.isdigit():
        return int(written or 0)
    lower = written.lower()
    return dates_vietnamese.MONTHS.get(lower) or dates_english.MONTHS[lower[:3]]


def _possible(match: re.Match[str], spans: dict[str, Span], lang: str) -> bool:
    # English writes 12/31 and 31/12, so either may be the month.
    limits = {"d": 31, "m": 31 if lang == "en" and "m2" in spans else 12}
    stated = {name: int(match[name]) for name in spans if name[0] in limits and not name.startswith("month")}
    return all(1 <= value <= limits[name[0]] for name, value in stated.items())


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
