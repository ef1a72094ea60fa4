"""Executions one after another, each told by reader, seed and number, and what came out that must not."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from pipeline.errors import MekongError
from tests.fuzz.mutations import mutated, packed
from tests.fuzz.readers import READERS, FuzzedReader

MOST_SECONDS = 10.0
"""For a file of some 60 kB: what is linear takes less than one."""
MOST_BYTES = 512 << 20
"""By which the process may have grown since its first executions."""
WARM_UP = 20
MOST_MEMORY = 8 << 30
"""Bytes of address space of a process of the long run."""
KEPT = Path("out/fuzz")


class TooSlow(BaseException):
    """An execution took over MOST_SECONDS; not an Exception, so that nothing handles it on the way."""


@dataclass
class Outcome:
    """What became of the executions of one reader; `findings` are told with number and traceback."""

    reader: str
    executions: int = 0
    refused: int = 0
    """How many ended with an error of ours."""
    seconds: float = 0.0
    slowest: float = 0.0
    grown: int = 0
    """Bytes by which the peak of the process grew."""
    findings: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.reader:<18} {self.executions:>8,} executions  {self.refused:>7,} refused  {self.seconds:6.1f} s  "
            f"slowest {self.slowest:5.2f} s  +{self.grown >> 20:>3} MB  {len(self.findings)} findings"
        )


def broken_file(reader: FuzzedReader, seed: int, number: int) -> tuple[str, bytes]:
    """The name and the bytes of one execution; the same for the same numbers."""
    rng = Random(f"{reader.label} {seed} {number}")
    ending = rng.choice(reader.endings)
    if reader.made is not None:
        return reader.name, reader.made(rng)
    seeds = reader.good()
    data = mutated(rng.choice(seeds), seeds, rng)
    ending = ending or reader.packing
    return reader.name + (ending if not reader.packing else ""), packed(data, ending, rng) if ending else data


def run(reader: FuzzedReader, seed: int, first: int, *, seconds: float, most: int, kept: Path | None = None) -> Outcome:
    """Executions from number `first` on, for so many seconds or so many of them, whichever is sooner.

    What is found is written to the folder `kept` with its number.
    """
    outcome, began, before = Outcome(reader.label), time.monotonic(), 0
    for number in range(first, first + most):
        if time.monotonic() - began > seconds:
            break
        problem = _execute(reader, seed, number, outcome)
        if outcome.executions == WARM_UP:
            before = _peak()
        if before:
            outcome.grown = _peak() - before
            if outcome.grown > MOST_BYTES:
                problem, before = f"the process has grown by {outcome.grown >> 20} MB", _peak()
        if problem:
            outcome.findings.append(f"{reader.label}, seed {seed}, number {number}: {problem}")
            if kept is not None:
                _keep(reader, seed, number, problem, kept)
    outcome.seconds = time.monotonic() - began
    return outcome


def in_process(label: str, seed: int, first: int, seconds: float, most: int) -> Outcome:
    """`run` in a process of its own, whose memory is bounded: a broken file must not take the machine."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    (reader,) = (reader for reader in READERS if reader.label == label)
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        return run(reader, seed, first, seconds=seconds, most=most, kept=KEPT)


def _execute(reader: FuzzedReader, seed: int, number: int, outcome: Outcome) -> str:
    """Read one broken file; what is wrong with how that ended, empty for nothing."""
    name, data = broken_file(reader, seed, number)
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    outcome.executions += 1
    began = time.monotonic()
    try:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        reader.near(path.parent)
        path.write_bytes(data)
        began = time.monotonic()
        with _limited(MOST_SECONDS):
            reader.read(path)
    except MekongError as error:
        outcome.refused += 1
        if not error.problem:
            return "an error that says nothing"
    except TooSlow:
        return f"took over {MOST_SECONDS} seconds"
    except Exception:
        return traceback.format_exc()
    finally:
        outcome.slowest = max(outcome.slowest, time.monotonic() - began)
        shutil.rmtree(folder)
    return ""


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    def late(*_: object) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def _keep(reader: FuzzedReader, seed: int, number: int, problem: str, folder: Path) -> None:
    name, data = broken_file(reader, seed, number)
    place = folder / f"{reader.label.replace(' ', '-')}-{seed}-{number}"
    place.mkdir(parents=True, exist_ok=True)
    (place / os.path.basename(name)).write_bytes(data)
    (place / "problem.txt").write_text(problem)
