"""Whether memory stays flat, and time is spent inside the model, however many segments are translated."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.bench.arms import arms, choose
from pipeline.bench.process import Process
from pipeline.bench.shapes import Shape
from pipeline.engines.devices import cores
from pipeline.errors import EngineError
from pipeline.files.progress import Progress

STAGES = (10_000, 200_000)
CHUNK = 10_000
"""Segments handed over at a time."""
WARM_UP = 100


@dataclass(frozen=True, slots=True)
class Stage:
    """State of the engine's process after so many more segments."""

    engine: str
    shape: str
    segments: int
    seconds: float
    resident_mb: float
    model_share: float
    """Time inside the model over wall time, of all workers."""


def measure(shape: Shape, device: str, progress: Progress, stages: tuple[int, ...] = STAGES) -> list[Stage]:
    """Feed the segments of each stage, multiples of 10,000, to the project's engine in one process.

    Raises UsageError when the device is not there, EngineError when the engine dies or loses tokens.
    """
    arm = choose(arms(device, 1, cores()), [])[0]
    settings = arm.candidates[0]
    found = []
    with TemporaryDirectory(prefix="mekong-bench-") as folder, Process(arm.name) as process:
        checkpoint = str(Path(folder) / "checkpoint")
        with Process("the model builder") as builder:
            builder.ask("find", device=device)
            progress.say(f"building {shape.name} with random weights")
            builder.ask("build", shape=shape.name, folder=checkpoint)
        process.ask(
            "load", engine="mekong", folder=checkpoint, shape=shape.name, device=device, dtype=arm.dtype, beam=1
        )
        process.ask("use", settings=asdict(settings))
        # What the first call compiles and sets up is not what is asked about.
        process.ask("short", shape=shape.name, segments=WARM_UP, number=0)
        number = 0
        for segments in stages:
            seconds = inside = resident = 0.0
            with progress.task("memory", segments, "segments") as task:
                for _ in range(segments // CHUNK):
                    number += 1
                    answer = process.ask("short", shape=shape.name, segments=CHUNK, number=number)
                    if not answer["whole"]:
                        raise EngineError(f"{arm.name} did not generate what it was asked for", "Report this as a bug.")
                    seconds += answer["seconds"]
                    inside += answer["model_seconds"]
                    resident = answer["resident_mb"]
                    task.advance(CHUNK)
            share = inside / (seconds * settings.workers)
            found.append(Stage(arm.name, shape.name, segments, seconds, resident, share))
    return found
