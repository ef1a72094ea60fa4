"""Word lists: UTF-8 in NFC, one entry a line, `#` begins a comment line.

A list whose order does not matter is sorted by code point, so that two edits of it meet in one place. In a table each
line is a whole number, a space and the entries that stand for it, parted by ", "; in a list of pairs a tab stands
between an entry and what it means.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

from pipeline.errors import InputError

FOLDER = Path(__file__).parent


@cache
def words(name: str) -> frozenset[str]:
    """The entries of the list `name`, a file of this folder, whose order does not matter.

    Raises InputError as `entries`, and for a list that is not sorted.
    """
    listed = entries(name)
    late = next((word for before, word in pairwise(listed) if word < before), None)
    if late is not None:
        raise InputError(f"{FOLDER / name}: {late!r} is out of order", "Sort the list by code point.")
    return frozenset(listed)


@cache
def entries(name: str) -> tuple[str, ...]:
    """The entries of the list `name`, in the order of the file.

    Raises InputError where the list cannot be read or is empty, and where an entry is empty, comes twice, has outer
    spaces or is not in NFC.
    """
    return _checked(name, _lines(name))


@cache
def rows(name: str) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """The lines of the table `name` in the order of the file: a number and the entries that stand for it.

    Raises InputError as `entries`, and for numbers that are none or do not grow.
    """
    table: list[tuple[int, tuple[str, ...]]] = []
    for number, line in _lines(name):
        value, _, listed = line.partition(" ")
        if not value.isdecimal() or (table and int(value) <= table[-1][0]):
            raise InputError(f"{FOLDER / name}:{number}: no next number in {line!r}", "A line is like '7 seven'.")
        table.append((int(value), _checked(name, ((number, word) for word in listed.split(", ")))))
    return tuple(table)


@cache
def values(name: str) -> dict[str, int]:
    """The entries of the table `name` with the number of each, in the order of the file.

    Raises InputError as `rows`, and for an entry that stands for two numbers.
    """
    table: dict[str, int] = {}
    for value, listed in rows(name):
        twice = table.keys() & listed
        if twice:
            raise InputError(f"{FOLDER / name}: {min(twice)!r} is {table[min(twice)]} and {value}", "Leave one.")
        table.update(dict.fromkeys(listed, value))
    return table


@cache
def pairs(name: str) -> dict[str, str]:
    """The lines of the list `name`: what stands before the tab, and what it stands for.

    Raises InputError as `words` of what stands before the tab, and for a line that has not one tab with text behind it.
    """
    table: dict[str, str] = {}
    for number, line in _lines(name):
        key, _, value = line.partition("\t")
        if not value.strip() or "\t" in value:
            raise InputError(f"{FOLDER / name}:{number}: no pair in {line!r}", "A line is an entry, a tab, a meaning.")
        if table and key <= next(reversed(table)):
            raise InputError(f"{FOLDER / name}:{number}: {key!r} is out of order", "Sort the list by code point.")
        table[key] = value
    _checked(name, enumerate(table, 1))
    return table


def _lines(name: str) -> Iterator[tuple[int, str]]:
    """The lines that are no comments, with their numbers from 1."""
    try:
        text = (FOLDER / name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the list {FOLDER / name} cannot be read: {error}", "Reinstall the package.") from error
    for number, line in enumerate(text.removesuffix("\n").split("\n"), 1):
        if not line.startswith("#"):
            yield number, line


def _checked(name: str, numbered: Iterator[tuple[int, str]]) -> tuple[str, ...]:
    listed: dict[str, int] = {}
    for number, entry in numbered:
        if not entry or entry != unicodedata.normalize("NFC", entry).strip():
            raise InputError(
                f"{FOLDER / name}:{number}: {entry!r} is empty, not in NFC or has outer spaces", "Correct the line."
            )
        if entry in listed:
            raise InputError(f"{FOLDER / name}:{number}: {entry!r} comes twice", f"It is in line {listed[entry]}.")
        listed[entry] = number
    if not listed:
        raise InputError(f"the list {FOLDER / name} is empty", "Reinstall the package.")
    return tuple(listed)
