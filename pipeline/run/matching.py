"""Matching over the shards of a run: what was made for two documents stays as long as both are what they were.

A profile is made of each document, shard by shard; all are compared at once, which says what candidates there are; what
the sentences of a candidate say is worked out shard by shard, but for what the folder knows from earlier runs; then it
is settled over all which pairs are parallel. How rare an anchor is changes with every document, so that the comparison
is made anew each time; few of the candidates that come out of it are ones whose sentences were never compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, suppress
from functools import cached_property, partial

from pipeline.config.settings import AlignSettings
from pipeline.engines.devices import one_blas_thread
from pipeline.errors import StoreError
from pipeline.files.progress import Progress
from pipeline.run import keys
from pipeline.run import shards as kinds
from pipeline.run.shards import Place, Shards
from pipeline.run.work import CandidatePlace, ShardTask
from pipeline.stages.align.candidates import Candidate, one_to_one
from pipeline.stages.align.judging import Evidence, best_first, claims, document_pair, is_worth_judging, settled
from pipeline.stages.align.matching import Comparison, Profiled
from pipeline.stages.align.profiles import Profile
from pipeline.types import ENGLISH, DocumentPair

Options = list[tuple[int, Profiled, list[Candidate]]]
"""Of a shard: the row of each source document, what is known of it, and its candidates, best first."""


class ShardMatching:
    """The steps of matching that see all shards; what is made of one shard are tasks, to be carried out in between:
    `profile_tasks`, then `compare`, then `judge_tasks`, then `document_pairs`.
    """

    def __init__(self, shards: Shards, settings: AlignSettings, aligner: Sequence[str]) -> None:
        self._shards, self._settings, self._aligner = shards, settings, aligner
        self._judge_key = keys.judge_key(aligner)
        self._english: list[Profiled] = []
        self._options: list[Options] = [[] for _ in shards.numbers]

    def profile_tasks(self, translations: Sequence[str]) -> list[ShardTask]:
        """What is to be done for the profiles of all documents; `translations` are the keys of those of the shards."""
        size = self._shards.size
        profiled = [keys.profiles_key(key, self._aligner) for key in translations]
        return [ShardTask("profile", n, key, size(kinds.DOCUMENTS, n)) for n, key in enumerate(profiled)]

    def compare(self, progress: Progress, check: Callable[[], None]) -> None:
        """Find the candidates of each source document among all English ones; raises what `check` raises."""
        places = self._shards.source_places
        with one_blas_thread(), progress.task("match", len(places), "documents") as task:
            compared = Comparison(self._profiles, self._settings.candidates, check)
            self._english = compared.english
            with closing(compared.candidates()) as found:
                for (number, row), source, options in zip(places, compared.sources, found, strict=True):
                    check()
                    self._options[number].append((row, source, options))
                    task.advance(1)

    def _profiles(self) -> Iterator[tuple[bool, Profile]]:
        for number in self._shards.numbers:
            for one in self._shards.rows(kinds.PROFILES, number):
                yield one.lang != ENGLISH, one

    def judge_tasks(self) -> list[ShardTask]:
        """The candidates that were never judged, by shard. A shard that has none, but other ones now, is committed."""
        tasks = []
        for number in self._shards.numbers:
            wanted = self._wanted(number)
            key = keys.judged_key(sorted(wanted))
            if self._shards.done(kinds.JUDGED, number, key):
                continue
            before = _by_key([partial(self._shards.rows, kinds.JUDGED, number)])
            known = {one: found for one in wanted if (found := before.get(one) or self._known_elsewhere.get(one))}
            new = [place for one, place in wanted.items() if one not in known]
            if new:
                tasks.append(ShardTask("judge", number, key, len(new), candidates=new, known=list(known.values())))
            else:
                self._shards.commit(kinds.JUDGED, number, key, [known[one] for one in sorted(known)])
        return tasks

    @cached_property
    def _known_elsewhere(self) -> dict[str, Evidence]:
        """What is known of the documents of shards that are gone: one that comes or goes moves its neighbours."""
        return _by_key(self._shards.left_over(kinds.JUDGED))

    def _wanted(self, number: int) -> dict[str, CandidatePlace]:
        """What is to be known of the candidates of a shard, by its key; equal documents are judged once."""
        places = self._english_places
        found: dict[str, CandidatePlace] = {}
        for row, source, candidates in self._options[number]:
            for one in candidates:
                if is_worth_judging(one, source.has_vector, self._settings):
                    key = self._key(source, one)
                    found.setdefault(key, CandidatePlace(row, places[one.target], key))
        return found

    def _key(self, source: Profiled, candidate: Candidate) -> str:
        return keys.evidence_key(self._judge_key, source.content, self._english[candidate.target].content)

    @cached_property
    def _english_places(self) -> list[Place]:
        return self._shards.english_places

    def document_pairs(self) -> Iterator[tuple[int, list[DocumentPair]]]:
        """The candidates of each shard, best first, with what they are; the parallel ones are one to one."""
        numbers = self._shards.numbers
        granted = one_to_one(claim for number in numbers for claim in claims(self._judged(number)))
        for number in numbers:
            yield number, settled(self._judged(number), granted)

    def _judged(self, number: int) -> Iterator[DocumentPair]:
        options = self._options[number]
        seen = {one.key: one for one in self._shards.rows(kinds.JUDGED, number)} if options else {}
        for _, source, candidates in options:
            pairs = []
            for one in candidates:
                worth = is_worth_judging(one, source.has_vector, self._settings)
                found = seen[self._key(source, one)] if worth else None
                pairs.append(document_pair(source.doc_id, self._english[one.target].doc_id, one, found, self._settings))
            yield from best_first(pairs)


def _by_key(shards: Iterable[Callable[[], list[Evidence]]]) -> dict[str, Evidence]:
    """The evidence that can be read; what a damaged shard holds, or one of another version, is found out again."""
    found: dict[str, Evidence] = {}
    for read in shards:
        with suppress(StoreError):
            found |= {one.key: one for one in read()}
    return found
