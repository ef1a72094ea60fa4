"""Stage: pairs in, the same pairs with all their scores out. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from pipeline.stages.score.base import Columns, Context, Scorer
from pipeline.stages.score.pair_facts import PairFacts
from pipeline.types import Pair, Scored

VERSION = 2
"""Raised when scoring changes in a way that no signature shows."""
BATCH = 256
"""Pairs given to a scorer at once: enough to fill an encoder's batches, few enough to hold in memory."""


def score(pairs: Iterable[Pair], scorers: Sequence[Scorer], context: Context) -> Iterator[Scored]:
    """Score pairs in batches, in order; every pair has an entry for every score, None where it does not apply."""
    stream = iter(pairs)
    while batch := list(islice(stream, BATCH)):
        facts = [PairFacts(pair) for pair in batch]
        columns: Columns = {}
        for scorer in scorers:
            columns |= scorer.score(facts, context)
        for row, pair in enumerate(batch):
            yield Scored(pair, {name: column[row] for name, column in columns.items()})


def signatures(scorers: Sequence[Scorer]) -> dict[str, str]:
    """The signature of each score, by name."""
    return {name: signature for scorer in scorers for name, signature in scorer.signatures.items()}
