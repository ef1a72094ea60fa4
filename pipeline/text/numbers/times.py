"""Clock times in Vietnamese and English text: 8 giờ rưỡi, 10 giờ kém 15, 5h chiều, 7:30 p.m., half past six."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from pipeline.text.numbers import dates_english, dates_vietnamese
from pipeline.text.numbers.quantities import Number

Groups = dict[str, str | None]
Span = tuple[int, int]


def times(text: str, lang: str) -> Iterator[tuple[list[Number], list[Span]]]:
    """Each time of `text` with the span of all digits and words that state it."""
    forms = dates_vietnamese if lang == "vi" else dates_english
    lower = text.lower()
    for pattern in (pattern for probe, pattern in forms.TIMES if probe.search(lower)):
        for match in pattern.finditer(text):
            groups = match.groupdict()
            hour, is_sure = _hour(groups, lang)
            later = _minutes(groups)
            stated = [name for name in ("past", "h", "word", "min", "halved", "less") if groups.get(name)]
            start, end = min(map(match.start, stated)), max(map(match.end, stated))
            value = Decimal((hour + later // 60) % 25) + Decimal(later % 60) / 100
            yield [Number(start, end, value, "time", "", not is_sure, _durations(match, groups))], [(start, end)]


def _hour(groups: Groups, lang: str) -> tuple[int, bool]:
    """The hour of a time (0 to 24), and whether its half of the day is sure."""
    word, half, part = groups.get("word"), groups.get("half"), groups.get("part")
    hour = dates_english.HOURS[word.lower()] if word else int(groups.get("h") or 0)
    if half:
        return hour % 12 + (12 if half.lower() == "p" else 0), True
    if part and hour <= 12:
        of_day = dates_vietnamese.hour_of_day if lang == "vi" else dates_english.hour_of_day
        return of_day(part.lower(), hour), True
    return hour, not 1 <= hour <= 12


def _minutes(groups: Groups) -> int:
    """The minutes after the full hour, negative where a time is said by what is left to it."""
    if groups.get("past"):
        return dates_english.minutes_past(groups["past"] or "")
    if groups.get("less"):
        return -int(groups["less"] or 0)
    return 30 if groups.get("halved") else int(groups.get("min") or 0)


def _durations(match: re.Match[str], groups: Groups) -> tuple[tuple[Number, ...], ...]:
    """The other readings of 2 giờ 15 phút and 2 giờ rưỡi: how long something takes."""
    if groups.get("halved"):
        return ((Number(match.start("h"), match.end("halved"), int(match["h"]) + Decimal("0.5")),),)
    if not groups.get("minutes"):
        return ()
    hours, minutes = int(match["h"]), int(match["min"])
    (start, hours_end), (minutes_start, end) = match.span("h"), match.span("min")
    return (
        (Number(start, hours_end, Decimal(hours)), Number(minutes_start, end, Decimal(minutes))),
        (Number(start, end, hours + Decimal(minutes) / 60),),
        (Number(start, end, Decimal(60 * hours + minutes)),),
    )
