"""One engine of a benchmark: its process, the choice of its settings, its runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from pipeline.bench.arms import Arm, ArmSettings
from pipeline.bench.workload import Workload
from pipeline.errors import EngineError

BATCH = 32
CUDA_PROBE_ROWS = 1024
HOPELESS = 0.5
"""Settings under this share of the best speed on a first batch are tried no further."""


@dataclass(frozen=True, slots=True)
class TimedRun:
    """One timed run of one engine."""

    tokens: int
    seconds: float
    cpu_seconds: float
    steps: int | None
    memory_mb: float

    @property
    def rate(self) -> float:
        """Useful tokens a second of wall time."""
        return self.tokens / self.seconds


class Assignment(Protocol):
    """A child process, or what stands for one."""

    def ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
        """The answer to one of the verbs of `child.Child`."""


@dataclass
class Runner:
    """One engine at work on `workload`."""

    arm: Arm
    process: Assignment
    workload: Workload
    device: str
    settings: ArmSettings = field(init=False)
    swept: dict[str, float] = field(default_factory=dict)
    """Tokens a second of all settings that were tried; empty where there was no choice."""
    warm: TimedRun = field(init=False)
    """An unmeasured run that tells how long the measured ones will take."""
    rows: int = 0
    """How many of the workload's rows a measured run has."""
    runs: list[TimedRun] = field(default_factory=list)

    @property
    def probe(self) -> int:
        """Rows that settings are chosen on: half of all, for a slow engine as few as will do."""
        sentences = len(self.workload.lengths)
        enough = CUDA_PROBE_ROWS if self.device == "cuda" else BATCH * self._most_workers
        return min(sentences, enough if self.arm.slow else max(enough, sentences // 2))

    @property
    def _most_workers(self) -> int:
        return max(settings.workers for settings in self.arm.candidates)

    @property
    def expected_seconds(self) -> float:
        """How long the next measured run should take."""
        rate = self.runs[-1].rate if self.runs else self.warm.rate
        return self.workload.tokens(self.rows) / rate

    def use(self, settings: ArmSettings) -> None:
        """Have the engine work like this."""
        self.process.ask("use", settings=asdict(settings))
        self.settings = settings

    def run(self, rows: int) -> TimedRun:
        """Time the first `rows` rows.

        Raises EngineError when a row is not as long as it was asked to be.
        """
        answer = self.process.ask("run", rows=rows)
        check_lengths(self.arm.name, self.workload.lengths[:rows], answer.pop("lengths"))
        return TimedRun(tokens=self.workload.tokens(rows), **answer)

    def tune(self) -> None:
        """Choose the best of the engine's settings, and warm up with them."""
        best = self._best() if len(self.arm.candidates) > 1 else None
        self.use(best[0] if best else self.arm.candidates[0])
        if best and self.arm.slow:
            self.warm = best[1]
        else:
            self.warm = self.run(self.probe if self.arm.slow else len(self.workload.lengths))

    def _best(self) -> tuple[ArmSettings, TimedRun]:
        """The fastest settings, and what they did with the probe rows."""
        found: list[tuple[ArmSettings, TimedRun]] = []
        most = 0.0
        for settings in self.arm.candidates:
            self.use(settings)
            first = self.run(min(self.probe, BATCH // 4 if self.arm.slow else BATCH))
            self.swept[str(settings)] = first.rate
            if first.rate >= HOPELESS * most:
                found.append((settings, self.run(self.probe)))
                self.swept[str(settings)] = found[-1][1].rate
            most = max(most, first.rate)
        return max(found, key=lambda tried: tried[1].rate)

    def take(self, seconds: float) -> None:
        """Take all rows, or, being slow, as many batches as should take so long."""
        self.rows = len(self.workload.lengths)
        if self.arm.slow:
            step = BATCH * self.settings.workers
            rows = seconds * self.warm.rate / (self.workload.tokens(self.rows) / self.rows)
            self.rows = min(self.rows, max(1, round(rows / step)) * step)


def check_lengths(engine: str, wanted: Sequence[int], made: Sequence[int]) -> None:
    """Raise EngineError unless an engine has generated what it was asked for: anything else makes its speed void."""
    if len(made) != len(wanted):
        raise EngineError(f"{engine} answered {len(made)} of {len(wanted)} rows", "Report this as a bug.")
    for row, (length, asked) in enumerate(zip(made, wanted, strict=True)):
        if length != asked:
            raise EngineError(
                f"{engine} generated {length} tokens for row {row} instead of {asked}",
                "Its speed would count for nothing. Report this as a bug.",
            )
