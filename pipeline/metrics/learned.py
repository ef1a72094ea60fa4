"""Learned metrics: COMET, CometKiwi, xCOMET, MetricX, computed by a process in their own environment.

A score means little without its maker, so the signature has checkpoint, digest, package, precision and batch: the same
checkpoint gives other scores with another version of its package.
"""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.child import Child
from pipeline.engines.devices import cores
from pipeline.errors import EngineError, UsageError
from pipeline.files.progress import Progress
from pipeline.metrics import environment
from pipeline.registry import models
from pipeline.registry.models import Entry, Lock

WORKER = Path(__file__).with_name("learned_worker.py")
VERSION = 1
DIGEST_DIGITS = 12


def scorers() -> dict[str, Entry]:
    """The scorers of the registry by the name of their metric; shipped entries come first."""
    found: dict[str, Entry] = {}
    for one in models.entries().values():
        if one.metric is not None:
            found.setdefault(one.metric.name, one)
    return found


def scorer(name: str) -> Entry:
    """The scorer of this metric, or the registry entry of this name.

    Raises UsageError naming the known metrics where there is neither.
    """
    known = scorers()
    if name in known:
        return known[name]
    found = models.entries().get(name)
    if found is None or found.metric is None:
        raise UsageError(f"there is no learned metric {name!r}", f"There are: {', '.join(known)}.")
    return found


class LearnedMetric:
    """One learned metric, as `pipeline.metrics.base.Metric` describes metrics; a mean over segments.

    The model is loaded with the first statistics. Raises ModelMissing, with the command that gets it, where the
    checkpoint or the environment is missing.
    """

    def __init__(self, entry: Entry, progress: Progress | None = None) -> None:
        assert entry.metric is not None
        self._metric = entry.metric
        self.name = entry.metric.title
        self.higher_better = entry.metric.higher_better
        self._entry = entry
        self._folder = models.locate(entry)
        self._digest = checkpoint_digest(models.read_lock(entry))[:DIGEST_DIGITS]
        self._python = environment.python()
        self._progress = progress or Progress()
        self._process: ScorerProcess | None = None
        self._reads_reference: bool | None = None

    @property
    def signature(self) -> str:
        """Complete when `statistics` has loaded the model and seen whether there are references."""
        parts = {
            "checkpoint": self._entry.name,
            "sha256": self._digest,
            "package": self._process.version if self._process else "not loaded",
            "precision": "fp32",
            "batch": self._metric.batch_rows,
            "version": VERSION,
        }
        first = {} if self._reads_reference is None else {"nrefs": int(self._reads_reference)}
        return "|".join(f"{key}:{value}" for key, value in {**first, **parts}.items())

    def statistics(
        self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], sources: Sequence[str] | None
    ) -> NDArray[Any]:
        """(score, 1) for each segment, shape (len(hypotheses), 2).

        Raises UsageError without a source, without a needed reference and with several, EngineError when the process
        ends or answers nonsense.
        """
        reference = self._reference(references, sources)
        assert sources is not None
        rows = [{"src": source, "mt": own} for source, own in zip(sources, hypotheses, strict=True)]
        if reference is not None:
            rows = [{**row, "ref": ref} for row, ref in zip(rows, reference, strict=True)]
        self._reads_reference = reference is not None
        if self._process is None:
            self._process = ScorerProcess([str(self._python), "-I", str(WORKER)], self._entry.family, self._folder)
        scores = self._scores(self._process, rows)
        return np.stack([scores, np.ones(len(scores))], axis=1)

    def aggregate(self, sums: NDArray[Any]) -> Any:
        """The mean of summed statistics (2,), or the means (n,) of n sums (n, 2)."""
        return sums[..., 0] / sums[..., 1]

    def close(self) -> None:
        """End the process, if it runs."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def _reference(self, references: Sequence[Sequence[str]], sources: Sequence[str] | None) -> Sequence[str] | None:
        """The reference that is read, None for a metric that reads none or can do without."""
        if sources is None:
            raise UsageError(f"{self.name} reads the source", "Add --src FILE.")
        if self._metric.reference == "unused":
            return None
        if len(references) > 1:
            raise UsageError(f"{self.name} takes one reference, {len(references)} were given", "Leave out the others.")
        if not references and self._metric.reference == "needed":
            raise UsageError(f"{self.name} needs a reference", "Add --ref FILE, or take cometkiwi.")
        return references[0] if references else None

    def _scores(self, process: ScorerProcess, rows: Sequence[dict[str, str]]) -> NDArray[np.float64]:
        """Rows of like length go together, so that little is padding; every distinct row is scored once."""
        distinct = {tuple(sorted(row.items())): row for row in rows}
        order = sorted(distinct, key=lambda key: (sum(len(text) for _, text in key), key))
        found: dict[tuple[tuple[str, str], ...], float] = {}
        cut = 0
        with self._progress.task(self.name, len(order), "segments") as task:
            for first in range(0, len(order), self._metric.batch_rows):
                batch = order[first : first + self._metric.batch_rows]
                scores, shortened = process.score([distinct[key] for key in batch])
                found.update(zip(batch, scores, strict=True))
                cut += shortened
                task.advance(len(batch))
        if cut:
            lost = "1 segment without its end" if cut == 1 else f"{cut} segments without their ends"
            self._progress.warn(f"{self.name} read {lost}: too long for its model")
        return np.array([found[tuple(sorted(row.items()))] for row in rows])


class ScorerProcess(Child):
    """The worker, seen from here. `version` is the package that scores. Raises EngineError when it cannot load."""

    title = "the process of the learned metric"
    remedy = "If the memory was short, take a smaller model; `mekong models check` tells whether the files are whole."

    def __init__(self, command: Sequence[str], family: str, folder: Path) -> None:
        self._asked = 0
        settings = {"family": family, "folder": str(folder), "threads": cores()}
        try:
            super().__init__(command, settings, {**os.environ, **models.OFFLINE})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise EngineError(f"{self.title} did not start: {error}", self.remedy) from error

    def score(self, rows: Sequence[dict[str, str]]) -> tuple[list[float], int]:
        """A score for each row, and how many rows were cut.

        Raises EngineError when the process ends, answers another question, or with another count or no finite number.
        """
        self._asked += 1
        try:
            answer = self._ask({"id": self._asked, "rows": list(rows)})
            asked, scores, cut = answer["id"], [float(score) for score in answer["scores"]], int(answer["cut"])
        except (ValueError, TypeError, KeyError) as error:
            raise EngineError(f"{self.title} answered nonsense: {error!r}", self.remedy) from error
        if asked != self._asked or len(scores) != len(rows):
            raise EngineError(
                f"{self.title} answered question {asked} with {len(scores)} scores; it was asked "
                f"question {self._asked} with {len(rows)} rows",
                self.remedy,
            )
        if not all(map(math.isfinite, scores)):
            bad = next(score for score in scores if not math.isfinite(score))
            raise EngineError(f"{self.title} gave a score that is {bad}", self.remedy)
        return scores, cut


def checkpoint_digest(lock: Lock) -> str:
    """SHA-256 of the weights as they were published; of their list of hashes where there are several files."""
    hashes = [record.sha256 for _, record in sorted(lock.published.items())]
    if len(hashes) == 1:
        return hashes[0]
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()
