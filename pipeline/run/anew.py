"""What a run would make anew, stage by stage, found out from keys alone: nothing is loaded and nothing written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from pipeline.errors import MekongError
from pipeline.files.store import digest
from pipeline.run import keys
from pipeline.run import shards as kinds
from pipeline.run.manifest import Manifest, is_finished
from pipeline.run.order import Placed, Placement, read_order
from pipeline.run.run import Run
from pipeline.run.shards import Shards
from pipeline.types import Document

T = TypeVar("T")
NAMED = 3
"""Documents that are named; of more it is said how many."""


@dataclass(frozen=True, slots=True)
class StageWork:
    """The shards that a stage would make anew, of how many. `at_least`: more, if documents are matched otherwise."""

    stage: str
    shards: int
    of: int
    at_least: bool = False


@dataclass
class InputChanges:
    """Where shards of the input would lie, and which documents are not those of the shards that lie there."""

    run: Run
    placed: list[Placed] = field(default_factory=list)
    _new: dict[str, _Known] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.before = read_order(self.run.out)
        self._texts = {one.texts for one in self.before}
        self._placement = Placement(self.before)

    def place(self, documents: Sequence[Document]) -> None:
        """Take the next shard."""
        one = self._placement.place(keys.texts_key(documents))
        self.placed.append(one)
        if one.texts not in self._texts:
            self._new |= {document.id: _Known(document) for document in documents}

    def said(self) -> list[str]:
        """What is new, changed and gone, for people."""
        there = {one.texts for one in self.placed}
        slots = [one.slot for one in self.before if one.texts not in there]
        left = Shards(self.run.store, len(slots), slots)
        old = {
            document.id: _Known(document)
            for number in left.numbers
            if left.is_committed(kinds.DOCUMENTS, number)
            for document in left.documents(number)
        }
        same = old.keys() & self._new.keys()
        changed = [self._new[name].name for name in same if old[name].text != self._new[name].text]
        new = {name: known.path for name, known in self._new.items() if name not in same}
        gone = {name: known.path for name, known in old.items() if name not in same}
        alone = {path for path, count in Counter(new.values()).items() if count == 1}
        rewritten = alone & {path for path, count in Counter(gone.values()).items() if count == 1}
        found = {
            "new": [self._new[name].name for name, path in new.items() if path not in rewritten],
            "changed": sorted([*changed, *rewritten]),
            "gone": [old[name].name for name, path in gone.items() if path not in rewritten],
        }
        return [f"{len(names):,} {what}: {_listed(names)}" for what, names in found.items() if names]


class _Known:
    """What tells a document from another one of its id, or of its file: if it states no id, its text makes it one."""

    def __init__(self, document: Document) -> None:
        self.text, self.path = digest(document.lang, document.text), document.source.path
        self.name = document.id if document.source.line else self.path


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")


def anew(run: Run, placed: Sequence[Placed]) -> list[StageWork]:
    """The work of each stage on the shards `placed`; a stage whose model is not in the store would make all of them."""
    run.take(placed)
    run.key_segments()
    count, every = len(placed), set(range(len(placed)))
    read = _missing(run, kinds.DOCUMENTS, every)
    segment = {n for n in every if not run.shards.done(kinds.SEGMENTS, n, run.segment_keys[n])}
    with suppress(MekongError):  # without keys nothing counts as done
        run.key_translations()
    translate = set(run.untranslated())
    match, align = _matched(run, read, translate)
    score = _scored(run, align)
    found = {"read": read, "segment": segment, "translate": translate, "match": match, "align": align, "score": score}
    may_grow = bool(match)
    return [
        StageWork(stage, len(shards), count, may_grow and stage in ("align", "score") and len(shards) < count)
        for stage, shards in found.items()
    ]


def _missing(run: Run, kind: kinds.ShardKind[T], numbers: Iterable[int]) -> set[int]:
    return {number for number in numbers if not run.shards.is_committed(kind, number)}


def _matched(run: Run, read: set[int], translate: set[int]) -> tuple[set[int], set[int]]:
    """The shards to be matched, and those to be aligned if the documents are matched as they were."""
    every = set(run.shards.numbers)
    try:
        aligner = run.resources.aligner_digests()
    except MekongError:
        return every, every
    if read or translate:
        return every, translate | _missing(run, kinds.PAIRS, every)
    key = keys.document_pairs_key(run.segment_keys, run.translation_keys, run.config.align, aligner)
    match = {n for n in every if not run.shards.done(kinds.DOCUMENT_PAIRS, n, key)}
    if _missing(run, kinds.DOCUMENT_PAIRS, every):
        return match, every
    run.pair_keys = [run.alignment(number, aligner).key for number in run.shards.numbers]
    return match, {n for n in every if not run.shards.done(kinds.PAIRS, n, run.pair_keys[n])}


def _scored(run: Run, align: set[int]) -> set[int]:
    """Signatures of scores are known only to who loads their models, so those of the finished run stand for them."""
    every = set(run.shards.numbers)
    if not run.pair_keys or not is_finished(run.out):
        return align | _missing(run, kinds.SCORED, every)
    signatures = Manifest.read(run.out).signatures
    made = {n for n in every if run.shards.done(kinds.SCORED, n, keys.scored_key(run.pair_keys[n], signatures))}
    return align | (every - made)
