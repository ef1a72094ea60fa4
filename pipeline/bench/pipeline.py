"""Whole runs over made news: what all but the engine costs, how it spreads over cores, what memory it takes; and what
grows with the square of the input where it is not done well: matching documents, finding copies.

Each run has a process to itself (`pipeline.bench.whole_run`), so that memory and processor time are its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipeline.bench import duplicates, matching
from pipeline.bench.duplicates import DuplicateFigures
from pipeline.bench.process import Process
from pipeline.engines.child import STDERR_TAIL
from pipeline.engines.devices import cores
from pipeline.errors import EngineError
from pipeline.files.progress import Progress

PARTS = ("stages", "memory", "engine", "matching", "duplicates")
DOCUMENTS, PAIRS = 5, 50
"""Documents to be matched, and formulaic pairs among which copies are looked for, a segment of the runs: 100,000 and a
million at the usual size."""
GROWTH = 5
"""How much larger the larger run is, where memory is compared."""
SHAPE = "opus-mt"
COUNTED = ("read", "segment", "translate", "match", "align", "score", "publish")


@dataclass(frozen=True, slots=True)
class WholeRun:
    """What a run of `segments` cost with `workers` processes: by stage (`seconds`, `cpu_seconds`), and `peak_mb` of all
    processes together where that was watched. `engine` are the figures of the engine alone, where there was one."""

    workers: int
    segments: int
    pairs: int
    costs: Mapping[str, Mapping[str, float]]
    peak_mb: float
    engine: Mapping[str, float]

    @property
    def seconds(self) -> float:
        """On the clock, all stages together."""
        return sum(cost["seconds"] for cost in self.costs.values())

    @property
    def cpu_seconds(self) -> float:
        """Of all processes, all stages together."""
        return sum(cost["cpu_seconds"] for cost in self.costs.values())

    @property
    def stage_ratio(self) -> float:
        """Tokens a second of the translate stage over those of the engine alone on the same rows."""
        alone = self.engine["engine_tokens"] / self.engine["engine_seconds"]
        return self.engine["run_tokens"] / self.costs["translate"]["seconds"] / alone

    @property
    def whole_ratio(self) -> float:
        """Seconds of the engine alone over those of the whole run."""
        return self.engine["engine_seconds"] / self.seconds


@dataclass
class Findings:
    """The runs of each part: with one process and with one a core; of one size and of GROWTH times that; with the
    engine. `matching` as `matching.measure` says it; `duplicates` among a tenth of the pairs, and among all."""

    runs: dict[str, list[WholeRun]] = field(default_factory=dict)
    matching: dict[str, Any] = field(default_factory=dict)
    duplicates: list[DuplicateFigures] = field(default_factory=list)


def measure(parts: Sequence[str], segments: int, progress: Progress) -> Findings:
    """Measure some of PARTS with runs of so many segments.

    Raises EngineError when a run fails.
    """
    found = Findings(_runs(parts, segments, progress))
    if "matching" in parts:
        count = DOCUMENTS * segments
        progress.say(f"matching {count:,} documents with {count:,}")
        found.matching = matching.measure(count)
    if "duplicates" in parts:
        for count in (PAIRS * segments // 10, PAIRS * segments):
            progress.say(f"copies among {count:,} formulaic pairs")
            found.duplicates.append(duplicates.measure("formulaic", count))
    return found


def _runs(parts: Sequence[str], segments: int, progress: Progress) -> dict[str, list[WholeRun]]:
    found: dict[str, list[WholeRun]] = {}
    with TemporaryDirectory(prefix="mekong-bench-") as temporary:
        folder = Path(temporary)
        if "stages" in parts:
            found["stages"] = [_run(folder, segments, workers, "", progress) for workers in (1, cores())]
        if "memory" in parts:
            sizes = (segments, GROWTH * segments)
            found["memory"] = [_run(folder, size, cores(), "", progress, watch=True) for size in sizes]
        if "engine" in parts:
            with Process("the model builder") as builder:
                progress.say(f"building {SHAPE} with random weights")
                builder.ask("build", shape=SHAPE, folder=str(folder / "checkpoint"))
            found["engine"] = [_run(folder, segments, cores(), SHAPE, progress)]
    return found


def _run(folder: Path, segments: int, workers: int, shape: str, progress: Progress, watch: bool = False) -> WholeRun:
    progress.say(f"a run of some {segments:,} segments, {workers} processes, {shape or 'no engine'}")
    asked = {"folder": str(folder), "segments": segments, "workers": workers, "shape": shape, "watch": watch}
    command = [sys.executable, "-m", "pipeline.bench.whole_run", json.dumps(asked)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        words = ended.stderr[-STDERR_TAIL:].strip()
        raise EngineError(f"a run of the bench ended with code {ended.returncode}: {words}", "Report this as a bug.")
    said: dict[str, Any] = json.loads(ended.stdout)
    engine = {name: said[name] for name in said if name.startswith(("engine_", "run_"))}
    return WholeRun(workers, said["segments"], said["pairs"], said["costs"], said["peak_mb"], engine)
