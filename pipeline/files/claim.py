"""Who works in a run folder: one process alone, or several, each with a part of its own.

Every holder has a claim: a file that says who it is, which the holder keeps locked (flock) and touches every BEAT
seconds. On one host the lock alone decides: it goes with its process, however that ends. Not every network disk knows
locks between hosts, so a claim of another host that nobody has locked holds until it was not touched for SILENT
seconds. How old it is, is the difference between two times that the disk itself gave: clocks need not agree.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from pipeline.errors import StoreError
from pipeline.files.damage import NOT_JSON

CLAIMS = ".claims"
"""The folder of the claims."""
LOCK = "lock"
"""Locked in there by whoever looks at the claims to add its own. It is never removed: another process may have it open
and be about to lock it."""
BEAT = 20.0
SILENT = 180.0
LOOK_AGAIN = 2.0
"""Seconds between two looks at a claim that may be left over."""
ORPHANS = 60.0
"""Seconds for which a run whose parts a cluster translates waits for parts: those that another run asked for, which
was killed, end as soon as the cluster has heard of that."""


class Part(NamedTuple):
    """Which part of how many: (1, 4) is the first of four."""

    number: int
    total: int

    def has(self, slot: int) -> bool:
        """Whether the shard in that slot is of this part."""
        return slot % self.total == self.number - 1

    @property
    def file_name(self) -> str:
        """What files and folders of the part are called."""
        return f"{self.number}of{self.total}"

    def __str__(self) -> str:
        return f"{self.number}/{self.total}"


class Claimant(msgspec.Struct, frozen=True):
    """A process that holds a folder: all of it, or with others, who have other parts of as many."""

    host: str
    pid: int
    part: Part | None = None

    @property
    def is_elsewhere(self) -> bool:
        """Whether it runs on another host, whose locks may be unknown to this one."""
        return self.host != socket.gethostname()

    def excludes(self, other: Claimant) -> bool:
        """Whether the two cannot hold one folder."""
        if self.part is None or other.part is None:
            return True
        return self.part.number == other.part.number or self.part.total != other.part.total

    def __str__(self) -> str:
        part = f" (part {self.part})" if self.part else ""
        return f"process {self.pid} on {self.host}{part}" if self.is_elsewhere else f"process {self.pid}{part}"


class Claim:
    """The claim of this process, from `claimed`."""

    def __init__(self, path: Path, handle: int, part: Part | None) -> None:
        self._path, self._handle = path, handle
        self.part = part
        self._ended = threading.Event()
        self._lost = False
        self._heart = threading.Thread(target=self._beat, daemon=True, name="mekong claim")
        self._heart.start()

    def _beat(self) -> None:
        while not self._ended.wait(BEAT):
            try:
                os.utime(self._path)
            except FileNotFoundError:
                self._lost = True
                return
            except OSError:  # a disk that is away for a while: the age of the claim says how long
                continue

    def check(self) -> None:
        """Raises StoreError when another process has taken over: this one was not heard of for too long."""
        if self._lost:
            raise StoreError(
                f"{self._path.parent.parent} was taken over by another process: this one was silent for "
                f"{SILENT:.0f} seconds",
                "Let that one finish; nothing is lost.",
            )

    def others(self) -> list[Claimant]:
        """Who else holds parts of the folder."""
        paths = [path for path in self._path.parent.glob("*.json") if path != self._path]
        return [holder for path in paths if (holder := _claimant(path))]

    def end(self) -> None:
        """Let go of the folder."""
        self._ended.set()
        self._heart.join()
        if not self._lost:
            self._path.unlink(missing_ok=True)
        os.close(self._handle)


@contextmanager
def claimed(
    folder: Path, part: Part | None = None, say: Callable[[str], None] = lambda _: None, orphans: float = 0.0
) -> Iterator[Claim]:
    """Hold a folder, which is made where it is missing, for this process, or a part of it.

    It waits for a claim that a process on another host may have left, until that is silent for long enough, and for
    `orphans` seconds for those who hold parts; `say` is told of it. Raises StoreError when a living process holds the
    folder or the part, and when the folder cannot be made or written.
    """
    claims = folder / CLAIMS
    try:
        claims.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make {folder}: {error.strerror}", "Choose another --out.") from error
    mine = Claimant(socket.gethostname(), os.getpid(), part)
    try:
        claim = _waited_for(claims, mine, say, orphans)
    except OSError as error:
        raise StoreError(f"cannot write in {folder}: {error.strerror}", "Choose another --out.") from error
    try:
        yield claim
    finally:
        claim.end()


def _waited_for(claims: Path, mine: Claimant, say: Callable[[str], None], orphans: float) -> Claim:
    """Add a claim as soon as nothing excludes it."""
    seen: dict[Path, float] = {}
    _wait_for_parts(claims, say, orphans)
    while True:
        with one_at_a_time(claims / LOCK):
            doubtful = _doubtful(claims, mine, seen, say)
            if not doubtful:
                path, handle = _add(claims, mine)
                if not _doubtful(claims, mine, {}, say, besides=path):  # hosts without a common lock look side by side
                    return Claim(path, handle, mine.part)
                path.unlink()
                os.close(handle)
        time.sleep(LOOK_AGAIN * (0.5 + secrets.randbelow(1000) / 1000))


def _wait_for_parts(claims: Path, say: Callable[[str], None], seconds: float) -> None:
    """Until no living process holds a part, so many seconds at most."""
    until = time.monotonic() + seconds
    told = False
    while time.monotonic() < until:
        holders = [_claimant(path) for path in sorted(claims.glob("*.json")) if _is_locked(path)]
        parts = [holder for holder in holders if holder and holder.part]
        if not parts:
            return
        if not told:
            say(f"waiting for {parts[0]}, up to {seconds:.0f} seconds")
            told = True
        time.sleep(min(LOOK_AGAIN, max(0.0, until - time.monotonic())))


def _doubtful(
    claims: Path, mine: Claimant, seen: dict[Path, float], say: Callable[[str], None], besides: Path | None = None
) -> list[Path]:
    """The claims that stand against `mine` and may be left over; those that are, are removed. `seen` remembers when
    they were touched.

    Raises StoreError for one whose process lives.
    """
    found = []
    for path in claims.glob("*.begun"):
        if not _is_locked(path) and _age(path) > SILENT:  # killed before the claim was there
            path.unlink(missing_ok=True)
    for path in sorted(claims.glob("*.json")):
        if path == besides:
            continue
        holder = _claimant(path)
        if not _is_locked(path) and (holder is None or not holder.is_elsewhere or _age(path) > SILENT):
            path.unlink(missing_ok=True)
            if holder and holder.is_elsewhere:
                say(f"{holder} is gone: its claim on {claims.parent} was not touched for {SILENT:.0f} seconds")
        elif holder is None or mine.excludes(holder):
            touched = _touched(path)
            if holder is None or not holder.is_elsewhere or _is_locked(path) or seen.get(path, touched) != touched:
                raise _in_use(claims.parent, holder)
            if path not in seen:
                say(f"{claims.parent} is claimed by {holder}, taken over if that is silent for {SILENT:.0f} seconds")
            seen[path] = touched
            found.append(path)
    return found


@contextmanager
def one_at_a_time(lock: Path) -> Iterator[None]:
    """Do something while no other process of this host does, or of any host where the disk knows locks."""
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _add(claims: Path, mine: Claimant) -> tuple[Path, int]:
    """Write a claim that is locked as soon as it is there; its path and the open file that is locked."""
    path = claims / f"{mine.pid}-{secrets.token_hex(4)}.json"
    begun = path.with_suffix(".begun")
    handle = os.open(begun, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
    fcntl.flock(handle, fcntl.LOCK_EX)
    os.write(handle, msgspec.json.encode(mine))
    begun.rename(path)
    return path, handle


def _claimant(path: Path) -> Claimant | None:
    """Who wrote a claim; None where that cannot be read: it was left half written."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Claimant)
    except (OSError, *NOT_JSON):
        return None


def _is_locked(path: Path) -> bool:
    """Whether a process that this host knows of has the claim locked."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _touched(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _age(path: Path) -> float:
    """Seconds since a claim was touched, by the clock of the disk."""
    lock = path.with_name(LOCK)
    os.utime(lock)
    return _touched(lock) - _touched(path)


def _in_use(folder: Path, holder: Claimant | None) -> StoreError:
    remedy = "Wait for it, or choose another folder with --out."
    if holder and holder.is_elsewhere:
        remedy += f" If it is gone, the folder is free {SILENT:.0f} seconds after its last sign of life."
    return StoreError(f"{folder} is in use by {holder or 'another process'}", remedy)
