"""Systems against references: scores, intervals, paired tests and slices, all from statistics computed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError, UsageError
from pipeline.metrics.base import (
    DEFAULT_METRICS,
    Metric,
    MetricScore,
    PairedTestName,
    SliceScore,
    StringMetric,
    Unit,
    add_to_signature,
    make_metrics,
)
from pipeline.metrics.name_folding import NamesFolded
from pipeline.metrics.significance import BOOTSTRAP_SAMPLES, Draws, bootstrap, interval, paired_bootstrap, randomisation

FEW_DOCUMENTS = 20
BLOCK = 500
"""Segments of which a metric of strings counts what they share at a time."""


@dataclass(frozen=True, slots=True)
class System:
    """One system's hypotheses, a segment each, in the order of the references."""

    name: str
    segments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SystemScores:
    """All metrics of one system; the first of a list of systems is the baseline."""

    name: str
    metrics: tuple[MetricScore, ...]


def evaluate(
    systems: Sequence[System],
    references: Sequence[Sequence[str]],
    metrics: Sequence[Metric] | None = None,
    *,
    sources: Sequence[str] | None = None,
    documents: Sequence[str] | None = None,
    slices: Sequence[str] | None = None,
    confidence: int = 0,
    paired: PairedTestName | None = None,
    unit: Unit = "segment",
    fold_names: bool = False,
    as_sacrebleu: bool = True,
    advance: Callable[[float], None] = lambda _: None,
) -> list[SystemScores]:
    """Score systems of N segments against streams of N references; the first system is the baseline.

    Without a reference, `metrics` must be such as do without, and `sources` be given.

    `metrics` are BLEU, chrF and chrF++ unless given. `sources`, `documents` and `slices` have N entries: source texts,
    the document that each segment belongs to, and a label for scores of its own. `confidence` is the number of
    bootstrap resamples for 95 % intervals, 0 for none. `paired` adds p-values against the baseline: "bs" by bootstrap
    (with `confidence` resamples, or 1,000), "ar" by approximate randomisation (10,000 trials). `unit` is what is
    resampled: sentences of one article are not independent, so intervals over segments are too narrow where there are
    documents. `fold_names` adds each metric of strings once more, with the names of both sides folded. `as_sacrebleu`:
    see `pipeline.metrics.significance.Draws`; signatures tell where ties count. `advance` is told how many segments a
    metric of strings has counted, some at a time; what it raises ends the work.

    Memory holds the statistics of one metric at a time, and those of chrF++ where chrF is asked for too: at most 24
    numbers a segment for each of sacreBLEU.

    Raises UsageError on requests that make no sense, InputError on counts that differ.
    """
    chosen = list(metrics) if metrics is not None else make_metrics(DEFAULT_METRICS)
    _check_request(systems, confidence, paired, unit, documents)
    _check_counts(systems, references, {"source": sources, "document": documents, "slice": slices})
    if paired == "bs":
        confidence = confidence or BOOTSTRAP_SAMPLES
    units = _places(documents)[1] if unit == "document" and documents is not None else None
    size = len(systems[0].segments) if units is None else int(units.max()) + 1
    draws = Draws(size, confidence, paired, as_sacrebleu=as_sacrebleu)
    counting = _Counting(chosen, systems, references, sources, fold_names, advance)
    columns = [
        _column(kind, found, units, draws, slices) for metric in chosen for kind, found in counting.statistics(metric)
    ]
    return [
        SystemScores(system.name, scores) for system, scores in zip(systems, zip(*columns, strict=True), strict=True)
    ]


def resampled_unit(documents: Sequence[str]) -> Unit:
    """Whole documents where there are enough of them to resample, else segments."""
    return "document" if len(set(documents)) >= FEW_DOCUMENTS else "segment"


def _check_request(
    systems: Sequence[System],
    confidence: int,
    paired: PairedTestName | None,
    unit: Unit,
    documents: Sequence[str] | None,
) -> None:
    names = [system.name for system in systems]
    if not names:
        raise UsageError("there is no system to score", "Name at least one hypothesis.")
    if len(set(names)) < len(names):
        again = next(name for name in names if names.count(name) > 1)
        raise UsageError(f"two systems are called {again}", "Give each system a name of its own.")
    if confidence == 1:
        raise UsageError("one resample makes no interval (confidence is 1)", "Use 1000 resamples, or 0 for none.")
    if paired and len(names) < 2:
        raise UsageError("a paired test needs two systems, one was given", "Add another --hyp or leave out --paired.")
    if unit == "document" and (confidence or paired):
        found = len(set(documents or ()))
        if found < 2:
            raise UsageError(
                f"{found or 'no'} document{'' if found == 1 else 's'} to resample",
                "Say which document each segment belongs to, or resample segments.",
            )


