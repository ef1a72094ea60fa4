"""What the model has answered for shards that are not whole yet, so that a kill costs the batches in hand only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.engines.base import Hypothesis
from pipeline.run.shards import Answer, Shards


class Journal:
    """The answers that are committed, batch by batch.

    A batch is forgotten when every shard that it has answers for is whole: what stands on disk, and what is held here,
    is that of the shards under way.
    """

    def __init__(self, shards: Shards) -> None:
        self._shards = shards
        left = shards.answers()
        self.known: Mapping[str, Hypothesis] = {
            answer.key: answer.hypothesis for answers in left.values() for answer in answers
        }
        """By key, the answers that a run before this one left."""
        self._next = max(left, default=-1) + 1
        self._open: dict[int, set[int]] = {}

    def commit(self, answers: Sequence[Answer], concerned: set[int]) -> None:
        """Keep the answers of a batch, which has rows of the shards `concerned`."""
        self._shards.commit_answers(self._next, answers)
        self._open[self._next] = concerned
        self._next += 1

    def forget(self, shard: int) -> None:
        """A shard is whole."""
        for number, concerned in list(self._open.items()):
            concerned.discard(shard)
            if not concerned:
                del self._open[number]
                self._shards.forget_answers(number)

    def close(self) -> None:
        """All shards are whole."""
        self._shards.forget_answers()
