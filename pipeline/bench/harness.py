"""Runs the engines side by side: builds, converts, chooses settings, warms up, and measures in interleaved rounds."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median
from tempfile import TemporaryDirectory

from pipeline.bench import roofline
from pipeline.bench.arms import Arm, arms, choose
from pipeline.bench.process import Process
from pipeline.bench.runner import Assignment, Runner
from pipeline.bench.shapes import Shape
from pipeline.bench.workload import Workload, news
from pipeline.engines.devices import cores
from pipeline.errors import UsageError
from pipeline.files.progress import Progress, clock

CUDA_SENTENCES = 8192
ROUND_SECONDS = 30.0
"""What a slow engine's run should take when there is no other to go by."""


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """One benchmark."""

    shape: Shape
    device: str
    beam: int
    rounds: int
    sentences: int
    arms: tuple[Arm, ...]
    notes: tuple[str, ...] = ()
    """What a reader of the table must know about what is not in it."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Of the rounds' values."""

    min: float
    median: float
    max: float


@dataclass(frozen=True, slots=True)
class EngineRow:
    """What was measured of one engine, as in the JSON."""

    engine: str
    shape: str
    device: str
    device_name: str
    dtype: str
    beam: int
    sentences: int
    tokens: int
    rounds: int
    settings: str
    swept: dict[str, float]
    """Tokens a second of all settings that were tried on a part of the rows; empty where there was no choice."""
    tokens_per_second: Spread
    cpu_seconds_per_1000_tokens: float
    padding_efficiency: float | None
    """Useful output tokens over decoder steps computed, a step of one row counted as one whatever the beam; None where
    the engine does not tell."""
    memory_mb: float
    """Resident memory in the measured runs; on a GPU the memory taken there."""
    roofline_share: float | None
    ratio_to: dict[str, Spread]
    """Tokens a second over those of each peer in the same round."""


def make_plan(
    shape: Shape, device: str, beam: int, engines: Sequence[str], rounds: int, sentences: int | None
) -> BenchPlan:
    """Settle what is measured; no engines and no sentences mean the default ones.

    Raises UsageError for engines that there are not, or when none is left.
    """
    chosen = choose(arms(device, beam, cores()), list(engines))
    notes = []
    if importlib.util.find_spec("ctranslate2") is None:
        chosen = [arm for arm in chosen if arm.engine != "ctranslate2"]
        notes.append("ctranslate2 is not installed and was left out: pip install 'mekong-mt[embedded]'")
    if not chosen:
        raise UsageError("no engine is left to measure", "pip install 'mekong-mt[embedded]', or name other --engines.")
    count = sentences or (shape.sentences if device == "cpu" else CUDA_SENTENCES)
    return BenchPlan(shape, device, beam, rounds, count, tuple(chosen), tuple(notes))


def measure(plan: BenchPlan, progress: Progress) -> list[EngineRow]:
    """Carry out a plan; the models are written to a temporary folder that is removed at the end.

    Raises UsageError when the device is not there, EngineError when an engine dies or loses tokens.
    """
    # CTranslate2 can be told one length a batch in beam search, and on a GPU its callback into Python at each token
    # would slow it down; rounded up, more rows have a length in common.
    multiple = 4 if plan.beam > 1 or plan.device == "cuda" else 1
    workload = news(plan.shape, plan.sentences, multiple)
    with TemporaryDirectory(prefix="mekong-bench-") as folder, ExitStack() as children:
        device = _prepare(plan, Path(folder), progress)
        runners = []
        for arm in plan.arms:
            process = children.enter_context(Process(arm.name))
            runners.append(_start(plan, arm, process, Path(folder), workload))
            _tune(runners[-1], progress)
        set_parts(runners)
        measure_rounds(runners, plan.rounds, progress)
    return [_row(plan, device, runner, runners) for runner in runners]


