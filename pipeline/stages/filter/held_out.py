"""Texts that must not get into a corpus, such as the sentences of test sets, and whether a text is or holds one."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.errors import InputError
from pipeline.files.published import published_names
from pipeline.files.spool import Spool
from pipeline.files.store import file_sha256
from pipeline.files.tables import texts
from pipeline.stages.filter.shingles import comparable, letters

if TYPE_CHECKING:
    from pipeline.stages.filter.shingle_kernel import Hashes

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
    texts match whatever their length. Takes about 2 kB a text, and 9 while
    it is made; shingles are hashes of 64 bits.
    """

    def __init__(self, texts: Iterable[tuple[str, str]]) -> None:
        """`texts`: (place, text) of each held-out text."""
        self._places = Spool()
        self._equal: dict[bytes, int] = {}
        """The number of each text, as a digest of its letters."""
        self._long = array("I")
        """The numbers of the texts that are not only compared as a whole."""
        shingles, ends = array("Q"), array("Q", [0])
        for place, text in texts:
            found = self._added(place, letters(comparable(text)))
            if found is not None:
                shingles.frombytes(found.tobytes())
                ends.append(len(shingles))
        if self._long:
            from pipeline.stages.filter.held_out_kernel import index

            self._index = index(np.array(shingles), np.array(ends, np.int64), OVERLAP)
            self._seen = np.zeros(len(self._long), np.bool_)

    def _added(self, place: str, text: str) -> Hashes | None:
        """The shingles of a text that is new and long enough to be compared by them."""
        key = _digest(text)
        if not text or key in self._equal:
            return None
        number = self._equal[key] = self._places.append(place.encode())
        if len(text) < SHORTEST:
            return None
        self._long.append(number)
        return _hashed(text)

    def find(self, text: str) -> Match | None:
        """The held-out text that has most in common with `text` (as by `comparable`), the first of equals."""
        ours = letters(text)
        equal = self._equal.get(_digest(ours)) if ours else None
        if equal is not None:
            return Match(self._places[equal].decode(), 1.0)
        if len(ours) < SHORTEST or not self._long:
            return None
        from pipeline.stages.filter.held_out_kernel import nearest

        overlap, row = nearest(_hashed(ours), self._index, OVERLAP, self._seen)
        return Match(self._places[self._long[row]].decode(), overlap) if overlap >= OVERLAP else None


def _digest(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()


def _hashed(text: str) -> Hashes:
    from pipeline.stages.filter.shingle_kernel import SOURCE, distinct

    return distinct(np.frombuffer(text.encode(), np.uint8), SOURCE)


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
    """The SHA-256 of each file, in hexadecimal, by its published path."""
    return {name: file_sha256(path) for path, name in published_names(held_out_files(paths)).items()}


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
