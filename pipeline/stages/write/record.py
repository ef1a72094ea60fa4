"""The row that every corpus format writes."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from pipeline.errors import StoreError
from pipeline.types import Origin, Scored, Source, Verdict


@dataclass(frozen=True, slots=True)
class CorpusRow:
    """A judged pair with the sources of its two documents.

    `english` is None for `translated` pairs; `model` names the translation model, empty for `aligned` pairs. `columns`
    are what the file of a given pair said beside it.
    """

    scored: Scored
    verdict: Verdict
    source: Source
    english: Source | None = None
    model: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A pair as it is published; the fields are the keys of `pairs.jsonl`, in this order.

    `licence` is an SPDX expression over both sides ("A AND B" where they differ), empty when a side states none.
    Spans are character offsets into the documents' texts. `model_use` is "trial" where the model is not to be believed
    unread, else empty. `accepted_by_hand`: a person took the pair in. `columns`: further columns of a .tsv.
    """

    id: str
    origin: Origin
    src_lang: str
    tgt_lang: str
    src_text: str
    tgt_text: str
    src_doc: str
    tgt_doc: str
    src_path: str
    tgt_path: str
    url: str
    tgt_url: str
    licence: str
    src_spans: tuple[tuple[int, int], ...]
    tgt_spans: tuple[tuple[int, int], ...]
    scores: dict[str, float | None]
    model: str
    model_use: str
    generated_by_machine: bool
    accepted_by_hand: bool
    columns: tuple[str, ...]


class Writer(ABC):
    """One corpus format: a context manager whose files appear, durably, when it is left without an error."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self.rows = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.open(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    @abstractmethod
    def open(self, stack: ExitStack) -> None:
        """Open the files; `stack` closes them."""

    @abstractmethod
    def add(self, record: Record) -> None:
        """Write one pair."""

    @abstractmethod
    def counts(self) -> dict[str, int]:
        """Pairs written and characters changed, by name."""


def make_record(row: CorpusRow, trial: Collection[str] = ()) -> Record:
    """The published form of a judged pair; `trial` are the models that are not to be believed unread.

    Raises StoreError when the verdict belongs to another pair or a score is not a finite number.
    """
    pair, scores = row.scored.pair, row.scored.scores
    if row.verdict.pair_id != pair.id:
        raise StoreError(f"the verdict on {row.verdict.pair_id!r} came with pair {pair.id!r}", "Report this as a bug.")
    for name, value in scores.items():
        if value is not None and not math.isfinite(value):
            raise StoreError(f"score {name!r} of pair {pair.id!r} is {value}", "Report this as a bug.")
    english = row.english or Source(path="")
    return Record(
        id=pair.id,
        origin=pair.origin,
        src_lang=pair.src_lang,
        tgt_lang="en",
        src_text=pair.src_text,
        tgt_text=pair.tgt_text,
        src_doc=pair.src_doc,
        tgt_doc=pair.tgt_doc,
        src_path=row.source.path,
        tgt_path=english.path,
        url=row.source.url,
        tgt_url=english.url,
        licence=_licence(row),
        src_spans=pair.src_spans,
        tgt_spans=pair.tgt_spans,
        scores=scores,
        model=row.model,
        model_use="trial" if row.model in trial else "",
        generated_by_machine=pair.origin == "translated",
        accepted_by_hand=row.verdict.keep and row.verdict.by_hand,
        columns=row.columns,
    )


def _licence(row: CorpusRow) -> str:
    """A pair may be used as both sides allow; one side without a licence leaves the pair without."""
    if row.english is None:
        return row.source.licence
    sides = sorted({row.source.licence, row.english.licence})
    if len(sides) == 1 or "" in sides:
        return sides[0]
    return " AND ".join(f"({side})" if " OR " in side else side for side in sides)
