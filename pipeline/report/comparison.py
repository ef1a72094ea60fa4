"""Several runs side by side: what differs in their settings, what came out, and scores on what they share.

The first run is the baseline. Inputs may differ: scores are compared on segments that all runs have, found by the
content of their document and their place or text in it, never by file name.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.files.store import digest, plain
from pipeline.metrics.evaluation import FEW_DOCUMENTS, System, SystemScores, evaluate, resampled_unit
from pipeline.registry.facts import ModelFacts
from pipeline.report.collect import Top, share
from pipeline.report.data import FactCheck
from pipeline.report.marks import word_differences
from pipeline.report.summary import HEADLINE, p_value, plural
from pipeline.text import languages
from pipeline.types import Document

FORMAT = 1
RESAMPLES = 1000
TRIALS = 10_000
TRIALS_AT_ONCE = 500
SEED = 12345
MAX_EXAMPLES = 10
WITHIN_MODEL = frozenset(["log_probability"])
"""Scores that say nothing across models."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SharedText:
    """A stretch of a source document with its translation and the English that was aligned with it."""

    lang: str
    source: str
    hypothesis: str
    reference: str


@dataclass(frozen=True, slots=True)
class RunSide:
    """One run, as far as it is compared.

    `counts` are those of the manifest. `documents` are content ids. `texts` and `scores` (of translated pairs) are by
    the content id of the document and what tells the segments of one document apart.
    """

    name: str
    version: str
    models: tuple[ModelFacts, ...]
    config: Mapping[str, Any]
    signatures: Mapping[str, str]
    counts: Mapping[str, Any]
    facts: tuple[FactCheck, ...]
    documents: frozenset[str]
    texts: Mapping[tuple[str, Hashable], SharedText] = field(default_factory=dict)
    scores: Mapping[tuple[str, Hashable], Mapping[str, float | None]] = field(default_factory=dict)

    @property
    def model(self) -> str:
        """The name of the translation model."""
        return next((model.name for model in self.models if model.role == "translation"), "")


def content_id(document: Document) -> str:
    """What a document is by its language and text, whatever its file is called."""
    return digest(document.lang, document.text)


def build_comparison(runs: Sequence[RunSide], commands: Sequence[str] = ()) -> Row:
    """The content of `comparison.json`: plain data."""
    systems = _systems(runs)
    result: Row = plain(
        {
            "format": FORMAT,
            "name": _title([run.name for run in runs]),
            "runs": [{"name": run.name, "model": run.model, "version": run.version} for run in runs],
            "verdict": _verdict(runs, systems),
            "notes": _notes(runs, systems),
            "systems": systems,
            "pair_scores": _pair_scores(runs),
            "counts": _counts(runs),
            "facts": _facts(runs),
            "settings": _settings(runs),
            "examples": [_examples(runs[0], run) for run in runs[1:]],
            "models": [{"run": run.name, **plain(model)} for run in runs for model in run.models],
            "signatures": _signatures(runs),
            "commands": list(commands),
        }
    )
    return result


def _title(names: Sequence[str]) -> str:
    if len(names) > 3:
        return f"{names[0]} and {len(names) - 1} other runs"
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _verdict(runs: Sequence[RunSide], systems: Sequence[Row]) -> str:
    if not systems:
        return f"{plural(len(runs), 'run')}; no aligned segments are shared, so no scores are compared."
    parts = [f"{table['segments']:,} {languages.language(table['lang']).name}" for table in systems]
    return f"{plural(len(runs), 'run')}, scored on {' and '.join(parts)} segments that all of them share."


def _notes(runs: Sequence[RunSide], systems: Sequence[Row]) -> list[Row]:
    found = []
    shared = frozenset.intersection(*(run.documents for run in runs))
    every = frozenset.union(*(run.documents for run in runs))
    if shared != every:
        text = f"The inputs differ: {len(shared):,} of {plural(len(every), 'document')} are in every run."
        found.append({"level": "warn", "text": f"{text} Counts and facts are of each run as a whole."})
    changed = [name for name in runs[0].signatures if len({run.signatures.get(name) for run in runs}) > 1]
    if changed:
        text = f"Not compared, because they were computed in different ways: {', '.join(changed)}."
        found.append({"level": "warn", "text": text})
    found += [{"level": "note", "text": text} for table in systems for text in _differences(table)]
    for table in systems:
        if table["documents"] < FEW_DOCUMENTS:
            where = plural(table["documents"], f"{languages.language(table['lang']).name} document")
            text = f"Only {where}: segments of one document are alike, so intervals and p-values are too small."
            found.append({"level": "warn", "text": text})
    return found


