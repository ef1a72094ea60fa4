"""Signs of damage in a pair, each weak on its own; `pipeline.stages.score.damage.classifier` weighs them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import chain
from typing import cast

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.encoders.base import Encoder, Vectors
from pipeline.stages.align.lexicon import english_words
from pipeline.stages.align.span_vectors import span_vectors
from pipeline.stages.score.pair_facts import PairFacts
from pipeline.stages.score.source_text import SourceText, is_common
from pipeline.stages.score.surface import DANGLING, FINAL, USUAL_RATIO

Signs = dict[str, float]
Numbers = NDArray[np.float64]

SMOOTHING = 10.0
"""Characters added to both lengths, because short texts vary more. Set by hand, as the other constants here; the trees
were grown over signs made with them, so a change asks for new trees (`scripts/train_damage.py`)."""
LONG_WORDS = 12
"""English words from which on a missing final mark counts in full."""
HALF = 0.5
"""How sure it is, at least, that the source has a name that counts as supported."""
LIKELY = 2
"""By so much the lexicon's probability of a word is multiplied: a term has several senses."""
PRIOR = 0.3
"""Support of one word more that stands in for what a short text does not show."""
_OPENING, _CLOSING = re.compile(r"[“‘«(\[]"), re.compile(r"[”’»)\]](?!\w)")
_START = re.compile(r"[^\w]*")


def signs_of(facts: Sequence[PairFacts], encoder: Encoder | None) -> list[Signs]:
    """The signs of each pair by name; those of sentence vectors only where the encoder knows the source language."""
    signs = [_surface(pair_facts) | _counts(pair_facts) | _lexical(pair_facts) for pair_facts in facts]
    rows = [i for i, pair_facts in enumerate(facts) if encoder and pair_facts.pair.src_lang in encoder.languages]
    if encoder and rows:
        for i, vector in zip(rows, _vectors([facts[i] for i in rows], encoder), strict=True):
            signs[i] |= vector
    return signs


def _surface(facts: PairFacts) -> Signs:
    src, tgt = facts.pair.src_text.strip(), facts.pair.tgt_text.strip()
    expected = facts.source_length / USUAL_RATIO.get(facts.pair.src_lang, 1.0)
    short = math.log((expected + SMOOTHING) / (facts.target_length + SMOOTHING))
    src_final, tgt_final = bool(FINAL.search(src)), bool(FINAL.search(tgt))
    src_small, tgt_small = starts_small(src), starts_small(tgt)
    unclosed = _unbalanced(tgt) - _unbalanced(src)
    open_end = float(not tgt_final) * min(1.0, len(tgt.split()) / LONG_WORDS)
    return {
        "short": max(0.0, short),
        "short2": max(0.0, short) ** 2,
        "long": max(0.0, -short),
        "long2": max(0.0, -short) ** 2,
        "open_end": open_end,
        "open_end_short": open_end * max(0.0, short),
        "only_source_final": float(src_final and not tgt_final),
        "only_target_final": float(tgt_final and not src_final),
        "dangling": float((not tgt_final and DANGLING.search(tgt) is not None) or tgt[-1:] in ",;-–—("),
        "target_small": tgt_small * (1 - src_small),
        "source_small": src_small * (1 - tgt_small),
        "target_quotes": max(0.0, unclosed),
        "source_quotes": max(0.0, -unclosed),
    }


def starts_small(text: str) -> float:
    """1 where the first letter or digit is a small letter, else 0."""
    start = _START.match(text)
    return float(text[start.end() if start else 0 :][:1].islower())


def _unbalanced(text: str) -> float:
    marks = abs(len(_OPENING.findall(text)) - len(_CLOSING.findall(text)))
    return float(min(1, marks) or text.count('"') % 2)


