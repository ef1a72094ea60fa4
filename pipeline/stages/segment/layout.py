"""What a paragraph of a news page is: body, headline, caption, or one of the things that stand around an article.

Patterns are tried for all three languages on every text, since pages mix them (an English credit under a Thai photo).
Nothing is removed here; later stages choose by kind.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from pipeline.text.data import entries, words
from pipeline.text.patterns import THAI, URL_START, either
from pipeline.text.vietnamese import tone_placement
from pipeline.types import Kind

SHORT_LINE = 150
"""Characters up to which a line without an end mark may be a headline or a link."""
SUBHEAD = 90
"""Characters of a headline between paragraphs."""
CREDITED = 400
"""Characters of a paragraph that a credit may make a caption."""
NOTE = 120
"""Characters of a date line, a byline, a source or a counter; the four limits are set by hand."""

_NO_TEXT = re.compile(r"[^\w]+|[\W\d]{0,12}")
_END_MARK = re.compile(r"[.!?…][\"'”’»)\]]*$|/\.$")
_QUESTION = re.compile(r"[!?][\"'”’»)\]]*$")
_ADDRESS = re.compile(rf"(?:[^\s:：]{{1,20}} ?[:：] ?)?{URL_START}\S+|[^\s@]+@[^\s@]+\.\w+")
_HASHTAGS = re.compile(r"(?:#[^\s#]++[\s,]*+)+")
_AGENCY = re.compile(r"[-–—(]? ?(?:[A-Z]{2,8}|Vietnam\+)(?:[/ ,-]+(?:[A-Z]{2,8}|Vietnam\+))* ?\)?")
_AGENCY_CREDIT = re.compile(
    r".*[\s(](?:[A-Z]{2,}/)*[A-Z]{2,} Photos?\)?(?: by)?[^.]{0,40}"
    rf"|.*\((?:{either(words('news_agencies.txt'))})(?:/[^()]{{1,40}})?\)"
)
_CLAUSE = re.compile(rf"\b(?:{either(words('layout_clause.txt'))})\b|[.!?]$")
_PLACE = re.compile(r"(?:[A-ZĐ][\w.'’-]* ?){1,3}(?:\([\w/]+\) ?)?[,–—-] ?")


def _labels(name: str, pattern: str) -> re.Pattern[str]:
    """`pattern` with LABEL standing for any entry of the list, longest first; upper and lower case are the same."""
    known = {form for entry in entries(f"layout_{name}.txt") for form in _placements(entry)}
    return re.compile(pattern.replace("LABEL", f"(?:{either(known)})"), re.IGNORECASE | re.DOTALL)


def _placements(entry: str) -> tuple[str, str]:
    """Both Vietnamese spellings: Từ khóa and Từ khoá."""
    return tone_placement(entry, "old"), tone_placement(entry, "new")


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    by = "(?: by| courtesy of| courtesy| minh họa| minh hoạ)?"
    return {
        "photo": _labels(
            "photo",
            rf"LABEL{by} ?[:：]|LABEL (?:courtesy|by) |.*[(\[]LABEL{by}(?: ?[:：]| )[^()]{{1,80}}[)\]]\.?$"
            r"|.*[.\s)—–-] ?LABEL ?[:：] ?[^.]{1,60}\.?$",
        ),
        "source": _labels("source", r"LABEL(?: ?[:：] ?| )\S.*$"),
        "byline": _labels("byline", r"LABEL(?: ?[:：] ?| )(?P<who>[^\n]{2,60})$"),
        "related": _labels("related", r"[>»•*\s]*LABEL ?(?:[:：>»]|$)"),
        "tags": _labels("tags", r"LABEL ?[:：]"),
        "counter": _labels("counter", r"\(?\d*\)? ?LABEL ?[:(]? ?\d*\)?$"),
        "notice": _labels("notice", r"LABEL(?!\w)"),
        "date": _labels("date", rf"(?<![^\W\d_])LABEL(?![^\W\d_{THAI}])|(?<![^\W\d_])(?=[{THAI}])LABEL"),
    }


def kinds(paragraphs: Sequence[str]) -> list[Kind]:
    """The kind of each paragraph (one line of normalised text each) of one document, in order.

    Headlines are the first line of text when it is short and bare, bare short lines between paragraphs, and the links
    that follow the end of an article.
    """
    found: list[Kind | None] = [_alone(text) for text in paragraphs]
    _mark_links(paragraphs, found)
    _mark_headlines(paragraphs, found)
    return [kind or "body" for kind in found]


def _alone(text: str) -> Kind | None:
    """The kind that a paragraph shows by itself."""
    patterns = _patterns()
    if len(text) <= CREDITED and (patterns["photo"].match(text) or _AGENCY_CREDIT.fullmatch(text)):
        return "caption"
    if _NO_TEXT.fullmatch(text) or _ADDRESS.fullmatch(text) or _HASHTAGS.fullmatch(text):
        return "boilerplate"
    if patterns["tags"].match(text) or patterns["related"].match(text):
        return "boilerplate"
    if len(text) > NOTE:
        return None
    if patterns["counter"].match(text) or patterns["notice"].match(text) or _is_date(text) or _is_credit(text):
        return "boilerplate"
    return None


def _is_date(text: str) -> bool:
    """Whether nothing but a place and a date or time stands here."""
    if not any(char.isdigit() for char in text):
        return False
    rest = _patterns()["date"].sub(" ", text)
    return re.search(r"[^\W\d_]{2,}", rest) is None or (
        _PLACE.match(text) is not None and re.search(r"[^\W\d_]{2,}", _PLACE.sub("", rest, count=1)) is None
    )


def _is_credit(text: str) -> bool:
    """A source or an author alone on a line: names, not a clause."""
    byline = _patterns()["byline"].match(text)
    if byline:
        return not _CLAUSE.search(byline["who"]) and len(byline["who"].split()) <= 6
    if _AGENCY.fullmatch(text):
        return True
    return _patterns()["source"].match(text) is not None and not _CLAUSE.search(text)


def _bare(text: str, limit: int) -> bool:
    return len(text) <= limit and not _END_MARK.search(text)


def _mark_links(paragraphs: Sequence[str], found: list[Kind | None]) -> None:
    """The links under a "related news" line: bare short lines right after it."""
    linking = False
    for i, text in enumerate(paragraphs):
        if found[i] == "boilerplate" and _patterns()["related"].match(text):
            linking = True
        elif found[i] is None and linking and _bare(text, SHORT_LINE):
            found[i] = "boilerplate"
        elif found[i] is None:
            linking = False


def _mark_headlines(paragraphs: Sequence[str], found: list[Kind | None]) -> None:
    open_ones = [i for i, kind in enumerate(found) if kind is None]
    last_long = max((i for i in open_ones if not _bare(paragraphs[i], SHORT_LINE)), default=None)
    if last_long is None:
        return
    for rank, i in enumerate(open_ones):
        text = paragraphs[i]
        if rank == 0:
            is_headline = _bare(text, SHORT_LINE) or (len(text) <= SUBHEAD and _QUESTION.search(text) is not None)
        elif i > last_long:
            is_headline = "boilerplate" in found[last_long:i] and _bare(text, SHORT_LINE)
        else:
            is_headline = _bare(text, SUBHEAD) and text[-1] not in ":;," and text[0] not in "-–—•*\"“'‘("
        if is_headline:
            found[i] = "headline"
