"""What the model has answered for shards that are not whole yet, so that a kill costs the batches in hand only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.engines.base import Hypothesis
from pipeline.files.store import Store

ANSWERS = "answers"
"""The folder of the batches, beside those of the stages."""


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
        self._store = store
        numbers = store.committed(ANSWERS)
        self.known: Mapping[str, Hypothesis] = {
            answer.key: answer.hypothesis for number in numbers for answer in store.rows(ANSWERS, number, Answer)
        }
        """By key, the answers that a run before this one left."""
        self._next = max(numbers, default=-1) + 1
        self._open: dict[int, set[int]] = {}

    def commit(self, answers: Sequence[Answer], concerned: set[int]) -> None:
        """Keep the answers of a batch, which has rows of the shards `concerned`."""
        self._store.commit(ANSWERS, self._next, "", answers)
        self._open[self._next] = concerned
        self._next += 1

    def forget(self, shard: int) -> None:
        """A shard is whole."""
        for number, concerned in list(self._open.items()):
            concerned.discard(shard)
            if not concerned:
                del self._open[number]
                self._store.remove(ANSWERS, number)

    def close(self) -> None:
        """All shards are whole."""
        self._store.discard(ANSWERS)
