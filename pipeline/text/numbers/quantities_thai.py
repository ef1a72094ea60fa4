"""What only Thai does with quantities: ล้านๆ, sums before ล้าน, halves after the measure, satang, and words for minus."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from pipeline.text.data import values, words
from pipeline.text.numbers.quantities import LARGEST, RUN, SCALES, THAI, Kind, Number, apart
from pipeline.text.patterns import either

MILLION = THAI["ล้าน"]

_REPEATED = re.compile(" ?ๆ")
_SCALE_WORD = re.compile(either(THAI))
_UNITS = values("thai_units.txt")
_MEASURE = f"(?:{either(words('thai_measures.txt'))})"
_NO_HALF = "(?!หนึ่ง|ทาง|แรก|หลัง|เวลา|ราคา|ตัว|ๆ|[ก-ฮ]?ปี|เดือน|วัน|ล้าน|แสน|หมื่น|พัน|ร้อย)"
_HALF_AFTER = re.compile(f" ?(?P<measure>{_MEASURE}) ?ครึ่ง{_NO_HALF}")
_HALF_IN_WORDS = re.compile(f"(?:(?P<units>สิบ|{'|'.join(_UNITS)}) ?)?(?P<measure>{_MEASURE})ครึ่ง{_NO_HALF}")
_SATANG_AFTER = {"th": re.compile(r" ?(?:สตางค์(?!แดง)|สต\.)"), "en": re.compile(r"[ -]satang\b", re.IGNORECASE)}
_BAHT = {"th": re.compile(" ?บาท ?"), "en": re.compile(" baht,? (?:and )?", re.IGNORECASE)}
_MONEY = frozenset({"บาท", "ดอลลาร์"})
_PERCENT = frozenset({"เปอร์เซ็นต์", "เปอร์เซนต์"})
_TO = r"(?:[\d.]{1,6} ?%? ?(?:[-–]|ถึง|และ) ?)?"
_BELOW_ZERO = re.compile(f"ติดลบ ?(?:ถึง|ที่|ราว|กว่า|อยู่ที่|ประมาณ)? ?(?:ร้อยละ ?)?{_TO}$")
_LASTED = re.compile(" ?(?:ปี|ไตรมาส|เดือน|วัน|สัปดาห์|ครั้ง|นัด|รอบ|คน|ราย|แห่ง|บริษัท|ประเทศ|กลุ่ม|ประตู)")
"""What went below zero, or how long it was there, after the word for it."""
_LESS = re.compile(f"(?:(?<![ก-๎])|(?<=ถึง)|(?<=และ))ลบ ?{_TO}$")
_DEGREES_AFTER = re.compile(r"(?: ?(?:[-–]|ถึง|และ) ?(?:ลบ ?)?[\d.]{1,6})? ?(?:องศา|°)")
_TEMPERATURE_BEFORE = re.compile(r"(?:อุณหภูมิ|ต่ำสุด|สูงสุด|ปรอท)[^\d]{0,12}$")
_MEASURED_AFTER = re.compile(r" ?(?:%|‰|เปอร์เซ|องศา|°|จุด|บาท|ดอลลาร์|ถึง|เป็น|[)\]”\"]|$)")
_DASHES = ("-", "–", "−")


def refined(text: str, found: list[Number]) -> list[Number]:
    """The quantities of `text` (Thai digits in ASCII), in order, with what follows them in Thai counted in."""
    numbers: list[Number] = []
    for number in found:
        number = _halved(text, _repeated(text, number))
        before = numbers[-1] if numbers else None
        joined = before and _millions(text, before, number)
        if joined:
            numbers[-1] = joined
        else:
            numbers.append(number)
    numbers = in_baht(text, numbers, "th")
    return sorted([*numbers, *apart(_halves(text), numbers)], key=lambda number: number.start)


def in_baht(text: str, found: list[Number], lang: str) -> list[Number]:
    """The quantities of Thai or English `text` with satang as hundredths: 12 บาท 50 สตางค์ is 12.50 baht."""
    numbers: list[Number] = []
    for number in found:
        if number.kind == "number" and _SATANG_AFTER[lang].match(text, number.end):
            number = replace(number, value=number.value / 100, kind="money")
            baht = numbers[-1] if numbers else None
            if (
                baht
                and baht.value % 1 == 0
                and number.value < 1
                and _BAHT[lang].fullmatch(text, baht.end, number.start)
            ):
                number = Number(numbers.pop().start, number.end, baht.value + number.value, "money")
        numbers.append(number)
    return numbers


def signed(text: str, numbers: list[Number]) -> list[Number]:
    """`numbers` of `text`, those below zero with their sign, which stands before them as a sign or a word."""
    return [replace(number, value=-number.value) if _is_negative(text, number) else number for number in numbers]


def _is_negative(text: str, number: Number) -> bool:
    if number.kind not in ("number", "percent", "permille", "money"):
        return False
    before = text[max(0, number.start - 24) : number.start]
    if _BELOW_ZERO.search(before):
        return not _LASTED.match(text, number.end)
    if before.endswith(_DASHES):
        return _has_minus(text, number, before)
    return _LESS.search(before) is not None and _DEGREES_AFTER.match(text, number.end) is not None


def _has_minus(text: str, number: Number, before: str) -> bool:
    """Whether the dash that ends `before` is a sign: 5-12 has none, nor have โควิด-19 and the items of a list."""
    left = before[:-1]
    if left.rstrip()[-1:].isdigit():
        return False
    if before.endswith("−"):
        return True
    if (left[-1:].isalpha() or left[-1:] > "ฯ") and not left.endswith("ร้อยละ"):
        return _DEGREES_AFTER.match(text, number.end) is not None
    measured = _MEASURED_AFTER.match(text, number.end) or _TEMPERATURE_BEFORE.search(left)
    return measured is not None or "." in text[number.start : number.end]


def last_scale(text: str, number: Number) -> int:
    """The value of the last multiplicand inside `number`, 1 where it has none."""
    scales = _SCALE_WORD.findall(text, number.start, number.end)
    return THAI[scales[-1]] if scales else 1


def has_scale(text: str, number: Number) -> bool:
    """Whether multiplicands follow the digits of `number`."""
    digits = RUN.match(text, number.start, number.end)
    return bool(number.value) and digits is not None and SCALES["th"].pattern.match(text, digits.end()) is not None


def _repeated(text: str, number: Number) -> Number:
    """ล้านๆ is a million millions; after smaller multiplicands ๆ only says that the amount is not exact."""
    sign = _REPEATED.match(text, number.end)
    if not sign or not text.endswith(tuple(THAI), number.start, number.end):
        return number
    value = number.value * MILLION if last_scale(text, number) == MILLION else number.value
    return replace(number, end=sign.end(), value=value) if value < LARGEST else number


def _millions(text: str, before: Number, number: Number) -> Number | None:
    """2 หมื่น 5 พันล้าน is 25 thousand millions: the last ล้าน multiplies both."""
    if text[before.end : number.start] not in ("", " ") or not text.endswith("ล้าน", number.start, number.end):
        return None
    first = _SCALE_WORD.search(text, number.start, number.end)
    larger = last_scale(text, before)
    if not first or not THAI[first[0]] < larger < MILLION or before.value * MILLION <= number.value:
        return None
    return Number(before.start, number.end, before.value * MILLION + number.value)


def _halved(text: str, number: Number) -> Number:
    half = _HALF_AFTER.match(text, number.end)
    if not half or number.value % 1 or last_scale(text, number) > 1:
        return number
    return Number(number.start, half.end(), number.value + Decimal("0.5"), _kind(half["measure"]))


def _halves(text: str) -> Iterator[Number]:
    """สองชั่วโมงครึ่ง, and ชั่วโมงครึ่ง, which is one and a half."""
    if "ครึ่ง" not in text:
        return
    for match in _HALF_IN_WORDS.finditer(text):
        units = match["units"]
        whole = 10 if units == "สิบ" else _UNITS[units] if units else 1
        if units or not text[match.start() - 1 : match.start()].isdigit():
            yield Number(*match.span(), Decimal(whole) + Decimal("0.5"), _kind(match["measure"]))


def _kind(measure: str) -> Kind:
    return "money" if measure in _MONEY else "percent" if measure in _PERCENT else "number"
