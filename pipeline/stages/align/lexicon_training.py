"""Learning a lexicon from sentence pairs."""

from __future__ import annotations

import gzip
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import log
from pathlib import Path

import numpy as np

from pipeline.errors import InputError
from pipeline.stages.align.ibm_model1 import Bags, TranslationTable, train
from pipeline.stages.align.lexicon import Lexicon, Senses, english_words, source_words
from pipeline.text.unicode import normalise

ITERATIONS = 5
LONGEST = 80
"""Words of a side; a longer one tells little about each of them."""
RARE = 2
"""How often a word must occur to be learned, ..."""
RARE_PAIR = 5
"""... and a pair of neighbouring words, ..."""
PAIR_ASSOCIATION = 2.0
"""... whose pointwise mutual information (nats) must be this much."""
LEAST_PROBABILITY = 0.02
MOST_SENSES = 10


def learn(pairs: Iterable[tuple[str, str]], lang: str) -> Lexicon:
    """Learn a lexicon from (source, English) sentence pairs; the same pairs give the same lexicon.

    Raises InputError when no pair is left to learn from.
    """
    kept: list[tuple[list[str], list[str]]] = []
    for source, english in pairs:
        ours, theirs = source_words(normalise(source, lang).text, lang), english_words(english)
        if ours and theirs and max(len(ours), len(theirs)) <= LONGEST:
            kept.append((ours, theirs))
    counts = Counter(word for _, theirs in kept for word in theirs)
    words = sorted(word for word, count in counts.items() if count >= RARE)
    terms = sorted(_terms([ours for ours, _ in kept]))
    if not words or not terms:
        raise InputError(
            f"none of {len(kept)} sentence pairs can be learned from", "Give some thousands of pairs, one a line."
        )
    term_number = {term: number for number, term in enumerate(terms, 1)}
    word_number = {word: number for number, word in enumerate(words)}
    src = Bags.of([_numbers([*ours, *map(" ".join, pairwise(ours))], term_number) for ours, _ in kept])
    tgt = Bags.of([_numbers(theirs, word_number) for _, theirs in kept])
    return Lexicon(lang, _pruned(train(src, tgt, ITERATIONS), terms, words))


def read_pairs(path: Path) -> Iterator[tuple[str, str]]:
    """The pairs of a file of lines: source TAB English, gzipped if its name ends in .gz; further fields are not read.

    Raises InputError when the file cannot be read or a line has no two fields.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                fields = line.decode("utf-8").rstrip("\r\n").split("\t")
                if len(fields) < 2:
                    raise InputError(f"{path}, line {number} has no TAB: {fields[0][:60]!r}", "source TAB English")
                yield fields[0], fields[1]
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}", "Give UTF-8 lines: source TAB English.") from error


def _terms(sentences: Sequence[Sequence[str]]) -> list[str]:
    """The words worth learning, and the pairs of neighbours that are oftener together than chance has it."""
    counts = Counter(word for sentence in sentences for word in sentence)
    together = Counter(pair for sentence in sentences for pair in pairwise(sentence))
    total = counts.total()
    found = [word for word, count in counts.items() if count >= RARE]
    for (first, second), count in together.items():
        if count >= RARE_PAIR and log(count * total / (counts[first] * counts[second])) >= PAIR_ASSOCIATION:
            found.append(f"{first} {second}")
    return found


def _numbers(words: Iterable[str], number: dict[str, int]) -> list[int]:
    return [number[word] for word in words if word in number]


def _pruned(table: TranslationTable, terms: Sequence[str], words: Sequence[str]) -> dict[str, Senses]:
    """The likeliest words of each term, in whole thousandths."""
    thousandths = np.floor(1000 * table.probabilities).astype(np.int64)
    kept = np.flatnonzero((table.probabilities >= LEAST_PROBABILITY) & (table.terms > 0))
    found: dict[str, list[tuple[int, str]]] = {}
    for place in kept:
        term, word = terms[table.terms[place] - 1], words[table.words[place]]
        found.setdefault(term, []).append((-int(thousandths[place]), word))
    return {
        term: tuple((word, -share / 1000) for share, word in sorted(senses)[:MOST_SENSES])
        for term, senses in found.items()
    }
