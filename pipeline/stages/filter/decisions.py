"""What people decided about pairs: `decisions.jsonl` in the run folder, written by `mekong view`.

One JSON object a line: {"pair": id, "keep": true, false or null, "text": hash of both texts, "at": ISO 8601 time}.
The last line about a pair holds; null takes a decision back. A decision holds for the texts that the person saw: when a
pair's texts change, it no longer applies. The rules of the filter judge first, as if nobody had decided, so an accepted
pair is in the corpus even where it is a duplicate, and a duplicate of a rejected pair stays out.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import StoreError
from pipeline.files.store import append_line, digest, is_json
from pipeline.types import Pair, Reason, Verdict

FILE = "decisions.jsonl"
REJECTED_BY_HAND = Reason("rejected by hand", "rejected by hand")


class Decision(BaseModel):
    """One line of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    pair: str
    keep: bool | None
    text: str
    at: str


def text_key(pair: Pair) -> str:
    """The hash of a pair's texts that a decision carries."""
    return digest("decision", pair.src_lang, pair.src_text, pair.tgt_text)


def decide(pair: Pair, keep: bool | None) -> Decision:
    """A decision made now."""
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Decision(pair=pair.id, keep=keep, text=text_key(pair), at=at)


class Decisions:
    """The decisions of one run folder; `refresh` follows the file as this or another process appends to it."""

    def __init__(self, folder: Path, warn: Callable[[str], None]) -> None:
        self.path = folder / FILE
        self.latest: dict[str, Decision] = {}
        """The last decision of each pair; what was taken back is left out."""
        self.restarts = 0
        """How often the file was replaced by another one, so that all of it was read again."""
        self._warn = warn
        self._file = self._read_to = self._lines = 0
        self._torn = -1

    def refresh(self) -> list[Decision]:
        """Read what was appended since the last call; returns it.

        A last line that a kill cut short is passed over with a warning. Raises StoreError, naming the line, where any
        other one is no decision, and when the file cannot be read.
        """
        try:
            data = self._appended()
        except FileNotFoundError:
            if self._file:
                self._forget(0)
            return []
        except OSError as error:
            raise StoreError(f"{self.path} cannot be read: {error.strerror}") from error
        *whole, tail = data.split(b"\n")
        found = [self._parse(line, self._lines + number) for number, line in enumerate(whole, 1)]
        self._read_to += len(data) - len(tail)
        self._lines += len(whole)
        if is_json(tail):
            found.append(self._parse(tail, self._lines + 1))
        elif tail and self._torn != self._read_to:
            self._torn = self._read_to
            self._warn(f"{self.path}, line {self._lines + 1} was cut short while it was written; it is not applied")
        for decision in found:
            self.latest.pop(decision.pair, None)
            if decision.keep is not None:
                self.latest[decision.pair] = decision
        return found

    def append(self, decision: Decision) -> None:
        """Add one decision, durably.

        Raises StoreError when it cannot be written.
        """
        append_line(self.path, decision)

    def of(self, pair: Pair) -> bool | None:
        """What was decided about a pair as it is now, None for nothing."""
        found = self.latest.get(pair.id)
        return found.keep if found and found.text == text_key(pair) else None

    def applied(self, pair: Pair, verdict: Verdict) -> Verdict:
        """The verdict on a pair, or what a person made of it."""
        keep = self.of(pair)
        if keep is None:
            return verdict
        reasons = () if keep else (*verdict.reasons, REJECTED_BY_HAND)
        return replace(verdict, keep=keep, reasons=reasons, by_hand=True)

    def unapplied(self, number: int) -> str:
        """What to warn of where so many decisions were not applied."""
        return (
            f"{number} of {len(self.latest)} decisions in {self.path} are not applied: "
            "their pairs are gone, or have other texts now"
        )

    def _appended(self) -> bytes:
        with self.path.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH)
            stat = os.fstat(stream.fileno())
            if stat.st_ino != self._file or stat.st_size < self._read_to:
                self._forget(stat.st_ino)
            stream.seek(self._read_to)
            return stream.read()

    def _forget(self, file: int) -> None:
        """Start from the beginning of another file (its inode number; 0 is none)."""
        self.restarts += 1
        self._file, self._read_to, self._lines, self._torn = file, 0, 0, -1
        self.latest.clear()

    def _parse(self, line: bytes, number: int) -> Decision:
        try:
            return Decision.model_validate_json(line)
        except ValidationError as error:
            what = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'line'}: {e['msg']}" for e in error.errors())
            raise StoreError(
                f"{self.path}, line {number} is no decision ({what})",
                'Correct or delete it; a line looks like {"pair": "id", "keep": false, "text": "hash", "at": "time"}.',
            ) from error
