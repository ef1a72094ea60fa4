"""Days, months, years and clock times in Thai, Vietnamese and English text.

Thai years are Buddhist: N - 543, and N - 542 for January to March up to 2482 (1939/40), when the year still began in
April. Months count by their number, whether a name or digits state them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

from pipeline.text.data import values
from pipeline.text.numbers.quantities import Era, Number

BUDDHIST_OFFSET = 543
LAST_APRIL_YEAR = 2482
BUDDHIST_YEARS = range(2400, 2600)
COMMON_YEARS = range(1000, 2200)
SHORT_BUDDHIST = range(40, 76)
"""Two digits that are read as a Buddhist year (2540 to 2575) where a year stands."""

_TH_MONTH_NUMBER = values("thai_months.txt")
_TH_MONTH = "|".join(re.escape(name) for name in _TH_MONTH_NUMBER)
_VI_MONTH_NUMBER = values("vietnamese_months.txt")
_VI_MONTH = "|".join(sorted(_VI_MONTH_NUMBER, key=len, reverse=True))
EN_MONTHS = tuple(values("english_months.txt"))
_EN_MONTH_NUMBER = {name[:3].lower(): i for i, name in enumerate(EN_MONTHS, 1)}
_EN_MONTH = (
    r"(?P<month>Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?|July?|Aug(?:ust|\.)?|"
    r"Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?|" + "|".join(map(str.upper, EN_MONTHS)) + ")"
)
# May and March are other words as well.
_EN_FULL = "Sept|" + "|".join(f"{name}|{name.upper()}" for name in EN_MONTHS if name not in ("March", "May"))
_EN_BEFORE = (
    "in|of|since|until|till|by|from|to|between|and|or|during|last|this|next|early|late|mid|through|before|after"
)
BE = r"(?:พ\. ?ศ\.|พุทธศักราช|(?<![A-Za-z])B\.?E\.?)"
CE = r"(?:ค\. ?ศ\.|คริสต์?ศักราช|(?<![A-Za-z])(?:A\.?D\.?|C\.?E\.?))"
_DASH = "[-–—]"
_NUMERIC = r"(?<![\d/.-])(?P<d1>\d{1,2})(?P<sep>[/.-])(?P<m>\d{1,2})(?P=sep)(?P<y>\d{4}|\d\d)(?![\d/]|[.-]\d)"
_ISO = r"(?<![\d-])(?P<y>(?:19|20|25)\d\d)-(?P<m>[01]\d)-(?P<d1>[0-3]\d)(?!\d)"
_END = r"(?!\d|[.,:]\d)"
_TH = "(?:st|nd|rd|th)?"
_EN_TO = f" ?(?:{_DASH}|to|and|&) ?"

_PATTERNS = {
    "th": (
        _ISO,
        _NUMERIC,
        rf"(?:(?:(?<![\d.,])(?P<d1>\d{{1,2}}) ?(?:{_DASH}|ถึง|และ|,) ?(?:วันที่ ?)?)?"
        r"(?<!\d)(?P<d2>\d{1,2}) ?(?:เดือน ?)?)?"
        rf"(?P<month>{_TH_MONTH})(?: ?(?:ปี ?)?(?P<era>{BE}|{CE})?(?:ปี)? ?(?P<y>\d{{4}}|\d\d){_END}(?! ?ปี))?",
        rf"วันที่ ?(?P<d1>\d{{1,2}})(?: ?(?:{_DASH}|ถึง|และ) ?(?:วันที่ ?)?(?P<d2>\d{{1,2}}))?{_END}",
    ),
    "vi": (
        _ISO,
        _NUMERIC,
        rf"(?<![\d/])(?P<d1>\d{{1,2}}) ?(?:{_DASH}|và|đến) ?(?P<d2>\d{{1,2}})/(?P<m>\d{{1,2}})"
        r"(?:/(?P<y>\d{4}))?(?![\d/])",
        r"(?<!quý )(?<!số )(?<![\d/])(?P<m>\d{1,2})[/-](?P<y>(?:19|20)\d\d)(?![\d/])",
        r"(?<![\d/,.-])(?P<d1>\d{1,2})(?P<sep>/)(?P<m>\d{1,2})(?![\d/]|[.,]\d)",
        r"\b(?:ngày (?:mùng |mồng )?|mùng |mồng )(?P<d1>\d{1,2})"
        rf"(?: ?(?:{_DASH}|và|đến|,) ?(?:ngày )?(?P<d2>\d{{1,2}}))?{_END}"
        r"(?:[ -](?:tháng )?(?P<m>\d{1,2})(?!\d|[.,]\d)(?:(?: năm |-)(?P<y>\d{4}))?)?",
        rf"\btháng (?P<m>\d{{1,2}}){_END}(?: ?(?:{_DASH}|và|đến|,) ?(?P<m2>\d{{1,2}}){_END}(?! [^\W\d]))?"
        r"(?:(?: năm| ?/) ?(?P<y>\d{4}))?",
        rf"(?<!\d )\bnăm (?P<y>\d{{4}}){_END}(?! (?:nghìn|ngàn|triệu|tỷ|tỉ))",
        rf"(?<!mỗi )(?<!hàng )(?<!một )\btháng (?P<month>{_VI_MONTH})\b"
        r"(?! (?:lần|người|trăm|nghìn|ngàn|triệu|tỷ|tỉ)\b| (?!19|20)\d)",
    ),
    "en": (
        _ISO,
        r"(?<![\d/])(?P<m>\d{1,2})/(?P<m2>\d{1,2})/(?P<y>\d{4}|\d\d)(?![\d/])",
        rf"\b{_EN_MONTH} (?P<d1>\d{{1,2}}){_TH}(?:{_EN_TO}(?P<d2>\d{{1,2}}){_TH})?{_END}(?:,? (?P<y>\d{{4}}){_END})?",
        rf"(?<![\d.,])(?P<d1>\d{{1,2}}){_TH}(?:{_EN_TO}(?P<d2>\d{{1,2}}){_TH})? (?:of )?{_EN_MONTH}\b"
        rf"(?:,? (?P<y>\d{{4}}){_END})?",
        rf"\b(?P<month>{_EN_FULL}|(?:March|May)(?=,? (?:19|20)\d\d(?!\d)))\b",
        rf"\b(?i:{_EN_BEFORE})[ -](?P<month>March|May)\b",
    ),
}
_HOUR = r"(?P<h>[01]?\d|2[0-4])"
_CLOCK = rf"(?<![\d:.,]){_HOUR}:(?P<min>[0-5]\d)(?!\d|:\d)"
_TIMES = {
    "th": (
        rf"(?<![\d:.,]){_HOUR}[.:](?P<min>[0-5]\d)(?= ?(?:{_DASH}|ถึง) ?\d{{1,2}}[.:]\d\d ?(?:น\.|นาฬิกา))",
        rf"(?<![\d:.,]){_HOUR}(?:[.:](?P<min>[0-5]\d))? ?(?:น\.|นาฬิกา)",
        rf"เวลา ?{_HOUR}[.:](?P<min>[0-5]\d)(?!\d)",
        r"(?<![\d.,])(?P<night>[1-6]) ?ทุ่ม",
        r"บ่าย ?(?P<pm>[1-6])(?![\d.:]) ?(?:โมง)?",
        r"(?<![\d.,])(?P<pm>[3-7]) ?โมงเย็น",
        r"(?<![\d.,])(?P<h>[6-9]|1[01]) ?โมง",
        r"(?<![ก-๎])ตี ?(?P<h>[1-5])(?![\d.,]| ?(?:ครั้ง|คน|ลูก))",
        _CLOCK,
    ),
    "vi": (
        # With seconds it is how long something took, not when it was.
        r"(?!\d{1,2} ?giờ \d{1,2} ?phút \d{1,2} ?giây)"
        rf"(?<![\d:.,]){_HOUR} ?(?:giờ|h|g(?=[0-5]\d))(?: ?(?P<min>[0-5]\d)(?!\d| ?[./]\d))?(?![^\W\d_])"
        "(?:(?: phút)? (?P<later>chiều|tối)\\b)?",
        _CLOCK,
    ),
    "en": (
        rf"(?<![\d:.,]){_HOUR}(?:[.:](?P<min>[0-5]\d))? ?(?P<half>[ap])\.?m\b\.?",
        _CLOCK,
    ),
}
_DATE = {
    lang: [re.compile(pattern, re.IGNORECASE if lang == "vi" else 0) for pattern in patterns]
    for lang, patterns in _PATTERNS.items()
}
_TIME = {lang: [re.compile(p, re.IGNORECASE) for p in patterns] for lang, patterns in _TIMES.items()}
_DIGIT = re.compile(r"\d")
_MONTH_NAME = {
    "th": re.compile(_TH_MONTH),
    "vi": re.compile("tháng", re.IGNORECASE),
    "en": re.compile("|".join(name[:3] for name in (*EN_MONTHS, *map(str.upper, EN_MONTHS)))),
}
_DATE_WORD = re.compile(
    r"(?:ngày|hôm|sáng|trưa|chiều|tối|đêm|thứ \w+|nhật|từ|đến|vào|tới|nay|qua|mai|tháng|và|ngày \d+)[ ,(]*$|\($",
    re.IGNORECASE,
)
_MONTH_BEFORE = re.compile("(?:เดือน|ใน|ต้น|กลาง|ปลาย|สิ้น|ช่วง|ตั้งแต่|ถึง|[-–—]) ?$")
Span = tuple[int, int]


def stamps(text: str, lang: str) -> tuple[list[Number], list[Span]]:
    """Days, months, years and times, and the spans of all digits and names that state them."""
    stated: list[Number] = []
    used: list[Span] = []
    # Without a digit nothing but a month can stand there, by its name.
    digits = _DIGIT.search(text) is not None
    named = digits or _MONTH_NAME.get(lang, _MONTH_NAME["en"]).search(text) is not None
    for part in (_times(text, lang) if digits else (), _dates(text, lang) if named else ()):
        for numbers, spans in part:
            if all(_apart(span, other) for span in spans for other in used):
                used += spans
                stated += numbers
    return stated, used


def _apart(one: Span, other: Span) -> bool:
    return one[1] <= other[0] or other[1] <= one[0]


def _spans(match: re.Match[str], names: tuple[str, ...]) -> dict[str, Span]:
    groups = match.groupdict()
    return {name: match.span(name) for name in names if groups.get(name)}


def _dates(text: str, lang: str) -> Iterator[tuple[list[Number], list[Span]]]:
    for pattern in _DATE.get(lang, _DATE["en"]):
        for match in pattern.finditer(text):
            spans = _spans(match, ("d1", "d2", "m", "m2", "month", "y"))
            if not _possible(match, spans, lang) or _fraction(match, spans) or _lone_initials(match, spans):
                continue
            found = []
            for name, (start, end) in spans.items():
                if name[0] == "d":
                    found.append(Number(start, end, Decimal(text[start:end]), "day"))
                elif name == "y":
                    found += _year_in_date(match, lang)
                elif not (lang == "en" and "m2" in spans):
                    found.append(Number(start, end, Decimal(_month(text[start:end])), "month"))
            if "y" in spans and not any(number.kind == "year" for number in found):
                del spans["y"]
            yield found, list(spans.values())


def _month(written: str) -> int:
    """The number (1 to 12) of a month in digits or by name, 0 where nothing is written."""
    if not written or written.isdigit():
        return int(written or 0)
    lower = written.lower()
    return _TH_MONTH_NUMBER.get(lower) or _VI_MONTH_NUMBER.get(lower) or _EN_MONTH_NUMBER[lower[:3]]


def _possible(match: re.Match[str], spans: dict[str, Span], lang: str) -> bool:
    # English writes 12/31 and 31/12, so either may be the month.
    limits = {"d": 31, "m": 31 if lang == "en" and "m2" in spans else 12}
    stated = {name: match.string[slice(*span)] for name, span in spans.items() if name not in ("month", "y")}
    return all(1 <= int(digits) <= limits[name[0]] for name, digits in stated.items())


def _lone_initials(match: re.Match[str], spans: dict[str, Span]) -> bool:
    """Whether an abbreviated Thai month stands without day, year or a word for time: ก.พ. is an authority too."""
    if set(spans) != {"month"} or not match["month"].endswith("."):
        return False
    before, after = match.string[max(0, match.start() - 12) : match.start()], match.string[match.end() :][:1]
    return after not in ("-", "–", "—") and not _MONTH_BEFORE.search(before)


def _fraction(match: re.Match[str], spans: dict[str, Span]) -> bool:
    """Whether 2/3 is two thirds and not the second of March: a small proper fraction with no word for a date before."""
    if set(spans) != {"d1", "m"} or match.groupdict().get("sep") != "/":
        return False
    part, whole = int(match["d1"]), int(match["m"])
    return part < whole and not _DATE_WORD.search(match.string[max(0, match.start() - 14) : match.start()])


def _year_in_date(match: re.Match[str], lang: str) -> list[Number]:
    groups = match.groupdict()
    era = groups.get("era") or ""
    month = _month(groups.get("month") or groups.get("m") or "")
    hint: Era = "BE" if re.fullmatch(BE, era) else "CE" if era else ""
    number = year(match["y"], match.start("y"), lang, hint, month)
    return [number] if number else []


def year(digits: str, start: int, lang: str, era: Era = "", month: int = 0) -> Number | None:
    """The year that two or four `digits` at `start` state where a year must stand; None when they cannot be one.

    `era` is the calendar where it was named; `month` (1 to 12, 0 unknown) matters before 1941. Two
    digits are ambiguous.
    """
    value, end, short = int(digits), start + len(digits), len(digits) == 2
    if short and lang == "th":
        if era != "BE" and value not in SHORT_BUDDHIST:
            return None
        value, era = value + (2500 if value < SHORT_BUDDHIST.stop else 2400), "BE"
    elif short:
        value += 2000 if value < 70 else 1900
    if era == "BE" or (not era and lang == "th" and value in BUDDHIST_YEARS):
        offset = BUDDHIST_OFFSET - (value <= LAST_APRIL_YEAR and 1 <= month <= 3)
        return Number(start, end, Decimal(value - offset), "year", "BE", short)
    if era == "CE" or value in COMMON_YEARS:
        return Number(start, end, Decimal(value), "year", "CE", short)
    return None


def _times(text: str, lang: str) -> Iterator[tuple[list[Number], list[Span]]]:
    for pattern in _TIME.get(lang, _TIME["en"]):
        for match in pattern.finditer(text):
            groups = match.groupdict()
            hour = int(groups.get("h") or 0)
            if groups.get("night"):
                hour = int(groups["night"]) + 18
            elif groups.get("pm"):
                hour = int(groups["pm"]) + 12
            elif groups.get("later") and hour < 12:
                hour += 12
            elif groups.get("half"):
                hour = hour % 12 + (12 if groups["half"].lower() == "p" else 0)
            value = Decimal(hour) + Decimal(groups.get("min") or 0) / 100
            name = next(name for name in ("h", "night", "pm") if groups.get(name))
            start = match.start(name)
            end = match.end("min") if groups.get("min") else match.end(name)
            yield [Number(start, end, value, "time")], [(start, end)]
