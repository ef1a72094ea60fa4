"""Engines side by side on a model of the store with its real weights: how fast, and how good against a reference.

Each is what `translate.engine` and `translate.dtype` would run, in a process of its own, at its own pace and with its
own idea of where a sentence ends; `pipeline.bench.harness` compares speeds at equal lengths.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.bench.harness import Spread, spread
from pipeline.bench.process import Process
from pipeline.bench.runner import Assignment
from pipeline.engines.load import DTYPES
from pipeline.errors import InputError, UsageError
from pipeline.files.progress import Progress
from pipeline.metrics.base import Metric, make_metrics
from pipeline.registry.models import Entry, locate
from pipeline.run.streams import read_lines

BEAMS = (1, 4)
METRICS = ("bleu", "chrf")
PEERS = ("ctranslate2 int8", "transformers float32", "transformers bfloat16")
"""What the others are compared with, as far as it is there."""
WARM_UP = 8
"""Lines translated before anything is measured: what is compiled and set up at a first call is not what is asked."""


@dataclass(frozen=True, slots=True)
class RealRequest:
    """What was asked for; None and no engines where the default is to be taken."""

    source: Path
    reference: Path
    lang: str | None = None
    device: str = "cpu"
    beam: int | None = None
    engines: Sequence[str] = ()
    rounds: int = 3
    sentences: int | None = None


@dataclass(frozen=True, slots=True)
class RealPlan:
    """One benchmark: which model, from which language, with which searches, engines by name, and how often."""

    entry: Entry
    lang: str
    device: str
    beams: tuple[int, ...]
    engines: tuple[str, ...]
    rounds: int
    sources: tuple[str, ...]
    references: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SystemRow:
    """What was found of one engine and one search, as in the JSON.

    `tokens` are those it generated. `scores` by metric (0 to 100), `signatures` too. `same` is the share of lines that
    are letter for letter those of transformers in the widest precision measured, None where it was not. `ratio_to` is
    the time of each peer over its own, round by round.
    """

    engine: str
    beam: int
    model: str
    about: dict[str, str]
    lines: int
    tokens: int
    rounds: int
    tokens_per_second: Spread
    lines_per_second: Spread
    scores: dict[str, float]
    signatures: dict[str, str]
    same: float | None
    ratio_to: dict[str, Spread]


@dataclass
class SystemRun:
    """One engine at work: its process, how long each round took, and what it said in the first."""

    engine: str
    process: Assignment
    about: dict[str, str]
    seconds: list[float] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    tokens: int = 0

    @property
    def slow(self) -> bool:
        """Whether one round has to do for it."""
        return self.engine.startswith("transformers")

    def translate(self, lines: Sequence[str], lang: str) -> None:
        """One measured round over all lines."""
        answer = self.process.ask("translate", lines=list(lines), lang=lang)
        self.seconds.append(answer["seconds"])
        if not self.texts:
            self.texts, self.tokens = answer["texts"], answer["tokens"]


def systems_of(entry: Entry, device: str) -> tuple[str, ...]:
    """The engines that can run a model on a device, by name and precision."""
    chat = entry.family == "chat"
    if device == "cuda":
        ours = () if chat else ("mekong bfloat16", "mekong float32", "ctranslate2 float16")
        return (*ours, "transformers bfloat16")
    if chat:
        return ("ctranslate2 int8", "transformers bfloat16", "transformers float32")
    return (*(f"mekong {dtype}" for dtype in DTYPES["mekong", "cpu"]), "ctranslate2 int8", "transformers float32")


def real_plan(entry: Entry, asked: RealRequest) -> RealPlan:
    """Settle what is measured; without a beam greedy and 4 beams, a chat model greedy only.

    Raises UsageError for a model that is no translator, a language or engine that it does not have, InputError where
    the files cannot be read or do not have as many lines, ModelMissing when the model is not in the store.
    """
    if entry.kind != "translator":
        raise UsageError(f"{entry.name} is a {entry.kind}, not a translator", "`mekong models list` shows them.")
    locate(entry)
    known = systems_of(entry, asked.device)
    unknown = [name for name in asked.engines if name not in known]
    if unknown:
        problem = f"there is no engine {unknown[0]!r} for {entry.name} on {asked.device}"
        raise UsageError(problem, f"Take some of: {', '.join(known)}.")
    sources, references = read_lines(asked.source), read_lines(asked.reference)
    if len(sources) != len(references) or not sources:
        raise InputError(
            f"{asked.source} has {len(sources)} lines, {asked.reference} has {len(references)}",
            "Line n of the one must be the English of line n of the other.",
        )
    beams = BEAMS if asked.beam is None else (asked.beam,)
    return RealPlan(
        entry=entry,
        lang=_language(entry, asked.lang),
        device=asked.device,
        beams=(1,) if entry.family == "chat" else beams,
        engines=tuple(name for name in known if name in asked.engines or not asked.engines),
        rounds=asked.rounds,
        sources=tuple(sources[: asked.sentences]),
        references=tuple(references[: asked.sentences]),
    )


def _language(entry: Entry, lang: str | None) -> str:
    if lang is None and len(entry.languages) == 1:
        return next(iter(entry.languages))
    if lang not in entry.languages:
        asked = "no language is named" if lang is None else f"it does not translate from {lang!r}"
        raise UsageError(f"{entry.name}: {asked}", f"Use --lang with one of: {', '.join(entry.languages)}.")
    return lang


def measure_real(plan: RealPlan, progress: Progress) -> list[SystemRow]:
    """Carry out a plan, one search after the other, all engines of a search in turn.

    Raises UsageError when the device is not there, EngineError when an engine dies.
    """
    rows = []
    for beam in plan.beams:
        with ExitStack() as children:
            runs = [_start(plan, engine, beam, children, progress) for engine in plan.engines]
            rounds(runs, plan, progress)
        rows += table_rows(plan, beam, runs, make_metrics(METRICS))
    return rows


def _start(plan: RealPlan, engine: str, beam: int, children: ExitStack, progress: Progress) -> SystemRun:
    process = children.enter_context(Process(engine))
    name, dtype = engine.split()
    progress.say(f"loading {plan.entry.name} with {engine}, {search_name(beam)}")
    about = process.ask("open", model=plan.entry.name, engine=name, device=plan.device, dtype=dtype, beam=beam)
    process.ask("translate", lines=list(plan.sources[:WARM_UP]), lang=plan.lang)
    return SystemRun(engine, process, about)


def rounds(runs: Sequence[SystemRun], plan: RealPlan, progress: Progress) -> None:
    """All engines in turn, `plan.rounds` times, so that whatever else the machine does hits all alike; slow ones take
    part in the first round only."""
    for number in range(plan.rounds):
        for run in runs:
            if number and run.slow:
                continue
            run.translate(plan.sources, plan.lang)
            rate = run.tokens / run.seconds[-1]
            progress.say(f"round {number + 1}/{plan.rounds}  {run.engine:<24} {rate:>10,.0f} tokens/s")


def table_rows(plan: RealPlan, beam: int, runs: Sequence[SystemRun], metrics: Sequence[Metric]) -> list[SystemRow]:
    """What the rounds of one search have found."""
    exact = next((run for run in runs[::-1] if run.slow), None)
    rows = []
    for run in runs:
        statistics = {metric.name: metric.statistics(run.texts, [plan.references], None) for metric in metrics}
        same = sum(map(str.__eq__, run.texts, exact.texts)) / len(run.texts) if exact else None
        rows.append(
            SystemRow(
                engine=run.engine,
                beam=beam,
                model=plan.entry.name,
                about=run.about,
                lines=len(run.texts),
                tokens=run.tokens,
                rounds=len(run.seconds),
                tokens_per_second=spread([run.tokens / seconds for seconds in run.seconds]),
                lines_per_second=spread([len(run.texts) / seconds for seconds in run.seconds]),
                scores={metric.name: metric.aggregate(statistics[metric.name].sum(axis=0)) for metric in metrics},
                signatures={metric.name: metric.signature for metric in metrics},
                same=same,
                ratio_to={
                    peer.engine: spread([its / mine for its, mine in zip(peer.seconds, run.seconds, strict=False)])
                    for peer in runs
                    if peer is not run and peer.engine in PEERS
                },
            )
        )
    return rows


def search_name(beam: int) -> str:
    """For people."""
    return "greedy" if beam == 1 else f"{beam} beams"