def _differences(table: Row) -> list[str]:
    """The first headline metric in words, for each run but the first."""
    metric = next(m for name in (*HEADLINE, table["metrics"][0]["name"]) for m in table["metrics"] if m["name"] == name)
    baseline, *others = metric["cells"]
    language, told = languages.language(table["lang"]).name, []
    for cell in others:
        scored = f"{language}: {cell['run']} has {cell['score']:.1f} {metric['name']}"
        if cell["change"] == 0:
            told.append(f"{scored}, the same as {baseline['run']}.")
            continue
        apart = f"{abs(cell['change']):.1f} {'above' if cell['change'] > 0 else 'below'} {baseline['run']}"
        told.append(f"{scored}, {apart} (p {p_value(cell['p_value'])}).")
    return told


def _systems(runs: Sequence[RunSide]) -> list[Row]:
    """For each language all corpus metrics of all runs on the aligned segments that they share."""
    keys = [key for key in runs[0].texts if all(key in run.texts for run in runs[1:])]
    tables = []
    for lang in sorted({runs[0].texts[key].lang for key in keys}):
        mine = [key for key in keys if runs[0].texts[key].lang == lang]
        documents = [document for document, _ in mine]
        scores = evaluate(
            [System(run.name, tuple(run.texts[key].hypothesis for key in mine)) for run in runs],
            [[runs[0].texts[key].reference for key in mine]],
            documents=documents,
            confidence=RESAMPLES,
            paired="ar",
            unit=resampled_unit(documents),
            fold_names=True,
            as_sacrebleu=False,
        )
        table = {"lang": lang, "segments": len(mine), "documents": len(set(documents)), "metrics": _metrics(scores)}
        table["of"] = [sum(text.lang == lang for text in run.texts.values()) for run in runs]
        tables.append(table)
    return tables


def _metrics(scores: Sequence[SystemScores]) -> list[Row]:
    rows = []
    for found in zip(*(system.metrics for system in scores), strict=True):
        cells = [
            {
                "run": system.name,
                "score": metric.score,
                "ci": metric.ci,
                "change": metric.score - found[0].score,
                "p_value": metric.p_value,
            }
            for system, metric in zip(scores, found, strict=True)
        ]
        first = found[0]
        rows.append({"name": first.name, "signature": first.signature, "cells": cells})
    return rows


def _pair_scores(runs: Sequence[RunSide]) -> Row:
    """Mean scores of the translated pairs that all runs have; only scores computed in one way are compared."""
    keys = [key for key in runs[0].scores if all(key in run.scores for run in runs[1:])]
    rows = []
    for name, signature in runs[0].signatures.items():
        if any(run.signatures.get(name) != signature for run in runs[1:]):
            continue
        if name in WITHIN_MODEL and len({run.model for run in runs}) > 1:
            continue
        row = _score_row(name, runs, keys)
        if row:
            rows.append(row)
    return {"total": len(keys), "rows": rows}


def _score_row(name: str, runs: Sequence[RunSide], keys: Sequence[tuple[str, Hashable]]) -> Row | None:
    values = [(key[0], [run.scores[key].get(name) for run in runs]) for key in keys]
    found = [(document, row) for document, row in values if None not in row]
    if not found:
        return None
    table = np.array([row for _, row in found], dtype=np.float64)
    documents = [document for document, _ in found]
    if resampled_unit(documents) == "document":
        units = np.unique(documents, return_inverse=True)[1]
    else:
        units = np.arange(len(documents))
    means = table.mean(0)
    cells: list[Row] = []
    for place, run in enumerate(runs):
        apart = np.bincount(units, table[:, place] - table[:, 0]).astype(np.float64)
        cells.append(
            {
                "run": run.name,
                "score": float(means[place]),
                "change": float(means[place] - means[0]),
                "p_value": swap_p_value(apart) if place else None,
            }
        )
    return {"name": name, "pairs": len(found), "cells": cells}


