"""Processes to be killed: forks of this one, each of which becomes the `mekong` command.

A command that is started anew imports for seconds before it does anything; a fork of a process that has imported and
done a run before has all of that. This process has to have one thread only.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import mmap
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial, wraps
from pathlib import Path
from typing import Any

import pipeline.cli.run
import pipeline.run.publish
import pipeline.run.report_data
from pipeline.cli.main import main
from pipeline.engines.child import end_with_parent
from pipeline.run import provenance
from pipeline.run.manifest import Manifest
from pipeline.run.resources import Resources
from pipeline.run.run import Run
from tests.kill.executions import RUN, Execution
from tests.support.cluster import parts
from tests.support.processes import parent_of

STAGES = (
    "start",
    "read",
    "segment",
    "translate",
    "match",
    "align",
    "score",
    "write",
    "report",
    "manifest",
    "after",
)
"""Where a command is; `after` the manifest it has its end before it."""
PR_SET_CHILD_SUBREAPER = 36
POLL = 0.0003
SETTLED = 5.0
"""Seconds in which a cluster may still begin a part of a run that was killed, before it knows."""
LOG = "log.txt"
RESAMPLES = 2
"""Of the report's metrics, instead of 1,000: they are most of the time of a small run, and nothing is written then."""


class Marks:
    """Where a command is, told through shared memory: the stage it is in, and when each was entered (0: never)."""

    def __init__(self) -> None:
        self._cells = memoryview(mmap.mmap(-1, mmap.PAGESIZE)).cast("d")

    def clear(self) -> None:
        for cell in range(len(STAGES) + 1):
            self._cells[cell] = 0

    def enter(self, stage: str) -> None:
        place = STAGES.index(stage)
        self._cells[1 + place] = time.monotonic()
        self._cells[0] = place

    @property
    def place(self) -> int:
        return int(self._cells[0])

    @property
    def stage(self) -> str:
        return STAGES[self.place]

    def entered(self) -> list[float]:
        return [self._cells[1 + place] for place in range(len(STAGES))]

    def seconds(self) -> list[float]:
        """How long each stage took until now, 0 for one that was never entered."""
        ends, entered = time.monotonic(), self.entered()
        took = [0.0] * len(entered)
        for place in reversed(range(len(entered))):
            if entered[place]:
                took[place], ends = ends - entered[place], entered[place]
        return took


def adopt_orphans() -> None:
    """Have the kernel make every orphan below this process its child."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1)


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


def run_here(folder: Path, execution: Execution) -> None:
    """Do a run in this process, so that its forks have what is imported and read."""
    began, argv = Path.cwd(), sys.argv
    pipeline.run.report_data.RESAMPLES = RESAMPLES
    code = provenance.code_version()
    packages = provenance.packages()
    provenance.packages = packages.copy  # to look them up is a tenth of a small run
    provenance.code_version = lambda: code  # whoever commits in this checkout meanwhile changes no manifest
    pipeline.cli.run.Run = partial(Run, make_resources=execution.resources)  # type: ignore[misc, assignment]
    os.chdir(folder)
    sys.argv = ["mekong", *RUN]
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise RuntimeError(f"an undisturbed command ends with {end.code}") from None
    os.chdir(began)
    sys.argv = argv
    gc.collect()
    gc.freeze()  # else the forks copy what they only look at


def start(command: Sequence[str], folder: Path, resources: type[Resources], marks: Marks | None) -> int:
    """The process of a command in `folder`, in a session of its own; without `marks` nobody is told where it is."""
    sys.stdout.flush()
    if marks:
        marks.clear()
        marks.enter("start")
    pid = os.fork()
    if pid == 0:
        code = 70
        try:
            code = _become(command, folder, resources, marks)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return pid


def _become(command: Sequence[str], folder: Path, resources: type[Resources], marks: Marks | None) -> int:
    os.setsid()
    end_with_parent()
    os.chdir(folder)
    log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number, there in enumerate((os.open(os.devnull, os.O_RDONLY), log, log)):
        os.dup2(there, number)
    pipeline.cli.run.Run = partial(Run, make_resources=resources)  # type: ignore[misc, assignment]
    if marks:
        _tell(marks)
    sys.argv = ["mekong", *command]
    try:
        main()
    except SystemExit as end:
        threading._shutdown()  # type: ignore[attr-defined]  # as the interpreter does at its end
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        return int(end.code or 0)
    return 70


def _tell(marks: Marks) -> None:
    """Have the command say where it is."""

    def telling(function: Callable[..., Any], before: str, after: str = "") -> Callable[..., Any]:
        @wraps(function)
        def told(*args: Any, **named: Any) -> Any:
            marks.enter(before)
            made = function(*args, **named)
            if after:
                marks.enter(after)
            return made

        return told

    for owner, name, *stages in (
        *((Run, stage, stage) for stage in STAGES[1:7]),
        (pipeline.cli.run, "translate_on_cluster", "translate"),
        (pipeline.cli.run, "publish", "write"),
        (pipeline.run.publish, "write_report", "report"),
        (Manifest, "write", "manifest", "after"),
    ):
        setattr(owner, name, telling(getattr(owner, name), *stages))


def ended(pid: int) -> int | None:
    """The exit code of a child that has ended, less than zero for a signal; None while it lives."""
    done, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if done else None


def wait_for(pid: int, patience: float) -> int | None:
    """The exit code once it has ended, None when it hangs for `patience` seconds; then it is killed."""
    until = time.monotonic() + patience
    while (code := ended(pid)) is None:
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return None
        time.sleep(0.002)
    return code


def below(pid: int) -> Iterator[int]:
    """All living processes that descend from one."""
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found = path.read_text().split()
        except OSError:
            continue
        for child in map(int, found):
            yield child
            yield from below(child)


def on_nodes(out: Path) -> list[int]:
    """The processes that translate a part of the run in `out`, and the workers of Ray that started them."""
    found = parts(out)
    return [*found, *filter(None, map(parent_of, found))]


def role(pid: int) -> str:
    """What a process below a command is there for."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        above = Path(f"/proc/{parent_of(pid)}/cmdline").read_bytes()
    except OSError:
        return "gone"
    if "--shard" in words:
        return "part"
    if "crew_worker" in " ".join(words):
        return "fork" if b"crew_worker" in above else "leader"
    for sign, name in (
        ("ray::", "node's worker"),
        ("resource_tracker", "tracker"),
        ("multiprocessing", "worker"),
        ("pipeline.engines", "child"),
    ):
        if any(sign in word for word in words):
            return name
    return "other"


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def orphans(seconds: float = 10) -> int:
    """How many processes below this one live on `seconds` after their parents are gone; they are killed then."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return 0
        time.sleep(0.002)
    left = list(below(os.getpid()))
    for pid in left:
        kill(pid)
    orphans(1)
    return len(left)


def orphans_on_nodes(out: Path, seconds: float = 30) -> int:
    """How many parts of the run in `out` live on `seconds` after it is gone; they are killed then."""
    seen = began = time.monotonic()
    while (now := time.monotonic()) < seen + SETTLED and now < began + seconds:
        if left := on_nodes(out):
            seen = now
        time.sleep(0.1)
    for pid in left:
        kill(pid)
    return len(left)
