"""Alignment measured: aligners side by side on gold cases, and the programme alone on long documents."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from pipeline.bench.aligners import (
    ALIGNERS,
    MOST_SENTENCES,
    Aligner,
    MekongAligner,
    Unavailable,
    Vecalign,
    VecalignItself,
    timed,
)
from pipeline.bench.alignment_cases import Case, read_cases
from pipeline.engines.encoders.base import Encoder
from pipeline.files.progress import Progress
from pipeline.metrics.alignment import AlignmentScore, Link, SpanPair
from pipeline.stages.align.beads import PARTS, Track, find_beads
from pipeline.stages.align.span_vectors import summed_spans

DIMENSIONS = 256
ROUNDS = 3
WALK, NOISE = 0.9, 0.5


@dataclass(frozen=True, slots=True)
class Wrong:
    """A bead that is not in the gold: the case and the texts of both sides."""

    case: str
    src_text: str
    tgt_text: str


@dataclass(frozen=True, slots=True)
class Result:
    """An aligner on a file: `figures` as of AlignmentScore, None with the reason in `note`; seconds a document."""

    file: str
    aligner: str
    figures: dict[str, Any] | None
    embedding_seconds: float
    other_seconds: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Speed:
    """The programme alone: wall and processor seconds of each round, and how many times the processor time that ours
    takes, round by round (the median)."""

    programme: str
    units: int
    seconds: list[float]
    cpu_seconds: list[float]
    ratio: float | None
    note: str = ""


def measure(paths: Sequence[Path], encoder: Encoder, progress: Progress) -> tuple[list[Result], list[Wrong]]:
    """Every aligner on every file, and what ours has wrong in the strict sense.

    Each aligner aligns the first case once more before, because compiling must not count.
    """
    files = [(path, read_cases(path)) for path in paths]
    results: list[Result] = []
    wrong: list[Wrong] = []
    with progress.task("align", len(ALIGNERS) * sum(len(cases) for _, cases in files), "documents") as task:
        for path, cases in files:
            for kind in ALIGNERS:
                found, mistakes = _run(kind, path.name, cases, encoder, task.advance)
                results.append(found)
                wrong += mistakes if kind is MekongAligner else []
    return results, wrong


def _run(
    kind: type[Aligner], file: str, cases: Sequence[Case], encoder: Encoder, advance: Callable[[float], None]
) -> tuple[Result, list[Wrong]]:
    clock = timed(encoder)
    aligner = kind(clock)
    score = AlignmentScore()
    wrong: list[Wrong] = []
    try:
        aligner.align(cases[0])
        clock.seconds = spent = 0.0
        for case in cases:
            began = time.perf_counter()
            beads = aligner.align(case)
            spent += time.perf_counter() - began
            right = _scored(score, case, beads)
            wrong += [_wrong(case, bead) for bead, good in zip(beads, right, strict=True) if not good]
            advance(1)
    except Unavailable as reason:
        return Result(file, kind.name, None, 0.0, 0.0, str(reason)), []
    seconds = (clock.seconds / len(cases), (spent - clock.seconds) / len(cases))
    return Result(file, kind.name, score.figures(), *seconds), wrong


def _scored(score: AlignmentScore, case: Case, beads: Sequence[SpanPair]) -> list[bool]:
    """Which beads are right; given sentences are counted by their numbers."""
    gold = case.gold
    if not case.given:
        return score.add_spans(gold, beads)
    src, tgt = ({span: number for number, span in enumerate(spans)} for spans in (gold.src_spans, gold.tgt_spans))
    links: list[Link] = [(tuple(src[span] for span in bead[0]), tuple(tgt[span] for span in bead[1])) for bead in beads]
    score.add_links(gold.links, links)
    return [link in gold.links for link in links]


def _wrong(case: Case, bead: SpanPair) -> Wrong:
    src, tgt = (
        " | ".join(text[start:end].strip() for start, end in spans)
        for text, spans in zip((case.gold.src_text, case.gold.tgt_text), bead, strict=True)
    )
    return Wrong(case.id, src, tgt)


def sample(wrong: Sequence[Wrong], most: int) -> list[Wrong]:
    """At most so many of them, spread evenly."""
    step = max(1.0, len(wrong) / most)
    return [wrong[int(number * step)] for number in range(min(most, len(wrong)))]


def speed(units: int, encoder: Encoder, progress: Progress) -> list[Speed]:
    """The programme alone on `units` x `units` sentences, ours and Vecalign's, in turn.

    The source's vectors walk at random, so that neighbours are alike as in a text; the target's are the same with
    noise.
    """
    src, tgt = walk(units)
    programmes: list[tuple[str, Callable[[Track, Track], Any]]] = [
        (MekongAligner.name, lambda ours, theirs: find_beads(ours, theirs, PARTS))
    ]
    for kind in (Vecalign, VecalignItself):
        search = kind(encoder).search
        programmes.append((kind.name, lambda ours, theirs, search=search: search(ours.vectors, theirs.vectors)))  # type: ignore[misc]
    took: dict[str, list[tuple[float, float]]] = {name: [] for name, _ in programmes}
    notes: dict[str, str] = {}
    small = walk(min(units, 20))
    with progress.task("search", (ROUNDS + 1) * len(programmes), "runs") as task:
        for number in range(ROUNDS + 1):
            for name, programme in programmes:
                began, busy = time.perf_counter(), time.process_time()
                try:
                    programme(*((src, tgt) if number else small))
                except Unavailable as reason:
                    notes[name] = str(reason)
                else:
                    times = (time.perf_counter() - began, time.process_time() - busy)
                    took[name] += [times] if number else []
                task.advance(1)
    ours = [busy for _, busy in took[MekongAligner.name]]
    speeds: list[Speed] = []
    for name, rounds in took.items():
        wall, cpu = [seconds for seconds, _ in rounds], [busy for _, busy in rounds]
        ratio = median(theirs / mine for theirs, mine in zip(cpu, ours, strict=True)) if cpu else None
        speeds.append(Speed(name, units, wall, cpu, ratio, notes.get(name, "")))
    return speeds


def walk(units: int) -> tuple[Track, Track]:
    """Two sides that mean the same one by one."""
    rng = np.random.default_rng(0)
    rows = np.zeros((units, DIMENSIONS))
    state = rng.normal(size=DIMENSIONS)
    for number in range(units):
        state = WALK * state + (1 - WALK**2) ** 0.5 * rng.normal(size=DIMENSIONS)
        rows[number] = state
    lengths = rng.integers(40, 160, units).astype(np.float64)
    cuts = np.full(units + 1, 2.0)
    noisy = rows + NOISE * rng.normal(size=rows.shape)
    return Track(summed_spans(rows, MOST_SENTENCES), lengths, cuts), Track(
        summed_spans(noisy, MOST_SENTENCES), lengths, cuts
    )
