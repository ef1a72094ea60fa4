"""What the model has answered for shards that are not whole yet, so that a kill costs the batches in hand only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.engines.base import Hypothesis
from pipeline.files.store import Store

ANSWERS = "answers"
"""The folder of the batches, beside those of the stages; each part of a run has one of its own."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model made of one input; the `key` names the input and its place, see `keys.answer_key`."""

    key: str
    hypothesis: Hypothesis


class Journal:
    """The answers that are committed, batch by batch.

    A batch is forgotten when every shard that it has answers for is whole: what stands on disk, and what is held here,
    is that of the shards under way.
    """

    def __init__(self, store: Store) -> None:
        self._store, part = store, store.part
        self._stage = f"{ANSWERS}-{part.file_name}" if part else ANSWERS
        self._read = [self._stage] if part else _folders(store)
        """Its own folder, and of those that parts left, if nobody works at a part now."""
        self.known: Mapping[str, Hypothesis] = {
            answer.key: answer.hypothesis
            for stage in self._read
            for number in store.committed(stage)
            for answer in store.rows(stage, number, Answer)
        }
        """By key, the answers that a run before this one left."""
        self._next = max(store.committed(self._stage), default=-1) + 1
        self._open: dict[int, set[int]] = {}

    def commit(self, answers: Sequence[Answer], concerned: set[int]) -> None:
        """Keep the answers of a batch, which has rows of the shards `concerned`."""
        self._store.commit(self._stage, self._next, "", answers)
        self._open[self._next] = concerned
        self._next += 1

    def forget(self, shard: int) -> None:
        """A shard is whole."""
        for number, concerned in list(self._open.items()):
            concerned.discard(shard)
            if not concerned:
                del self._open[number]
                self._store.remove(self._stage, number)

    def close(self) -> None:
        """All shards are whole."""
        for stage in self._read:
            self._store.discard(stage)


def discard_answers(store: Store) -> None:
    """All shards of all parts are whole: of the way there a kill may have left answers."""
    for stage in _folders(store):
        store.discard(stage)


def _folders(store: Store) -> list[str]:
    """Those of a run in one piece, and of all parts."""
    return [ANSWERS, *store.stages(f"{ANSWERS}-*")]
