"""A second attempt at rows that a device or a precision made nothing of: in float32 on the CPU, and not at many."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pipeline.engines.base import Output
from pipeline.errors import EngineError

log = logging.getLogger("mekong")

NOTE = "decoded again in float32 on the CPU"
FREE_ROWS = 64
"""Rows that may be decoded again whatever their share is."""
MOST = 0.01
"""Share of all rows that may: beyond, the run would be as slow as the CPU is, and what fails fails for most rows."""


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of an engine's `generate`."""

    rows: Sequence[Sequence[int]]
    bounds: Sequence[int]
    minimums: Sequence[int] | None
    careful: bool

    def part(self, numbers: Sequence[int]) -> Call:
        """The same for some of the rows."""
        least = None if self.minimums is None else [self.minimums[number] for number in numbers]
        rows, bounds = [self.rows[number] for number in numbers], [self.bounds[number] for number in numbers]
        return Call(rows, bounds, least, self.careful)


class SafeEngine(Protocol):
    """What decodes such rows."""

    def generate(
        self, rows: Sequence[Sequence[int]], bounds: Sequence[int], minimums: Sequence[int] | None, /, *, careful: bool
    ) -> list[Output]:
        """See MekongEngine."""

    def close(self) -> None:
        """See MekongEngine."""


class Rescue:
    """The engine for such rows, loaded when there is one, and how many there have been."""

    def __init__(self, load: Callable[[], SafeEngine], where: str) -> None:
        """`where` names the precision and device that the rows failed in, for people."""
        self._load = load
        self._where = where
        self._engine: SafeEngine | None = None
        self._seen = self._rescued = self._warned = 0

    def again(self, call: Call, outputs: Sequence[Output], failed: Sequence[int]) -> list[Output]:
        """The outputs of a call with those of the numbers `failed` made again, and noted.

        Raises EngineError when too many have failed so far.
        """
        done = list(outputs)
        self._seen += len(done)
        if not failed:
            return done
        self._rescued += len(failed)
        self._check(done[failed[0]].note)
        self._engine = self._engine or self._load()
        part = call.part(failed)
        again = self._engine.generate(part.rows, part.bounds, part.minimums, careful=part.careful)
        for number, output in zip(failed, again, strict=True):
            note = NOTE if output.ended != "failed" else f"{output.note}, in float32 on the CPU too"
            done[number] = replace(output, note=note)
        return done

    def _check(self, why: str) -> None:
        so_far = f"{self._rescued:,} of {self._seen:,} rows so far have failed in {self._where}, the last because {why}"
        if self._rescued > max(FREE_ROWS, MOST * self._seen):
            raise EngineError(
                f"{so_far}; to decode them all again in float32 on the CPU would take too long",
                "Use --set translate.dtype=float32 where it is numbers, a smaller model or fewer beams where it is "
                "memory, or --set translate.device=cpu. What is done is kept.",
            )
        if self._rescued >= 2 * self._warned:
            self._warned = self._rescued
            log.warning("%s; they are decoded again in float32 on the CPU, slowly, and say so in their notes", so_far)

    def close(self) -> None:
        """Let go of the engine."""
        if self._engine is not None:
            self._engine.close()
