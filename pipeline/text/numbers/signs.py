"""Below zero: signs and words before and after digits, and words of loss that stand for a sign."""

from __future__ import annotations

import re
from dataclasses import replace

from pipeline.text.data import words
from pipeline.text.numbers.quantities import Number

DEGREE = re.compile(r" ?(?:[°º]|độ\b|degrees?\b)", re.IGNORECASE)
_MEASURED = r" ?(?:[°º%‰]|[CF]\b|độ\b|degrees?\b|phần trăm\b|per ?cent|percentage|điểm\b|points?\b)"
_MEASURE = re.compile(
    rf"(?: ?(?:-|–|—|đến|tới|và|to|and|or|hoặc) ?(?:[-−–]|âm |minus )?\d[\d.,]{{0,12}})?{_MEASURED}", re.IGNORECASE
)
_MINUS = re.compile(r"(?P<sure>−) ?$|(?P<dash>[-–])(?P<gap> ?)$")
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
_LEVELS = frozenset(
    [
        "xuống",
        "còn",
        "từ",
        "đến",
        "tới",
        "là",
        "ở",
        "mức",
        "at",
        "to",
        "of",
        "from",
        "is",
        "was",
        "than",
        "and",
        "và",
        "between",
        "down",
        "around",
    ]
)
WINDOW = 40


def signed(text: str, numbers: list[Number], lang: str) -> list[Number]:
    """`numbers` of `text` in order, those below zero with their sign; a zero that only says so is left out.

    A hyphen is a minus where it cannot be the hyphen of a range, a code or a list; one that may begin an item of a list
    leaves both readings.
    """
    done: list[Number] = []
    until = 0
    for number in numbers:
        if number.start < until:
            continue
        if number.kind not in ("number", "percent", "permille", "money") or not number.value:
            done.append(number)
            continue
        below = _BELOW_ZERO.get(lang, _BELOW_ZERO["en"]).match(text, number.end)
        until = below.end() if below else until
        done.append(_below(number) if below or _said(text, number, lang) else _with_minus(text, number))
    return done


def _below(number: Number) -> Number:
    return replace(number, value=-number.value)


def _said(text: str, number: Number, lang: str) -> bool:
    before = text[max(0, number.start - 10) : number.start]
    return _SAID.get(lang, _SAID["en"]).search(before) is not None


def _with_minus(text: str, number: Number) -> Number:
    """`number` with the sign that a minus or hyphen before it gives."""
    before = text[max(0, number.start - WINDOW) : number.start]
    minus = _MINUS.search(before)
    if not minus or not text[number.start].isdigit():
        return number
    before = before[: minus.start()]
    token = before.split()[-1] if before.strip() else ""
    if token[-1:].isdigit() or (before and not before[-1].isspace() and before[-1] not in _OPENING):
        return number
    measured = _MEASURE.match(text, number.end) is not None
    alone = not token and number.end == len(text)
    if minus["sure"] or (not minus["gap"] and (measured or alone or token.lower() in _LEVELS)):
        return _below(number)
    if minus["gap"] and not measured:
        return number
    # It begins an item of a list, stands between two clauses, or is the minus of a text that was cut into words.
    return replace(number, otherwise=(*number.otherwise, (_below(number),)))


def is_decline(text: str, number: Number, lang: str) -> bool:
    """Whether words near `number` say that it is a fall or a loss; degrees are never meant."""
    pattern = _DECLINES.get(lang)
    if pattern is None or DEGREE.match(text, number.end):
        return False
    near = text[max(0, number.start - WINDOW) : number.end + WINDOW]
    return pattern.search(near) is not None
