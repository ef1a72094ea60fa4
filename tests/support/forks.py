"""Children that are forks of the tests' process: they have what it has imported, and torch alone takes seconds.

What they do is what `python -m MODULE` does, but for the start of the interpreter. One test of each kind of child
starts it as users do.
"""

from __future__ import annotations

import contextlib
import os
import runpy
import subprocess
import sys
import warnings
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType, SimpleNamespace
from typing import Any, NoReturn

import pytest


def popen(
    command: Sequence[str], *, env: Mapping[str, str] | None = None, pass_fds: Iterable[int] = (), **options: Any
) -> subprocess.Popen[Any]:
    """As `subprocess.Popen`, for `python -m MODULE ...` and `python -c PROGRAM`."""
    kept = tuple(pass_fds)

    def live() -> NoReturn:  # where another program would be started; nothing comes after it
        code = 1
        try:
            _close_others({0, 1, 2, *kept})
            if env is not None:
                os.environ.clear()
                os.environ.update(env)
            _run(*command[1:])
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)  # what pytest does at its end is not for its forks

    with warnings.catch_warnings():
        # Newer versions of Python warn of forks beside threads: those that are here wait and hold no lock.
        warnings.simplefilter("ignore", DeprecationWarning)
        return subprocess.Popen(command, preexec_fn=live, pass_fds=kept, **options)


def _run(how: str, what: str, *arguments: str) -> None:
    sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115
    sys.argv = [what, *arguments]
    warnings.resetwarnings()  # the errors that they are to pytest
    warnings.simplefilter("ignore")
    if how == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(what, {"__name__": "__main__"})


def _close_others(kept: set[int]) -> None:
    """So that the other end of each pipe is in the hands of one process, as after the start of a program."""
    for number in map(int, os.listdir("/proc/self/fd")):
        if number not in kept:
            with contextlib.suppress(OSError):  # the one that listed them
                os.close(number)


def fork_children(patch: pytest.MonkeyPatch, *parents: ModuleType) -> None:
    """Have the modules that start children with `subprocess.Popen` fork them."""
    for parent in parents:
        patch.setattr(parent, "subprocess", SimpleNamespace(**{**vars(subprocess), "Popen": popen}))
