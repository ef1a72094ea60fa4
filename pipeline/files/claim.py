"""Who works in a run folder: one process at a time."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import orjson
from filelock import FileLock, Timeout

from pipeline.errors import StoreError

CLAIM = "claim.json"
"""Says who holds the folder, while somebody does."""
LOCK = ".claim.lock"
"""Locked while somebody holds the folder. It is never removed: another process may have it open and be about to lock
it."""


class Claimant(NamedTuple):
    """The process that wrote a claim."""

    host: str
    pid: int

    @property
    def is_elsewhere(self) -> bool:
        """Whether it runs on another host, whose locks may be unknown to this one."""
        return self.host != socket.gethostname()

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}" if self.is_elsewhere else f"process {self.pid}"


@contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Hold a folder, which is made where it is missing, for this process; the system lets go of it with the process.

    Raises StoreError when a living process on this host, or any process of another host, holds it, and when the folder
    cannot be made or written.
    """
    claim = folder / CLAIM
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make {folder}: {error.strerror}", "Choose another --out.") from error
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise _in_use(folder, _claimant(claim)) from None
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        holder = _claimant(claim)
        if holder and holder.is_elsewhere:
            raise _in_use(folder, holder)
        try:
            _write(claim)
            yield
        finally:
            claim.unlink(missing_ok=True)
    finally:
        lock.release()


def _write(claim: Path) -> None:
    try:
        claim.write_bytes(orjson.dumps({"host": socket.gethostname(), "pid": os.getpid()}))
    except OSError as error:
        raise _unwritable(claim.parent, error) from error


def _claimant(claim: Path) -> Claimant | None:
    """Who wrote a claim; None when there is none, or one that was left half written."""
    try:
        said = orjson.loads(claim.read_bytes())
        return Claimant(str(said["host"]), int(said["pid"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _in_use(folder: Path, holder: Claimant | None) -> StoreError:
    return StoreError(
        f"{folder} is in use by {holder or 'another process'}",
        f"Wait for it, choose another folder with --out, or delete {folder / CLAIM} if that process is gone.",
    )


def _unwritable(folder: Path, error: OSError) -> StoreError:
    return StoreError(f"cannot write in {folder}: {error.strerror}", "Choose another --out.")