def _prepare(plan: BenchPlan, folder: Path, progress: Progress) -> str:
    """Write the checkpoint, and what CTranslate2 needs of it; the device's name."""
    with Process("the model builder") as builder:
        device = str(builder.ask("find", device=plan.device)["name"])
        progress.say(f"building {plan.shape.name} with random weights")
        builder.ask("build", shape=plan.shape.name, folder=str(folder / "checkpoint"))
        for form in sorted({_form(plan, arm) for arm in plan.arms if arm.engine == "ctranslate2"}):
            progress.say(f"converting it for ctranslate2 in {form}")
            builder.ask(
                "convert",
                checkpoint=str(folder / "checkpoint"),
                shape=plan.shape.name,
                quantisation=form,
                folder=str(folder / form),
            )
    return device


def _form(plan: BenchPlan, arm: Arm) -> str:
    """The precision in which CTranslate2's weights are stored; on a GPU it makes the others of float16 as it loads."""
    return arm.dtype if plan.device == "cpu" else "float16"


def _start(plan: BenchPlan, arm: Arm, process: Assignment, folder: Path, workload: Workload) -> Runner:
    where = folder / (_form(plan, arm) if arm.engine == "ctranslate2" else "checkpoint")
    process.ask(
        "load",
        engine=arm.engine,
        folder=str(where),
        shape=plan.shape.name,
        device=plan.device,
        dtype=arm.dtype,
        beam=plan.beam,
    )
    process.ask("feed", sources=workload.sources, lengths=workload.lengths)
    return Runner(arm, process, workload, plan.device)


def _tune(runner: Runner, progress: Progress) -> None:
    tried = len(runner.arm.candidates)
    if tried > 1:
        progress.say(f"trying {tried} settings of {runner.arm.name} on {runner.probe:,} sentences")
    runner.tune()
    progress.say(f"warmed up {runner.arm.name:<24} {runner.warm.rate:>10,.0f} tokens/s  {runner.settings}")


def set_parts(runners: Sequence[Runner]) -> None:
    """All rows for every engine but the slow ones, whose runs are to take as long as the others' do."""
    others = [runner.warm.seconds for runner in runners if not runner.arm.slow]
    for runner in runners:
        runner.take(median(others) if others else ROUND_SECONDS)


def measure_rounds(runners: Sequence[Runner], rounds: int, progress: Progress) -> None:
    """Run all engines in turn, `rounds` times, so that whatever else the machine does hits all alike."""
    turns = [(number, runner) for number in range(1, rounds + 1) for runner in runners]
    left = sum(runner.expected_seconds for _, runner in turns)
    progress.say(f"measuring, {len(turns)} runs: about {clock(left)}")
    for turn, (number, runner) in enumerate(turns, 1):
        runner.runs.append(runner.run(runner.rows))
        left = sum(other.expected_seconds for _, other in turns[turn:])
        rate = f"{runner.runs[-1].rate:>10,.0f} tokens/s"
        progress.say(f"round {number}/{rounds}  {runner.arm.name:<24} {rate}  {clock(left)} left")


def spread(values: Sequence[float]) -> Spread:
    """Least, middle and greatest."""
    return Spread(min(values), median(values), max(values))


def _row(plan: BenchPlan, device: str, runner: Runner, runners: Sequence[Runner]) -> EngineRow:
    runs = runner.runs
    tokens = runs[0].tokens
    rates = spread([run.rate for run in runs])
    lengths = [len(source) for source in runner.workload.sources]
    best = roofline.bound(plan.shape, device, plan.beam, fmean(lengths), fmean(runner.workload.lengths))
    peers = [peer for peer in runners if peer.arm.engine != "mekong" and peer is not runner]
    return EngineRow(
        engine=runner.arm.name,
        shape=plan.shape.name,
        device=plan.device,
        device_name=device,
        dtype=runner.arm.dtype,
        beam=plan.beam,
        sentences=runner.rows,
        tokens=tokens,
        rounds=plan.rounds,
        settings=str(runner.settings),
        swept=runner.swept,
        tokens_per_second=rates,
        cpu_seconds_per_1000_tokens=median(run.cpu_seconds for run in runs) / tokens * 1000,
        padding_efficiency=tokens / runs[-1].steps if runs[-1].steps else None,
        memory_mb=max(run.memory_mb for run in runs),
        roofline_share=rates.median / best if best else None,
        ratio_to={
            peer.arm.name: spread([mine.rate / its.rate for mine, its in zip(runs, peer.runs, strict=True)])
            for peer in peers
        },
    )