def swap_p_value(differences: NDArray[np.float64]) -> float:
    """How often swapping two systems at random, unit by unit, gives sums at least as far apart as theirs.

    `differences` (units,) are the sums of one system less those of the other. Approximate randomisation (Riezler and
    Maxwell 2005, W05-0908), TRIALS trials, p = (c + 1) / (trials + 1).
    """
    generator, extreme = np.random.default_rng(SEED), 0
    wanted = abs(differences.sum()) * (1 - 1e-9)
    for first in range(0, TRIALS, TRIALS_AT_ONCE):
        size = (min(TRIALS_AT_ONCE, TRIALS - first), len(differences))
        signs = 1 - 2 * generator.integers(2, size=size, dtype=np.int8)
        extreme += int((np.abs(signs @ differences) >= wanted).sum())
    return (extreme + 1) / (TRIALS + 1)


def _counts(runs: Sequence[RunSide]) -> list[Row]:
    """Every count of the manifests, a row each."""
    flat = [dict(_flattened(run.counts)) for run in runs]
    names = list(dict.fromkeys(name for counts in flat for name in counts))
    return [{"name": name, "values": [counts.get(name, 0) for counts in flat]} for name in names]


def _flattened(value: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Nested mappings as "a.b.c" and the value; an empty mapping is a value."""
    for name, inner in value.items():
        if isinstance(inner, Mapping) and inner:
            yield from _flattened(inner, f"{before}{name}.")
        elif not isinstance(inner, Mapping):
            yield f"{before}{name}", inner


def _facts(runs: Sequence[RunSide]) -> list[Row]:
    kinds = list(dict.fromkeys(check.kind for run in runs for check in run.facts))
    rows = []
    for kind in kinds:
        checks = [next((check for check in run.facts if check.kind == kind), FactCheck(kind, 0, 0)) for run in runs]
        cells = [{"expected": c.expected, "found": c.found, "rate": share(c.found, c.expected)} for c in checks]
        rows.append({"kind": kind, "cells": cells})
    return rows


def _settings(runs: Sequence[RunSide]) -> list[Row]:
    """The settings in which the runs differ; a value that a run does not have is None."""
    flat = [dict(_flattened(run.config)) for run in runs]
    names = list(dict.fromkeys(name for settings in flat for name in settings))
    rows = [{"name": name, "values": [settings.get(name) for settings in flat]} for name in names]
    return [row for row in rows if any(value != row["values"][0] for value in row["values"])]


def _signatures(runs: Sequence[RunSide]) -> list[Row]:
    names = list(dict.fromkeys(name for run in runs for name in run.signatures))
    return [{"name": name, "values": [run.signatures.get(name) for run in runs]} for name in names]


def _examples(baseline: RunSide, other: RunSide) -> Row:
    """The shared segments where the two translations are furthest apart by sentence chrF, in both directions."""
    better: Top[Row] = Top(MAX_EXAMPLES)
    worse: Top[Row] = Top(MAX_EXAMPLES)
    chrf, total = _sentence_chrf(), 0
    for number, (key, theirs) in enumerate(baseline.texts.items()):
        ours = other.texts.get(key)
        if ours is None:
            continue
        total += 1
        if ours.hypothesis == theirs.hypothesis:
            continue
        scores = [chrf(text.hypothesis, theirs.reference) for text in (theirs, ours)]
        change = scores[1] - scores[0]

        def make(theirs: SharedText = theirs, ours: SharedText = ours, scores: list[float] = scores) -> Row:
            return _example(theirs, ours, scores)

        (better if change > 0 else worse).offer(abs(change), f"{number:09d}", make)
    return {
        "baseline": baseline.name,
        "run": other.name,
        "total": total,
        "better": better.rows(),
        "worse": worse.rows(),
    }


def _sentence_chrf() -> Callable[[str, str], float]:
    from sacrebleu.metrics.chrf import CHRF

    metric = CHRF()
    return lambda hypothesis, reference: float(metric.sentence_score(hypothesis, [reference]).score)


def _example(baseline: SharedText, other: SharedText, scores: Sequence[float]) -> Row:
    left, right = word_differences(baseline.hypothesis, other.hypothesis)
    return {
        "lang": baseline.lang,
        "source": baseline.source,
        "reference": baseline.reference,
        "baseline_runs": left,
        "other_runs": right,
        "baseline_score": scores[0],
        "other_score": scores[1],
        "change": scores[1] - scores[0],
    }
