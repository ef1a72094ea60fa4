"""How Vietnamese writes days, months, years and clock times: the first pattern that fits wins.

Newspapers write a day with a hyphen (5-12, Tuổi Trẻ) or a point (5.12, Thanh Niên), which are also a range, a result
and a decimal number, and with a stroke, which is also a fraction: what stands around it says which is likelier.
"""

from __future__ import annotations

import re

from pipeline.text.data import values, words
from pipeline.text.numbers.fragments import CLOCK, DASH, END, HOUR, ISO, NUMERIC
from pipeline.text.patterns import either

MONTHS = values("vietnamese_months.txt")
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_LIST = rf" ?(?:{DASH}|và|đến|tới|hoặc|hay|,) ?"
_YEAR = r"(?P<y>(?:19|20)\d\d)"
_NO_DOCUMENT = "".join(f"(?<!{word} )" for word in ("quý", "số", "định", "quyết", "thông tư", "luật", "chỉ thị"))

# Each with what stands in the text, in small letters, wherever it fits: most texts have little of it.
DATES = [
    (re.compile(probe), re.compile(pattern, re.IGNORECASE))
    for probe, pattern in (
        (r"\d-\d", ISO),
        (r"\d[/.-]\d", NUMERIC),
        (
            r"\d [/.-] \d",
            r"(?<![\d/.-])(?P<d1>\d{1,2}) (?P<sep>[/.-]) (?P<m>\d{1,2}) (?P=sep) (?P<y>(?:19|20)\d\d)(?!\d| ?[/-])",
        ),
        (
            r"\d/\d",
            rf"(?<![\d/])(?P<d1>\d{{1,2}}) ?(?:{DASH}|và|đến) ?(?P<d2>\d{{1,2}})/(?P<m>\d{{1,2}})"
            r"(?:/(?P<y>\d{4}))?(?![\d/]|-\d)",
        ),
        (
            r"tháng \d",
            rf"\btháng (?P<m>\d{{1,2}})(?:, (?P<m3>\d{{1,2}}))?{_LIST}(?:tháng )?(?P<m2>\d{{1,2}})"
            rf"(?: năm | ?[/.-] ?){_YEAR}{END}",
        ),
        (
            r"\d ?[/-] ?(?:19|20)\d\d",
            rf"(?:\btháng |{_NO_DOCUMENT}(?<![\d/.,-]))(?P<m>\d{{1,2}})(?:[/-]| [/-] ){_YEAR}(?![\d/]|[-.,]\d)",
        ),
        (r"\d\.(?:19|20)\d\d", rf"(?<!quý )(?<![\d/.,-])(?P<m>\d{{1,2}})\.{_YEAR}(?![\d/]|[-.,]\d)"),
        (r"quý \d", rf"\bquý (?P<n>[1-4])[/.-]{_YEAR}{END}"),
        (
            r"(?:ngày|mùng|mồng) \d",
            r"\b(?:ngày (?:mùng |mồng )?|mùng |mồng )(?P<d1>\d{1,2})"
            rf"(?: ?(?:{DASH}|và|đến|,) ?(?:ngày )?(?P<d2>\d{{1,2}}))?{END}"
            r"(?:[ -](?:tháng )?(?P<m>\d{1,2})(?!\d|[.,]\d{1,3}(?!\d))(?:(?: năm |, ?|[-./])(?P<y>\d{4}))?)?",
        ),
        (
            r"tháng \d",
            rf"\btháng (?P<m>\d{{1,2}}){END}(?: ?(?:{DASH}|và|đến|,) ?(?P<m2>\d{{1,2}}){END}(?! [^\W\d]))?"
            r"(?:(?: năm| ?/) ?(?P<y>\d{4}))?",
        ),
        (r"năm \d", rf"(?<!\d )\bnăm (?P<y>\d{{4}}){END}(?! (?:nghìn|ngàn|triệu|tỷ|tỉ))"),
        (
            r"tháng \D",
            rf"(?<!mỗi )(?<!hàng )(?<!một )\btháng (?!năm \d{{4}})(?P<month>{_MONTH})\b"
            r"(?! (?:lần|người|trăm|nghìn|ngàn|triệu|tỷ|tỉ)\b| (?!19|20)\d)",
        ),
        # "11 tháng năm 2022" are eleven months.
        (
            r"tháng năm \d",
            r"(?:(?<!\d )\b|\b(?:(?:ngày|mùng|mồng) \d{1,2}|1[3-9]|2\d|3[01]) )tháng (?P<month>năm)(?= \d{4})",
        ),
    )
]
_PART = r"(?P<part>rạng sáng|sáng(?! (?:kiến|tạo|lập))|trưa|chiều(?! dài)|tối(?! (?:đa|thiểu))|đêm|khuya)\b"
TIMES = [
    (re.compile(probe), re.compile(pattern, re.IGNORECASE))
    for probe, pattern in (
        (
            r"\d ?(?:giờ|h|g)",
            # With seconds it is how long something took, not when it was.
            r"(?!\d{1,2} ?giờ \d{1,2} ?phút \d{1,2} ?giây)"
            rf"(?<![\d:.,]){HOUR} ?(?:giờ|h|(?-i:g)(?=[0-5]\d| (?:sáng|trưa|chiều|tối|đêm|khuya|ngày|hôm)\b))"
            r"(?: ?(?P<halved>rưỡi)\b| ?kém (?P<less>[1-5]?\d)(?!\d|[.,]\d)(?: ?phút\b)?"
            r"|(?! \d{1,2}[-/.]\d{1,2}(?![\dhg:])) ?(?P<min>[0-5]\d|\d(?= ?(?:phút|['’′])))(?!\d| ?[./]\d)"
            rf"(?P<minutes> ?phút\b)?['’′]?)?(?![^\W\d_])(?: ?{_PART})?",
        ),
        (r"\dg", rf"\b(?:lúc|khoảng|từ|đến|tới|trước|sau|hồi|vào|đúng) {HOUR}(?-i:g)(?!\w)"),
        (r"\d:\d", CLOCK),
        (r"\d : \d", rf"(?<![\d:.,]){HOUR} : (?P<min>[0-5]\d)(?!\d| ?: ?\d)"),
    )
]
WITHOUT_DIGITS = re.compile("tháng")
"""A text with neither a digit nor this, in small letters, in it states no date and no time."""
DAY_MONTH = re.compile(
    r"(?<![\d.,])(?P<d1>\d{1,2})(?:(?P<sep>[-–/.])| (?P<gap>/) )(?P<m>\d{1,2})(?!\d|[.,]\d|/\d{1,2}(?![\d-]))"
)
_WORD = either(words("vietnamese_day_words.txt"))
_PHRASE = r"(?:ngày(?: [^\W\d_]+){1,7}|(?:dịp|lễ|kỷ niệm|nghỉ)(?: [^\W\d_]+){1,5}|\d năm) |\("
_BOUND = f"(?:{either(words('vietnamese_day_bounds.txt'))})"
_EARLIER = (
    r"(?:\d{1,2}(?:[-./]\d{1,2})?(?: ?(?:,|-|–|—)| (?:và|đến|tới|hoặc|hay|rồi|đến hết))? ?(?:(?:hết )?ngày )?){0,6}"
)
_AFTER_WORD = re.compile(rf"(?<!\w)(?:{_WORD})(?:, ?| ?\(| )(?:ngày )?{_EARLIER}$", re.IGNORECASE)
_AFTER_PHRASE = re.compile(rf"(?:(?<!\w){_PHRASE}){_EARLIER}$", re.IGNORECASE)
_AFTER_BOUND = re.compile(rf"(?<!\w){_BOUND} (?:hết )?(?:ngày )?{_EARLIER}$", re.IGNORECASE)
_COUNTED = re.compile(
    rf"(?:[-–.]\d+)?(?: (?:đến|tới) \d[\d.,-]{{0,8}})? ?(?:[%‰°]|(?:{either(words('vietnamese_counted.txt'))})\b"
    r"|năm\b(?! (?:nay|ngoái|sau|trước|tới|\d)))",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r" ?(?:[^\w %‰°]|$|(?:và|đến|tới|năm|tại|ở|nhưng|do|vì|theo|với|cho|thì|sẽ|đã|có|là|mà|trên|trong)\b)",
    re.IGNORECASE,
)
_RESULT = re.compile(rf"(?<!\w)(?:{either(words('vietnamese_results.txt'))})(?!\w)", re.IGNORECASE)
_NO_DAY = re.compile(
    r"(?:tháng|quý|cấp|hạng|lớp|loại|trang|điều|khoản|tỉ lệ|tỷ lệ|gấp|tiết|chương|phòng|số) $", re.IGNORECASE
)
_RANGE_BEFORE = re.compile(rf"(?:^|[^\d/.,-])\d{{1,2}} ?{DASH} ?$")
_LONGEST = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
HOLIDAYS = frozenset({(8, 3), (30, 4), (1, 5), (2, 9), (20, 10), (20, 11), (27, 7), (22, 12), (3, 2), (1, 6), (19, 5)})
_BEFORE = 60


