"""Thai: marks, phrases and where a sentence may end."""

from __future__ import annotations

import re

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
    (re.compile(" +(?=ๆ)"), ""),
    (re.compile("ฯ ?ล ?ฯ"), "ฯลฯ"),
)
