"""Numbers by value, across scripts, separators, multiplicands and calendars.

`148,620 ล้านบาท` and `148.62 billion baht` are the same number, and so are พ.ศ. 2568 and 2025. This module gathers the
public names; `quantities` reads amounts, `dates` days, years and times, `classify` tells them apart.
"""

from __future__ import annotations

from pipeline.text.numbers.agreement import StatedNumbers, agree, compare, is_asked
from pipeline.text.numbers.classify import numbers
from pipeline.text.numbers.dates import EN_MONTHS
from pipeline.text.numbers.quantities import Era, Kind, Number
from pipeline.text.numbers.western import western

__all__ = ["EN_MONTHS", "Era", "Kind", "Number", "StatedNumbers", "agree", "compare", "is_asked", "numbers", "western"]
