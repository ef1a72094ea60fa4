"""How Thai tells the time: 18.30 น., 18 นาฬิกา 30 นาที, and in four parts of six hours: ตี 2, 8 โมงเช้า, บ่าย 3, 2 ทุ่ม.

Hours and minutes stand in digits or words. What something took (2 ชั่วโมง 15 นาที) is no time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from pipeline.text.data import values, words
from pipeline.text.numbers.fragments import CLOCK, DASH, HOUR
from pipeline.text.numbers.quantities import Number

Span = tuple[int, int]

_UNITS = values("thai_units.txt")
_HOURS = _UNITS | {"สิบ": 10, "สิบเอ็ด": 11, "สิบสอง": 12}
_TENS = "(?:(?:ยี่|สอง|สาม|สี่|ห้า)?สิบ)"
_ONES = "|".join(word for word in _UNITS if word != "ยี่")


def _hour(name: str, last: int, first: int = 1) -> str:
    """A group for the hours from `first` to `last`, the longest word first, neither inside a number nor a word."""
    listed = sorted((word for word, hour in _HOURS.items() if first <= hour <= last), key=len, reverse=True)
    digits = sorted(map(str, range(first, last + 1)), key=len, reverse=True)
    spoken = "|".join(word for word in listed if word not in ("เอ็ด", "ยี่"))
    return rf"(?P<{name}>(?<![\d.,:])(?:{'|'.join(digits)})|(?<!สิบ)(?<!ร้อย)(?:{spoken}))"


_MINUTES = (
    "(?: ?(?P<half>ครึ่ง)(?!หนึ่ง|ชั่วโมง)"
    rf"| ?(?P<min>[0-5]?\d|{_TENS}(?:{_ONES})?|{_ONES}) ?นาที"
    rf"|(?P<said>{_TENS}(?:{_ONES})?)(?![^\s.,)”\"])"
    ")?"
)
_NO_TIME = "(?! ?(?:ครั้ง|คน|ลูก|หน้า|ที|ขา|นาย|ราย|แผ่น|จุด))"
_BEFORE_NIGHT = "|".join(f"(?<={word})" for word in sorted(words("thai_clock_openers.txt")))

_CLOCKS = (
    rf"(?<![\d:.,]){HOUR}[.:](?P<min>[0-5]\d)(?= ?(?:{DASH}|ถึง) ?\d{{1,2}}[.:]\d\d ?(?:น\.|นาฬิกา))",
    rf"(?<![\d:.,]){HOUR}[.:](?P<min>[0-5]\d) ?(?:น\.|นาฬิกา)",
    rf"(?<![\d:.,]){HOUR} ?(?:น\.|นาฬิกา){_MINUTES}",
)
TIMES = [
    (word, re.compile(pattern, re.IGNORECASE))
    for word, pattern in (
        *((word, pattern) for word in ("น.", "นาฬิกา") for pattern in _CLOCKS),
        ("นาฬิกา", rf"(?P<h>{_TENS}(?:{_ONES})?|{_ONES}) ?นาฬิกา{_MINUTES}"),
        ("เวลา", rf"เวลา ?{HOUR}[.:](?P<min>[0-5]\d)(?!\d)"),
        ("ทุ่ม", rf"{_hour('night', 6)} ?ทุ่ม(?!เท){_MINUTES}"),
        ("ทุ่ม", rf"(?P<first>ทุ่ม)(?!เท)(?=ครึ่ง){_MINUTES}"),
        ("บ่าย", rf"บ่าย ?{_hour('pm', 6)}(?![\d.:,]) ?โมง{_MINUTES}"),
        ("บ่าย", rf"บ่าย ?{_hour('pm', 6)}(?=ครึ่ง|[^\d.:,ก-๎]|$)(?! (?:คน|ราย|ครั้ง|คัน|ตัว|ลูก)){_MINUTES}"),
        ("บ่าย", rf"บ่าย ?(?P<one>โมง){_MINUTES}"),
        ("โมง", rf"{_hour('morning', 5)} ?โมงเช้า{_MINUTES}"),
        ("โมง", rf"{_hour('pm', 7)} ?โมงเย็น{_MINUTES}"),
        ("โมง", rf"{_hour('pm', 7)} ?โมง{_MINUTES} ?(?:ตอน)?เย็น"),
        ("โมง", rf"{_hour('h', 12, 6)} ?โมง(?:เช้า)?(?!เดล|ง){_MINUTES}"),
        ("โมง", rf"{_hour('pm', 5)} ?โมง(?=ครึ่ง|[ ,.)]|ถึง|$){_MINUTES}"),
        ("ตี", rf"(?:(?<![ก-๎])|{_BEFORE_NIGHT})ตี ?{_hour('h', 6)}(?![\d.,]){_NO_TIME}{_MINUTES}"),
        ("เที่ยง", rf"(?:(?P<midnight>เที่ยงคืน)|(?P<noon>เที่ยง))(?=ครึ่ง| ?(?:\d\d?|{_TENS}|{_ONES})){_MINUTES}"),
        (":", CLOCK),
    )
]
"""In the order in which they count; each is tried where its word stands."""
_ADDED = {"h": 0, "night": 18, "pm": 12, "morning": 6}
_ALONE = {"first": 19, "one": 13, "midnight": 0, "noon": 12}


def times(text: str) -> Iterator[tuple[list[Number], list[Span]]]:
    """Clock times of `text`, hours plus hundredths for the minutes, each with its span."""
    for word, pattern in TIMES:
        for match in pattern.finditer(text) if word in text else ():
            groups = match.groupdict()
            name = next(name for name in (*_ADDED, *_ALONE) if groups.get(name))
            ended = next((part for part in ("half", "min", "said") if groups.get(part)), name)
            if name in _ALONE and not (ended != name or name == "one"):
                continue
            hour = _ALONE[name] if name in _ALONE else _spelled(groups[name]) + _ADDED[name]
            minutes = 30 if ended == "half" else 0 if ended == name else _spelled(groups[ended])
            start, end = match.start(name), match.end(ended)
            yield [Number(start, end, Decimal(hour) + Decimal(minutes) / 100, "time")], [(start, end)]


def _spelled(written: str) -> int:
    """A number below sixty, in digits or words."""
    if written.isdigit():
        return int(written)
    if written in _HOURS:
        return _HOURS[written]
    tens, _, ones = written.partition("สิบ")
    return _UNITS.get(tens, 1) * 10 + _UNITS.get(ones, 0)
