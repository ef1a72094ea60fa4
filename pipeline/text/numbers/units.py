"""What amounts are of: the unit beside a number, and whether two texts give one number two units.

Only units of one dimension are compared (currency, area, mass, length, volume, power). A number that has no known unit
on either side says nothing, so what is left out or written otherwise (4 ไร่, "a field of 4") is no error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.files.plain_yaml import load_yaml
from pipeline.text.languages import language
from pipeline.text.numbers.agreement import StatedNumbers
from pipeline.text.numbers.quantities import Number
from pipeline.text.patterns import either
from pipeline.types import ENGLISH

_TABLE = Path(__file__).parents[1] / "data" / "units.yaml"
BEFORE = 6
"""Characters before a number in which the sign of a currency stands: NT$, CNY and a blank."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit and what it measures; `stands_for` are the units that it answers for, itself included."""

    name: str
    dimension: str
    stands_for: frozenset[str]


@dataclass(frozen=True, slots=True)
class ChangedUnit:
    """A number of one text, its unit there, and the unit that the other text gives it."""

    number: Number
    unit: Unit
    other: Unit


@dataclass(frozen=True, slots=True)
class _Forms:
    """How one language writes units: after a number, and signs before one."""

    after: re.Pattern[str]
    before: re.Pattern[str]
    units: Mapping[str, Unit]


def unit_of(text: str, number: Number, lang: str) -> Unit | None:
    """The unit that stands beside a number of `text`; None where none is known."""
    forms = _forms(lang)
    found = forms.after.match(text, number.end)
    if not found:
        found = forms.before.search(text[max(0, number.start - BEFORE) : number.start])
    return forms.units[found[1].lower()] if found else None


def changed_units(source: StatedNumbers, target: StatedNumbers) -> list[ChangedUnit]:
    """The numbers of `source` to which `target` gives another unit of the same dimension, and never theirs."""
    theirs: dict[tuple[Decimal, str], list[Unit]] = {}
    for number, unit in _with_units(target):
        theirs.setdefault((number.value, unit.dimension), []).append(unit)
    changed = []
    for number, unit in _with_units(source):
        others = theirs.get((number.value, unit.dimension), [])
        if others and not any(unit.stands_for & other.stands_for for other in others):
            changed.append(ChangedUnit(number, unit, others[0]))
    return changed


def _with_units(stated: StatedNumbers) -> list[tuple[Number, Unit]]:
    units = ((number, unit_of(stated.text, number, stated.lang)) for number in stated.numbers)
    return [(number, unit) for number, unit in units if unit]


@cache
def _table() -> Mapping[str, Mapping[str, Mapping[str, Any]]]:
    loaded: Mapping[str, Mapping[str, Mapping[str, Any]]] = load_yaml(_TABLE)
    return loaded


@cache
def _forms(lang: str) -> _Forms:
    units: dict[str, Unit] = {}
    after: list[str] = []
    before: list[str] = []
    for dimension, listed in _table().items():
        for name, forms in listed.items():
            unit = Unit(name, dimension, frozenset([name, *forms.get("vague", ())]))
            signs = forms.get("signs", ())
            names = [*forms.get(lang, ()), *(forms[ENGLISH] if lang != ENGLISH and _is_latin(lang) else ())]
            for form in (*names, *signs):
                units.setdefault(form.lower(), unit)
            after += (*names, *signs)
            before += signs
    end = "(?![A-Za-z])" if not _is_latin(lang) else r"(?!\w)"
    return _Forms(_pattern("[ -]?", after, end), _pattern("(?<![A-Za-z])", before, " ?$"), units)


def _is_latin(lang: str) -> bool:
    return not language(lang).script


def _pattern(start: str, forms: Iterable[str], end: str) -> re.Pattern[str]:
    return re.compile(f"{start}({either(set(forms))}){end}", re.IGNORECASE)
