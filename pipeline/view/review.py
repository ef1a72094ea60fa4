"""What the page asks for and says: plain data in, plain data out, no HTTP."""

from __future__ import annotations

import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import orjson
from pydantic import Field, ValidationError

from pipeline.config.settings import Settings
from pipeline.errors import InputError, StoreError
from pipeline.report.page import ENDED
from pipeline.report.rows import label
from pipeline.run.folder import read_settings
from pipeline.run.manifest import finished_shards
from pipeline.run.shards import DOCUMENTS, SCORED, Place, Shards
from pipeline.run.verdicts import judged
from pipeline.stages.filter.decisions import Decisions, decide, text_key
from pipeline.types import Pair, Scored, Verdict
from pipeline.view.index import ACCEPTED, REJECTED, UNDECIDED, Index, Mask

KEPT_SEARCHES = 4
LISTED_DOCUMENTS = 2000
"""More are not offered as a list; the page still chooses the document of a pair."""
S = TypeVar("S", bound=Settings)


class Query(Settings):
    """Which pairs, in which order; `after` is the number of the last pair that the page has, -1 for none."""

    show: Literal["all", "kept", "rejected", "undecided", "decided"] = "all"
    reason: str = ""
    origin: str = ""
    lang: str = ""
    document: str = ""
    search: str = Field(default="", max_length=1000)
    sort: str = ""
    order: Literal["ascending", "descending"] = "ascending"
    after: int = -1
    limit: int = Field(default=50, ge=1, le=200)
    facets: bool = False


class Choice(Settings):
    """What a person decided: the pair, the hash of the texts that they saw, and true, false or null."""

    pair: str
    text: str
    keep: bool | None


class Changed(StoreError):
    """What the page shows is no longer what the run holds."""


