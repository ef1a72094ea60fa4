"""Text for outputs whose lines or fields are told apart by a character: TSV, Moses files, lines on standard output."""

from __future__ import annotations

import re

_SEPARATING = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def one_line(text: str) -> tuple[str, int]:
    """`text` as one field of one line, and how many runs of characters became a space for that.

    Whatever any reader could take for a line end or a tab goes, and with it every other control character: many tools
    split at VT, FF, U+001C..U+001E, U+0085, U+2028 and U+2029 as well as at LF and CR.
    """
    return _SEPARATING.subn(" ", text)
