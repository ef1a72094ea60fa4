"""Word lists: one entry a line, `#` begins a comment line."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def words(name: str) -> frozenset[str]:
    """The entries of the list `name`, a file of this folder."""
    return frozenset(entries(name))


@cache
def entries(name: str) -> tuple[str, ...]:
    """The entries of the list `name`, in the order of the file."""
    lines = files(__name__).joinpath(name).read_text(encoding="utf-8").split("\n")
    return tuple(line for line in map(str.strip, lines) if line and not line.startswith("#"))
