"""Below zero: signs and words before and after digits, and words of loss that stand for a sign."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from pipeline.text.data import words
from pipeline.text.numbers.quantities import Number

DEGREE = re.compile(r" ?(?:[°º]|độ\b|degrees?\b)", re.IGNORECASE)
_MEASURED = r" ?(?:[°º%‰]|[CF]\b|độ\b|degrees?\b|phần trăm\b|per ?cent|percentage|điểm\b|points?\b)"
_MEASURE = re.compile(
    rf"(?: ?(?:-|–|—|đến|tới|và|to|and|or|hoặc) ?(?:[-−–]|âm |minus )?\d[\d.,]{{0,12}})?{_MEASURED}", re.IGNORECASE
)
_SIGN = re.compile(r"(?P<sure>−) ?$|(?P<dash>[-–])(?P<gap> ?)$")
_TO = re.compile(r" ?(?:[-–—]|đến|tới|và|to|and|or|hoặc) ?")
_SAID = {
    "vi": re.compile(r"\bâm $", re.IGNORECASE),
    "en": re.compile(r"\b(?:minus|negative) $", re.IGNORECASE),
}
_BELOW_ZERO = {
    "vi": re.compile(
        r" ?(?:độ|[°º])?(?: ?[CF]\b)? dưới (?P<zero>0|không\b)(?! ?[.,]?\d)(?: độ| ?[°º])?", re.IGNORECASE
    ),
    "en": re.compile(
        r" ?(?:degrees?|[°º])?(?: ?(?:Celsius|Fahrenheit|C|F)\b)? (?:below (?P<zero>0\b|zero|freezing)|sub-?zero)",
        re.IGNORECASE,
    ),
}
_DECLINES = {
    lang: re.compile(
        rf"(?<!\w)(?:{'|'.join(re.escape(word) for word in words(name))})(?!\w)".replace(r"\*", r"\w*"), re.IGNORECASE
    )
    for lang, name in (("vi", "vietnamese_declines.txt"), ("en", "english_declines.txt"))
}
_OPENING = "([{“\"':;,/=~≈"
_LEVELS = words("minus_openers.txt")
WINDOW = 40


def signed(text: str, numbers: list[Number], lang: str) -> list[Number]:
    """`numbers` of `text` in order, those below zero with their sign; a zero that only says so is left out.

    A hyphen is a minus where it cannot be the hyphen of a range, a code or a list; one that may begin an item of a list
    leaves both readings. Not for Thai, whose words `quantities_thai` knows.
    """
    done: list[Number] = []
    until = 0
    for number in numbers:
        if number.start < until:
            continue
        if not _may_be_below(number):
            done.append(number)
            continue
        below = _BELOW_ZERO.get(lang, _BELOW_ZERO["en"]).match(text, number.end)
        until = below.end() if below else until
        sure = below is not None or _said(text, number, lang)
        continues = bool(done) and done[-1].value < 0 and _TO.fullmatch(text, done[-1].end, number.start) is not None
        if sure or _minus(text, number) == "sure":
            number = replace(number, value=-number.value, otherwise=())
        elif continues or _minus(text, number):
            number = _either(number)
        done.append(number)
    return done


def perhaps_signed(text: str, numbers: list[Number]) -> list[Number]:
    """`numbers` of `text`, with the other reading of those that have a hyphen before them but are not below zero."""
    return [_either(number) if _may_be_below(number) and _minus(text, number) else number for number in numbers]


def _may_be_below(number: Number) -> bool:
    return number.value > 0 and number.kind in ("number", "percent", "permille", "money")


def _either(number: Number) -> Number:
    return replace(number, otherwise=(*number.otherwise, (replace(number, value=-number.value, otherwise=()),)))


def _said(text: str, number: Number, lang: str) -> bool:
    before = text[max(0, number.start - 10) : number.start]
    return _SAID.get(lang, _SAID["en"]).search(before) is not None


def _minus(text: str, number: Number) -> Literal["", "unsure", "sure"]:
    """How sure the sign or hyphen before `number` is a minus, "" where none may be."""
    before = text[max(0, number.start - WINDOW) : number.start]
    sign = _SIGN.search(before)
    if not sign or not text[number.start].isdigit():
        return ""
    before = before[: sign.start()]
    token = before.split()[-1] if before.strip() else ""
    if token[-1:].isdigit() or (before and not before[-1].isspace() and before[-1] not in _OPENING):
        return ""
    measured = _MEASURE.match(text, number.end) is not None
    alone = not token and number.end == len(text)
    if sign["sure"] or (not sign["gap"] and (measured or alone or token.lower() in _LEVELS)):
        return "sure"
    # It begins an item of a list, stands between two clauses, or is the minus of a text that was cut into words.
    return "unsure" if measured or not sign["gap"] else ""


def is_decline(text: str, number: Number, lang: str) -> bool:
    """Whether words near `number` say that it is a fall or a loss; degrees are never meant."""
    pattern = _DECLINES.get(lang)
    if pattern is None or DEGREE.match(text, number.end):
        return False
    near = text[max(0, number.start - WINDOW) : number.end + WINDOW]
    return pattern.search(near) is not None
