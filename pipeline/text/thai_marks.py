"""Thai marks and following vowels in the one order in which they are stored, also where a PDF gives them otherwise.

Programs that read a PDF put a space where a glyph was moved: before a mark, around sara am, behind a leading vowel, or
after every letter of a headline. No Thai word begins with a mark or ends in a leading vowel, so the space is the error
there. Fonts of the 1990s have marks at more than one height, in code points of private use.
"""

from __future__ import annotations

import re
from functools import lru_cache

TONES = "่้๊๋"
# The order in which the marks of one consonant are stored: below it, above it, nikhahit, tone, the rest.
MARK_ORDER = "ฺุูัิีึื็ํ" + TONES + "์๎"
FOLLOWING = "ะาำๅ"
LEADING = "เแโใไ"

# As numbers, since an editor that composes would change the order of the marks.
WINDOWS_GLYPHS = (
    "\u0e10\u0e34\u0e35\u0e36\u0e37\u0e48\u0e49\u0e4a\u0e4b\u0e4c\u0e48\u0e49\u0e4a\u0e4b"
    "\u0e4c\u0e0d\u0e31\u0e4d\u0e47\u0e48\u0e49\u0e4a\u0e4b\u0e4c\u0e38\u0e39\u0e3a"
)
"""What the glyphs of Windows fonts stand for, from U+F700 on: consonants without their lower part, marks moved to the
left, down or both."""
MACINTOSH_GLYPHS = (
    "\u0e31\u0e34\u0e35\u0e36\u0e37\u0e47\u0e48\u0e48\u0e48\u0e49\u0e49\u0e49\u0e4a\u0e4a"
    "\u0e4a\u0e4b\u0e4b\u0e4b\u0e4c\u0e4c\u0e4c\u0e4d\u0e0d\u0e38\u0e39\u0e3a\u0e10"
)
"""The same of Macintosh fonts, from U+F884 on. Both as shapers draw Thai in fonts that know no features."""
_GLYPHS = {
    chr(first + number): letter
    for first, letters in ((0xF700, WINDOWS_GLYPHS), (0xF884, MACINTOSH_GLYPHS))
    for number, letter in enumerate(letters)
}

_VOWEL_MARKS = frozenset("ุูัิีึื็")
_MOVED = MARK_ORDER.replace("ฺ", "").replace("๎", "")
"""Marks of everyday Thai: the two others stand alone by mistake only."""
_NEEDS_MORE = frozenset("\u0e31\u0e36\u0e37\u0e47\u0e32\u0e33")
"""A syllable goes on after mai han akat, sara ue, sara uee and maitaikhu (in ก็ alone it does not); of a sara am that
stands alone, whole or in two parts, both spaces are the extraction's."""

RUNS = 4096
"""Runs of marks that are remembered; a few hundred are in use."""


def _ordered(match: re.Match[str]) -> str:
    return _stored(match[0])


@lru_cache(maxsize=RUNS)
def _stored(run: str) -> str:
    """One run of marks and following vowels in the stored order.

    A tone goes before the following vowel, nikhahit and sara aa become sara am, doubles collapse, of several tones
    the last stays, and any other mark after a following vowel has nothing to sit on.
    """
    first = next((i for i, char in enumerate(run) if char in FOLLOWING), len(run))
    marks = set(run[:first])
    tones = [char for char in run if char in TONES]
    vowels = re.sub(f"[^{FOLLOWING}]", "", run)
    if "ํ" in marks and vowels.startswith(("า", "ำ")):
        marks.discard("ํ")
        vowels = "ำ" + vowels[1:]
    vowels = re.sub(r"(.)\1+", r"\1", re.sub("ำ[าๅำ]+", "ำ", vowels))
    kept = (marks - set(TONES)) | set(tones[-1:])
    return "".join(sorted(kept, key=MARK_ORDER.index)) + vowels


def _closed(match: re.Match[str]) -> str:
    """A mark that stands between two spaces without the second, where its syllable goes on after it."""
    before, marks = match["before"], match["marks"]
    alone = marks[0] == "็" and before.endswith("ก") and before[:-1] not in ("เ", "แ")
    return match[0] if alone or marks[-1] not in _NEEDS_MORE else match[0].removesuffix(" ")


def _rejoined(match: re.Match[str]) -> str:
    """A consonant with its marks without the space after it, where the marks behind the space can sit on it too."""
    there, behind = set(match["base"][1:]), set(match["behind"])
    vowels = _VOWEL_MARKS & there
    follows = behind & set(FOLLOWING)
    clash = "์" in there or (vowels and (follows or _VOWEL_MARKS & behind)) or (_toned(there) and _toned(behind))
    return match[0] if clash else match["base"]


def _unspaced(match: re.Match[str]) -> str:
    """Letters one by one, where vowels that cannot stand alone are among them, as words; lists of letters stay."""
    letters = match[0].split(" ")
    alone = sum(letter in _NEVER_ALONE for letter in letters)
    consonants = sum(len(letter) == 1 for letter in letters) - alone
    return "".join(letters) if alone and 2 * consonants + alone > len(letters) else match[0]


def _toned(marks: set[str]) -> bool:
    return not marks.isdisjoint(TONES)


_NEVER_ALONE = frozenset(LEADING + "ะา")
_LETTER = f"(?:[ก-ฮ][{MARK_ORDER}]*|[{LEADING}{FOLLOWING}]|[{MARK_ORDER}]+)"
_SPACED = re.compile(rf"(?<![^ \n]){_LETTER}(?: {_LETTER}){{3,}}(?![^ \n])")
_BASE = f"[ก-ฮ][{MARK_ORDER}]*"
# Sara aa and sara a alone between spaces are rather spoken of than misplaced, unless nikhahit asks for its other half.
_BEHIND = f"[{_MOVED}]+(?![A-Za-z])|ำ|[{FOLLOWING}](?=[ก-๎])|(?<=ํ )า"
_APART = (re.compile(f"(?P<base>{_BASE}) (?=(?P<behind>{_BEHIND}))"), _rejoined)

# Three times _APART: vowel, nikhahit and tone may each stand apart, and what still does after it goes as dangling.
RULES = (
    (re.compile("[\uf700-\uf71a\uf884-\uf89e]"), lambda match: _GLYPHS[match[0]]),
    (re.compile("เเ"), "แ"),
    (_SPACED, _unspaced),
    (
        re.compile(f"(?P<before>.?[ก-ฮ])[{MARK_ORDER}]* (?P<marks>[{_MOVED}]+|ำ|ํ า) (?=[ก-ฮ{LEADING}])"),
        _closed,
    ),
    *3 * (_APART,),
    (re.compile(f"(?<=[{LEADING}]) (?=[ก-ฮ])"), ""),
    (re.compile(f"[{MARK_ORDER}{FOLLOWING}]{{2,}}"), _ordered),
    (re.compile(f"([{LEADING}])([{MARK_ORDER}]+)([ก-ฮ])"), r"\1\3\2"),
    (re.compile(f"(?<![ก-ฮ\u25cc{MARK_ORDER}])[{MARK_ORDER}]+"), ""),
    (re.compile("(?<=[ฤฦ])า"), "ๅ"),
    (re.compile("(?<![ฤฦ])ๅ"), "า"),
    (re.compile("(?<! ) +(?=ๆ)"), ""),
    (re.compile("ฯ ?ล ?ฯ"), "ฯลฯ"),
)
