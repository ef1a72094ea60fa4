"""What Vietnamese leaves out when it says amounts: 2 triệu 3, 1m65, 36 độ 8, 3 ngày rưỡi, 3 tạ, 1/4 triệu."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from pipeline.text.data import values
from pipeline.text.numbers.quantities import Number, multiplicand
from pipeline.text.patterns import either

_END = r"(?![\d]|[.,/:-]\d| ?%)"
# 2 triệu 3 is 2.3 million; with another noun after the digit they are two numbers.
_TAIL = re.compile(
    rf" ?(?:(?P<digits>\d{{1,3}}){_END}"
    r"(?! (?:người|lần|tuổi|ngày|tháng|năm|tuần|giờ|phút|ca|vụ|chiếc|con|cái|căn|hộ)\b)"
    r"|(?P<word>mốt|tư|lăm)\b)"
)
# Metres and kilograms are written together (1m65); in 5m3 the digit may be part of the unit.
_INSIDE = re.compile(
    r"(?P<unit>m|kg| ?(?:mét|cân|ký|kí|tấn|tạ|lít|độ|giây|cây số))(?P<gap> ?)(?P<digits>\d{1,2})"
    rf"{_END}(?![°'])",
    re.IGNORECASE,
)
_NOUN = re.compile(r" (?![CF]\b)[^\W\d_]")
_TALL = re.compile(r"\b(?:cao|dài|rộng|sâu|dày) (?:hơn |gần )?$", re.IGNORECASE)
_RATED = re.compile(r" ?(?P<unit>[^\W\d_]+(?: (?:số|lý|rưỡi))?) rư[ỡở]i\b", re.IGNORECASE)
MOST_MEASURED = 300
"""Nobody says the digits after a unit (36 độ 8) of more than this."""

WEIGHTS = values("vietnamese_weights.txt")
_WEIGHT = re.compile(rf" ?(?P<unit>{either(WEIGHTS)})\b(?! (?:nữ|nam|điền))", re.IGNORECASE)


def colloquial(text: str, numbers: Sequence[Number]) -> list[Number]:
    """`numbers` of a Vietnamese text in order, with what is said after a multiplicand or a unit taken in."""
    done: list[Number] = []
    until = 0
    for i, number in enumerate(numbers):
        if number.start < until:
            continue
        following = numbers[i + 1] if i + 1 < len(numbers) else None
        if number.kind == "number":
            number = _part(text, number, following) or _whole(text, number, following)
            until = max([number.end, *(reading[-1].end for reading in number.otherwise)])
        done.append(number)
    return done


def _part(text: str, number: Number, following: Number | None) -> Number | None:
    """`number` as a part of a multiplicand: 1/4 triệu, else None."""
    if following is None or text[number.end : following.start] != "/":
        return None
    factor = multiplicand(text, following, "vi")
    if factor == 1 or not following.value:
        return None
    value = number.value * factor * factor / following.value
    return Number(number.start, following.end, value, otherwise=((number, following),))


def _whole(text: str, number: Number, following: Number | None) -> Number:
    in_digits = text[number.start].isdigit()
    if in_digits:
        for reading in (_with_tail, _with_unit_inside):
            read = reading(text, number, following)
            if read:
                return read
    rated = _RATED.match(text, number.end)
    if rated:
        value = (number.value + Decimal("0.5")) * WEIGHTS.get(rated["unit"].lower(), 1)
        return replace(number, end=rated.end(), value=value)
    weight = _WEIGHT.match(text, number.end)
    if weight:
        value = number.value * WEIGHTS[weight["unit"].lower()]
        return replace(number, value=value, otherwise=((number,),))
    return number


def _with_tail(text: str, number: Number, following: Number | None) -> Number | None:
    """2 triệu 3: the digits after a multiplicand are tenths of it, three of them thousandths."""
    factor = multiplicand(text, number, "vi")
    tail = _TAIL.match(text, number.end)
    if factor < 100 or factor != Decimal(10) ** factor.adjusted() or not tail:
        return None
    if tail["word"]:
        tenths = Decimal({"mốt": 1, "tư": 4, "lăm": 5}[tail["word"].lower()]) / 10
        return replace(number, end=tail.end(), value=number.value + tenths * factor)
    length = len(tail["digits"])
    taken = _taken(following, tail)
    if length not in ((1, 2) if factor == 100 else (1, 3)) or taken is None:
        return None
    value = number.value + Decimal(tail["digits"]) * factor / 10**length
    return replace(number, end=tail.end(), value=value, otherwise=((number, *taken),) if taken else ())


def _with_unit_inside(text: str, number: Number, following: Number | None) -> Number | None:
    """1m65, 36 độ 8: the digits after a unit are its decimals. Square and cubic metres are the likelier reading."""
    inside = _INSIDE.match(text, number.end)
    taken = _taken(following, inside) if inside else None
    if not inside or taken is None or number.value % 1 or number.value >= MOST_MEASURED:
        return None
    unit, digits = inside["unit"].strip().lower(), inside["digits"]
    if inside["gap"] and _NOUN.match(text, inside.end()):
        return None
    value = (number.value + Decimal(digits) / 10 ** len(digits)) * WEIGHTS.get(unit, 1)
    if inside["unit"] == "m" and digits in ("2", "3") and not _TALL.search(text, 0, number.start):
        return replace(number, otherwise=((replace(number, value=value),),))
    end = inside.end()
    plain = (number, *taken)
    return replace(number, end=end, value=value, otherwise=(plain,) if plain[-1].end == end else ())


def _taken(following: Number | None, match: re.Match[str]) -> list[Number] | None:
    """The numbers that `match` takes in after the first; None where it would cut one, or take one that is a year."""
    if following is None or following.start >= match.end():
        return []
    return [following] if following.end == match.end("digits") and following.kind == "number" else None