def _check_counts(
    systems: Sequence[System], references: Sequence[Sequence[str]], labels: dict[str, Sequence[str] | None]
) -> None:
    sources = labels["source"]
    side, first = ("source", sources) if not references and sources is not None else ("reference", [*references, []][0])
    if not first:
        raise InputError(f"the {side} is empty", "Give at least one segment to score.")
    expected = f"the {side} has {len(first)} segments"
    counted: list[tuple[str, str, Sequence[str]]]
    counted = [(system.name, "segments", system.segments) for system in systems]
    counted += [(f"reference {number}", "segments", stream) for number, stream in enumerate(references[1:], 2)]
    counted += [(f"the list of {name}s", "entries", values) for name, values in labels.items() if values is not None]
    for name, what, values in counted:
        _check_count(name, what, len(values), len(first), expected)


def _check_count(name: str, what: str, count: int, wanted: int, expected: str) -> None:
    if count != wanted:
        raise InputError(
            f"{name} has {count} {what}, {expected}",
            "Segment n of one must be the translation of segment n.",
        )


Counted = list[tuple[Metric, list[NDArray[Any]]]]
"""A metric with the statistics of each system; one that compares strings also with names folded, if asked for."""


class _Counting:
    """Statistics of metrics, each counted once: with one reference those of chrF are a part of those of chrF++."""

    def __init__(
        self,
        metrics: Sequence[Metric],
        systems: Sequence[System],
        references: Sequence[Sequence[str]],
        sources: Sequence[str] | None,
        fold_names: bool,
        advance: Callable[[float], None],
    ) -> None:
        self._systems, self._references, self._sources = systems, references, sources
        self._fold_names, self._advance = fold_names, advance
        strings = {metric.name: metric for metric in metrics if isinstance(metric, StringMetric)}
        wanted = {metric.counted_by for metric in strings.values()} if len(references) == 1 else set()
        self._wider = {name: metric for name, metric in strings.items() if name in wanted}
        self._kept: dict[str, Counted] = {}

    def statistics(self, metric: Metric) -> Counted:
        """What is counted of a metric."""
        if not isinstance(metric, StringMetric):
            return [
                (metric, [metric.statistics(one.segments, self._references, self._sources) for one in self._systems])
            ]
        wider = metric if metric.name in self._wider else self._wider.get(metric.counted_by)
        if wider is None:
            return self._counted(metric)
        if wider.name in self._kept:
            self._advance((2 if self._fold_names else 1) * len(self._references[0]))
        else:
            self._kept[wider.name] = self._counted(wider)
        found = self._kept[wider.name]
        if wider is metric:
            return found
        sample = self._systems[0].segments[0], self._references[0][0]
        kinds: tuple[Metric, Metric] = metric, NamesFolded(metric)
        return [
            (kind, [metric.of_wider(own, *sample) for own in counts])
            for kind, (_, counts) in zip(kinds, found, strict=False)
        ]

    def _counted(self, metric: StringMetric) -> Counted:
        """Some segments of all systems at a time: sacreBLEU keeps the n-grams of the references that it has seen, 15 kB
        a segment and more."""
        folding = NamesFolded(metric)
        blocks: list[list[NDArray[Any]]] = [[] for _ in self._systems]
        folded: list[list[NDArray[Any]]] = [[] for _ in self._systems]
        size = len(self._systems[0].segments)
        for first in range(0, size, BLOCK):
            part = slice(first, first + BLOCK)
            streams = [stream[part] for stream in self._references]
            for found, system in zip(blocks, self._systems, strict=True):
                found.append(metric.statistics(system.segments[part], streams, None))
            for found, plain, system in zip(folded, blocks, self._systems, strict=True):
                if self._fold_names:
                    found.append(folding.corrected(plain[-1], system.segments[part], streams))
            self._advance((2 if self._fold_names else 1) * min(BLOCK, size - first))
        counted: Counted = [(metric, [np.concatenate(found) for found in blocks])]
        if self._fold_names:
            counted.append((folding, [np.concatenate(found) for found in folded]))
        return counted


