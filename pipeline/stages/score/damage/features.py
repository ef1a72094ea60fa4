"""Signs of damage in a pair, each weak on its own; `pipeline.stages.score.damage.classifier` weighs them."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cache
from typing import cast

import numpy as np

from pipeline.engines.encoders.base import Encoder, Vectors
from pipeline.stages.align.lexicon import english_words
from pipeline.stages.align.span_vectors import span_vectors
from pipeline.stages.score.name_support import (
    SourceText,
    added_countries,
    english_names,
    is_common,
    lexicon_for,
    lost_names,
    source_of,
)
from pipeline.stages.score.surface import DANGLING, FINAL, USUAL_RATIO, solid_length
from pipeline.text.numbers import agree
from pipeline.types import Pair

Signs = dict[str, float]

SMOOTHING = 10.0
_OPENING, _CLOSING = re.compile(r"[“‘«(\[]"), re.compile(r"[”’»)\]](?!\w)")
_START = re.compile(r"[^\w]*")


def signs_of(pairs: Sequence[Pair], encoder: Encoder | None) -> list[Signs]:
    """The signs of each pair by name; those of sentence vectors only where the encoder knows the source language."""
    found = [_surface(pair) | _facts(pair) | _lexical(pair) for pair in pairs]
    rows = [i for i, pair in enumerate(pairs) if encoder and pair.src_lang in encoder.languages]
    if encoder and rows:
        for i, vector in zip(rows, _vectors([pairs[i] for i in rows], encoder), strict=True):
            found[i] |= vector
    return found


def _surface(pair: Pair) -> Signs:
    src, tgt = pair.src_text.strip(), pair.tgt_text.strip()
    expected = solid_length(src) / USUAL_RATIO.get(pair.src_lang, 1.0)
    short = math.log((expected + SMOOTHING) / (solid_length(tgt) + SMOOTHING))
    src_final, tgt_final = bool(FINAL.search(src)), bool(FINAL.search(tgt))
    long_enough = min(1.0, len(tgt.split()) / 12)
    open_end = float(not tgt_final) * long_enough
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
        "target_small": _starts_small(tgt) * (1 - _starts_small(src)),
        "source_small": _starts_small(src) * (1 - _starts_small(tgt)),
        "target_quotes": max(0.0, _unbalanced(tgt) - _unbalanced(src)),
        "source_quotes": max(0.0, _unbalanced(src) - _unbalanced(tgt)),
    }


def _starts_small(text: str) -> float:
    start = _START.match(text)
    return float(text[start.end() if start else 0 :][:1].islower())


def _unbalanced(text: str) -> float:
    marks = abs(len(_OPENING.findall(text)) - len(_CLOSING.findall(text)))
    return float(min(1, marks) or text.count('"') % 2)


def _facts(pair: Pair) -> Signs:
    missing, extra = agree(pair.src_text, pair.src_lang, pair.tgt_text)
    source = source_of(pair.src_text, pair.src_lang)
    unsupported: dict[bool, list[float]] = {True: [0.0], False: [0.0]}
    supported = 0
    lost, added = lost_names(pair), added_countries(pair)
    for name in english_names(pair.tgt_text):
        support = max(map(source.support, name))
        supported += support > 0.5
        unsupported[all(map(is_common, name))].append(1 - support)
    return {
        "numbers_missing": min(2.0, len(missing)),
        "numbers_extra": min(2.0, len(extra)),
        "numbers_changed": min(2.0, min(len(missing), len(extra))),
        "names_missing": min(2.0, lost),
        "countries_extra": min(2.0, added),
        "countries_changed": float(added > 0 and lost > 0),
        "names_unsupported": max(unsupported[False]),
        "names_unsupported_sum": min(2.0, sum(unsupported[False])),
        "words_unsupported": max(unsupported[True]),
        "words_unsupported_sum": min(2.0, sum(unsupported[True])),
        "names_both": min(1.0, lost) * max(*unsupported[False], *unsupported[True]),
        "names_sure_both": min(1.0, lost) * max(unsupported[False]),
        "names_supported": min(3.0, supported),
    }


@cache
def _weight(lang: str) -> dict[str, float]:
    """How much each English word tells: rare as a sense of the lexicon's terms."""
    lexicon = lexicon_for(lang)
    found: dict[str, float] = {}
    for senses in lexicon.senses.values() if lexicon else ():
        for word, probability in senses:
            found[word] = found.get(word, 0.0) + probability
    return {word: 1 / (1 + mass) for word, mass in found.items()}


def _lexical(pair: Pair) -> Signs:
    lexicon = lexicon_for(pair.src_lang)
    if lexicon is None:
        return {}
    weight = _weight(pair.src_lang)
    source = source_of(pair.src_text, pair.src_lang)
    words = english_words(pair.tgt_text)
    theirs = np.array([[weight.get(word, 1.0), _word_support(source, word)] for word in words] or [[0.0, 0.0]])
    there = set(words)
    terms = source.terms
    singles = (len(terms) + 1) // 2
    ours = []
    for i, term in enumerate(terms):
        senses = lexicon.senses.get(term)
        at = i if i < singles else i - singles
        if senses is None:
            ours.append((at, 1.0 if term in there else 0.5, float(term in there)))
            continue
        mass = sum(p * weight[w] for w, p in senses)
        ours.append((at, mass, sum(p * weight[w] for w, p in senses if w in there) / max(mass, 1e-9)))
    table = np.array(sorted(ours) or [(0, 0.0, 0.0)])
    return _thirds("target", theirs) | _thirds("source", table[:, 1:])


def _word_support(source: SourceText, word: str) -> float:
    if word in source.latin:
        return 1.0
    return min(1.0, 2 * source.expected.get(word.removesuffix("s") if len(word) > 3 else word, 0.0))


def _thirds(side: str, rows: np.ndarray) -> Signs:
    """Mean support of all, and how far the first and the last third are below the rest."""

    def mean(part: np.ndarray) -> float:
        return float((part[:, 0] * part[:, 1]).sum() + 0.3) / float(part[:, 0].sum() + 1.0)

    n = len(rows)
    third = max(1, n // 3)
    whole = mean(rows)
    if n < 3:
        return {f"{side}_coverage": whole, f"{side}_front": 0.0, f"{side}_end": 0.0}
    front, end = mean(rows[:third]) - mean(rows[third:]), mean(rows[-third:]) - mean(rows[:-third])
    return {f"{side}_coverage": whole, f"{side}_front": front, f"{side}_end": end}


def _vectors(pairs: Sequence[Pair], encoder: Encoder) -> list[Signs]:
    """Cosines of the whole texts, of each without its first or last third, and of these thirds, with the other."""
    lines = [_thirds_of(text) for pair in pairs for text in (pair.src_text, pair.tgt_text)]
    spans = span_vectors(encoder, lines, 3).reshape(3, len(pairs), 2, 3, -1)
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
    return [{name: float(column[i]) for name, column in columns.items()} for i in range(len(pairs))]


def _thirds_of(text: str) -> list[str]:
    a, b = _cut(text, 1 / 3), _cut(text, 2 / 3)
    return [part.strip() or "-" for part in (text[:a], text[a:b], text[b:])]


def _cut(text: str, share: float) -> int:
    """The space nearest to that share of the text, or that place where none is near."""
    at = round(len(text) * share)
    near = [i for i, char in enumerate(text) if char == " " and abs(i - at) <= max(6, len(text) / 10)]
    return min(near, key=lambda i: abs(i - at), default=at)
