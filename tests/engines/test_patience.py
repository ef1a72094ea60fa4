"""A process that does nothing is told of, and waited for."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pipeline.engines import patience
from pipeline.engines.child import Child
from pipeline.engines.patience import _Life, wait_for
from pipeline.metrics.learned import ScorerProcess
from tests.support.processes import children, wait_until

ECHO = 'import sys\nfor line in sys.stdin: print(\'{"version": "1", "id": 1, "scores": [0.5], "cut": 0}\', flush=True)'
COMMAND = [sys.executable, "-c", ECHO]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "QUIET", 0.2)
    monkeypatch.setattr(patience, "LOOK", 0.02)


def plain() -> tuple[Child, Callable[[], Any]]:
    child = Child(COMMAND, {})
    return child, lambda: child._ask({})


def scorer() -> tuple[Child, Callable[[], Any]]:
    child = ScorerProcess(COMMAND, "comet", Path())
    return child, lambda: child.score([{"src": "a", "mt": "b"}])


@pytest.mark.parametrize("start", [plain, scorer])
def test_a_stopped_child_is_named_and_its_answer_taken_when_it_goes_on(
    start: Callable[[], tuple[Child, Callable[[], Any]]], caplog: pytest.LogCaptureFixture
) -> None:
    before = children({os.getpid()})
    child, ask = start()
    (pid,) = set(children({os.getpid()})) - set(before)
    os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as asking:
        answer = asking.submit(ask)
        wait_until(lambda: caplog.text.count("was stopped") > 1)
        os.kill(pid, signal.SIGCONT)
        assert answer.result()
    assert f"{child.title} (process {pid}) was stopped and has not answered for" in caplog.text
    assert f"`kill -CONT {pid}`" in caplog.text
    child.close()


def test_one_that_computes_is_left_in_peace_and_a_silent_one_told_of_ever_more_rarely(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks: list[float] = []

    def told(computes: bool, enough: Callable[[], bool]) -> str:
        caplog.clear()
        looks.clear()
        ours, theirs = os.pipe()

        def life(pid: int) -> _Life:
            looks.append(len(looks) if computes else 0)
            if enough():
                os.close(theirs)
            return _Life("S", looks[-1])

        monkeypatch.setattr(patience, "_life", life)
        wait_for(ours, 0, "it")
        os.close(ours)
        return caplog.text

    monkeypatch.setattr(patience, "QUIET", 0.05)
    assert told(True, lambda: len(looks) == 20) == ""
    text = told(False, lambda: caplog.text.count("\n") == 3)
    assert text.count("it has not answered for") == 3 and "Ctrl-C twice" in text
    assert len(looks) > 0.05 * (1 + 2) / 0.02, "0.05 s, then 0.1 s, then 0.2 s"


def test_what_is_closed_is_not_waited_for() -> None:
    ours, theirs = os.pipe()
    threading.Timer(0.1, os.close, [theirs]).start()
    wait_for(ours, 10**9, "it")
    assert os.read(ours, 1) == b""
    os.close(ours)
