"""A process that is killed, or whose disk is full, at a chosen call that changes the disk; played in this process."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

CALLS = ("fsync", "replace", "rename", "unlink", "rmdir", "mkdir", "ftruncate", "write")
FILLING = ("fsync", "replace", "rename", "mkdir", "write")
"""Those that a full disk refuses."""


class Killed(BaseException):
    """Ends what a kill would end; not an Exception, so that nothing handles it."""


class Disk:
    """Counts the calls that change the disk. Before number `kill_at` the process dies: this call and all later ones,
    those of its `finally` too, raise Killed, and what it had open is closed. From number `full_at` on the disk is
    full. Of a whole file that is being written then, half is there."""

    def __init__(self, kill_at: int = 0, full_at: int = 0) -> None:
        self._kill_at, self._full_at = kill_at, full_at
        self._count = 0
        self._open: set[int] = set()
        self.died = self.was_full = False

    @contextmanager
    def ruling(self) -> Iterator[None]:
        """Let the block do its work on this disk; ends quietly where it is killed."""
        real = {name: getattr(os, name) for name in (*CALLS, "open", "close")}
        write_bytes = Path.write_bytes

        def write_whole(path: Path, data: Any) -> int:
            half = len(data) // 2
            with path.open("wb") as stream:
                stream.write(data[:half])
                stream.flush()
                self._step("write")
                return half + stream.write(data[half:])

        with suppress(Killed), patch.object(Path, "write_bytes", write_whole):
            patched = {name: self._stepping(name, real[name]) for name in CALLS}
            with patch.multiple(os, **patched, open=self._opening(real["open"]), close=self._closing(real["close"])):
                yield
        assert Path.write_bytes is write_bytes
        if self.died:
            for handle in self._open:
                with suppress(OSError):
                    os.close(handle)

    def _step(self, name: str) -> None:
        self._count += 1
        self.died = self.died or self._count == self._kill_at
        if self.died:
            raise Killed
        if self._full_at and self._count >= self._full_at and name in FILLING:
            self.was_full = True
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _stepping(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def stepped(*args: Any, **named: Any) -> Any:
            self._step(name)
            return call(*args, **named)

        return stepped

    def _opening(self, call: Callable[..., int]) -> Callable[..., int]:
        def opened(*args: Any, **named: Any) -> int:
            if self.died:
                raise Killed
            handle = call(*args, **named)
            self._open.add(handle)
            return handle

        return opened

    def _closing(self, call: Callable[[int], None]) -> Callable[[int], None]:
        def closed(handle: int) -> None:
            if self.died:
                raise Killed
            self._open.discard(handle)
            call(handle)

        return closed
