"""Numbers by value, across scripts, separators, multiplicands and calendars.

`148,620 ล้านบาท` and `148.62 billion baht` are the same number, and so are พ.ศ. 2568 and 2025. This module gathers the
public names; `numerals` reads quantities, `dates` days, years and times, `kinds` tells them apart.
"""

from __future__ import annotations

from pipeline.text.agreement import agree, is_asked
from pipeline.text.dates import EN_MONTHS
from pipeline.text.kinds import numbers
from pipeline.text.numerals import Era, Kind, Number
from pipeline.text.western import western

__all__ = ["EN_MONTHS", "Era", "Kind", "Number", "agree", "is_asked", "numbers", "western"]
