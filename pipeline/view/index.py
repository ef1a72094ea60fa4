"""Where every pair of a run is, and what can be asked for: numbers only, so that a million pairs fit in memory.

A pair costs 41 bytes, 4 more a score, and a rejected one also its reasons (some 250 bytes).
Texts stay on disk.
"""

from __future__ import annotations

import math
from array import array
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.filter.decisions import Decision, text_key
from pipeline.types import Scored, Verdict

UNDECIDED, ACCEPTED, REJECTED = 0, 1, 2
NOT_A_NUMBER = math.nan
Mask = NDArray[np.bool_]


def _hashed(name: str) -> int:
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _shortened(text: str) -> int:
    """The first 64 bits of a hexadecimal hash, 0 of anything else: no text has that."""
    try:
        return int(text[:16], 16)
    except ValueError:
        return 0


@dataclass
class Names:
    """Strings as small numbers."""

    numbers: dict[str, int] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """The number of a name, a new one for a new name."""
        return self.numbers.setdefault(name, len(self.numbers))

    def mask(self, name: str, column: array[int]) -> Mask:
        """Where `column` has that name."""
        found: Mask = np.frombuffer(column, np.uint32) == self.numbers.get(name, 2**32 - 1)
        return found


class Index:
    """All pairs of a run in their order, numbered from 0."""

    def __init__(self, judged: Iterable[tuple[int, int, Scored, Verdict]]) -> None:
        """`judged`: shard, row in the shard, pair and what the rules say of it, in order."""
        self.origins, self.langs, self.documents = Names(), Names(), Names()
        self.scores: dict[str, array[float]] = {}
        self.reasons: dict[int, tuple[str, ...]] = {}
        self._kinds: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
        self._places = {name: array("I") for name in ("shard", "row", "origin", "lang", "document")}
        self._pairs, self._texts = array("Q"), array("Q")
        for shard, row, scored, verdict in judged:
            self._add(shard, row, scored, verdict)
        self.size = len(self._pairs)
        self._sorted = np.argsort(self._ids, kind="stable").astype(np.uint32)
        self.states = np.zeros(self.size, np.uint8)

    def _add(self, shard: int, row: int, scored: Scored, verdict: Verdict) -> None:
        pair, number = scored.pair, len(self._pairs)
        names = (
            self.origins.number(pair.origin),
            self.langs.number(pair.src_lang),
            self.documents.number(pair.src_doc),
        )
        for column, value in zip(self._places.values(), (shard, row, *names), strict=True):
            column.append(value)
        self._pairs.append(_hashed(pair.id))
        self._texts.append(_shortened(text_key(pair)))
        for name in [name for name in scored.scores if name not in self.scores]:
            self.scores[name] = array("f", [NOT_A_NUMBER]) * number
        for name, scores in self.scores.items():
            score = scored.scores.get(name)
            scores.append(NOT_A_NUMBER if score is None else score)
        if not verdict.keep:
            self.reasons[number] = verdict.texts
        for kind in verdict.kinds:
            self._kinds[kind].append(number)

    @property
    def _ids(self) -> NDArray[np.uint64]:
        return np.frombuffer(self._pairs, np.uint64)

    def find(self, pair: str) -> int | None:
        """The number of the pair with that id, None when there is none."""
        wanted = np.uint64(_hashed(pair))
        at = int(np.searchsorted(self._ids, wanted, sorter=self._sorted))
        if at == self.size or self._ids[self._sorted[at]] != wanted:
            return None
        return int(self._sorted[at])

    def place(self, number: int) -> tuple[int, int]:
        """Shard and row of a pair."""
        return self._places["shard"][number], self._places["row"][number]

    def note(self, decision: Decision) -> None:
        """Remember what was decided; a decision on other texts, or on no pair of this run, changes nothing."""
        number = self.find(decision.pair)
        if number is not None and self._texts[number] == _shortened(decision.text):
            self.states[number] = UNDECIDED if decision.keep is None else ACCEPTED if decision.keep else REJECTED

    def facets(self) -> dict[str, Any]:
        """What pairs can be chosen by, each with its number of pairs."""
        kinds = {name: len(rows) for name, rows in sorted(self._kinds.items())}
        return {
            "reasons": dict(sorted(kinds.items(), key=lambda item: -item[1])),
            "origins": self._counted(self.origins, "origin"),
            "langs": self._counted(self.langs, "lang"),
            "documents": self._counted(self.documents, "document"),
            "scores": list(self.scores),
        }

    def _counted(self, names: Names, column: str) -> dict[str, int]:
        counts = np.bincount(np.frombuffer(self._places[column], np.uint32), minlength=len(names.numbers))
        return {name: int(counts[number]) for name, number in names.numbers.items()}

    def show(self, what: str) -> Mask:
        """Pairs that the rules or a person kept or rejected, or that a person has or has not decided."""
        kept = np.ones(self.size, np.bool_)
        kept[list(self.reasons)] = False
        kept[self.states == ACCEPTED] = True
        kept[self.states == REJECTED] = False
        masks: dict[str, Mask] = {
            "all": np.ones(self.size, np.bool_),
            "kept": kept,
            "rejected": ~kept,
            "undecided": self.states == UNDECIDED,
            "decided": self.states != UNDECIDED,
        }
        return masks[what]

    def reason(self, kind: str) -> Mask:
        """Pairs that the rules rejected for a reason of that kind."""
        mask = np.zeros(self.size, np.bool_)
        mask[np.frombuffer(self._kinds.get(kind, array("I")), np.uint32)] = True
        return mask

    def origin(self, name: str) -> Mask:
        """Pairs of that origin."""
        return self.origins.mask(name, self._places["origin"])

    def lang(self, name: str) -> Mask:
        """Pairs of that source language."""
        return self.langs.mask(name, self._places["lang"])

    def document(self, name: str) -> Mask:
        """Pairs of the source document with that id."""
        return self.documents.mask(name, self._places["document"])

    def order(self, score: str, *, descending: bool) -> NDArray[np.intp]:
        """All pairs by a score, those without it last; in their own order for the empty name."""
        if not score:
            return np.arange(self.size)[:: -1 if descending else 1]
        values = np.frombuffer(self.scores[score], np.float32)
        return np.argsort(-values if descending else values, kind="stable")
