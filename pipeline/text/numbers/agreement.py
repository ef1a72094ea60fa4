"""Do two texts state the same numbers?

Values are compared, not digit strings: across separators, multiplicands and calendars. Numbers written as words
(months apart) are never asked for, since languages differ in when they use them, but they answer for digits on the
other side. What can be read in several ways (5-12 is a day, a range, a result) agrees if one of them does, and answers
with that one only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import pairwise

from pipeline.text import data
from pipeline.text.numbers.classify import numbers
from pipeline.text.numbers.periods import period_values
from pipeline.text.numbers.quantities import RUN, Number, multiplicand, readings, western_digits
from pipeline.text.numbers.signs import is_decline
from pipeline.text.numbers.years_thai import BUDDHIST_OFFSET, BUDDHIST_YEARS, is_lunar_month, other_readings
from pipeline.text.unicode import fold

Value = tuple[str, Decimal]
"""A value and what kind of number has it: "number", "percent", "permille", "month", "time", or "clock", by which a time
answers for a number that is none."""

_RANGE = re.compile(r" ?(?:[-–—]|to|and|or|ถึง|และ|หรือ|đến|và|hoặc|tới) ?(?:US\$|\$|€|£)?$")
_DECADE_BEFORE = re.compile(r"(?:thập niên|thập kỷ|những năm|ทศวรรษ(?:ที่)?|ยุค(?:ปี)?|the|['’]) ?$", re.IGNORECASE)
_DECADE_AFTER = re.compile(r"['’]?s\b")
_SHORT = re.compile(r" ?([kmb])\b", re.IGNORECASE)
_SHORT_VALUES = {"k": 10**3, "m": 10**6, "b": 10**9}
_ENGLISH_WORDS: dict[str, set[int]] = {}
_ENGLISH_STEMS: dict[str, int] = {}
_ENGLISH_PHRASES: dict[str, int] = {}
for _value, _words in data.rows("english_spoken.txt"):
    for _word in _words:
        if " " in _word or "-" in _word:
            _ENGLISH_PHRASES[_word.removesuffix("*")] = _value
        elif _word.endswith("*"):
            _ENGLISH_STEMS[_word.removesuffix("*")] = _value
        else:
            _ENGLISH_WORDS.setdefault(_word, set()).add(_value)
_NONE: frozenset[int] = frozenset()
_WORD = re.compile(r"\w+")
_STEMS = tuple(_ENGLISH_STEMS)
# Vietnamese counts the days of the week: thứ 2 is Monday.
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


_THAI_WORDS = data.values("thai_spoken.txt")
_VIETNAMESE_WORDS = data.values("vietnamese_spoken.txt")
_ROMAN = re.compile(r"\b(?=[IVXL])(?:XL|L?X{0,3})(?:IX|IV|V?I{0,3})\b")
_WANTED = {
    "number": ("number", "percent", "permille", "clock"),
    "percent": ("percent", "number"),
    "permille": ("permille", "number"),
}
_ROMAN_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50}


class StatedNumbers:
    """What the numbers of one text are and answer for; each worked out when first needed, and once.

    Made to be compared with those of other texts by `compare`.
    """

    def __init__(self, text: str, lang: str) -> None:
        self.text, self.lang = text, lang

    @cached_property
    def numbers(self) -> list[Number]:
        """All numbers of the text, in order."""
        return numbers(self.text, self.lang)

    @cached_property
    def asked(self) -> list[Number]:
        """Those that are asked of the other text: those in digits, and months."""
        return [number for number in self.numbers if is_asked(self.text, number)]

    @cached_property
    def possible(self) -> frozenset[Value]:
        """All values that numbers, in any reading, and words of the text may stand for."""
        return frozenset(self._spoken).union(*(value.answers for place in self._places for value in _all(place)))

    def answers(self, there: Set[Value]) -> frozenset[Value]:
        """The values that the text states if the other text may state those of `there`."""
        if all(len(place) == 1 for place in self._places):
            return self.possible
        live = (reading for place in self._places for reading in _live(place, there))
        return frozenset(self._spoken).union(*(value.answers for reading in live for value in reading))

    def unanswered(self, answers: Set[Value]) -> list[Number]:
        """The numbers that are asked for and have no value among `answers`, as the likeliest reading has them."""
        return [
            value.number
            for place in self._places
            if not any(_fits(reading, answers) for reading in place)
            for value in place[0]
            if is_asked(self.text, value.number) and not value.wants & answers
        ]

    @cached_property
    def weekdays(self) -> frozenset[Value]:
        """The days of the week that the text, in English, names, as Vietnamese counts them."""
        lower = self.text.lower()
        return frozenset(("number", Decimal(i)) for i, day in enumerate(_WEEKDAYS, 2) if day in lower)

    @cached_property
    def _spoken(self) -> set[Value]:
        return _spoken(self.text, self.lang)

    @cached_property
    def _places(self) -> list[list[list[_Stated]]]:
        """The readings of each place that states numbers, the likeliest first, each the values of its numbers."""
        plain = western_digits(self.text)
        values = [_stated(plain, number, self.lang) for number in self.numbers]
        for i, (number, following) in enumerate(pairwise(self.numbers)):
            # "2-3 million" gives its multiplicand to both ends.
            factor = multiplicand(plain, following, self.lang)
            if factor > 1 and _RANGE.fullmatch(plain[number.end : following.start]):
                values[i] = values[i].with_factor(factor)
        places: list[list[list[_Stated]]] = []
        until = 0
        for value in values:
            number = value.number
            if places and number.start < until:
                places[-1][0].append(value)
                continue
            others = [[_stated(plain, other, self.lang) for other in reading] for reading in number.otherwise]
            until = max((reading[-1].end for reading in number.otherwise), default=0)
            places.append([[value], *others])
        return places


@dataclass(frozen=True, slots=True)
class _Stated:
    """A number with the values that may stand for it on the other side, and those that it stands for there."""

    number: Number
    wants: frozenset[Value]
    answers: frozenset[Value]

    def with_factor(self, factor: Decimal) -> _Stated:
        def both(values: frozenset[Value]) -> frozenset[Value]:
            return values | {(kind, value * factor) for kind, value in values}

        return _Stated(self.number, both(self.wants), both(self.answers))


def _all(place: Iterable[Iterable[_Stated]]) -> Iterator[_Stated]:
    return (value for reading in place for value in reading)


def _fits(reading: Iterable[_Stated], answers: Set[Value]) -> bool:
    return all(value.wants & answers for value in reading)


def _live(place: list[list[_Stated]], there: Set[Value]) -> list[list[_Stated]]:
    """The readings of `place` that the other side may have as well, the likeliest if none."""
    return [reading for reading in place if _fits(reading, there)] or place[:1]


def agree(src: str, src_lang: str, tgt: str, tgt_lang: str = "en") -> tuple[list[Number], list[Number]]:
    """The numbers of `src` that `tgt` lacks, and those of `tgt` that `src` lacks.

    Only numbers in digits and months are reported. A Buddhist year counts as missing when the other text keeps it
    unconverted.
    """
    return compare(StatedNumbers(src, src_lang), StatedNumbers(tgt, tgt_lang))


def compare(source: StatedNumbers, target: StatedNumbers) -> tuple[list[Number], list[Number]]:
    """As `agree`, of texts whose numbers may be known already."""
    if not source.asked and not target.asked:
        return [], []
    weekdays = target.weekdays if source.lang == "vi" else frozenset()
    missing = source.unanswered(target.answers(source.possible) | weekdays)
    extra = target.unanswered(source.answers(target.possible | weekdays))
    if source.lang == "vi" and missing:
        missing = [number for number in missing if not _is_kept_name(source.text, number, target.text)]
    if any(number.value < 0 for number in (*missing, *extra)):
        return _without_losses(source, missing, target), _without_losses(target, extra, source)
    return missing, extra


def _is_kept_name(text: str, number: Number, english: str) -> bool:
    """Whether a month in Vietnamese words is part of a name that English leaves as it is: Cách Mạng Tháng Tám."""
    written = text[number.start : number.end]
    return number.kind == "month" and not written.isdigit() and f"thang {fold(written)}" in fold(english)


def _without_losses(stated: StatedNumbers, lost: list[Number], other: StatedNumbers) -> list[Number]:
    """`lost` without what the other side has with the other sign, where the side without minus speaks of a loss."""
    losses = {
        number.value for number in other.numbers if number.value < 0 or is_decline(other.text, number, other.lang)
    }
    return [
        number
        for number in lost
        if -number.value not in losses or not (number.value < 0 or is_decline(stated.text, number, stated.lang))
    ]


def is_asked(text: str, number: Number) -> bool:
    """Whether `number` of `text` must be found on the other side: digits, and months, which all languages name."""
    return number.kind == "month" or text[number.start].isdigit()


def _stated(text: str, number: Number, lang: str) -> _Stated:
    if number.kind == "time":
        return _time(number)
    if number.kind == "month":
        month = frozenset({("month", number.value)})
        return _Stated(number, month, month)
    values = _values(text, number, lang)
    kind = number.kind if number.kind in ("percent", "permille") else "number"
    wants: set[Value] = {(wanted, value) for value in values for wanted in _WANTED[kind]}
    if kind == "permille":
        wants |= {("percent", value / 10) for value in values}
    elif kind == "percent":
        wants |= {("permille", value * 10) for value in values}
    answers: set[Value] = {(kind, value) for value in values}
    if lang == "th" and is_lunar_month(text, number):
        # Lunar months are counted, and English may call them months.
        lunar: set[Value] = {("month", value) for value in values}
        wants, answers = wants | lunar, answers | lunar
    return _Stated(number, frozenset(wants), frozenset(answers))


def _time(number: Number) -> _Stated:
    """17 giờ is 5 p.m. and the number 5, but not 5 a.m.; 5 giờ alone may be either."""
    value = number.value
    midday = {value, value + 12, value - 12} if value < 13 else {value, value - 12}
    plain = midday | {Decimal(24)} if value in (0, 12) else midday
    hours = {hour % 24 for hour in ((value, value + 12) if number.ambiguous else (value,))}
    times = frozenset(("time", hour) for hour in hours)
    wants = times.union(("number", hour) for hour in plain)
    return _Stated(number, wants, times.union(("clock", hour) for hour in plain))


def _values(text: str, number: Number, lang: str) -> set[Decimal]:
    """All plain values that may stand for a number that is no month and no time."""
    value = number.value
    if number.kind == "year" and number.ambiguous and number.end - number.start == 2:
        written = Decimal(text[number.start : number.end])
        return {value, written, written + 1900} | (other_readings(text, number) if lang == "th" else set())
    if number.kind == "year" and number.era == "BE":
        return {value} | other_readings(text, number)
    values = {value}
    run = RUN.match(text, number.start)
    if run and number.kind != "year":
        factor = multiplicand(text, number, lang)
        read = [reading * factor for reading in readings(run[0], lang)]
        if read and read[0] == abs(value):
            values |= {reading.copy_sign(value) for reading in read}
        unit = _SHORT.match(text, number.end)
        if unit:
            values.add(value * _SHORT_VALUES[unit[1].lower()])
    if number.kind == "number" and lang == "th" and value in BUDDHIST_YEARS and number.end - number.start == 4:
        values.add(value - BUDDHIST_OFFSET)
    return values | _decade(text, number) | (other_readings(text, number) if lang == "th" else set())


def _decade(text: str, number: Number) -> set[Decimal]:
    """The nineties as 90 and as 1990, where `number` names a decade."""
    value = number.value
    if value % 10 or not (value < 100 or 1900 <= value < 2100):
        return set()
    if not (
        _DECADE_BEFORE.search(text[max(0, number.start - 12) : number.start]) or _DECADE_AFTER.match(text, number.end)
    ):
        return set()
    return {value + 1900} if value < 100 else {value % 100}


def _spoken(text: str, lang: str) -> set[Value]:
    """Values that words of `text` may stand for; generous, since they only answer for the other side's digits."""
    found = {_roman(match[0]) for match in _ROMAN.finditer(text) if match[0]} | period_values(text)
    if lang == "th":
        found |= {value for word, value in _THAI_WORDS.items() if word in text}
    elif lang == "vi":
        found |= {_VIETNAMESE_WORDS[word] for word in _WORD.findall(text.lower()) if word in _VIETNAMESE_WORDS}
    else:
        found |= _english_spoken(text.lower())
    spoken = {("number", Decimal(value)) for value in found}
    if lang == "vi" and "tết" in text.lower():
        # The days before and after Tết are days of the last and the first lunar month.
        spoken |= {("month", Decimal(1)), ("month", Decimal(12))}
    return spoken


def _english_spoken(text: str) -> set[int]:
    """The values of the words and phrases of an English text in small letters."""
    values: set[int] = set()
    for word in set(_WORD.findall(text)):
        values |= _ENGLISH_WORDS.get(word, _NONE)
        if word.startswith(_STEMS):
            values |= {value for stem, value in _ENGLISH_STEMS.items() if word.startswith(stem)}
    return values | {value for phrase, value in _ENGLISH_PHRASES.items() if phrase in text}


def _roman(letters: str) -> int:
    values = [_ROMAN_VALUES[letter] for letter in letters]
    return sum(-v if v < following else v for v, following in zip(values, [*values[1:], 0], strict=True))
