"""Numbers as English writes them, put into the source text before translation.

A small model copies digits well and miscounts the zeros of แสนล้าน; it rarely knows that 2568 is 2025.
"""

from __future__ import annotations

import re
from decimal import Decimal

from pipeline.text.numbers.classify import numbers
from pipeline.text.numbers.dates_thai import full_month, is_full_month
from pipeline.text.numbers.fragments import BE, RS
from pipeline.text.numbers.quantities import EXCHANGED, SCALES, Number, continental, western_digits
from pipeline.text.numbers.quantities_thai import has_scale
from pipeline.text.numbers.quantities_vietnamese import WEIGHTS

SMALLEST_WORDS = 10**6
"""Thai amounts written in words are put into digits from here on; smaller ones are often parts of names."""

_PREFIX = re.compile(f"(?:(?:{BE}|{RS}) ?['’]?|['’])$")
_UNIT = re.compile(r"[^\W\d_]+(?: số)?")
_WORDED = (("trillion", 10**12), ("billion", 10**9), ("million", 10**6))


def western(text: str, lang: str) -> str:
    """`text` for the translation prompt, with its numbers as English writes them.

    Thai digits become ASCII, Buddhist years Common Era years (without พ.ศ.), multiplicands English (148,620 ล้านบาท is
    148.62 billion บาท), Vietnamese points and commas are exchanged, and a Vietnamese day with a hyphen or point (5-12),
    which reads like a range or a fraction, has the word for month in it. Everything else stays as it is.
    """
    text = western_digits(text)
    parts: list[str] = []
    done = 0
    stated = numbers(text, lang)
    for previous, number in zip([None, *stated], stated, strict=False):
        new = _in_english(text, number, lang)
        start = number.start
        if previous and _is_day_of_month(text, previous, number):
            start, new = previous.end, f" tháng {text[number.start : number.end]}"
        if new is None:
            continue
        if number.era in ("BE", "RS"):
            prefix = _PREFIX.search(text, done, start)
            start = prefix.start() if prefix else start
        glued = new[-1].isalpha() and text[number.end : number.end + 1].isalpha()
        parts += (text[done:start], new, " " if glued else "")
        done = number.end
    return "".join([*parts, text[done:]])


def _in_english(text: str, number: Number, lang: str) -> str | None:
    """The English writing of `number`, None where it is to stay as it is."""
    written = text[number.start : number.end]
    if lang == "th" and number.era in ("BE", "RS"):
        return str(number.value)
    if lang == "th" and number.kind == "month" and not written.isdigit():
        return None if is_full_month(written) else full_month(written)
    if lang not in ("th", "vi") or number.kind in ("day", "month", "time", "year"):
        return None
    if lang == "vi":
        return _vietnamese(text, number) if written[0].isdigit() else None
    if not written[0].isdigit():
        return _amount(number.value) if number.value >= SMALLEST_WORDS else None
    return _amount(abs(number.value)) if has_scale(text, number) else None


def _is_day_of_month(text: str, day: Number, month: Number) -> bool:
    """Whether two numbers are a day that may be something else: 5-12, 5.12. 5/12 is read rightly as it is."""
    return bool(day.otherwise) and day.kind == "day" and month.kind == "month" and text[day.end] in "-–."


def _vietnamese(text: str, number: Number) -> str | None:
    """The digits of a Vietnamese number, and what is said between them, as English has them."""
    written = text[number.start : number.end]
    if set(written) <= set("0123456789., "):
        run = written.replace(" ", "")
        return run.translate(EXCHANGED) if continental(run) and not run.isdigit() else None
    scale = SCALES["vi"].pattern.search(text, number.start, number.end)
    if scale:
        return _amount(abs(number.value))
    unit = _UNIT.search(written)
    return f"{_plain(abs(number.value) / WEIGHTS.get(unit[0].lower(), 1))} {unit[0]}" if unit else None


def _amount(value: Decimal) -> str:
    for name, size in _WORDED:
        scaled = value / size
        if scaled >= 1 and scaled * 1000 == int(scaled * 1000):
            return f"{_plain(scaled)} {name}"
    return _plain(value)


def _plain(value: Decimal) -> str:
    return f"{value:,f}".rstrip("0").rstrip(".") if value % 1 else f"{int(value):,}"
