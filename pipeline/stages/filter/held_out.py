"""Texts that must not get into a corpus, such as the sentences of test sets, and whether a text is or holds one."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import InputError
from pipeline.files.lines import path_text
from pipeline.files.store import file_sha256
from pipeline.files.tables import texts
from pipeline.stages.filter.shingles import comparable, letters, shingles

OVERLAP = 0.7
"""Share of the shorter text's shingles that is in the longer one, from which the shorter counts as contained."""
SHORTEST = 30
"""A text of fewer letters and digits is only compared as a whole."""


@dataclass(frozen=True, slots=True)
class Match:
    """The held-out text that is nearest: where it stands, and the overlap, 1 for equal or contained texts."""

    place: str
    overlap: float


class HeldOut:
    """An index of held-out texts; finding is exact, nothing at or over the limit is missed.

    The measure is |A & B| / min(|A|, |B|) over shingles (the overlap coefficient): 1 where one text holds the other,
    and never less than their Jaccard similarity, so that it covers near duplicates and containment both ways. Equal
    texts match whatever their length. Takes about 20 kB a text.
    """

    def __init__(self, texts: Iterable[tuple[str, str]]) -> None:
        """`texts`: (place, text) of each held-out text."""
        self._places: list[str] = []
        self._texts: list[str] = []
        self._equal: dict[str, int] = {}
        self._holding: dict[str, list[int]] = defaultdict(list)
        for place, text in texts:
            self._add(place, letters(comparable(text)))
        self._rarest = self._by_rarest()

    def _add(self, place: str, text: str) -> None:
        if not text or text in self._equal:
            return
        number = self._equal[text] = len(self._texts)
        self._places.append(place)
        self._texts.append(text)
        if len(text) >= SHORTEST:
            for shingle in shingles(text):
                self._holding[shingle].append(number)

    def _by_rarest(self) -> dict[str, list[int]]:
        """Texts by those shingles of which one at least must be in anything that holds the text."""
        found: dict[str, list[int]] = defaultdict(list)
        for number, text in enumerate(self._texts):
            if len(text) >= SHORTEST:
                for shingle in self._needed(shingles(text)):
                    found[shingle].append(number)
        return found

    def _needed(self, parts: set[str]) -> list[str]:
        """The rarest shingles, so many that a text with `OVERLAP` of all has one of them (prefix filtering)."""
        spare = len(parts) - math.ceil(OVERLAP * len(parts) - 1e-9)
        return sorted(parts, key=lambda part: (len(self._holding.get(part, ())), part))[: spare + 1]

    def find(self, text: str) -> Match | None:
        """The held-out text that has most in common with `text` (as by `comparable`), the first of equals."""
        ours = letters(text)
        if ours in self._equal:
            return Match(self._places[self._equal[ours]], 1.0)
        if len(ours) < SHORTEST:
            return None
        parts = shingles(ours)
        near = {number for part in parts for number in self._rarest.get(part, ())}
        near.update(number for part in self._needed(parts) for number in self._holding.get(part, ()))
        overlap, number = max(((_overlap(parts, self._texts[n]), -n) for n in near), default=(0.0, 0))
        return Match(self._places[-number], overlap) if overlap >= OVERLAP else None


def load_held_out(paths: Iterable[str]) -> HeldOut:
    """Index the texts of files, see `pipeline.files.tables.rows` for the formats.

    Raises InputError when a file does not exist, holds nothing, or cannot be read to its last line: what is not read
    could not be kept out.
    """
    return HeldOut(entry for path in held_out_files(paths) for entry in _texts(path))


def held_out_files(paths: Iterable[str]) -> list[Path]:
    """The files, every one of them there.

    Raises InputError for one that is not.
    """
    files = [Path(path) for path in paths]
    for path in files:
        if not path.is_file():
            problem = "is a folder, not a file" if path.is_dir() else "does not exist"
            raise InputError(f"the held-out file {path} {problem}", "Correct filter.held_out.")
    return files


def digests(paths: Iterable[str]) -> dict[str, str]:
    """The SHA-256 of each file, in hexadecimal, by its path."""
    return {path_text(path): file_sha256(path) for path in held_out_files(paths)}


def check_unchanged(recorded: Mapping[str, str], paths: Iterable[str]) -> None:
    """Raises InputError where a file is not what it was when its digest was recorded: verdicts would differ."""
    for path, found in digests(paths).items():
        if recorded.get(path) != found:
            raise InputError(f"the held-out file {path} has changed since the run", "Repeat `mekong run` first.")


def _texts(path: Path) -> list[tuple[str, str]]:
    found = list(texts(path))
    if not found:
        raise InputError(f"the held-out file {path} has no text in it", "Correct filter.held_out.")
    return found


def _overlap(parts: set[str], other: str) -> float:
    theirs = shingles(other)
    return len(parts & theirs) / min(len(parts), len(theirs))