def _column(
    metric: Metric,
    statistics: Sequence[NDArray[Any]],
    units: NDArray[np.intp] | None,
    draws: Draws,
    slices: Sequence[str] | None,
) -> list[MetricScore]:
    """One metric of all systems."""
    summed = list(statistics) if units is None else [_sums(found, units) for found in statistics]
    scores = [float(metric.aggregate(own.sum(0))) for own in summed]
    resampled = (
        [bootstrap(metric, own, draws.resamples(first_system=not number)) for number, own in enumerate(summed)]
        if draws.confidence
        else []
    )
    intervals: list[tuple[float | None, float | None]] = [interval(found) for found in resampled]
    intervals = intervals or [(None, None)] * len(summed)
    p_values: list[float | None] = [None] * len(summed)
    ties = not _as_sacrebleu(metric, units, draws)
    if draws.paired == "bs":
        p_values[1:] = [
            paired_bootstrap(resampled[0], found, scores[0] - score, count_ties=ties)
            for found, score in zip(resampled[1:], scores[1:], strict=True)
        ]
    elif draws.paired == "ar":
        p_values[1:] = [randomisation(metric, summed[0], own, draws.tosses(), count_ties=ties) for own in summed[1:]]
    signature = _signature(metric, units, draws)
    notes = [
        _note(units, draws) or _tie_note(ties, statistics[0], own, p)
        for own, p in zip(statistics, p_values, strict=True)
    ]
    return [
        MetricScore(
            metric.name,
            score,
            signature,
            *found,
            p_value,
            note=note,
            slices=_slices(metric, own, slices),
            higher_better=metric.higher_better,
        )
        for score, found, p_value, own, note in zip(scores, intervals, p_values, statistics, notes, strict=True)
    ]


def _as_sacrebleu(metric: Metric, units: NDArray[np.intp] | None, draws: Draws) -> bool:
    """Whether p-values are to be those of sacreBLEU, which knows neither documents nor other metrics."""
    return draws.as_sacrebleu and units is None and isinstance(metric, StringMetric | NamesFolded)


def _tie_note(ties: bool, baseline: NDArray[Any], own: NDArray[Any], p_value: float | None) -> str:
    if ties or p_value is None or not np.array_equal(baseline, own):
        return ""
    return "a system that is as the baseline in every segment has the p-value of sacreBLEU, which counts no ties"


def _note(units: NDArray[np.intp] | None, draws: Draws) -> str:
    if units is None or not draws.items or draws.units >= FEW_DOCUMENTS:
        return ""
    return f"only {draws.units} documents: intervals and p-values over so few are rough"


def _signature(metric: Metric, units: NDArray[np.intp] | None, draws: Draws) -> str:
    """The metric's own, with what was resampled where sacreBLEU says it: after the number of references."""
    parts = metric.signature.split("|")
    at = 1 if parts[0].startswith("nrefs:") else 0
    parts[at:at] = [f"{key}:{value}" for key, value in draws.items.items()]
    signature = "|".join(parts)
    if units is None or not draws.items:
        other = draws.paired == "ar" and not draws.as_sacrebleu
        return add_to_signature(signature, {"ties": "counted"}) if other else signature
    return add_to_signature(signature, {"unit": "document", "documents": draws.units})


def _slices(metric: Metric, statistics: NDArray[Any], labels: Sequence[str] | None) -> tuple[SliceScore, ...]:
    if labels is None:
        return ()
    names, places = _places(labels)
    counts = np.bincount(places)
    scores = metric.aggregate(_sums(statistics, places))
    return tuple(SliceScore(*row) for row in zip(names, counts.tolist(), map(float, scores), strict=True))


def _places(labels: Sequence[str]) -> tuple[list[str], NDArray[np.intp]]:
    """The distinct labels in order of first appearance, and the place of each entry's label among them."""
    order: dict[str, int] = {}
    places = [order.setdefault(label, len(order)) for label in labels]
    return list(order), np.array(places, dtype=np.intp)


def _sums(statistics: NDArray[Any], places: NDArray[np.intp]) -> NDArray[Any]:
    """The statistics (N, k) of segments summed by place, (places, k)."""
    sums = np.zeros((int(places.max()) + 1, statistics.shape[1]), dtype=statistics.dtype)
    np.add.at(sums, places, statistics)
    return sums
