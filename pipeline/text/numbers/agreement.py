"""Do two texts state the same numbers?

Values are compared, not digit strings: across separators, multiplicands and calendars. Numbers written as words
(months apart) are never asked for, since languages differ in when they use them, but they answer for digits on the
other side.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cached_property
from itertools import pairwise

from pipeline.text import data
from pipeline.text.numbers.classify import numbers
from pipeline.text.numbers.quantities import RUN, Number, multiplicand, readings, western_digits
from pipeline.text.numbers.years_thai import BUDDHIST_OFFSET, BUDDHIST_YEARS, other_readings

MONTH = Decimal(-100)
"""Set off from all other values, since only a month can answer for a month."""

_RANGE = re.compile(r" ?(?:[-–—]|to|and|or|ถึง|และ|หรือ|đến|và|hoặc|tới) ?(?:US\$|\$|€|£)?$")
_DECADE_BEFORE = re.compile(r"(?:thập niên|thập kỷ|những năm|ทศวรรษ(?:ที่)?|ยุค(?:ปี)?|the|['’]) ?$", re.IGNORECASE)
_DECADE_AFTER = re.compile(r"['’]?s\b")
_SHORT = re.compile(r" ?([kmb])\b", re.IGNORECASE)
_SHORT_VALUES = {"k": 10**3, "m": 10**6, "b": 10**9}
_SPOKEN_RE = {
    value: re.compile(rf"\b(?:{'|'.join(words).replace('*', chr(92) + 'w*')})\b", re.IGNORECASE)
    for value, words in data.rows("english_spoken.txt")
}
# Vietnamese counts the days of the week: thứ 2 is Monday.
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


_THAI_WORDS = data.values("thai_spoken.txt")
_VIETNAMESE_WORDS = data.values("vietnamese_spoken.txt")
_ROMAN = re.compile(r"\b(?=[IVXL])(?:XL|L?X{0,3})(?:IX|IV|V?I{0,3})\b")
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

    def missing_from(self, other: StatedNumbers, weekdays: bool = False) -> list[Number]:
        """The numbers asked of `other` that neither a number nor a word answers for there; with `weekdays` English days
        of the week answer for the numbers by which Vietnamese counts them."""
        if not self.asked:
            return []
        answers = set().union(*other._values)
        rows = zip(self.numbers, self._values, strict=True)
        left = [(number, values) for number, values in rows if is_asked(self.text, number) and not values & answers]
        # Few numbers are left, and words are many.
        words = other._spoken | (_weekdays(other.text) if weekdays else set()) if left else set()
        return [number for number, values in left if not values & words]

    @cached_property
    def _spoken(self) -> set[Decimal]:
        return _spoken(self.text, self.lang)

    @cached_property
    def _values(self) -> list[set[Decimal]]:
        """All values that may stand for each of the numbers."""
        plain = western_digits(self.text)
        values = [_values(plain, number, self.lang) for number in self.numbers]
        for own, (number, following) in zip(values, pairwise(self.numbers), strict=False):
            # "2-3 million" gives its multiplicand to both ends.
            factor = multiplicand(plain, following, self.lang)
            if factor > 1 and _RANGE.fullmatch(plain[number.end : following.start]):
                own |= {value * factor for value in own}
        if self.lang == "th":
            return [own | other_readings(plain, number) for own, number in zip(values, self.numbers, strict=True)]
        return values


def agree(src: str, src_lang: str, tgt: str, tgt_lang: str = "en") -> tuple[list[Number], list[Number]]:
    """The numbers of `src` that `tgt` lacks, and those of `tgt` that `src` lacks.

    Only numbers in digits and months are reported. A Buddhist year counts as missing when the other text keeps it
    unconverted.
    """
    return compare(StatedNumbers(src, src_lang), StatedNumbers(tgt, tgt_lang))


def compare(source: StatedNumbers, target: StatedNumbers) -> tuple[list[Number], list[Number]]:
    """As `agree`, of texts whose numbers may be known already."""
    return source.missing_from(target, weekdays=source.lang == "vi"), target.missing_from(source)


def _weekdays(english: str) -> set[Decimal]:
    lower = english.lower()
    return {Decimal(i) for i, day in enumerate(_WEEKDAYS, 2) if day in lower}


def is_asked(text: str, number: Number) -> bool:
    """Whether `number` of `text` must be found on the other side: digits, and months, which all languages name."""
    return number.kind == "month" or text[number.start].isdigit()


def _values(text: str, number: Number, lang: str) -> set[Decimal]:
    value = number.value
    if number.kind == "time":
        hour = value // 1
        clock = {value, (value + 12) % 24, value - 12} if hour != 12 else {value, value - 12}
        return clock | ({Decimal(24)} if not value else set())
    if number.kind == "month":
        return {value + MONTH}
    if number.ambiguous:
        written = Decimal(text[number.start : number.end])
        return {value, written, written + 1900}
    if number.kind == "year" and number.era == "BE":
        return {value}
    values = {value}
    run = RUN.match(text, number.start)
    if run:
        factor = multiplicand(text, number, lang)
        values |= {reading * factor for reading in readings(run[0], lang)}
        unit = _SHORT.match(text, number.end)
        if unit:
            values.add(value * _SHORT_VALUES[unit[1].lower()])
    if number.kind == "number" and lang == "th" and value in BUDDHIST_YEARS and number.end - number.start == 4:
        values.add(value - BUDDHIST_OFFSET)
    return values | _decade(text, number)


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


def _spoken(text: str, lang: str) -> set[Decimal]:
    """Values that words of `text` may stand for; generous, since they only answer for the other side's digits."""
    found = {_roman(match[0]) for match in _ROMAN.finditer(text) if match[0]}
    if lang == "th":
        found |= {value for word, value in _THAI_WORDS.items() if word in text}
    elif lang == "vi":
        found |= {_VIETNAMESE_WORDS[word] for word in re.findall(r"\w+", text.lower()) if word in _VIETNAMESE_WORDS}
    else:
        found |= {value for value, pattern in _SPOKEN_RE.items() if pattern.search(text)}
    return {Decimal(value) for value in found}


def _roman(letters: str) -> int:
    values = [_ROMAN_VALUES[letter] for letter in letters]
    return sum(-v if v < following else v for v, following in zip(values, [*values[1:], 0], strict=True))
