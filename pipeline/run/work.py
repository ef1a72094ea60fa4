"""What is made of one shard, whichever process makes it: its rows, committed under its key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any, Literal

from pipeline.config.settings import Config
from pipeline.engines.devices import one_blas_thread
from pipeline.errors import EngineError
from pipeline.run import shards as kinds
from pipeline.run.resources import Resources
from pipeline.run.shards import Place, ShardKind, Shards
from pipeline.stages.align.judging import Evidence
from pipeline.stages.align.matching import CandidateJudge
from pipeline.stages.align.pairs import translated_pairs
from pipeline.stages.align.profiles import Profile, profile
from pipeline.stages.align.sides import Side
from pipeline.stages.align.stage import align, mine
from pipeline.stages.score.base import Context
from pipeline.stages.score.stage import BATCH, score
from pipeline.stages.segment.stage import segment
from pipeline.types import ENGLISH, DocumentPair, Pair, Scored, Segment

Tick = Callable[[int], None]
"""Told that so much more is done; raises to stop there."""


@dataclass(frozen=True, slots=True)
class CandidatePlace:
    """A candidate of the document in a row of the shard: where it is, and the key of what the two say together."""

    row: int
    english: Place
    key: str


@dataclass(frozen=True, slots=True)
class ShardTask:
    """One shard to be made by a stage, and the key it is committed under.

    `size` is its share of the stage's progress. What only who has seen all shards knows: `english` says where the
    counterparts of its documents are, by id; `candidates` are those to be judged, `known` is the evidence for others.
    """

    stage: Literal["segment", "profile", "judge", "align", "score", "score given"]
    number: int
    key: str
    size: int
    english: Mapping[str, Place] = field(default_factory=dict)
    candidates: Sequence[CandidatePlace] = ()
    known: Sequence[Evidence] = ()

    @property
    def scores(self) -> bool:
        """Whether pairs are scored, those of a run or those that a corpus brings."""
        return self.stage in ("score", "score given")


class ShardWork:
    """The stages that need nothing but one shard, and the English counterparts of its documents."""

    def __init__(self, config: Config, shards: Shards, resources: Resources) -> None:
        self._config, self._shards, self._resources = config, shards, resources
        self._judge: CandidateJudge | None = None
        """Holds documents for the next shard to be judged; until there is none."""

    def perform(self, task: ShardTask, tick: Tick) -> None:
        """Make and commit a shard. `tick` is told of the share of the task that is done, now and then: rows, as far as
        these are what its size counts."""
        kind: ShardKind[Any]
        rows: Iterable[Any]
        if task.stage != "judge":
            self._judge = None
        if task.stage == "segment":
            kind, rows = kinds.SEGMENTS, self._segments(task)
        elif task.stage == "profile":
            kind, rows = kinds.PROFILES, self._profiles(task)
        elif task.stage == "judge":
            kind, rows = kinds.JUDGED, self._evidence(task)
        elif task.stage == "align":
            kind, rows = kinds.PAIRS, self._pairs(task)
        else:
            kind, rows = kinds.SCORED, self._scored(task)
        made: list[Any] = []
        told = 0
        every = 1 if task.stage in ("profile", "judge") else BATCH
        counts = task.scores or every == 1
        with one_blas_thread():
            for row in rows:
                made.append(row)
                if len(made) % every == 0:
                    told += (more := every if counts else 0)
                    tick(more)
        if task.scores:
            self._check_count(task, len(made))
        if task.stage == "judge":
            made = sorted([*task.known, *made], key=lambda one: one.key)
        self._shards.commit(kind, task.number, task.key, made)
        tick(task.size - told)

    def _check_count(self, task: ShardTask, scored: int) -> None:
        """Raises EngineError unless every pair has come to its scores."""
        kind: ShardKind[Any] = kinds.GIVEN if task.stage == "score given" else kinds.PAIRS
        pairs = self._shards.size(kind, task.number)
        if scored != pairs:
            raise EngineError(
                f"shard {task.number} has {pairs:,} pairs, and {scored:,} of them came back with scores",
                "Report this as a bug; nothing of the shard was kept.",
            )

    def _segments(self, task: ShardTask) -> Iterator[Segment]:
        return segment(self._shards.documents(task.number), self._config.segment)

    def _profiles(self, task: ShardTask) -> Iterator[Profile]:
        return (profile(side, self._resources.encoder) for side in self._shards.sides(task.number))

    def _evidence(self, task: ShardTask) -> Iterator[Evidence]:
        """What the sentences of the candidates say that nothing is known of."""
        sources = self._shards.sides(task.number)
        self._judge = judge = self._judge or CandidateJudge(self._resources.encoder, self._resources.lexicons)
        for row, candidates in groupby(task.candidates, key=attrgetter("row")):
            yield from judge(sources[row], ((one.key, partial(self._shards.side, one.english)) for one in candidates))

    def _scored(self, task: ShardTask) -> Iterator[Scored]:
        if task.stage == "score given":
            given = [row.pair for row in self._shards.given(task.number)]
            return score(given, self._resources.scorers, Context())
        context = Context({made.segment_id: made for made in self._shards.translations(task.number)})
        return score(self._shards.pairs(task.number), self._resources.scorers, context)

    def _pairs(self, task: ShardTask) -> Iterator[Pair]:
        """The pairs whose source documents are in the shard: document by document, translated, aligned, mined."""
        settings, encoder = self._config.align, self._resources.encoder
        parallel: dict[str, DocumentPair] = {}
        comparable: defaultdict[str, list[Side]] = defaultdict(list)
        for pair in counterparts(self._shards.document_pairs(task.number), mined=settings.mine):
            if pair.relation == "parallel":
                parallel[pair.src_doc] = pair
            else:
                comparable[pair.src_doc].append(self._shards.side(task.english[pair.tgt_doc]))
        for side in self._shards.sides(task.number):
            if side.document.lang == ENGLISH:
                continue
            yield from translated_pairs(side.document, side.segments, side.translations)
            if match := parallel.get(side.document.id):
                target = self._shards.side(task.english[match.tgt_doc])
                yield from align(match, side, target, encoder, self._resources.lexicons)
            if others := comparable.get(side.document.id):
                yield from mine(side, others, settings, encoder)


def counterparts(pairs: Iterable[DocumentPair], *, mined: bool) -> Iterator[DocumentPair]:
    """The document pairs whose sentences are looked at: the parallel ones, and where it is `mined` the comparable."""
    wanted = ("parallel", "comparable") if mined else ("parallel",)
    return (pair for pair in pairs if pair.relation in wanted)
