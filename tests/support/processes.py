"""Looking at processes from outside."""

from __future__ import annotations

import time
from collections.abc import Callable, Container
from pathlib import Path

import pytest


def parent_of(pid: int) -> int | None:
    """The parent of a living process, None when there is none (any more)."""
    try:
        state, parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except OSError:
        return None
    return None if state == "Z" else int(parent)


def is_alive(pid: int) -> bool:
    return parent_of(pid) is not None


def children(parents: Container[int]) -> set[int]:
    """The living processes whose parent is one of `parents`."""
    pids = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
    return {pid for pid in pids if parent_of(pid) in parents}


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Fail when `condition` does not come true in time."""
    for _ in range(int(100 * seconds)):
        if condition():
            return
        time.sleep(0.01)
    pytest.fail("it did not come to that")
