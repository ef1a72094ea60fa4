"""What long passes over a folder tell people, and whether people want them to stop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from pipeline.files.progress import Progress
from pipeline.run.stop import Stop

T = TypeVar("T")


@dataclass(frozen=True)
class Watch:
    """Progress out, the wish to stop in."""

    progress: Progress
    stop: Stop = field(default_factory=Stop)

    def warn(self, text: str) -> None:
        """One line that stays."""
        self.progress.warn(text)

    @contextmanager
    def task(self, name: str, total: float, unit: str) -> Iterator[Callable[[float], None]]:
        """A long task; what it gives is to be told what is done, and raises Interrupted when the user asked to stop."""
        with self.progress.task(name, total, unit) as task:

            def advance(amount: float) -> None:
                self.stop.check()
                task.advance(amount)

            yield advance

    def each(self, name: str, total: float, unit: str, rows: Iterable[T]) -> Iterator[T]:
        """The rows as they are, counted as they go by."""
        with self.task(name, total, unit) as advance:
            for row in rows:
                yield row
                advance(1)
