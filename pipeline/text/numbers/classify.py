"""All numbers of a text and what each of them is: a share, money, a year, a day, a time, a rank."""

from __future__ import annotations

import re

from pipeline.text.data import words
from pipeline.text.numbers.dates import BUDDHIST_YEARS, COMMON_YEARS, stamps, year
from pipeline.text.numbers.fragments import BE, CE
from pipeline.text.numbers.quantities import Kind, Number, quantities, western_digits
from pipeline.text.patterns import ADDRESS, either

CONTEXT = 30

_PERCENT_AFTER = {
    "th": re.compile(r" ?(?:%|％|เปอร์เซ็?นต์)"),
    "vi": re.compile(r" ?(?:%|％|phần trăm\b)", re.IGNORECASE),
    "en": re.compile(r"[ -]?(?:%|％|per ?cent\b|percentage point|pct\b)", re.IGNORECASE),
}
_PERCENT_BEFORE = re.compile("ร้อยละ ?$")
_SIGN = f"(?:{either(words('currency_signs.txt'))}) ?"
_MONEY_BEFORE = re.compile(_SIGN + "$")
_MONEY_AFTER = {
    "th": f"(?:{either(words('thai_money.txt'))})",
    "vi": rf"(?:{either(words('vietnamese_money.txt'))})\b",
    "en": rf"(?:{either(words('english_money.txt'))})\b",
}
_MONEY_AFTER_RE = {lang: re.compile(f"[ -]?(?:{_SIGN}|{named})") for lang, named in _MONEY_AFTER.items()}
_ORDINAL_BEFORE = {"th": re.compile("(?:ที่|อันดับ|ลำดับ) ?$"), "vi": re.compile(r"\bthứ $", re.IGNORECASE)}
_ORDINAL_AFTER = re.compile(r"(?:st|nd|rd|th)\b")
_BE_BEFORE = re.compile(f"{BE} ?$")
_CE_BEFORE = re.compile(f"{CE} ?$")
_BE_AFTER = re.compile(r" ?B\.?E\.?(?![a-z])")
_YEAR_BEFORE = re.compile(r"ปี ?(?:งบประมาณ|การศึกษา|ภาษี|บัญชี|การผลิต|เพาะปลูก|ใหม่|แห่งชาติ)? ?$|(?<![\d/])\d{1,2}/$")
_YEAR_RANGE = re.compile(r" ?(?:[-–—/,;]|ถึง|และ|กับ|หรือ|จนถึง) ?(?:ปี ?)?")
_COUNTED = re.compile(rf" ?(?:{either(words('counted_units.txt'))}|ha\b)")


def numbers(text: str, lang: str) -> list[Number]:
    """All numbers that `text` states, in order; digits inside web addresses and names such as G20 are left out.

    An unknown `lang` is read as English.
    """
    plain = _without_addresses(western_digits(text))
    stated, used = stamps(plain, lang)
    for quantity in quantities(plain, lang):
        if all(quantity.end <= start or end <= quantity.start for start, end in used):
            stated.append(quantity)
    stated.sort(key=lambda number: number.start)
    for i, number in enumerate(stated):
        if number.kind == "number":
            stated[i] = _classified(plain, number, stated[i - 1] if i else None, lang)
    return stated


def _without_addresses(text: str) -> str:
    """`text` with blanks for web and mail addresses; the length stays."""
    # Nearly all texts have none, which these words tell faster than the pattern.
    if "@" not in text and "://" not in text and "www." not in text:
        return text
    return ADDRESS.sub(lambda match: " " * len(match[0]), text)


def _classified(text: str, number: Number, previous: Number | None, lang: str) -> Number:
    before = text[max(0, number.start - CONTEXT) : number.start]
    written = text[number.start : number.end]
    if len(written) in (2, 4) and written.isascii() and written.isdigit():
        found = _year(text, number, previous, lang)
        if found:
            return found
    kind: Kind = "number"
    if _PERCENT_AFTER.get(lang, _PERCENT_AFTER["en"]).match(text, number.end) or _PERCENT_BEFORE.search(before):
        kind = "percent"
    elif _MONEY_BEFORE.search(before) or _MONEY_AFTER_RE.get(lang, _MONEY_AFTER_RE["en"]).match(text, number.end):
        kind = "money"
    elif _ORDINAL_AFTER.match(text, number.end) or (lang in _ORDINAL_BEFORE and _ORDINAL_BEFORE[lang].search(before)):
        kind = "ordinal"
    return Number(number.start, number.end, number.value, kind)


def _year(text: str, number: Number, previous: Number | None, lang: str) -> Number | None:
    """`number`, two or four bare digits, as a year, None where it stands for something else."""
    digits = text[number.start : number.end]
    before = text[max(0, number.start - CONTEXT) : number.start]
    gap = text[previous.end : number.start] if previous and previous.kind == "year" else ""
    follows = bool(gap) and _YEAR_RANGE.fullmatch(gap) is not None
    if _BE_BEFORE.search(before) or _BE_AFTER.match(text, number.end):
        return year(digits, number.start, "th", "BE")
    if _CE_BEFORE.search(before):
        return year(digits, number.start, lang, "CE") if len(digits) == 4 else None
    if len(digits) == 2:
        if previous and follows and gap in ("-", "–", "/") and int(digits) == (_written(text, previous) + 1) % 100:
            return Number(number.start, number.end, previous.value + 1, "year", previous.era)
        named = re.search(r"(?<!\d)(?<!\d )ปี ?['’]?$", before) if lang == "th" else None
        return year(digits, number.start, lang) if named and not _COUNTED.match(text, number.end) else None
    value = int(digits)
    if lang == "th" and value in BUDDHIST_YEARS:
        after_one = follows and previous is not None and previous.era == "BE"
        alone = before.endswith("(") and text.startswith(")", number.end)
        return year(digits, number.start, lang) if after_one or alone or _YEAR_BEFORE.search(before) else None
    if value in COMMON_YEARS and (1900 <= value <= 2100) and not _COUNTED.match(text, number.end):
        return year(digits, number.start, "en", "CE")
    return None


def _written(text: str, number: Number) -> int:
    return int(text[number.start : number.end])
