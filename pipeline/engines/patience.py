"""Waiting for a process that works for us: as long as it takes, but not without a word when it does nothing."""

from __future__ import annotations

import logging
import os
import select
import time
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger("mekong")

QUIET = 120.0
"""Seconds in which a process that is at work answers, or at least computes: loading and long batches do the second."""
LOOK = 5.0
"""Seconds between two looks at it."""
STOPPED = "T"
"""The state in /proc of a process that was sent SIGSTOP."""


@dataclass(frozen=True, slots=True)
class _Life:
    """What the kernel says of a process: its state, and the seconds that it and its children have computed."""

    state: str
    computed: float


def wait_for(handle: int, pid: int, name: str) -> None:
    """Return when there is something to read from `handle`, or it was closed; `name` is who is waited for, `pid` its
    process, 0 where nobody knows it.

    Warns when the process has neither answered nor computed for QUIET seconds, then each time that it has been twice as
    long, and goes on waiting.
    """
    began = alive = time.monotonic()
    before, silent = _life(pid), QUIET
    looking = select.poll()
    looking.register(handle, select.POLLIN)
    while not looking.poll(1000 * min(LOOK, silent)):
        now, life = time.monotonic(), _life(pid)
        if life and before and life.computed > before.computed:
            alive, silent = now, QUIET
        elif now - alive >= silent:
            log.warning("%s", _complaint(name, pid, life, now - began))
            silent *= 2
        before = life


def _complaint(name: str, pid: int, life: _Life | None, seconds: float) -> str:
    who = f"{name} (process {pid})" if pid else name
    if life and life.state == STOPPED:
        return f"{who} was stopped and has not answered for {seconds:.0f} s; `kill -CONT {pid}` lets it go on"
    kill = f"`kill -9 {pid}`" if pid else "Ctrl-C twice"
    return (
        f"{who} has not answered for {seconds:.0f} s and computes nothing; it is waited for. "
        f"If it stays like this, {kill} ends it; what is done is kept"
    )


def _life(pid: int) -> _Life | None:
    """None where nothing is known."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    # proc(5): state, then utime, stime, cutime and cstime, fields 3 and 14 to 17, in ticks.
    return _Life(fields[0], sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK"))
