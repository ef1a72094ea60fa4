"""What a candidate is: parallel, comparable or unrelated.

What the sentences of two documents say of them rests on these two alone (`Evidence`), so that it is worked out once,
whatever comes to the input beside them. What they are to each other rests on the settings too, on how similar they are
among all documents, and on who else claims one of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipeline.config.settings import AlignSettings
from pipeline.stages.align.candidates import Candidate
from pipeline.stages.align.encoded import View, align_views
from pipeline.stages.align.monotony import CLOSE_MARGIN, find_links, in_order
from pipeline.types import DocumentPair, Relation

ANCHOR_SHARE = 0.5
"""Cosines of anchors alone are lower than those with vectors: `min_similarity` counts by this share."""
COMPARABLE_COVERAGE = 0.1
COMPARABLE_SIMILARITY = 0.3
ANCHOR_LINKS = 2
ANCHOR_LENGTHS = 2.0
"""Without vectors parallel documents have this many links in order at least, and lengths this far apart at most."""
DIGITS = 4


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the sentences of a source and an English document say of them, see `DocumentPair`; nothing is rounded.

    `key` names both by their content. `chain` is the weight of the links that are in order, `lengths` are the
    characters of the source and of the English document; `read` says whether vectors were compared.
    """

    key: str
    bead_score: float
    coverage: float
    monotony: float
    chain: float
    lengths: tuple[float, float]
    read: bool


def evidence(key: str, src: View, tgt: View) -> Evidence:
    """What the sentence beads of two documents say, and the order of the links that were found without regard to it."""
    beads = [bead for bead in align_views(src, tgt) if bead.src[0] < bead.src[1] and bead.tgt[0] < bead.tgt[1]]
    close = [bead for bead in beads if bead.margin >= CLOSE_MARGIN]
    lengths = src.units.lengths, tgt.units.lengths
    sizes = [float(lengths[0][slice(*bead.src)].sum()) for bead in beads]
    score = sum(size * bead.similarity for size, bead in zip(sizes, beads, strict=True)) / sum(sizes) if beads else 0.0
    links = find_links(src, tgt)
    chain = in_order(links)
    return Evidence(
        key,
        bead_score=float(score),
        coverage=min(
            _share(lengths[0], [bead.src for bead in close]), _share(lengths[1], [bead.tgt for bead in close])
        ),
        monotony=chain / float(links.weights.sum()) if chain else 0.0,
        chain=chain,
        lengths=(float(lengths[0].sum()), float(lengths[1].sum())),
        read=src.vectors is not None,
    )


def _share(lengths: NDArray[np.float64], ranges: Iterable[tuple[int, int]]) -> float:
    total = float(lengths.sum())
    return sum(float(lengths[start:end].sum()) for start, end in ranges) / total if total else 0.0


def is_worth_judging(candidate: Candidate, has_vector: bool, settings: AlignSettings) -> bool:
    """Whether a candidate is similar enough to its source, which `has_vector` or has none; the others are unrelated."""
    return candidate.similarity >= settings.min_similarity * (1 if has_vector else ANCHOR_SHARE)


def document_pair(
    src_doc: str, tgt_doc: str, candidate: Candidate, seen: Evidence | None, settings: AlignSettings
) -> DocumentPair:
    """A candidate with what it is by all that is `seen` of the two documents: None where it was not worth judging."""
    pair = DocumentPair(src_doc, tgt_doc, round(candidate.similarity, DIGITS), 0.0, 0.0, 0.0, "unrelated")
    if seen is None:
        return pair
    if seen.read:
        enough = seen.coverage >= settings.min_coverage and seen.bead_score >= settings.min_bead_score
    else:
        # Without vectors beads prove little; that the same names and numbers come in the same order proves more.
        shorter, longer = sorted(seen.lengths)
        enough = seen.chain >= ANCHOR_LINKS and longer <= ANCHOR_LENGTHS * shorter
    if enough and seen.monotony >= settings.min_monotony:
        relation: Relation = "parallel"
    elif pair.similarity >= COMPARABLE_SIMILARITY and seen.coverage >= COMPARABLE_COVERAGE:
        relation = "comparable"
    else:
        relation = "unrelated"
    score, coverage, monotony = (round(one, DIGITS) for one in (seen.bead_score, seen.coverage, seen.monotony))
    return replace(pair, bead_score=score, coverage=coverage, monotony=monotony, relation=relation)


def best_first(pairs: Iterable[DocumentPair]) -> list[DocumentPair]:
    """The candidates of one source in their order; equally good ones stay as they are."""
    return sorted(pairs, key=rank, reverse=True)


def rank(pair: DocumentPair) -> tuple[float, float]:
    """What a better candidate has more of."""
    return pair.coverage * pair.bead_score, pair.similarity


def claims(pairs: Iterable[DocumentPair]) -> list[tuple[str, str, float]]:
    """The parallel ones among judged pairs: source, English document, and how good the pair is."""
    return [(pair.src_doc, pair.tgt_doc, rank(pair)[0]) for pair in pairs if pair.relation == "parallel"]


def settled(pairs: Iterable[DocumentPair], granted: Collection[tuple[str, str]]) -> list[DocumentPair]:
    """The pairs as they are when of all `claims` those that are `granted` (`one_to_one`) stay parallel; those that lose
    a document to a better pair are comparable."""
    return [
        replace(pair, relation="comparable")
        if pair.relation == "parallel" and (pair.src_doc, pair.tgt_doc) not in granted
        else pair
        for pair in pairs
    ]
