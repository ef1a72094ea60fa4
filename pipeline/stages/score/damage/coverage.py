"""How much of each side of a pair, and of its parts, the lexicon finds on the other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.align.lexicon import english_words
from pipeline.stages.score.pair_facts import PairFacts
from pipeline.stages.score.source_text import SourceText

Signs = dict[str, float]
Numbers = NDArray[np.float64]

LIKELY = 2
"""By so much the lexicon's probability of a word is multiplied: a term has several senses."""
PRIOR = 0.3
"""Support of one word more that stands in for what a short text does not show."""
FOUND = 0.3
"""Support from which a word counts as found. Set by hand; the trees were grown over signs made with these, so a change
asks for new trees (`scripts/train_damage.py`)."""


def lexical_signs(facts: PairFacts) -> Signs:
    """How much each part of either side is found on the other, by the lexicon; none without one."""
    lexicon = facts.source.lexicon
    if lexicon is None:
        return {}
    words = english_words(facts.pair.tgt_text)
    known = lexicon.weight.get
    weights = [known(word, 1.0) for word in words]
    support = [_word_support(facts.source, word) for word in words]
    return _of_side("target", weights, support) | _of_side("source", *_term_support(facts.source, set(words)))


def _word_support(source: SourceText, word: str) -> float:
    if word in source.latin:
        return 1.0
    return min(1.0, LIKELY * source.expected.get(word.removesuffix("s") if len(word) > 3 else word, 0.0))


def _term_support(source: SourceText, english: set[str]) -> tuple[list[float], list[float]]:
    """Weights of the terms of the source, in the order of their places, and the shares of their senses that are there.

    A term that the lexicon does not have stands for itself.
    """
    singles = (len(source.terms) + 1) // 2
    rows = []
    places = chain(range(singles), range(singles))
    for place, term, senses in zip(places, source.terms, source.senses, strict=False):
        if senses is None:
            there = term in english
            rows.append((place, 1.0 if there else 0.5, float(there)))
        else:
            rows.append((place, senses.mass, senses.share(english)))
    rows.sort()
    return [weight for _, weight, _ in rows], [share for _, _, share in rows]


def _of_side(side: str, weights: Sequence[float], support: Sequence[float]) -> Signs:
    masses = np.array(weights or [0.0])
    supported = masses * np.array(support or [0.0])
    found = _thirds(masses, supported) | _lacks(masses, supported)
    return {f"{side}_{name}": value for name, value in found.items()}


def _thirds(masses: Numbers, supported: Numbers) -> Signs:
    """Mean support of all, and how far the first and the last third are below the rest."""

    def mean(part: slice) -> float:
        return float(np.add.reduce(supported[part]) + PRIOR) / float(np.add.reduce(masses[part]) + 1.0)

    n = len(masses)
    third = max(1, n // 3)
    whole = mean(slice(None))
    if n < 3:
        return {"coverage": whole, "front": 0.0, "end": 0.0}
    front = mean(slice(third)) - mean(slice(third, None))
    end = mean(slice(n - third, None)) - mean(slice(n - third))
    return {"coverage": whole, "front": front, "end": end}


def _lacks(masses: Numbers, supported: Numbers) -> Signs:
    """How far the beginning, the end and the worst run of words of a side fall short of its mean support.

    The lack of a run is what its words would have at the mean of the side, less what they have: of the beginning where
    it is greatest, of the end, of any run. The first two also as shares of the mass of the side; with them the mass
    before the first word that is found and after the last, and the mean support of each half and outer sixth less that
    of the rest.
    """
    mass, found = np.cumsum([0.0, *masses]), np.cumsum([0.0, *supported])
    lack = mass * ((found[-1] + PRIOR) / (mass[-1] + 1.0)) - found
    front, end = float(lack.max()), float((lack[-1] - lack).max())
    places = np.flatnonzero(supported > FOUND * masses)
    signs = {
        "front_lack": front,
        "end_lack": end,
        "run_lack": float((lack - np.minimum.accumulate(lack)).max()),
        "front_lack_share": front / float(mass[-1] + 1.0),
        "end_lack_share": end / float(mass[-1] + 1.0),
        "before_found": float(mass[places[0]] if len(places) else mass[-1]),
        "after_found": float(mass[-1] - mass[places[-1] + 1] if len(places) else mass[-1]),
    }
    n = len(masses)

    def mean(start: int, stop: int) -> float:
        return float((found[stop] - found[start] + PRIOR) / (mass[stop] - mass[start] + 1.0))

    for name, parts in (("half", 2), ("sixth", 6)):
        size = max(1, round(n / parts))
        signs[f"front_{name}"] = mean(0, size) - mean(size, n)
        signs[f"end_{name}"] = mean(n - size, n) - mean(0, n - size)
    return signs