def _counts(facts: PairFacts) -> Signs:
    """Of numbers, names and countries that one side has alone."""
    missing, extra = facts.numbers_apart
    lost, added = facts.lost_names, facts.added_countries
    unsupported: dict[bool, list[float]] = {True: [0.0], False: [0.0]}
    for name, value in zip(facts.english_names, facts.unsupported_names, strict=True):
        unsupported[all(map(is_common, name))].append(value)
    names, words = unsupported[False], unsupported[True]
    return {
        "numbers_missing": min(2.0, len(missing)),
        "numbers_extra": min(2.0, len(extra)),
        "numbers_changed": min(2.0, min(len(missing), len(extra))),
        "names_missing": min(2.0, lost),
        "countries_extra": min(2.0, added),
        "countries_changed": float(added > 0 and lost > 0),
        "names_unsupported": max(names),
        "names_unsupported_sum": min(2.0, sum(names)),
        "words_unsupported": max(words),
        "words_unsupported_sum": min(2.0, sum(words)),
        "names_both": min(1.0, lost) * max(*names, *words),
        "names_sure_both": min(1.0, lost) * max(names),
        "names_supported": min(3.0, sum(1 - value > HALF for value in facts.unsupported_names)),
    }


def _lexical(facts: PairFacts) -> Signs:
    """How much each third of either side is found on the other, by the lexicon; none without one."""
    lexicon = facts.source.lexicon
    if lexicon is None:
        return {}
    words = english_words(facts.pair.tgt_text)
    known = lexicon.weight.get
    weights = [known(word, 1.0) for word in words]
    support = [_word_support(facts.source, word) for word in words]
    return _thirds("target", weights, support) | _thirds("source", *_term_support(facts.source, set(words)))


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


def _thirds(side: str, weights: Sequence[float], support: Sequence[float]) -> Signs:
    """Mean support of all, and how far the first and the last third are below the rest."""
    masses = np.array(weights or [0.0])
    supported = masses * np.array(support or [0.0])

    def mean(part: slice) -> float:
        return float(np.add.reduce(supported[part]) + PRIOR) / float(np.add.reduce(masses[part]) + 1.0)

    n = len(masses)
    third = max(1, n // 3)
    whole = mean(slice(None))
    if n < 3:
        return {f"{side}_coverage": whole, f"{side}_front": 0.0, f"{side}_end": 0.0}
    front = mean(slice(third)) - mean(slice(third, None))
    end = mean(slice(n - third, None)) - mean(slice(n - third))
    return {f"{side}_coverage": whole, f"{side}_front": front, f"{side}_end": end}


def _vectors(facts: Sequence[PairFacts], encoder: Encoder) -> list[Signs]:
    """Cosines of the whole texts, of each without its first or last third, and of these thirds, with the other."""
    lines = [_thirds_of(text) for pair in facts for text in (pair.spelled_out, pair.pair.tgt_text)]
    spans = span_vectors(encoder, lines, 3).reshape(3, len(facts), 2, 3, -1)
    whole, front, end = spans[2, :, :, 2], spans[0, :, :, 0], spans[0, :, :, 2]
    without_front, without_end = spans[1, :, :, 2], spans[1, :, :, 1]

    def cosine(ours: Vectors, theirs: Vectors) -> Vectors:
        return cast(Vectors, (ours[:, 0] * theirs[:, 1]).sum(axis=1))

    full = cosine(whole, whole)
    columns = {
        "cosine": full,
        "cosine2": np.maximum(0.0, 0.6 - full) ** 2,
        "without_source_front": cosine(without_front, whole) - full,
        "without_source_end": cosine(without_end, whole) - full,
        "without_target_front": cosine(whole, without_front) - full,
        "without_target_end": cosine(whole, without_end) - full,
        "source_front_cosine": cosine(front, whole),
        "source_end_cosine": cosine(end, whole),
        "target_front_cosine": cosine(whole, front),
        "target_end_cosine": cosine(whole, end),
    }
    return [{name: float(column[i]) for name, column in columns.items()} for i in range(len(facts))]


def _thirds_of(text: str) -> list[str]:
    a, b = _cut(text, 1 / 3), _cut(text, 2 / 3)
    return [part.strip() or "-" for part in (text[:a], text[a:b], text[b:])]


def _cut(text: str, share: float) -> int:
    """The space nearest to that share of the text, or that place where none is near."""
    at = round(len(text) * share)
    reach = max(6, len(text) / 10)
    near = [i for i, char in enumerate(text) if char == " " and abs(i - at) <= reach]
    return min(near, key=lambda i: abs(i - at), default=at)
