"""What a report is made from.

`pipeline.report.build` reads every iterable here once, in order, and keeps only counts and capped tables, so a lazy
loader keeps the memory small.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.config.settings import Rule
from pipeline.metrics.base import MetricScore
from pipeline.registry.facts import ModelFacts
from pipeline.types import Document, DocumentPair, Reject, Scored, Segment, Translation, Verdict

RANK_BY = {"aligned": "similarity", "mined": "mining_margin"}
"""By which score pairs of these origins are ranked; for translated ones it hangs on what is known of their model."""


@dataclass(frozen=True, slots=True)
class DocumentWork:
    """A document and all that the run made of it.

    `segments` in the order of the text. `translations` is empty for English documents; a segment without one was not
    translated. `pairs` are those whose source document this is, of both origins.
    """

    document: Document
    segments: tuple[Segment, ...]
    translations: tuple[Translation, ...] = ()
    pairs: tuple[tuple[Scored, Verdict], ...] = ()


@dataclass(frozen=True, slots=True)
class AlignedWork:
    """A parallel document pair to draw; of the source document's pairs, those with `english` are its beads."""

    pair: DocumentPair
    source: DocumentWork
    english: DocumentWork


@dataclass(frozen=True, slots=True)
class CorpusMetric:
    """A corpus metric of translations against references: on what (a name for people), of how many segments and
    documents, the score."""

    on: str
    segments: int
    documents: int
    score: MetricScore


@dataclass(frozen=True, slots=True)
class FactMiss:
    """A fact of the source (in language `lang`) that its translation lacks: "2568 (2025)", "25 %"."""

    doc_id: str
    segment_id: str
    lang: str
    expected: str
    source: str
    translation: str


@dataclass(frozen=True, slots=True)
class FactCheck:
    """How many facts of one kind ("countries", "years", "numbers") reached the English; `misses` are the first of those
    that did not."""

    kind: str
    expected: int
    found: int
    misses: tuple[FactMiss, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportData:
    """Everything a report shows.

    `documents` of all languages; `document_pairs` all that were judged; `aligned` the parallel ones, drawn until the
    cap. `rules` and `signatures` by score name. `rank_by` says for each origin by which score pairs are ranked as
    best and worst (higher is better). `examples` is the number of pairs a table. `packages` and `environment`
    (device, dtype, Python, ...) by name; `config` is the resolved configuration as plain data; `commands` repeat the
    run. `version` is that of the code that made the run. Nothing here may depend on the clock: the same run gives the
    same bytes.
    """

    name: str
    version: str
    commands: tuple[str, ...]
    documents: Iterable[DocumentWork]
    rejects: Iterable[Reject] = ()
    document_pairs: Iterable[DocumentPair] = ()
    aligned: Iterable[AlignedWork] = ()
    rules: Mapping[str, Rule] = field(default_factory=dict)
    signatures: Mapping[str, str] = field(default_factory=dict)
    rank_by: Mapping[str, str] = field(default_factory=dict)
    metrics: tuple[CorpusMetric, ...] = ()
    facts: tuple[FactCheck, ...] = ()
    models: tuple[ModelFacts, ...] = ()
    packages: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    examples: int = 12
