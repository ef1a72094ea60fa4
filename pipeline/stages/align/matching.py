"""Matching: which English document belongs to a source document.

Every source is compared with every English document by vectors and anchors (`candidates`), and its most similar ones
are judged by their sentences (`judging`). In memory are, for the time of it, the vectors of all English documents
(16 kB each with 512 dimensions), the anchors of all documents, and the views of VIEWS_HELD bytes of English documents.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from pipeline.config.settings import AlignSettings
from pipeline.engines.devices import cores, one_blas_thread
from pipeline.engines.encoders.base import Encoder, Vectors
from pipeline.files.progress import Progress
from pipeline.stages.align.anchor_table import AnchorTable
from pipeline.stages.align.anchors import anchors
from pipeline.stages.align.candidates import Candidate, CandidateSearch, search_ahead, windowed
from pipeline.stages.align.encoded import View
from pipeline.stages.align.judging import DIGITS, judge, rank, settled
from pipeline.stages.align.lexicons import Lexicons, no_lexicons
from pipeline.stages.align.sides import Side, kept_segments, readable_texts, view_of_source, view_of_target
from pipeline.types import DocumentPair

ANCHOR_SHARE = 0.5
"""Cosines of anchors alone are lower than those with vectors: `min_similarity` counts by this share."""
TEXTS_AT_ONCE = 128
"""Texts of several documents that the encoder gets together: seconds even on a slow processor."""
DOCUMENTS_AT_ONCE = 16
VIEWS_HELD = 256_000_000
"""Bytes of views of English documents."""


def _never() -> None:
    """Nobody asks to stop."""


@dataclass(frozen=True, slots=True)
class Matching:
    """What the steps of one matching share; `check` raises to stop, and is called every few documents."""

    sources: Sequence[Side]
    targets: Sequence[Side]
    settings: AlignSettings
    encoder: Encoder
    lexicons: Lexicons
    check: Callable[[], None]


def match(
    sources: Sequence[Side],
    targets: Sequence[Side],
    settings: AlignSettings,
    encoder: Encoder,
    lexicons: Lexicons = no_lexicons,
    progress: Progress | None = None,
    check: Callable[[], None] = _never,
) -> list[DocumentPair]:
    """Judge the `settings.candidates` most similar English documents of each source document, best first.

    Parallel pairs are one to one: of pairs that share a document only the one with the best score stays parallel. Both
    sequences may load a document when it is asked for; the sources are asked for twice. Raises what `check` raises.
    """
    progress = progress or Progress(quiet=True)
    work = Matching(sources, targets, settings, encoder, lexicons, check)
    with one_blas_thread():
        with progress.task("profiles", len(sources) + len(targets), "documents") as task:
            names, readable, search = _profiles(work, task.advance)
        with progress.task("match", len(sources), "documents") as task:
            return settled(_judged(work, names, readable, search, task.advance))


# -- profiles -------------------------------------------------------------------------------------------------------


def _profiles(work: Matching, advance: Callable[[float], None]) -> tuple[list[str], NDArray[np.bool_], CandidateSearch]:
    """The names of the English documents, which sources have a vector, and the search among the former."""
    ours, theirs = AnchorTable(), AnchorTable()
    readable = np.zeros(len(work.sources), dtype=np.bool_)
    for number, side in enumerate(work.sources):
        work.check()
        ours.add(_anchors(side))
        readable[number] = bool(readable_texts(side, work.encoder))
        advance(1)
    names: list[str] = []

    def noted() -> Iterator[Side]:
        for side in work.targets:
            names.append(side.document.id)
            theirs.add(_anchors(side))
            yield side

    matrix = _vectors(work, noted(), len(work.targets), bool(readable.any()), advance)
    return names, readable, CandidateSearch(ours, theirs, matrix, work.settings.candidates)


def _anchors(side: Side) -> Counter[str]:
    return anchors("\n".join(segment.text for segment in kept_segments(side)), side.document.lang)


def _vectors(
    work: Matching, sides: Iterator[Side], number: int, wanted: bool, advance: Callable[[float], None]
) -> Vectors | None:
    """The vectors (number, WINDOWS * d) of `number` documents, zero where nothing can be read; None where all are, or
    none is wanted."""
    matrix: Vectors | None = None
    for first in range(0, number, DOCUMENTS_AT_ONCE):
        work.check()
        some = list(islice(sides, DOCUMENTS_AT_ONCE))
        texts = [readable_texts(side, work.encoder) if wanted else [] for side in some]
        encoded = _encoded([text for own in texts for text in own], work)
        for row, (side, own) in enumerate(zip(some, texts, strict=True), first):
            if own:
                lengths = np.array([len(segment.text) for segment in kept_segments(side)], dtype=np.float64)
                vector = windowed(np.stack(list(islice(encoded, len(own)))), lengths)
                if matrix is None:
                    matrix = np.zeros((number, len(vector)), dtype=np.float32)
                matrix[row] = vector
        advance(len(some))
    return matrix


def _encoded(texts: Sequence[str], work: Matching) -> Iterator[Vectors]:
    """The vectors of texts, one by one."""
    for first in range(0, len(texts), TEXTS_AT_ONCE):
        work.check()
        yield from work.encoder.encode(texts[first : first + TEXTS_AT_ONCE])


# -- judging --------------------------------------------------------------------------------------------------------


def _judged(
    work: Matching,
    names: Sequence[str],
    readable: NDArray[np.bool_],
    search: CandidateSearch,
    advance: Callable[[float], None],
) -> Iterator[DocumentPair]:
    """Every source in order with each of its candidates; a source counts half when it is encoded, half when judged."""
    threads = cores()
    size = search.rows_at_once(threads)
    encoded: deque[Side] = deque()

    def blocks() -> Iterator[tuple[NDArray[np.bool_], Vectors | None]]:
        for first in range(0, len(work.sources), size):
            sides = list(work.sources[first : first + size])
            encoded.extend(sides)
            own = readable[first : first + size]
            yield own, _vectors(work, iter(sides), len(sides), bool(own.any()), lambda done: advance(done / 2))

    judge_all = CandidateJudge(work, names)
    with closing(search_ahead(search, blocks(), threads)) as found:
        for options, has_vector in zip(found, readable, strict=True):
            yield from judge_all(encoded.popleft(), options, bool(has_vector))
            advance(0.5)


class CandidateJudge:
    """Judges candidates by their sentences; holds the views of the English documents that were asked for last."""

    def __init__(self, work: Matching, names: Sequence[str]) -> None:
        self._work, self._names = work, names
        self._views: OrderedDict[tuple[int, bool], View] = OrderedDict()
        self._held = 0

    def __call__(self, side: Side, options: Sequence[Candidate], has_vector: bool) -> list[DocumentPair]:
        """The candidates of a source, best first; those that are not similar enough are unrelated unseen."""
        work = self._work
        least = work.settings.min_similarity * (1 if has_vector else ANCHOR_SHARE)
        source: View | None = None
        pairs = []
        for option in options:
            work.check()
            similarity = round(option.similarity, DIGITS)
            pair = DocumentPair(side.document.id, self._names[option.target], similarity, 0.0, 0.0, 0.0, "unrelated")
            if option.similarity >= least:
                source = source or view_of_source(side, work.encoder, work.lexicons)
                pair = judge(pair, source, self._view(option.target, source.vectors is not None), work.settings)
            pairs.append(pair)
        return sorted(pairs, key=rank, reverse=True)

    def _view(self, target: int, readable: bool) -> View:
        """The view of a target, without vectors where the source is not `readable` either."""
        key = target, readable
        view = self._views.pop(key, None)
        if view is None:
            view = view_of_target(self._work.targets[target], self._work.encoder, readable)
            self._held += view.nbytes
        self._views[key] = view
        while self._held > VIEWS_HELD and len(self._views) > 1:
            _, oldest = self._views.popitem(last=False)
            self._held -= oldest.nbytes
        return view
