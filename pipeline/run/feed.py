"""Feeding the engine: its batches are cut from several shards, and are ready before it asks.

While the engine has a batch in hand, the answers to the one before are judged, shards that are whole are committed,
and the next are made ready. What is tried once more joins the queue. The order of all this depends on the input alone
and not on who was faster: batch n is cut when the answers to batch n - 2 are judged.

An engine whose rows depend on their neighbours gets the batches of one attempt at one shard, cut by length, one at a
time, so that what a shard becomes does not depend on what else there is to do.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

from pipeline.config.settings import TranslateSettings
from pipeline.engines.base import Failure, Hypothesis, ModelInput, Output, Translator
from pipeline.errors import EngineError, Interrupted
from pipeline.run import shards as kinds
from pipeline.run.journal import Answer, Journal
from pipeline.run.keys import answer_key
from pipeline.run.memory import TranslationMemory
from pipeline.run.shards import Shards
from pipeline.stages.translate.draft import Draft
from pipeline.stages.translate.glossary import Glossary
from pipeline.stages.translate.stage import batches
from pipeline.types import ENGLISH, Document, Segment, Translation

IN_HAND = 2
"""Batches that an engine has or is about to have, where it is not asked one at a time."""
MOST_OPEN = 16
"""Shards that wait for a wider search of some of their rows; they are in memory meanwhile."""
READY = 2
"""Batches that lie ready beyond those."""


def to_translate(shards: Shards, number: int) -> tuple[list[Segment], dict[str, Document]]:
    """The segments of a shard that are not English, and their documents by id."""
    foreign = {document.id: document for document in shards.documents(number) if document.lang != ENGLISH}
    return [segment for segment in shards.segments(number) if segment.doc_id in foreign], foreign


def check_count(number: int, segments: Sequence[Segment], made: Sequence[Translation]) -> None:
    """Raises EngineError unless every segment has come to one end: translated, failed or skipped, in order."""
    wanted, found = [segment.id for segment in segments], [one.segment_id for one in made]
    if wanted != found:
        raise EngineError(
            f"shard {number} has {len(wanted):,} segments to translate, and other {len(found):,} came back",
            "Report this as a bug; nothing of the shard was kept.",
        )


class _OpenShard:
    """A shard under way: its draft, and the answers to the attempt in hand."""

    def __init__(
        self, number: int, key: str, segments: Sequence[Segment], draft: Draft, known: Mapping[str, Hypothesis]
    ) -> None:
        self.number, self.key, self.segments, self.draft, self._known = number, key, segments, draft, known
        self.answers: dict[int, Hypothesis] = {}
        self.was_deadly = False
        """Whether a row has ended the process that decoded it, in whatever attempt."""
        self.remembered: frozenset[int] = frozenset()
        """Rows of the first attempt that the memory knew."""

    def answer_key(self, row: int) -> str:
        """Names an input of the attempt in hand."""
        return answer_key(self.key, self.draft.number, row, self.draft.inputs[row].request)

    def recall(self, rows: Sequence[int]) -> bool:
        """Take the answers to rows from the journal, where it has them all."""
        found = [self._known.get(self.answer_key(row)) for row in rows] if self._known else [None]
        for row, hypothesis in zip(rows, found, strict=False):
            if hypothesis is None:
                return False
            self.answers[row] = hypothesis
        return True

    @property
    def is_answered(self) -> bool:
        """Whether every input of the attempt has its answer."""
        return len(self.answers) == len(self.draft.inputs)

    def judge(self) -> list[tuple[ModelInput, Hypothesis]]:
        """Go on to the next attempt. Returns what of a first attempt passed and the memory did not know."""
        is_first, inputs, answers = self.draft.number == 1, self.draft.inputs, self.answers
        self.was_deadly |= any(answer.note.startswith(Failure.DEADLY) for answer in answers.values())
        passed = self.draft.take([answers[row] for row in range(len(answers))])
        self.answers = {}
        return [(inputs[row], answers[row]) for row in passed if row not in self.remembered] if is_first else []


@dataclass(frozen=True, slots=True)
class _Batch:
    """Inputs that the engine gets together, by shard and row."""

    places: Sequence[tuple[_OpenShard, int]]
    careful: bool

    @property
    def inputs(self) -> list[ModelInput]:
        """What the model reads."""
        return [shard.draft.inputs[row] for shard, row in self.places]


class _Queue(Protocol):
    """Inputs that wait."""

    @property
    def is_short(self) -> bool:
        """Whether more shards should be begun."""

    def add(self, shard: _OpenShard) -> None:
        """The inputs of an attempt, as far as the journal does not know what comes of them."""

    def next(self, last: bool) -> _Batch | None:
        """The next batch; one that is not full only when no shard is left to fill it, which is `last`, or when too many
        wait for it."""


class _PlannedQueue:
    """Batches of one shard each."""

    def __init__(self, settings: TranslateSettings, translator: Translator) -> None:
        self._settings, self._translator = settings, translator
        self._batches: deque[_Batch] = deque()

    @property
    def is_short(self) -> bool:
        """See _Queue."""
        return not self._batches

    def add(self, shard: _OpenShard) -> None:
        """See _Queue."""
        for rows in batches(shard.draft, self._settings, self._translator):
            if not shard.recall(rows):
                self._batches.append(_Batch([(shard, row) for row in rows], shard.draft.is_careful))

    def next(self, last: bool) -> _Batch | None:
        """See _Queue."""
        return self._batches.popleft() if self._batches else None


class _PooledQueue:
    """Batches of `size` rows of whichever shards come first; a wider search has batches of its own."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._rows: dict[bool, deque[tuple[_OpenShard, int]]] = {False: deque(), True: deque()}

    @property
    def is_short(self) -> bool:
        """See _Queue."""
        return len(self._rows[False]) < READY * self._size

    def add(self, shard: _OpenShard) -> None:
        """See _Queue."""
        waiting = self._rows[shard.draft.is_careful]
        rows = [row for row in range(len(shard.draft.inputs)) if row not in shard.answers]
        waiting.extend((shard, row) for row in rows if not shard.recall([row]))

    def next(self, last: bool) -> _Batch | None:
        """See _Queue."""
        rows, again = self._rows[False], self._rows[True]
        open_shards = len({shard.number for shard, _ in again})
        if len(again) >= self._size or open_shards >= MOST_OPEN or (last and again and not rows):
            return self._batch(again, careful=True)
        return self._batch(rows, careful=False) if len(rows) >= self._size or (last and rows) else None

    def _batch(self, waiting: deque[tuple[_OpenShard, int]], careful: bool) -> _Batch:
        return _Batch([waiting.popleft() for _ in range(min(self._size, len(waiting)))], careful)