class Review:
    """The pairs of one run and the decisions about them; safe to call from several threads."""

    def __init__(self, folder: Path, warn: Callable[[str], None]) -> None:
        """Read all scored pairs once.

        Raises StoreError when the folder holds no scored pairs or is damaged, ConfigError when its settings are.
        """
        self.folder = folder
        self.config = read_settings(folder)
        self.shards = Shards.scored_in(folder, finished_shards(folder))
        self._keys = [self.shards.key(SCORED, shard) for shard in self.shards.numbers]
        self.decisions = Decisions(folder, warn)
        self.decisions.refresh()
        self.index = Index(self._judged())
        self.labels = {
            document.id: label(document.source)
            for shard in self.shards.numbers
            if self.shards.size(DOCUMENTS, shard)  # a filtered corpus has none
            for document in self.shards.documents(shard)
        }
        self._lock = threading.RLock()
        self._restarts = -1
        self._found: OrderedDict[str, Mask] = OrderedDict()
        self.made = 0
        self._follow()

    def _judged(self) -> Iterator[tuple[int, int, Scored, Verdict]]:
        """What the rules say of each pair; what people decided is laid over it by the index, as it changes."""
        rows: Iterator[tuple[Place, Scored]] = (
            ((shard, row), scored) for shard in self.shards.numbers for row, scored in enumerate(self._rows(shard))
        )
        for place, scored, verdict in judged(rows, self.config.filter):
            yield *place, scored, verdict

    def _rows(self, shard: int, only: Sequence[int] | None = None) -> list[Scored]:
        if self.shards.key(SCORED, shard) != self._keys[shard]:
            raise Changed("the run was made anew while it was looked at", "Start `mekong view` again.")
        return self.shards.scored(shard, only)

    def _follow(self) -> None:
        """Take in what was appended to the file of decisions."""
        new = self.decisions.refresh()
        if self._restarts != self.decisions.restarts:
            self._restarts = self.decisions.restarts
            self.index.states[:] = UNDECIDED
            new = list(self.decisions.latest.values())
        for decision in new:
            self.index.note(decision)

    def pairs(self, parameters: dict[str, str]) -> dict[str, Any]:
        """A page of pairs, with the progress and, when asked, what can be chosen.

        Raises InputError when a parameter is not one of `Query`.
        """
        query = _parsed(Query, parameters, strict=False)
        with self._lock:
            self._follow()
            numbers, total, left = self._chosen(query)
            page = list(zip(numbers, self._scored(numbers), strict=True))
            problems = self._problems(page)
            rows = [self._row(number, scored, problems) for number, scored in page]
            found = {"total": total, "rows": rows, "left": left, "progress": self.progress()}
            return found | ({"facets": self._facets()} if query.facets else {})

    def _chosen(self, query: Query) -> tuple[list[int], int, int]:
        """The numbers of a page, how many pairs there are on all pages, and how many after this one."""
        index = self.index
        mask = index.show(query.show)
        for name in ("reason", "origin", "lang", "document"):
            value = getattr(query, name)
            if value:
                mask &= getattr(index, name)(value)
        if query.search.strip():
            mask &= self._search(query.search)
        if query.sort and query.sort not in index.scores:
            raise InputError(f"no score {query.sort!r} in this run", f"Scores: {', '.join(index.scores)}")
        order = index.order(query.sort, descending=query.order == "descending")
        past = np.flatnonzero(order == query.after)
        rest = order[past[0] + 1 :] if len(past) else order
        rest = rest[mask[rest]]
        page = [int(number) for number in rest[: query.limit]]
        return page, int(mask.sum()), len(rest) - len(page)

    def _search(self, text: str) -> Mask:
        """Pairs that have the text in their source, their English or their id, whatever the case."""
        wanted = unicodedata.normalize("NFC", text.strip()).casefold()
        if wanted not in self._found:
            sides = ((pair.src_text, pair.tgt_text, pair.id) for pair in self._pairs())
            hits = (any(wanted in side.casefold() for side in three) for three in sides)
            self._found[wanted] = np.fromiter(hits, np.bool_, self.index.size)
        while len(self._found) > KEPT_SEARCHES:
            self._found.popitem(last=False)
        return self._found[wanted]

    def _pairs(self) -> Iterator[Pair]:
        return (scored.pair for shard in self.shards.numbers for scored in self._rows(shard))

    def _scored(self, numbers: Sequence[int]) -> list[Scored]:
        """The pairs of these numbers, each shard opened once."""
        places = [self.index.place(number) for number in numbers]
        wanted: dict[int, list[int]] = {}
        for shard, row in places:
            wanted.setdefault(shard, []).append(row)
        found = {
            (shard, row): scored
            for shard, rows in wanted.items()
            for row, scored in zip(rows, self._rows(shard, rows), strict=True)
        }
        return [found[place] for place in places]

    def _problems(self, page: Sequence[tuple[int, Scored]]) -> dict[str, list[str]]:
        """What the guards of translation found, by segment, where a pair of the page did not pass them."""
        shards = {self.index.place(number)[0] for number, scored in page if scored.scores.get("guard") == 0}
        return {
            made.segment_id: [ENDED.get(made.ended, made.ended), *made.problems]
            for shard in sorted(shards)
            for made in self.shards.translations(shard)
            if made.ended not in ("stop", "skipped")
        }

    def _row(self, number: int, scored: Scored, problems: dict[str, list[str]]) -> dict[str, Any]:
        pair = scored.pair
        translated = pair.origin == "translated"
        return {
            "number": number,
            "pair": pair.id,
            "text": text_key(pair),
            "lang": pair.src_lang,
            "src": pair.src_text,
            "tgt": pair.tgt_text,
            "origin": pair.origin,
            "src_doc": pair.src_doc,
            "document": self.labels.get(pair.src_doc, pair.src_doc),
            "english": self.labels.get(pair.tgt_doc, pair.tgt_doc),
            "scores": {name: score for name, score in scored.scores.items() if score is not None},
            "reasons": self.index.reasons.get(number, ()),
            "problems": [what for name in pair.src_segments if translated for what in problems.get(name, ())],
            "decision": {UNDECIDED: None, ACCEPTED: True, REJECTED: False}[int(self.index.states[number])],
        }

    def _facets(self) -> dict[str, Any]:
        facets = self.index.facets()
        counts = facets["documents"] if len(facets["documents"]) <= LISTED_DOCUMENTS else {}
        documents = [
            {"id": name, "label": self.labels.get(name, name), "pairs": n} for name, n in counts.items() if name
        ]
        return facets | {"documents": documents}

    def progress(self) -> dict[str, int]:
        """How many pairs there are, and how many a person accepted and rejected."""
        counts = np.bincount(self.index.states, minlength=3)
        return {"pairs": self.index.size, "accepted": int(counts[ACCEPTED]), "rejected": int(counts[REJECTED])}

    def decide(self, body: bytes) -> dict[str, Any]:
        """Store one decision; returns the progress. It is on disk when this returns.

        Raises InputError when `body` is no decision or names no pair, Changed when the texts are not those of the pair,
        StoreError when it cannot be stored.
        """
        try:
            data = orjson.loads(body)
        except ValueError as error:
            raise InputError(f"the body is not JSON: {error}") from error
        choice = _parsed(Choice, data, strict=True)
        with self._lock:
            number = self.index.find(choice.pair)
            if number is None:
                raise InputError(f"no pair {choice.pair!r} in this run")
            pair = self._scored([number])[0].pair
            if (pair.id, text_key(pair)) != (choice.pair, choice.text):
                raise Changed(f"the texts of pair {choice.pair!r} have changed", "Start `mekong view` again.")
            self.decisions.append(decide(pair, choice.keep))
            self.made += 1
            self._follow()
            return {"progress": self.progress()}

    def finish(self) -> None:
        """Wait for a decision that is being written; no other one is taken after this."""
        self._lock.acquire()


def _parsed(kind: type[S], data: Any, *, strict: bool) -> S:
    try:
        return kind.model_validate(data, strict=strict)
    except ValidationError as error:
        what = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in error.errors())
        raise InputError(what) from error
