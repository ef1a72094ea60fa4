"""What programs write into fields that are no text: numbers for ids, moments for dates, languages in many ways."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from pipeline.files.lines import BadInput
from pipeline.files.tables import NO_TEXT
from pipeline.text.languages import known_code, table

_DAY = re.compile(r"(1[5-9]|2[01])\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])")
_YEAR = re.compile(r"(1[5-9]|2[0-6])\d\d")
MAX_WHOLE = 2**63
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = ((1e8, 1e11, 1.0), (1e11, 1e14, 1e3), (1e14, 1e17, 1e6), (1e17, 1e20, 1e9))
"""Numbers from and below which a moment since 1970 is in seconds, milliseconds, microseconds or nanoseconds: each goes
from 1973 to the year 5138, and back from 1967 to 1780. Days as numbers (20241205) and years are smaller."""
_TAG = re.compile(r"[A-Za-z]{2,3}([-_]([A-Za-z]{4}|[A-Za-z]{2}|\d{3})){0,2}")
_NESTED = ("translation", "translations")


def is_missing(value: Any) -> bool:
    """Whether a field is there and says nothing: null, or the NaN that data frames write where a number is missing."""
    if isinstance(value, Decimal):
        return value.is_nan()
    return value is None or (isinstance(value, float) and math.isnan(value))


def text_field(value: Any, name: str) -> str:
    """A field that is text; what is missing is empty.

    Raises BadInput for anything else.
    """
    if is_missing(value):
        return ""
    if not isinstance(value, str):
        raise BadInput(f"{name!r} is a {type(value).__name__}, not a string")
    return value


def id_field(value: Any, name: str) -> str:
    """An id as text; data frames make numbers of ids, and 4.0 of 4 where one of them is missing.

    Raises BadInput for lists and the like.
    """
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, UUID) else _whole(value) or _number(value, name)


def date_field(value: Any, name: str) -> str:
    """A date as ISO 8601: of a date, a moment, a number like 20241205 or 2024, or the time since 1970 of data frames.

    Text stays as it is. Raises BadInput for lists and the like.
    """
    if isinstance(value, date):  # a datetime is one
        return value.isoformat()
    digits = _whole(value)
    if _DAY.fullmatch(digits):
        return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
    if not _YEAR.fullmatch(digits) and isinstance(value, int | float | Decimal) and not is_missing(value):
        seconds = float(value)
        for low, high, unit in _UNITS:
            if low <= seconds < high or -60 * low < seconds <= -low:
                return (_EPOCH + timedelta(seconds=seconds / unit)).isoformat(timespec="seconds")
    return digits or _number(value, name)


def _whole(value: Any) -> str:
    """The digits of a whole number that a float holds exactly, however it is written; empty for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or is_missing(value):
        return ""
    return str(int(value)) if abs(value) < MAX_WHOLE and value == int(value) else ""


def _number(value: Any, name: str) -> str:
    """A number as Python writes it, text as it is."""
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return str(value) if is_number and not is_missing(value) else text_field(value, name)


def by_language(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields of a row with its texts under the codes of the table, however the row names their languages.

    Texts stand under codes ("th", "en-US", "tha_Thai"), or together under `translation`, as {code: text} or, where
    languages vary, {"language": [...], "translation": [...]} (`Translation` and `TranslationVariableLanguages` of
    datasets). Of several texts in one language the first that says anything counts.
    """
    texts: dict[str, Any] = {}
    named = [(key, value) for key, value in values.items() if _TAG.fullmatch(key) and not NO_TEXT.fullmatch(key)]
    nested = [pair for key in _NESTED for pair in _nested(values.get(key))]
    for key, value in (*sorted(named, key=lambda pair: pair[0] not in table()), *nested):
        code = known_code(key)
        if code in table() and (code not in texts or _is_blank(texts[code])):
            texts[code] = value
    return {**values, **texts}


def _nested(value: Any) -> list[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        return []
    languages, texts = value.get("language"), value.get("translation")
    if isinstance(languages, list) and isinstance(texts, list):
        return [(code, text) for code, text in zip(languages, texts, strict=False) if isinstance(code, str)]
    return [(code, text) for code, text in value.items() if isinstance(code, str)]


def _is_blank(value: Any) -> bool:
    return is_missing(value) or (isinstance(value, str) and not value.strip())
