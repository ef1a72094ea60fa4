"""Quantities in running text: digits with the separators and multiplicands of each language, and number words.

Digits mean different things: 1.250 is a thousand odd in Vietnamese and a little over one elsewhere. Multiplicands
are words after the digits (ล้าน, tỷ, billion) that stack: 1.5 แสนล้าน is 1.5 x 100,000 x 1,000,000.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, chain
from math import prod
from typing import Literal

from pipeline.text.data import values, words
from pipeline.text.patterns import either

Kind = Literal["number", "percent", "permille", "money", "year", "month", "day", "time", "ordinal"]
Era = Literal["", "BE", "CE", "RS"]

MAX_RUN = 20
"""A longer run of digits is an identifier, not a quantity; short ones keep decimal arithmetic exact."""

LARGEST = Decimal(10) ** 24


@dataclass(frozen=True, slots=True)
class Number:
    """A number that `text[start:end]` states.

    `value` is the plain value: 85000000 for 85 ล้าน, 8.02 for 8,02 %, -5 for âm 5 (the sign stands before `start`), the
    Common Era year for a year (`era` says which calendar was written; RS is the Rattanakosin era), 1 to 12 for a month,
    hours plus hundredths for the minutes of a time (18.3 for 18.30 น.). `ambiguous` marks a year of two digits, whose
    century or calendar is the likeliest one only, a Thai year that nothing but its place marks as one, and a time up to
    12 that does not say which half of the day it is in.
    `otherwise` stands with the first number of what can be read in several ways: ngày 5-12 is the fifth of December,
    else the days 5 to 12. Each entry holds all numbers of one other reading; every reading ends at the same place.
    """

    start: int
    end: int
    value: Decimal
    kind: Kind = "number"
    era: Era = ""
    ambiguous: bool = False
    otherwise: tuple[tuple[Number, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Scale:
    """Multiplicands of a language: the words after digits, their values and what must not follow them."""

    words: dict[str, Decimal]
    pattern: re.Pattern[str]


def _scale(table: dict[str, int], gap: str, end: str, alternatives: str = "") -> Scale:
    alternatives = alternatives or either(table)
    pattern = re.compile(f"{gap}(?:{alternatives}){end}(?:{gap}(?:{alternatives}){end})*", re.IGNORECASE)
    return Scale({word: Decimal(value) for word, value in table.items()}, pattern)


THAI = values("thai_multiplicands.txt")
VIETNAMESE = values("vietnamese_multiplicands.txt")
ENGLISH = values("english_multiplicands.txt")
SHORT = values("english_short_multiplicands.txt")
VIETNAMESE_SHORT = {"k": 10**3, "tr": 10**6}

# Ranks, Lanna, species and the like begin with the same letters.
_THAI_END = "(?!ละ|เอก|โท|ตรี|จ่า|ตำรวจ|ธ|นา(?!ที|ย)|ช้าง|ยานุ|สิริ|สุข)"
SCALES = {
    "th": _scale(THAI, " ?", _THAI_END),
    "vi": _scale(
        VIETNAMESE | VIETNAMESE_SHORT,
        r"\s*",
        r"(?![^\W\d_])(?! (?:lệ|giá|phú|số|trọng|suất|tú|tràng|điền)\b)",
        # 4K is a screen, 5K a campaign.
        rf"{either(VIETNAMESE)}|tr|(?-i:k)|(?<=[\d.,]\d)k",
    ),
    "en": _scale(ENGLISH | SHORT, "[ -]?", r"\b"),
}

_AND_HALF = {"th": re.compile(" ?ครึ่ง"), "vi": re.compile(r"\s+rư[ỡở]i\b")}
_THAI_DIGITS = str.maketrans("๐๑๒๓๔๕๖๗๘๙", "0123456789")
_THAI_DIGIT = re.compile("[๐-๙]")
EXCHANGED = str.maketrans(".,", ",.")
RUN = re.compile(r"\d(?:[\d.,]*\d)?", re.ASCII)
_COMMAS = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")
_POINTS = re.compile(r"\d{1,3}(?:\.\d{3})+")
_LETTER = "A-Za-z\u00c0-\u024f\u1e00-\u1eff"
_CODES = "".join(f"(?<!{code})" for code in sorted(words("glued_codes.txt")))
_GLUED_BEFORE = re.compile(f"[{_LETTER}_]{_CODES}$")
_UNITS = (
    r"[kcmµ]?m[²³23]?|sq|[kmµ]?g|gr|ha|h|mph|km/?h|[ap]m|st|nd|rd|th|ST|ND|RD|TH|s|[kMGT]?Wh?|kV|[kKMGT]?[Bb]|[kGM]?Hz"
    r"|kcal|mmHg|[mcd]?[lL]|cc|ft|tr|lbs?|USD|VND|VNĐ|đ|C|F|k|K|m|M|b|p|x|mn|mln|bn|tn|trn|million|billion|baht|yr|pc"
    r"|percent|giờ|phút|trăm|nghìn|ngàn|triệu|tỷ|tỉ|đồng|độ|tuổi|người"
)
_GLUED_AFTER = re.compile(f"(?!(?:{_UNITS})(?![{_LETTER}]))[{_LETTER}_]")


def western_digits(text: str) -> str:
    """`text` with Thai digits as ASCII digits; the length stays."""
    return text.translate(_THAI_DIGITS) if _THAI_DIGIT.search(text) else text


def quantities(text: str, lang: str) -> list[Number]:
    """All quantities of `text` (Thai digits already in ASCII) in order, without saying what they count."""
    found = _in_digits(text, lang)
    found += apart(in_words(text, lang), found)
    return _summed(text, lang, sorted(found, key=lambda number: number.start))


def apart(numbers: Iterable[Number], others: Iterable[Number]) -> list[Number]:
    """Those of `numbers` that share no character with any of `others`."""
    taken = sorted((other.start, other.end) for other in others)
    starts = [start for start, _ in taken]
    # The furthest end of the first so many: looked up by place, since each against each takes minutes on a long line.
    reach = [0, *accumulate((end for _, end in taken), max)]
    return [number for number in numbers if reach[bisect_left(starts, number.end)] <= number.start]


def readings(run: str, lang: str) -> list[Decimal]:
    """What a run of digits, points and commas can mean, the likeliest first; empty for lists such as 1,2,3."""
    if run.isdigit():
        return [Decimal(run)]
    english, other = _readings(run), _readings(run.translate(EXCHANGED))
    if lang == "vi" and _POINTS.fullmatch(run) and not run.startswith("0"):
        return other
    if lang == "vi":
        return other + english if continental(run) else english + other
    # Vietnamese and Thai authors of English write 1.800 for 1,800.
    return english + (other if run.count(".") > 1 or _POINTS.fullmatch(run) else [])


def continental(run: str) -> bool:
    """Whether a run in Vietnamese text has points for thousands and a decimal comma, as is the rule there."""
    english = _COMMAS.fullmatch(run) and (run.endswith(",000") or run.count(",") > 1)
    return not english and bool(_readings(run.translate(EXCHANGED)))


def _readings(run: str) -> list[Decimal]:
    """The reading with commas for thousands and a decimal point."""
    if _COMMAS.fullmatch(run) and not run.startswith("0"):
        return [Decimal(run.replace(",", ""))]
    return [Decimal(run)] if run.count(".") == 1 and "," not in run else []


def _in_digits(text: str, lang: str) -> list[Number]:
    found: list[Number] = []
    for match in RUN.finditer(text):
        start, end = match.span()
        if end - start > MAX_RUN or _GLUED_BEFORE.search(text[max(0, start - 4) : start]):
            continue
        if _GLUED_AFTER.match(text, end):
            continue
        values = readings(match[0], lang)
        if values:
            found.append(_scaled(text, Number(start, end, values[0]), lang))
        else:
            found += [
                Number(start + part.start(), start + part.end(), Decimal(part[0]))
                for part in re.finditer(r"\d+", match[0])
            ]
    return found


def _scaled(text: str, number: Number, lang: str) -> Number:
    scale = SCALES.get(lang, SCALES["en"])
    match = scale.pattern.match(text, number.end)
    if not match:
        return number
    value, last = number.value, Decimal(1)
    for word in re.findall("|".join(sorted(scale.words, key=len, reverse=True)), match[0].lower()):
        last = scale.words[word]
        value *= last
    if value >= LARGEST:
        return number
    end = match.end()
    half = _AND_HALF[lang].match(text, end) if lang in _AND_HALF else None
    if half:
        value, end = value + last / 2, half.end()
    return Number(number.start, end, value)


def multiplicand(text: str, number: Number, lang: str) -> Decimal:
    """By how much the words inside `number` multiply its digits; 1 where it has none."""
    run = RUN.match(text, number.start)
    values = readings(run[0], lang) if run else []
    factor = abs(number.value) / values[0] if values and values[0] else Decimal(1)
    return factor if factor % 1 == 0 else Decimal(1)


def _summed(text: str, lang: str, found: list[Number]) -> list[Number]:
    """Join 1 ล้าน 2 แสน and 1 tỷ 200 triệu: digits with ever smaller multiplicands are one quantity."""
    if lang not in ("th", "vi"):
        return found
    joined: list[Number] = []
    largest = Decimal(1)
    for number in found:
        factor = multiplicand(text, number, lang)
        last = joined[-1] if joined else None
        adds = 1 < factor < largest <= 1000 * factor and number.value < largest
        if last and adds and text[last.end : number.start] in ("", " ") and last.value % largest == 0:
            joined[-1] = Number(last.start, number.end, last.value + number.value)
        else:
            joined.append(number)
        largest = factor
    return joined


_UNITS_TH = values("thai_units.txt")
_UNITS_VI = values("vietnamese_units.txt")
_UNITS_EN = values("english_units.txt")
ORDINALS = values("english_ordinals.txt")

_MULTIPLICANDS = {10, 12, *THAI.values(), *VIETNAMESE.values(), *ENGLISH.values()}

_any = "|".join
_TH_WORD = re.compile(
    f"(?:(?:{_any(_UNITS_TH)}|ครึ่ง)(?:{_any(THAI)})|สิบ)(?:(?:{_any(_UNITS_TH)})?(?:{_any(THAI)}))*"
    f"(?:{_any(_UNITS_TH)})?{_THAI_END}(?P<rest>ครึ่ง)?|(?<=ร้อยละ)(?:{_any(_UNITS_TH)})"
)
_VI_SCALE = f"(?:mươi|{_any(VIETNAMESE)})"
# năm is also a year: mười năm is ten years, 15 is mười lăm.
_VI_TEENS = f"mười(?: (?:{_any(unit for unit in _UNITS_VI if unit not in ('năm', 'mười', 'mốt'))}))?"
_VI_UNIT = f"(?:{_VI_TEENS}|{_any(unit for unit in _UNITS_VI if unit not in ('năm', 'mười'))}|năm(?= {_VI_SCALE}\\b))"
_VI_WORD = re.compile(
    rf"(?<!thứ )(?<!tháng )(?<!chủ )\b{_VI_UNIT}"
    rf"(?: {_VI_SCALE}\b(?: không trăm\b)?(?: (?:linh|lẻ) (?:{_any(_UNITS_VI)})\b| {_VI_UNIT}\b)?)*\b(?! \d)"
    rf"(?P<rest> rư[ỡở]i\b)?|\bnửa (?:{_any(VIETNAMESE)})\b|(?<=gấp )rư[ỡở]i\b"
)
_VI_FIRST = re.compile(rf"(?:trăm|nghìn|ngàn|triệu|tỷ|tỉ) (?:rư[ỡở]i|{_any(_UNITS_VI)})\b")
_VI_MANY = ("hàng ", "vài ", "mấy ", "nhiều ")
_VI_ALONE = frozenset(["hai", "bốn", "sáu", "bảy", "tám", "chín", "mười", "một", "ba", "rưỡi", "rưởi"])
_EN_PART = f"{_any(sorted(_UNITS_EN, key=len, reverse=True))}|dozen|{_any(ENGLISH)}"
_EN_WORD = re.compile(
    rf"\b(?:(?:{_EN_PART})|(?:half )?an? (?=dozen|{_any(ENGLISH)})|half (?=dozen|{_any(ENGLISH)}))"
    rf"(?P<half> and a half(?= (?:{_any(ENGLISH)})))?(?:(?: and |[ -])?(?:{_EN_PART}))*"
    rf"(?:(?:-|(?<=ty) |(?<=hundred) (?:and )?)(?:{_any(ORDINALS)}))?\b(?P<rest>[ -]and[ -]a[ -]half\b)?"
    rf"|\b(?:{_any(ORDINALS)})\b"
)
_HALVES = ("ครึ่ง", "nửa ", "half ")
_EN_ALONE = re.compile(f"{_any(ENGLISH)}|dozen")


def in_words(text: str, lang: str) -> list[Number]:
    """Numbers written as words. Words that are more often something else (năm, tư, สาม) count only in company."""
    found = []
    lower = text.lower()
    # Patterns without case are three times as fast; the rare letter whose small form is longer would shift places.
    lower = lower if len(lower) == len(text) else text
    if lang == "th":
        for match in _TH_WORD.finditer(text):
            found.append(_word_number(match, re.findall(f"{_any(_UNITS_TH)}|{_any(THAI)}", match[0]), _UNITS_TH | THAI))
    elif lang == "vi":
        for match in chain(_VI_WORD.finditer(lower), filter(_stands_first, _VI_FIRST.finditer(lower))):
            parts = match[0].replace(" không trăm", "").split()
            if len(parts) > 1 or match[0] in _VI_ALONE:
                found.append(_vietnamese_words(match, parts))
    else:
        for match in _EN_WORD.finditer(lower):
            if not _EN_ALONE.fullmatch(match[0]):
                found.append(_english_words(match))
    return found


def _stands_first(match: re.Match[str]) -> bool:
    """Whether trăm hai (120) stands without digits, a number word or hàng before it."""
    before = match.string[: match.start()][-8:]
    last = before.split()[-1:] if before.endswith(" ") else []
    known = last and (last[0] in _UNITS_VI or last[0] in VIETNAMESE or last[0] == "mươi" or last[0][-1].isdigit())
    return not known and not before.endswith(_VI_MANY) and not before[-1:].isalnum()


def _vietnamese_words(match: re.Match[str], parts: list[str]) -> Number:
    """As `_word_number`, for what Vietnamese leaves out: nghìn hai is 1,200, một tỷ mốt 1,100,000,000, gấp rưỡi 1.5."""
    values = _UNITS_VI | {"mươi": 10} | VIETNAMESE
    number = _word_number(match, parts, values)
    if len(parts) < 3 and parts[-1] in ("rưỡi", "rưởi"):
        return Number(number.start, number.end, number.value * Decimal("1.5"))
    scale, unit = (values.get(part, 0) for part in [" ", *parts][-2:])
    if scale >= 100 and scale in _MULTIPLICANDS and 0 < unit < 10:
        return Number(number.start, number.end, number.value - unit + Decimal(unit * scale) / 10)
    return number


def _english_words(match: re.Match[str]) -> Number:
    parts = re.findall("[a-z]+", match[0].lower())
    values = _UNITS_EN | ORDINALS | {"dozen": 12} | ENGLISH
    number = _word_number(match, parts, values)
    row = [values[part] for part in parts if part in values]
    if len(row) > 1 and 16 <= row[0] <= 20 and 10 <= row[1] < 100:
        number = Number(number.start, number.end, Decimal(row[0] * 100 + sum(row[1:])), "year", "CE")
    return Number(number.start, number.end, number.value, "ordinal") if parts[-1] in ORDINALS else number


def _word_number(match: re.Match[str], parts: list[str], values: dict[str, int]) -> Number:
    """The number that `parts` spell, with the half that may stand before, within or after them."""
    row = [values[part] for part in parts if part in values]
    value = Decimal(_add_up(row) if row else 1)
    scales = [number for number in row if number in _MULTIPLICANDS]
    groups = match.groupdict()
    if match[0].lower().startswith(_HALVES):
        value /= 2
    elif groups.get("half"):
        value += Decimal(prod(scales)) / 2
    elif groups.get("rest"):
        value += Decimal(scales[-1] if scales and scales[-1] == row[-1] else 1) / 2
    return Number(match.start(), match.end(), value)


def _add_up(values: list[int]) -> int:
    """The number that a row of units and multiplicands spells: [2, 100, 5, 10, 1000000] is 250 million.

    A multiplicand takes all smaller parts just before it.
    """
    parts: list[int] = []
    for value in values:
        smaller = 0
        while value in _MULTIPLICANDS and parts and parts[-1] <= value:
            smaller += parts.pop()
        parts.append(max(smaller, 1) * value if value in _MULTIPLICANDS else value)
    return sum(parts)
