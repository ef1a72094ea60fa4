"""Stopping in good order when the user asks."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from pipeline.errors import Interrupted


@dataclass
class Stop:
    """Notices the first Ctrl-C; a second one ends at once."""

    asked: bool = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal: the first asks to stop, the second raises KeyboardInterrupt."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    @contextmanager
    def listening(self, say: Callable[[str], None]) -> Iterator[None]:
        """Catch SIGINT and SIGTERM while the block runs."""

        def handler(number: int, frame: FrameType | None) -> None:
            if self.asked:
                say("stopped at once; what was committed before is kept")
            self(number, frame)
            say("stopping after the batch in hand; a second Ctrl-C stops at once")

        before = {number: signal.signal(number, handler) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, old in before.items():
                signal.signal(number, old)

    def check(self) -> None:
        """Raise Interrupted when the user asked to stop."""
        if self.asked:
            raise Interrupted("stopped; everything finished so far is kept", "The same command goes on from here.")
