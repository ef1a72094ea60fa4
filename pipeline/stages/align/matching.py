"""Matching: which English document belongs to a source document.

Every source is compared with every English document by vectors and anchors (`candidates`), and its most similar ones
are judged by their sentences (`judging`). In memory are, for the time of the comparison, the vectors of all English
documents (16 kB each with 512 dimensions) and the anchors of all documents; while candidates are judged, the views of
VIEWS_HELD bytes of English documents.

Judging rests on two documents alone. What rests on all of them is how rare an anchor is, hence which candidates there
are, and which of two sources gets a document that both claim.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from pipeline.config.settings import AlignSettings
from pipeline.engines.devices import cores, one_blas_thread
from pipeline.engines.encoders.base import Encoder, Vectors
from pipeline.stages.align.anchor_table import AnchorTable
from pipeline.stages.align.candidates import Candidate, CandidateSearch, one_to_one, search_ahead
from pipeline.stages.align.encoded import View
from pipeline.stages.align.judging import (
    Evidence,
    best_first,
    claims,
    document_pair,
    evidence,
    is_worth_judging,
    settled,
)
from pipeline.stages.align.lexicons import Lexicons, no_lexicons
from pipeline.stages.align.profiles import Profile, profile
from pipeline.stages.align.sides import Side, view_of_source, view_of_target
from pipeline.types import DocumentPair

VERSION = 1
"""Of profiles and candidates; judging has that of the alignment."""
VIEWS_HELD = 128_000_000
"""Bytes of views of English documents, in each process that judges."""
ReadProfiles = Callable[[], Iterable[tuple[bool, Profile]]]


def _never() -> None:
    """Nobody asks to stop."""


@dataclass(frozen=True, slots=True)
class Profiled:
    """Of a profile what stays in memory."""

    doc_id: str
    content: str
    has_vector: bool


class Comparison:
    """The documents of the whole input, compared: `sources` and `english` in order, as `read` gives them: whether it is
    a source, and its profile.

    Profiles are read twice, those of the sources block by block at last. `check` raises to stop.
    """

    def __init__(self, read: ReadProfiles, limit: int, check: Callable[[], None] = _never) -> None:
        self._read, self._check = read, check
        self.sources: list[Profiled] = []
        self.english: list[Profiled] = []
        ours, theirs, vectors = AnchorTable(), AnchorTable(), _Matrix()
        for is_source, one in read():
            check()
            known = Profiled(one.doc_id, one.content, bool(one.vector))
            if is_source:
                self.sources.append(known)
                ours.add(one.anchors)
            else:
                self.english.append(known)
                theirs.add(one.anchors)
                vectors.add(one.numbers)
        wanted = any(source.has_vector for source in self.sources)
        self._search = CandidateSearch(ours, theirs, vectors.rows if wanted else None, limit)

    def candidates(self) -> Generator[list[Candidate]]:
        """The candidates of each source in order, best first."""
        threads = cores()
        return search_ahead(self._search, self._blocks(self._search.rows_at_once(threads)), threads)

    def _blocks(self, size: int) -> Iterator[tuple[NDArray[np.bool_], Vectors | None]]:
        sources = (one for is_source, one in self._read() if is_source)
        while block := list(islice(sources, size)):
            self._check()
            vectors = _Matrix()
            for one in block:
                vectors.add(one.numbers)
            yield np.array([bool(one.vector) for one in block]), vectors.rows


class _Matrix:
    """Vectors one below the other, zeros where there is none; grows without a second copy of them all."""

    def __init__(self) -> None:
        self._entries = array("f")
        self._width = self._count = 0

    def add(self, vector: Vectors | None) -> None:
        """Append a row."""
        if vector is not None and not self._width:
            self._width = len(vector)
            self._entries.frombytes(bytes(self._entries.itemsize * self._width * self._count))
        self._entries.frombytes(bytes(self._entries.itemsize * self._width) if vector is None else vector.tobytes())
        self._count += 1

    @property
    def rows(self) -> Vectors | None:
        """All of them, (rows, d); None where there is no vector."""
        return np.frombuffer(self._entries, dtype=np.float32).reshape(self._count, -1) if self._width else None


class CandidateJudge:
    """Judges candidates by their sentences; holds the views of the English documents that were asked for last."""

    def __init__(self, encoder: Encoder, lexicons: Lexicons) -> None:
        self._encoder, self._lexicons = encoder, lexicons
        self._views: OrderedDict[tuple[str, bool], View] = OrderedDict()
        self._held = 0

    def __call__(self, source: Side, targets: Iterable[tuple[str, Callable[[], Side]]]) -> Iterator[Evidence]:
        """What the sentences of a source and of each of its candidates say; of a candidate its key is given, and what
        loads it."""
        view: View | None = None
        for key, load in targets:
            view = view or view_of_source(source, self._encoder, self._lexicons)
            yield evidence(key, view, self._view(load(), view.vectors is not None))

    def _view(self, target: Side, readable: bool) -> View:
        """The view of a target, without vectors where the source is not `readable` either."""
        key = target.document.id, readable
        view = self._views.pop(key, None)
        if view is None:
            view = view_of_target(target, self._encoder, readable)
            self._held += view.nbytes
        self._views[key] = view
        while self._held > VIEWS_HELD and len(self._views) > 1:
            _, oldest = self._views.popitem(last=False)
            self._held -= oldest.nbytes
        return view


def match(
    sources: Sequence[Side],
    targets: Sequence[Side],
    settings: AlignSettings,
    encoder: Encoder,
    lexicons: Lexicons = no_lexicons,
) -> list[DocumentPair]:
    """Judge the `settings.candidates` most similar English documents of each source document, best first, in this
    process and with nothing known before.

    Parallel pairs are one to one: of pairs that share a document only the one with the best score stays parallel.
    """
    with one_blas_thread():
        profiles = [(True, profile(side, encoder)) for side in sources]
        profiles += [(False, profile(side, encoder)) for side in targets]
        compared = Comparison(lambda: profiles, settings.candidates)
        judge = CandidateJudge(encoder, lexicons)
        pairs: list[DocumentPair] = []
        for side, known, options in zip(sources, compared.sources, compared.candidates(), strict=True):
            worth = [one.target for one in options if is_worth_judging(one, known.has_vector, settings)]
            loaders = [(str(one), partial(targets.__getitem__, one)) for one in worth]
            seen = dict(zip(worth, judge(side, loaders), strict=True))
            pairs += best_first(
                document_pair(known.doc_id, compared.english[one.target].doc_id, one, seen.get(one.target), settings)
                for one in options
            )
        return settled(pairs, one_to_one(claims(pairs)))
