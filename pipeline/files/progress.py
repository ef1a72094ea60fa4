"""Telling people what happens: a live line on a terminal, a plain line now and then elsewhere, all on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO, TypeVar

from pipeline.files.terminal import harmless

PLAIN_EVERY = 30.0
"""Seconds between plain lines."""
LIVE_EVERY = 0.2
T = TypeVar("T")
FEW = 10
"""A rate below it is shown with a decimal."""
MIN_SAMPLE = 2.0
"""Seconds of work before a rate is worth showing."""


class Progress:
    """Says what goes on; `quiet` says nothing but warnings."""

    def __init__(self, stream: TextIO | None = None, quiet: bool = False) -> None:
        self.stream = stream or sys.stderr
        self.quiet = quiet
        self.live = self.stream.isatty()

    def say(self, text: str) -> None:
        """One line that stays."""
        if not self.quiet:
            self._write(("\r\x1b[K" if self.live else "") + harmless(text) + "\n")

    def warn(self, text: str) -> None:
        """One line that stays, even when quiet."""
        self._write(("\r\x1b[K" if self.live else "") + f"warning: {harmless(text)}\n")

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()

    @contextmanager
    def task(self, name: str, total: float, unit: str) -> Iterator[Task]:
        """A long task measured in `unit`, from 0 to `total`."""
        task = Task(self, name, total, unit)
        task.show()
        try:
            yield task
        finally:
            task.end()


class Task:
    """One long task. Work that was already done before is told with `skip`, so that it does not spoil the rate."""

    def __init__(self, progress: Progress, name: str, total: float, unit: str) -> None:
        self.progress, self.name, self.total, self.unit = progress, name, total, unit
        self.done = self.skipped = 0.0
        self.began = self.shown = time.monotonic()

    def skip(self, amount: float) -> None:
        """Count work that an earlier run did."""
        self.done += amount
        self.skipped += amount

    def advance(self, amount: float) -> None:
        """Count work done now."""
        self.done += amount
        now = time.monotonic()
        if now - self.shown >= (LIVE_EVERY if self.progress.live else PLAIN_EVERY):
            self.shown = now
            self.show()

    def each(self, rows: Iterable[T], size: int) -> Iterator[T]:
        """The rows as they are, counted `size` at a time: where so many are made at once, the first comes as late as
        the last, and a rate over it alone would be wrong."""
        waiting = 0
        for row in rows:
            yield row
            waiting += 1
            if waiting == size:
                self.advance(waiting)
                waiting = 0
        self.advance(waiting)

    def show(self) -> None:
        """Say where the task stands, now."""
        if self.progress.quiet:
            return
        line = self.line(time.monotonic() - self.began)
        self.progress._write(f"\r\x1b[K{line}" if self.progress.live else line + "\n")

    def line(self, seconds: float) -> str:
        """The state in words, `seconds` after the start."""
        share = min(1.0, self.done / self.total) if self.total else 1.0
        line = f"{self.name:<10} {share:4.0%}  {self.done:,.0f}/{self.total:,.0f} {self.unit}"
        fresh = self.done - self.skipped
        if fresh > 0 and seconds >= MIN_SAMPLE:
            rate = fresh / seconds
            shown = f"{rate:,.0f}" if rate >= FEW else f"{rate:.1f}"
            line += f"  {shown} {self.unit}/s  {clock(max(0.0, self.total - self.done) / rate)} left"
        return line

    def end(self) -> None:
        """Leave a last line."""
        seconds = time.monotonic() - self.began
        if self.progress.live and not self.progress.quiet:
            self.progress._write("\r\x1b[K")
        if self.done > self.skipped:
            self.progress.say(f"{self.name:<10} {self.done:,.0f} {self.unit} in {clock(seconds)}")


def clock(seconds: float) -> str:
    """Seconds as people say them: 45 s, 3 min 20 s, 2 h 05 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