class Feed:
    """A loaded model, and what it needs to translate shards.

    `advance` is told the share of each shard that has its first attempt, `check` raises to stop. `tokens` are those of
    the sources that the model was given for the first time, `seconds` how long all that took. `memory` is for a
    translator whose rows are apart. `deadly` is told of shards with rows that ended a process, before their commit.
    """

    def __init__(
        self,
        shards: Shards,
        translator: Translator,
        glossaries: Mapping[str, Glossary],
        settings: TranslateSettings,
        advance: Callable[[float], None],
        check: Callable[[], None],
        memory: TranslationMemory | None = None,
        deadly: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._shards, self._translator, self._glossaries, self._settings = shards, translator, glossaries, settings
        self._advance, self._check, self._deadly = advance, check, deadly
        self._memory = memory or TranslationMemory()
        self.tokens, self.seconds = 0, 0.0
        self._journal = Journal(shards.store)
        self._queue: _Queue
        if translator.rows_apart:
            self._queue = _PooledQueue(settings.batch_rows or translator.engine.batch_rows)
        else:
            self._queue = _PlannedQueue(settings, translator)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mekong feed")

    def translate(self, todo: Sequence[tuple[int, str]]) -> None:
        """Translate and commit shards: the number and the key of each."""
        began = time.monotonic()
        waiting = iter(todo)
        in_hand: deque[tuple[_Batch, Future[list[Output]]]] = deque()
        most = IN_HAND if self._translator.rows_apart else 1
        try:
            while True:
                left = self._begin_more(waiting)
                batch = self._queue.next(last=not left)
                if batch is not None:
                    in_hand.append((batch, self._asked(batch)))
                    if len(in_hand) < most:
                        continue
                elif not in_hand:
                    break
                self._absorb(*in_hand.popleft())
                self._check()
        except Interrupted:
            self._finish(in_hand)
            raise
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)
        self._journal.close()
        self.seconds += time.monotonic() - began

    def _begin_more(self, waiting: Iterator[tuple[int, str]]) -> bool:
        """Begin shards until there is enough to do; whether there may be more of them."""
        while self._queue.is_short:
            number, key = next(waiting, (-1, ""))
            if number < 0:
                return False
            self._check()
            self._go_on(self._begun(number, key))
        return True

    def _begun(self, number: int, key: str) -> _OpenShard:
        segments, documents = to_translate(self._shards, number)
        draft = Draft(segments, documents, self._settings, self._translator, self._glossaries)
        shard = _OpenShard(number, key, segments, draft, self._journal.known)
        shard.answers = self._memory.recall(draft.inputs)
        shard.remembered = frozenset(shard.answers)
        return shard

    def _go_on(self, shard: _OpenShard) -> None:
        """Put the inputs of the attempt in hand into the queue; judge what is answered, commit what is whole."""
        if not shard.draft.inputs and shard.draft.number == 1:
            self._advance(self._shards.size(kinds.SEGMENTS, shard.number))
        while shard.draft.inputs:
            self._queue.add(shard)
            self._told(shard, shard.answers)
            if not shard.is_answered:
                return
            self._memory.remember(shard.judge())
        done = list(shard.draft.translations())
        check_count(shard.number, shard.segments, done)
        if shard.was_deadly:
            self._deadly(shard.number)
        self._shards.commit(kinds.TRANSLATIONS, shard.number, shard.key, done)
        self._journal.forget(shard.number)

    def _told(self, shard: _OpenShard, rows: Collection[int]) -> None:
        """Long rows count for more: they come first, and would make it look slow."""
        if shard.draft.number == 1 and rows:
            inputs = shard.draft.inputs
            share = sum(inputs[row].text_tokens for row in rows) / max(1, sum(row.text_tokens for row in inputs))
            self._advance(share * self._shards.size(kinds.SEGMENTS, shard.number))

    def _asked(self, batch: _Batch) -> Future[list[Output]]:
        inputs = batch.inputs
        if self._translator.rows_apart:
            return self._thread.submit(self._translator.generate, inputs, careful=batch.careful)
        answered: Future[list[Output]] = Future()
        answered.set_result(self._translator.generate(inputs, careful=batch.careful))
        return answered

    def _absorb(self, batch: _Batch, answered: Future[list[Output]]) -> None:
        hypotheses = self._translator.decoded(batch.inputs, answered.result())
        answers = [
            Answer(shard.answer_key(row), hypothesis)
            for (shard, row), hypothesis in zip(batch.places, hypotheses, strict=True)
        ]
        concerned: dict[int, tuple[_OpenShard, list[int]]] = {}
        for (shard, row), hypothesis in zip(batch.places, hypotheses, strict=True):
            shard.answers[row] = hypothesis
            self.tokens += hypothesis.src_tokens if shard.draft.number == 1 else 0
            concerned.setdefault(shard.number, (shard, []))[1].append(row)
        self._journal.commit(answers, set(concerned))
        for shard, rows in concerned.values():
            self._told(shard, rows)
            if shard.is_answered:
                self._memory.remember(shard.judge())
                self._go_on(shard)

    def _finish(self, in_hand: deque[tuple[_Batch, Future[list[Output]]]]) -> None:
        """Keep what the engine is in the middle of."""
        for batch, answered in in_hand:
            if not answered.cancel():
                self._absorb(batch, answered)
