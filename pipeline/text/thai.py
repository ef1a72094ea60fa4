"""Thai: marks, phrases and where a sentence may end.

Thai has no sentence mark. A space parts phrases, clauses and sentences, and surrounds numbers, names and quotes. What
can be said with some certainty is where a sentence does not end; the spaces that are left part phrases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from math import exp

from pipeline.text.data import words
from pipeline.text.patterns import either

Span = tuple[int, int]

TONES = "่้๊๋"
# The order in which the marks of one consonant are stored: below it, above it, nikhahit, tone, the rest.
MARK_ORDER = "ฺุูัิีึื็ํ" + TONES + "์๎"
FOLLOWING = "ะาำๅ"


def _ordered(match: re.Match[str]) -> str:
    """One run of marks and following vowels in the stored order.

    A tone goes before the following vowel, nikhahit and sara aa become sara am, doubles collapse, of several tones
    the last stays, and any other mark after a following vowel has nothing to sit on.
    """
    run = match[0]
    first = next((i for i, char in enumerate(run) if char in FOLLOWING), len(run))
    marks = set(run[:first])
    tones = [char for char in run if char in TONES]
    vowels = re.sub(f"[^{FOLLOWING}]", "", run)
    if "ํ" in marks and vowels.startswith("า"):
        marks.discard("ํ")
        vowels = "ำ" + vowels[1:]
    vowels = re.sub(r"(.)\1+", r"\1", re.sub("ำ[าๅำ]+", "ำ", vowels))
    kept = (marks - set(TONES)) | set(tones[-1:])
    return "".join(sorted(kept, key=MARK_ORDER.index)) + vowels


RULES = (
    (re.compile("เเ"), "แ"),
    (re.compile(f"[{MARK_ORDER}{FOLLOWING}]{{2,}}"), _ordered),
    (re.compile(f"([เแโใไ])([{MARK_ORDER}]+)([ก-ฮ])"), r"\1\3\2"),
    (re.compile(f"(?<![ก-ฮ\u25cc{MARK_ORDER}])[{MARK_ORDER}]+"), ""),
    (re.compile("(?<=[ฤฦ])า"), "ๅ"),
    (re.compile("(?<![ฤฦ])ๅ"), "า"),
    (re.compile("(?<! ) +(?=ๆ)"), ""),
    (re.compile("ฯ ?ล ?ฯ"), "ฯลฯ"),
)

BRACKETED = 120
"""A longer quotation or bracket may hold several sentences, so it may be cut."""
SHORT_NAME = 8
"""Characters up to which two Thai stretches may be a first and a family name; set by hand, as the two below."""
SHORT_PHRASE = 15
LONG_PHRASE = 40
WEIGHTS = {
    "always": -1.3,
    "end mark": 1.9,
    "comma": -2.4,
    "dangling": -2.7,
    "ender": 1.3,
    "opener": 1.2,
    "starter": 0.5,
    "joiner": -2.2,
    "apposition": -2.2,
    "quote": 0.9,
    "short left": -1.1,
    "short right": -0.4,
    "long right": 0.5,
}
"""Log-odds of a sentence end by sign, set by hand: where nothing learned is at hand they rule, and the boundary model,
which weighs them anew, takes their sum for one of its signs (`pipeline.stages.segment.features_thai`)."""

_QUOTE = re.compile('["“”„‟]')
_BRACKETS = re.compile(
    rf"\([^()\n]{{1,{BRACKETED}}}\)|\[[^\[\]\n]{{1,{BRACKETED}}}\]"
    rf"|«[^«»\n]{{1,{BRACKETED}}}»|‘[^‘’\n]{{1,{BRACKETED}}}’"
)
_SPACES = re.compile(r"\s+")
_ABBREVIATION = re.compile("(?:^|[^ก-ฮะ-์])(?:[ก-ฮเแโใไ][ะ-์ก-ฮ]{0,3}\\.)+$")
_JOINED_TITLE = r"(?:นาย(?!ก|ทหาร|อำเภอ|หน้า|แพทย์)|นาง(?!แบบ|งาม)|(?:[ก-ฮ]{1,2}[ะ-์]?\.)+)[^\s.]{1,15}"
_DAY_OF_MONTH = re.compile(r"ที่ ?\d{1,2}(?!\d)")
_NAMED = re.compile(r"(?:นาย(?!ก)|นาง|ดร\.|[ก-ฮ]\.)[^\s.]{1,15}(?: [^\s.]{1,15}){0,2}$")
_YEAR = re.compile(r"(?<!\d)(?:19|20|24|25)\d\d$")
_AFTER_YEAR = re.compile(r"(?:พ\.ศ\.|ค\.ศ\.|ปี)")
_LATIN_END = re.compile(r"[A-Za-zÀ-ɏḀ-ỿ.]$")
_LATIN_START = re.compile(r"[A-ZÀ-ɏḀ-ỿa-z]")
_END_MARK = re.compile(r"(?:[!?…]|\.\.\.|/\.|(?<=[ก-๎]{2})\.)[\"”’)]*$")


@cache
def _starting(name: str) -> re.Pattern[str]:
    return re.compile(either(words(name)))


@cache
def _ending(name: str) -> re.Pattern[str]:
    return re.compile(f"(?:{_starting(name).pattern})$")


@cache
def _unit_abbreviation() -> re.Pattern[str]:
    return re.compile(rf"\d ?(?:{_starting('thai_unit_abbreviations.txt').pattern})\.$")


@cache
def _titled() -> re.Pattern[str]:
    """What ends in a title and at most a first name, after which the rest of the name follows."""
    title = _starting("thai_titles.txt").pattern
    apart, joined = rf"(?:{title})(?: [^\s.]{{1,15}})?", rf"(?!นา[ยง])(?:{title})[^\s.]{{1,15}}"
    return re.compile(rf"(?:^|\s)(?:{apart}|{joined}|{_JOINED_TITLE})$")


def phrases(text: str) -> list[Span]:
    """The spans of the phrases of one line of Thai: cut at every space where a sentence might end.

    Every character that is no space is in exactly one phrase. No cut is made inside short quotations and brackets,
    between a number and what it counts, inside dates and names, after titles and abbreviations.
    """
    closed = {i for start, end in _enclosed(text) for i in range(start, end)}
    found: list[Span] = []
    start = 0
    for match in _SPACES.finditer(text):
        if match.start() in closed or _joined(text, start, match):
            continue
        if match.start() > start:
            found.append((start, match.start()))
        start = match.end()
    if start < len(text):
        found.append((start, len(text)))
    return found


def _enclosed(text: str) -> Iterator[Span]:
    """The spans of short quotations and brackets. Curly and straight quotes are mixed up in practice, so what counts is
    the side on which the space stands."""
    for match in _BRACKETS.finditer(text):
        yield match.span()
    opened = -1
    for match in _QUOTE.finditer(text):
        before, after = text[max(0, match.start() - 1) : match.start()], text[match.end() : match.end() + 1]
        if after and not after.isspace() and (not before or before.isspace() or before in "(:"):
            opened = match.start()
        elif opened >= 0:
            if match.end() - opened <= BRACKETED:
                yield opened, match.end()
            opened = -1


def _joined(text: str, start: int, gap: re.Match[str]) -> bool:
    """Whether what stands on the two sides of a space belongs together."""
    left = text[max(start, gap.start() - 40) : gap.start()]
    right = text[gap.end() : gap.end() + 40]
    if not left or not right:
        return False
    return _number_joined(left, right) or _name_joined(left, right) or right[0] in "ๆฯ"


def _number_joined(left: str, right: str) -> bool:
    if right[0].isdigit():
        return not left.endswith((".", ")", ":", ";", ",", "”", '"')) or left[-2:-1].isdigit()
    if not left[-1].isdigit():
        return False
    if _YEAR.search(left):
        return right[0] in "-–—/"
    return _starting("thai_openers.txt").match(right) is None


def _name_joined(left: str, right: str) -> bool:
    last = left.rsplit(" ", 1)[-1]
    first = right.split(" ", 1)[0]
    if _ABBREVIATION.search(left) and not _unit_abbreviation().search(left):
        return True
    if _AFTER_YEAR.match(right) and len(first) <= 6:
        return True
    if _LATIN_END.search(left) and _LATIN_START.match(right):
        return True
    if _LATIN_START.match(right) and _ending("thai_dangling.txt").search(left):
        return True
    if _ending("thai_weekdays.txt").search(left) and _DAY_OF_MONTH.match(right):
        return True
    if _titled().search(left):
        return not _starting("thai_joiners.txt").match(first)
    if not ("ก" <= last[-1] <= "๎" and "ก" <= first[0] <= "ไ"):
        return False
    return len(last) <= SHORT_NAME and len(first) <= SHORT_NAME


def boundary_scores(text: str, spans: list[Span]) -> list[float]:
    """For each gap between neighbouring phrases, how likely (0 to 1) a sentence ends there; `len(spans) - 1` values."""
    logits = (_logit(text[slice(*left)], text[slice(*right)]) for left, right in pairwise(spans))
    return [1 / (1 + exp(-logit)) for logit in logits]


def _logit(left: str, right: str) -> float:
    """Log-odds that a sentence ends between two phrases: a sum of weights, one for each sign that is seen."""
    return WEIGHTS["always"] + sum(WEIGHTS[sign] for sign in (*_signs_left(left), *_signs_right(left, right)))


def _signs_left(left: str) -> Iterator[str]:
    if _END_MARK.search(left):
        yield "end mark"
    elif left[-1] in ",;:–—-":
        yield "comma"
    elif _ending("thai_dangling.txt").search(left) and not left.endswith("หรือไม่"):
        yield "dangling"
    elif _ending("thai_enders.txt").search(left):
        yield "ender"
    if len(left) < SHORT_PHRASE:
        yield "short left"


def _signs_right(left: str, right: str) -> Iterator[str]:
    if _NAMED.search(left) and _starting("thai_offices.txt").match(right):
        yield "apposition"
    elif _starting("thai_openers.txt").match(right):
        yield "opener"
    elif _starting("thai_joiners.txt").match(right):
        yield "joiner"
    elif _starting("thai_starters.txt").match(right):
        yield "starter"
    elif right[0] in "“\"‘'":
        yield "quote"
    if len(right) < SHORT_PHRASE:
        yield "short right"
    elif len(right) > LONG_PHRASE:
        yield "long right"