def is_day(match: re.Match[str]) -> bool:
    """Whether there is such a day in any year: `match` is of DAY_MONTH.

    Neither a formation (4-4-2) nor the end of a range of days (5-12/5, which has a pattern of its own) is one.
    """
    day, month, mark = int(match["d1"]), int(match["m"]), match["sep"] or match["gap"]
    before, after = match.string[max(0, match.start() - 6) : match.start()], match.string[match.end() :][:2]
    if not (1 <= month <= 12 and 1 <= day <= _LONGEST[month - 1]):
        return False
    if (before[-1:] == mark and before[-2:-1].isdigit()) or (after[:1] == mark and after[1:].isdigit()):
        return False
    return mark != "/" or _RANGE_BEFORE.search(before) is None


def is_likely_day(match: re.Match[str]) -> bool:
    """Whether `match` of DAY_MONTH is a day rather than a range, a result, a fraction or a decimal number."""
    before = match.string[max(0, match.start() - _BEFORE) : match.start()]
    if _NO_DAY.search(before):
        return False
    after_word = _AFTER_WORD.search(before) is not None
    if after_word and match["sep"] == "/":
        return True
    if _COUNTED.match(match.string, match.end()):
        return False
    if after_word:
        return True
    if match["sep"] in ("-", "–") and _RESULT.search(before):
        return False
    if _AFTER_PHRASE.search(before):
        return True
    if _AFTER_BOUND.search(before) and (match["sep"] != "." or _GOES_ON.match(match.string, match.end())):
        return True
    day, month = int(match["d1"]), int(match["m"])
    if match["sep"] in ("-", "–"):
        return (day, month) in HOLIDAYS or day > max(12, month)
    return match["sep"] != "." and day >= month


def hour_of_day(part: str, hour: int) -> int:
    """The hour (0 to 24) that `hour` (0 to 24) is in a part of the day: 2 giờ chiều is 14, 12 giờ đêm is 0."""
    if part in ("chiều", "tối") or (part == "trưa" and hour < 10) or (part in ("đêm", "khuya") and 5 < hour < 12):
        return hour + 12 if hour < 12 else hour
    return 0 if hour == 12 and part != "trưa" else hour
