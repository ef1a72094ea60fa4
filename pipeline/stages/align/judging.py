"""What a candidate is: parallel, comparable or unrelated."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.config.settings import AlignSettings
from pipeline.stages.align.candidates import one_to_one
from pipeline.stages.align.encoded import View, align_views
from pipeline.stages.align.monotony import CLOSE_MARGIN, find_links, in_order
from pipeline.types import DocumentPair

COMPARABLE_COVERAGE = 0.1
COMPARABLE_SIMILARITY = 0.3
ANCHOR_LINKS = 2
ANCHOR_LENGTHS = 2.0
"""Without vectors parallel documents have this many links in order at least, and lengths this far apart at most."""
DIGITS = 4


def judge(pair: DocumentPair, src: View, tgt: View, settings: AlignSettings) -> DocumentPair:
    """Judge a candidate by its sentence beads, and by the order of the links that were found without regard to it."""
    beads = [bead for bead in align_views(src, tgt) if bead.src[0] < bead.src[1] and bead.tgt[0] < bead.tgt[1]]
    close = [bead for bead in beads if bead.margin >= CLOSE_MARGIN]
    lengths = src.units.lengths, tgt.units.lengths
    coverage = min(_share(lengths[0], [bead.src for bead in close]), _share(lengths[1], [bead.tgt for bead in close]))
    sizes = [float(lengths[0][slice(*bead.src)].sum()) for bead in beads]
    score = sum(size * bead.similarity for size, bead in zip(sizes, beads, strict=True)) / sum(sizes) if beads else 0.0
    links = find_links(src, tgt)
    chain = in_order(links)
    monotony = chain / float(links.weights.sum()) if chain else 0.0
    found = replace(
        pair, bead_score=round(score, DIGITS), coverage=round(coverage, DIGITS), monotony=round(monotony, DIGITS)
    )
    if src.vectors is None:
        # Without vectors beads prove little; that the same names and numbers come in the same order proves more.
        shorter, longer = sorted(float(side.sum()) for side in lengths)
        enough = chain >= ANCHOR_LINKS and longer <= ANCHOR_LENGTHS * shorter
    else:
        enough = coverage >= settings.min_coverage and score >= settings.min_bead_score
    if enough and monotony >= settings.min_monotony:
        return replace(found, relation="parallel")
    close_enough = pair.similarity >= COMPARABLE_SIMILARITY and coverage >= COMPARABLE_COVERAGE
    return replace(found, relation="comparable") if close_enough else found


def _share(lengths: NDArray[np.float64], ranges: Iterable[tuple[int, int]]) -> float:
    total = float(lengths.sum())
    return sum(float(lengths[start:end].sum()) for start, end in ranges) / total if total else 0.0


def rank(pair: DocumentPair) -> tuple[float, float]:
    """What a better candidate has more of."""
    return pair.coverage * pair.bead_score, pair.similarity


def settled(pairs: Iterable[DocumentPair]) -> list[DocumentPair]:
    """The pairs with the parallel ones one to one; those that lose a document to a better pair are comparable."""
    found = list(pairs)
    kept = one_to_one((pair.src_doc, pair.tgt_doc, rank(pair)[0]) for pair in found if pair.relation == "parallel")
    return [
        replace(pair, relation="comparable")
        if pair.relation == "parallel" and (pair.src_doc, pair.tgt_doc) not in kept
        else pair
        for pair in found
    ]
