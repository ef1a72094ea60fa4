"""Chains of kills: a command is killed up to six times, then left alone to its end, and what it made is compared."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.kill import compare, processes
from tests.kill.compare import Finding
from tests.kill.executions import OUT, Execution, prepare
from tests.kill.processes import LOG, STAGES, Marks, run_here

MOST = 6
"""Kills of a chain."""
MET = 0.1
"""Share of the kills that come while another process tries to have the folder."""
HELPED = 4
"""How many times as often a stage is aimed at in which processes help that can be killed by themselves."""
PATIENCE = 120.0
"""Seconds after which a process that should have ended hangs; 20 times of what it needs on a busy machine."""
SLOWER = 5
"""How many times as long a command takes that asks a cluster."""
HEAD_START = 0.5
"""Seconds that this other process has at most before the kill; it needs some tenths to come to the claim."""


@dataclass
class Tally:
    """What was killed, and what came of it."""

    stages: Counter[str] = field(default_factory=Counter)
    targets: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    """What the commands whose helper was killed, and those that met another, ended with."""
    chains: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def kills(self) -> int:
        return sum(self.stages.values())


class Chains:
    """Kills of one execution. `folder` is where its commands run."""

    def __init__(self, execution: Execution, folder: Path, chance: random.Random) -> None:
        self._execution, self._folder, self._chance = execution, folder, chance
        self._out, self._whole = folder / OUT, folder.with_name(folder.name + "-whole")
        self._patience = PATIENCE * (SLOWER if execution.nodes else 1)
        self._marks = Marks()
        self._seconds: dict[tuple[str, ...], list[float]] = {}
        """Of each stage of a command that nobody disturbs, 0 of one that it does not have."""
        self._aimed: Counter[int] = Counter()
        self.tally = Tally()
        folder.mkdir()
        prepare(folder, execution)
        self._input = frozenset(folder.iterdir())

    def prepare(self) -> None:
        """Do a run that what comes of kills is compared with, and see how long its stages take."""
        if self._execution.family:
            run_here(self._folder, self._execution)  # for what its engine imports
            self._clear()
        for commands in (self._execution.meanwhile, self._execution.commands):
            for command in commands:
                self._unbroken(command)
                self._seconds[command] = self._marks.seconds()
            if commands is not self._execution.commands:
                self._clear()
        if self._orphans():
            raise RuntimeError("an undisturbed command leaves processes behind")
        self._out.rename(self._whole)

    def _wait_for(self, pid: int) -> int | None:
        return processes.wait_for(pid, self._patience)

    def _start(self, command: tuple[str, ...], marks: Marks | None) -> int:
        return processes.start(command, self._folder, self._execution.resources, marks)

    def _unbroken(self, command: tuple[str, ...]) -> None:
        code = self._wait_for(self._start(command, self._marks))
        if code != 0:
            raise RuntimeError(f"an undisturbed command ends with {code}: {self._said()}")

    def _helpers(self, pid: int) -> list[int]:
        """The processes that work for a command, on the nodes of a cluster too."""
        return [*processes.below(pid), *(processes.on_nodes(self._out) if self._execution.nodes else ())]

    def _orphans(self) -> int:
        return processes.orphans() + (processes.orphans_on_nodes(self._out) if self._execution.nodes else 0)

    def _said(self) -> str:
        return (self._folder / LOG).read_text("utf-8", "replace")[-2000:]

    def _clear(self) -> None:
        for path in set(self._folder.iterdir()) - self._input:
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def chain(self, most: int) -> None:
        """Kill up to `most` times, then resume to the end and compare."""
        self._clear()
        before = len(self.tally.findings)
        self.tally.chains += 1
        places = [self._place() for _ in range(min(most, self._chance.randint(2, MOST)))]
        if self._chance.random() < 0.7:
            places.sort()  # else most of them would come when the stages aimed at are done already
        for place in places:
            kept = compare.committed(self._out)
            self._broken(place)
            self._note([*compare.redone(kept, self._out), *compare.torn(self._out)])
        kept = compare.committed(self._out)
        self._finish()
        self._note(compare.redone(kept, self._out))
        if len(self.tally.findings) > before:
            shutil.copytree(self._folder, self._folder.with_name(f"{self._folder.name}-chain-{self.tally.chains}"))

    def _place(self) -> int:
        """A stage, rather one that was seldom aimed at."""
        elsewhere = 0 if self._execution.nodes else 1  # a command with a cluster takes many times as long
        often = [HELPED if stage in self._execution.helped else elsewhere for stage in STAGES]
        weights = [times and times / (times + self._aimed[place]) for place, times in enumerate(often)]
        (place,) = self._chance.choices(range(len(STAGES)), weights)
        self._aimed[place] += 1
        return place

    def _broken(self, place: int) -> None:
        """Carry the commands out to a moment in that stage of one of them, and kill what runs then."""
        commands = self._chance.choice([self._execution.commands, *filter(None, [self._execution.meanwhile])])
        having = [number for number, command in enumerate(commands) if self._seconds[command][place]]
        last = self._chance.choice(having or range(len(commands)))
        for command in commands[:last]:
            self._ends_well(self._start(command, None))
        command = commands[last]
        (self._folder / LOG).unlink(missing_ok=True)
        pid = self._start(command, self._marks)
        if self._waited(pid, place, self._chance.random() * self._seconds[command][place]):
            rival = self._start(command, None) if self._chance.random() < MET else 0
            if rival:
                time.sleep(self._chance.random() * HEAD_START)
            self._kill(pid)
            if rival:
                self._met(rival)
        if left := self._orphans():
            self._note([("orphans", f"{left} after a kill in {self._marks.stage}")])

    def _waited(self, pid: int, place: int, seconds: float) -> bool:
        """Wait until a command is so far; whether it lives then."""
        until = time.monotonic() + self._patience
        while True:
            now, entered = time.monotonic(), self._marks.entered()[place]
            if (entered and now >= entered + seconds) or self._marks.place > place:
                break
            if (code := processes.ended(pid)) is not None:
                self._judged(code)
                return False
            if now > until:
                self._note([("hung", f"in {self._marks.stage}")])
                break
            time.sleep(processes.POLL)
        return True

    def _kill(self, pid: int) -> None:
        helpers = self._helpers(pid)
        choice = self._chance.random()
        stage = self._marks.stage
        if helpers and choice < 0.6:
            victim = self._chance.choice(helpers)
            target = processes.role(victim)
            processes.kill(victim)
            code = self._wait_for(pid)
            self._judged(code, told_of=target)
            self.tally.ends[f"{target} killed: exit {code}"] += 1
        elif choice < 0.8:
            target = "main alone"
            processes.kill(pid)
            code = self._wait_for(pid)
        else:
            target = "main and its group"
            with suppress(ProcessLookupError):  # just started, it has no group of its own yet
                os.killpg(pid, signal.SIGKILL)
            processes.kill(pid)
            code = self._wait_for(pid)
        if code == -signal.SIGKILL or target not in ("main alone", "main and its group"):
            self.tally.stages[stage] += 1
            self.tally.targets[target] += 1

    def _met(self, rival: int) -> None:
        """A second process has tried to have the folder: it was refused, or came when the first was gone."""
        code = self._wait_for(rival)
        self._judged(code)
        self.tally.ends[f"second process: exit {code}"] += 1

    def _judged(self, code: int | None, told_of: str = "") -> None:
        """A command that was not killed itself ends well, or says what went wrong. Of a tracker of its own that is
        gone Python says much, and means nothing."""
        if code is None:
            self._note([("hung", self._said())])
        elif code not in (0, 1) or (told_of != "tracker" and "Traceback" in self._said()):
            self._note([("failed", f"exit {code}: {self._said()}")])

    def _ends_well(self, pid: int) -> None:
        code = self._wait_for(pid)
        if code != 0:
            self._note([("failed", f"resumed, exit {code}: {self._said()}")])

    def _finish(self) -> None:
        for command in self._execution.commands:
            self._ends_well(self._start(command, None))
        if left := self._orphans():
            self._note([("orphans", f"{left} at the end")])
        self._note([*compare.torn(self._out), *compare.differences(self._whole, self._out)])

    def _note(self, findings: Iterable[Finding]) -> None:
        self.tally.findings += findings
