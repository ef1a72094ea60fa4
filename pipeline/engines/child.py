"""A model in a process of its own: JSON lines through pipes, seen from both ends.

The first line to the child holds its settings and is answered with {"version"}; every further line is one batch,
answered by one line.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, Protocol

from pipeline import errors
from pipeline.engines.patience import wait_for
from pipeline.errors import EngineError, MekongError

PR_SET_PDEATHSIG = 1
STDERR_TAIL = 2000


class Child:
    """The parent's end: starts a command, usually `python -m MODULE`, and asks it.

    The child ends when its pipe closes; the kernel ends it when we die. Raises EngineError when it cannot load.
    """

    title = "the CTranslate2 process"
    remedy = "Run `mekong doctor`; if the memory was short, set translate.batch_rows lower. What is done is kept."

    def __init__(
        self, command: Sequence[str], settings: dict[str, Any], environment: Mapping[str, str] | None = None
    ) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        # A session of its own: Ctrl-C in a terminal must not end the batch in hand.
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            start_new_session=True,
            env=environment,
            text=True,
            encoding="utf-8",
        )
        try:
            self.version: str = self._ask(settings)["version"]
        except BaseException:
            self._process.kill()
            self.close()
            raise

    def _ask(self, question: dict[str, Any]) -> Any:
        """One line there, one line back; however long that takes, but see `wait_for`.

        Raises EngineError with the child's last words when it has ended.
        """
        assert self._process.stdin and self._process.stdout
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            wait_for(self._process.stdout.fileno(), self._process.pid, self.title)  # a line is all that ever comes
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise EngineError(f"{self.title} ended with code {self._process.wait()}: {self._last_words()}", self.remedy)
        return json.loads(line)

    def _last_words(self) -> str:
        if not self._log.closed:
            self._log.seek(0, 2)
            self._log.seek(max(0, self._log.tell() - STDERR_TAIL))
            self._said = self._log.read().decode("utf-8", "replace").strip() or "it said nothing"
        return self._said

    def close(self) -> None:
        """End the child process."""
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):  # the process is gone, and with it what was not sent
                self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._last_words()  # may be asked for when the process is long gone
        self._log.close()


def python(module: str) -> list[str]:
    """The command that runs a module of ours."""
    return [sys.executable, "-m", module]


def told(error: MekongError) -> dict[str, str]:
    """An error as it crosses a pipe; one that the other side may not know goes as the nearest kind that it does."""
    kind = next(c.__name__ for c in type(error).__mro__ if vars(errors).get(c.__name__) is c)
    return {"kind": kind, "problem": error.problem, "remedy": error.remedy}


def raise_told(failure: dict[str, str]) -> NoReturn:
    """Raise the error of which `told` made `failure`."""
    kind: type[MekongError] = getattr(errors, failure["kind"])
    raise kind(failure["problem"], failure["remedy"])


class Answering(Protocol):
    """What a child process serves: a loaded model."""

    version: str

    def answer(self, *args: Any, **question: Any) -> Any:
        """From the fields of a question to what is sent back."""


def serve(load: Callable[..., Answering]) -> None:
    """The child's end: load a model from the first line of standard input, answer every further one until it ends."""
    end_with_parent()
    # Anything a library prints must not mix with the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    model = load(**json.loads(sys.stdin.readline()))
    print(json.dumps({"version": model.version}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(model.answer(**json.loads(line))), file=answers, flush=True)


def end_with_parent(parent: int | None = None) -> None:
    """Have the kernel end this process when its parent dies, even in the middle of a batch (prctl(2), Linux).

    `parent` is its process, where that is known: it may have died before this was said, and then this ends at once.
    """
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        os._exit(1)
