"""What else the numbers of a text can be read as, once all of them are known.

Text that was cut into words for another program has spaces around points and commas (2 . 5, 1 , 500); Vietnamese says
2 triệu 3 and 1m65, and writes 5-12 for a day as for a range. Where both readings make sense, both are kept.
"""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from pipeline.text.numbers import dates_vietnamese
from pipeline.text.numbers.dates import day_of_month, plain_reading
from pipeline.text.numbers.quantities import Number, multiplicand, readings
from pipeline.text.numbers.quantities_english import with_parts
from pipeline.text.numbers.quantities_vietnamese import colloquial

_SPLIT = re.compile(r" [.,] ")


def reread(text: str, numbers: list[Number], lang: str) -> list[Number]:
    """`numbers` of `text` in order, with the readings that need their neighbours; Thai text is left as it is."""
    if lang == "th":
        return numbers
    if " . " in text or " , " in text:
        numbers = _in_one_piece(text, numbers, lang)
    return _possible_days(text, colloquial(text, numbers)) if lang == "vi" else with_parts(text, numbers)


def _in_one_piece(text: str, numbers: list[Number], lang: str) -> list[Number]:
    """2 . 5 and 1 , 500 as one number each, else the two that stand there."""
    done: list[Number] = []
    for number in numbers:
        joined = _joined(text, done[-1], number, lang) if done else None
        if joined:
            done[-1] = joined
        else:
            done.append(number)
    return done


def _joined(text: str, first: Number, second: Number, lang: str) -> Number | None:
    if first.kind != "number" or second.kind != "number" or not _SPLIT.fullmatch(text, first.end, second.start):
        return None
    run = text[first.start : second.end].replace(" ", "")
    digits = re.match(r"\d{1,3}(?:[.,]\d{1,3})+(?!\d)", run)
    factor = multiplicand(text, second, lang)
    values = readings(digits[0], lang) if digits else []
    if not values or (factor == 1 and digits and digits[0] != run) or first.end - first.start > 15:
        return None
    parts = first.otherwise[0] if first.otherwise else (first,)
    return Number(first.start, second.end, values[0] * factor, otherwise=((*parts, second),))


def _possible_days(text: str, numbers: list[Number]) -> list[Number]:
    """`numbers` of a Vietnamese text, with the day that a range, a result, a fraction or a decimal number may be."""
    days = [match for match in dates_vietnamese.DAY_MONTH.finditer(text) if dates_vietnamese.is_day(match)]
    if not days:
        return numbers
    at = {number.start: i for i, number in enumerate(numbers)}
    done = list(numbers)
    for match in days:
        plain = plain_reading(match)
        i = at.get(match.start(), len(done))
        stands = done[i : i + len(plain)]
        plainly = all(number.kind in ("number", "day") for number in stands)
        if plainly and list(map(_place, stands)) == list(map(_place, plain)):
            done[i] = replace(stands[0], otherwise=(day_of_month(match),))
    return done


def _place(number: Number) -> tuple[int, int, Decimal]:
    return number.start, number.end, number.value
