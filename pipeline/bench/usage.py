"""Processor time and memory of this process and all that it has started, from /proc."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


def tree() -> Iterator[Path]:
    """The folders in /proc of this process and of its descendants."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            # The name in parentheses may have spaces; the parent is the second field after it.
            parent = int(stat.read_text("utf-8", "replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    todo = [os.getpid()]
    while todo:
        number = todo.pop()
        todo += children.get(number, [])
        yield Path(f"/proc/{number}")


def cpu_seconds() -> float:
    """User and system time so far, of processes that still run."""
    ticks = 0
    for process in tree():
        with contextlib.suppress(OSError):
            fields = (process / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_mb() -> float:
    """Resident megabytes; what several processes share counts once."""
    kilobytes = 0
    for process in tree():
        with contextlib.suppress(OSError):
            lines = (process / "smaps_rollup").read_text("ascii").splitlines()
            kilobytes += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes * 1024 / 1e6


def peak_mb() -> float:
    """The most resident megabytes that this process alone has had; what getrusage tells begins with those of its
    parent."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / 1e6
