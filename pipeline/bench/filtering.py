"""What a filter keeps of gold pairs, and what it catches of the same pairs made bad."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import numpy as np

from pipeline.bench.alignment_cases import Case, read_cases
from pipeline.bench.injection import INJECTORS, REPORT_ONLY, Good, inject
from pipeline.config.settings import Rule
from pipeline.engines.encoders.base import Encoder, Vectors
from pipeline.errors import InputError
from pipeline.files.progress import Progress
from pipeline.stages.align.span_vectors import overlap_vectors, span_vectors
from pipeline.stages.filter.stage import failures
from pipeline.stages.score.base import Context
from pipeline.stages.score.damage.classifier import KINDS
from pipeline.stages.score.damage.forced import PairReader, ReadingScores
from pipeline.stages.score.scorers import all_scorers
from pipeline.stages.score.stage import BATCH, score
from pipeline.text.language import detect
from pipeline.text.languages import alternatives, language, source_languages
from pipeline.text.unicode import one_line
from pipeline.types import Pair

GOLD = "gold"
KEEP_GOAL = 0.99
CATCH_GOAL = 0.97
FORMAT = "Give JSONL cases as for `mekong bench align`, or .tsv files with a line SOURCE TAB ENGLISH a pair."
READ = frozenset([*KINDS, *ReadingScores.versions])
"""Scores that a reader has a part in."""

Key = tuple[str, str]
"""Kind and variant; (GOLD, "") for the pairs as they are."""


@dataclass(slots=True)
class Outcome:
    """The pairs of one file and language: by kind and variant how many were judged, rejected, and by which rule."""

    file: str
    lang: str
    pairs: Counter[Key] = field(default_factory=Counter)
    rejected: Counter[Key] = field(default_factory=Counter)
    rules: dict[Key, Counter[str]] = field(default_factory=dict)

    def add(self, key: Key, reasons: Iterable[str]) -> None:
        """Count one pair and the rules that reject it."""
        found = list(reasons)
        self.pairs[key] += 1
        self.rejected[key] += bool(found)
        self.rules.setdefault(key, Counter()).update(found)

    def share(self, key: Key) -> float:
        """The rejected share of one kind and variant."""
        return self.rejected[key] / self.pairs[key]


def kept(outcomes: Sequence[Outcome]) -> float:
    """The share of the gold pairs of all outcomes that is kept."""
    key = (GOLD, "")
    return 1 - sum(one.rejected[key] for one in outcomes) / sum(one.pairs[key] for one in outcomes)


def by_kind(outcomes: Sequence[Outcome]) -> dict[str, tuple[float, float]]:
    """For each kind that something was damaged in, the pairs that it damages (the mean over its variants), and the
    share of them that is caught."""
    found: dict[str, tuple[float, float]] = {}
    for kind in dict.fromkeys(kind for kind, _ in INJECTORS):
        keys = [key for key in INJECTORS if key[0] == kind]
        pairs = sum(one.pairs[key] for one in outcomes for key in keys)
        if pairs:
            caught = sum(one.rejected[key] for one in outcomes for key in keys)
            found[kind] = (pairs / len(keys), caught / pairs)
    return found


def caught(outcomes: Sequence[Outcome]) -> float:
    """The caught share over all kinds that count, each pair weighing the same in each kind that it can be damaged in,
    however many variants the kind has."""
    counted = [value for kind, value in by_kind(outcomes).items() if kind not in REPORT_ONLY]
    return sum(pairs * share for pairs, share in counted) / sum(pairs for pairs, _ in counted)


def read_pairs(path: Path) -> list[Good]:
    """The pairs of a file, with spaces for line breaks; beads with an empty side are left out.

    Raises InputError for what is no such file, and for pairs whose source is neither Thai nor Vietnamese.
    """
    pairs = list(_from_lines(path) if path.suffix == ".tsv" else _from_cases(read_cases(path)))
    if not pairs:
        raise InputError(f"{path} holds no pair", FORMAT)
    strange = {pair.src_lang for pair in pairs} - set(source_languages())
    if strange:
        known = alternatives(language(code).name for code in source_languages())
        raise InputError(f"{path} has sources in {', '.join(sorted(strange))}, not {known}", FORMAT)
    return pairs


def joined(pairs: Sequence[Good], number: int) -> list[Good]:
    """Up to `number` pairs on end of one document and language as one pair: paragraphs and articles."""
    made: list[Good] = []
    for (document, lang), together in groupby(pairs, lambda pair: (pair.document, pair.src_lang)):
        run = list(together)
        for start in range(0, len(run), number):
            part = run[start : start + number]
            source, target = (
                " ".join(texts) for texts in zip(*((one.src_text, one.tgt_text) for one in part), strict=True)
            )
            made.append(Good(source, target, lang, document))
    return made


def _from_cases(cases: Sequence[Case]) -> Iterator[Good]:
    for case in cases:
        gold = case.gold
        for ours, theirs in gold.links:
            if ours and theirs:
                source = " ".join(gold.src_text[slice(*gold.src_spans[i])] for i in ours)
                target = " ".join(gold.tgt_text[slice(*gold.tgt_spans[i])] for i in theirs)
                yield _good(source, target, case.src_lang, case.id)


def _from_lines(path: Path) -> Iterator[Good]:
    try:
        lines = path.read_text("utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {error}", FORMAT) from error
    rows = [line.split("\t") for line in lines]
    for number, row in enumerate(rows, 1):
        if len(row) < 2 or not row[0].strip() or not row[1].strip():
            raise InputError(f"{path}, line {number} is no pair: {lines[number - 1][:60]!r}", FORMAT)
    # Told by all of them: a line of names may look like any language.
    lang = detect("\n".join(row[0] for row in rows))
    return (_good(row[0], row[1], lang) for row in rows)


def _good(source: str, target: str, lang: str, document: str = "") -> Good:
    return Good(one_line(source, lang), one_line(target, "en"), lang, document)


def measure(
    files: Mapping[str, Sequence[Good]],
    rules: Mapping[str, Rule],
    encoder: Encoder | None,
    reader: PairReader | None = None,
    seed: int = 1,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Judge the pairs of each file as aligned ones, as they are and in every kind of damage.

    The reader is slow, so it reads only the pairs that no rule rejects without it. Which of the rules that it has a
    part in would reject the others too is then not known, and not counted.
    """
    judge = Judge(rules, Remembering(encoder) if encoder else None, reader)
    found: list[Outcome] = []
    for file, pairs in files.items():
        by_lang = {lang: Outcome(file, lang) for lang in sorted({pair.src_lang for pair in pairs})}
        judged = [(place, (GOLD, ""), pair.src_text, pair.tgt_text) for place, pair in enumerate(pairs)]
        judged += [(bad.place, (bad.kind, bad.variant), bad.src_text, bad.tgt_text) for bad in inject(pairs, seed)]
        # What was made of one pair comes together, so that a reader reads once what its texts have in common.
        judged.sort(key=lambda one: one[0])
        made = [as_pair(str(place), pairs[place].src_lang, *texts) for place, _, *texts in judged]
        with (progress or Progress(quiet=True)).task("judge", len(made), "pairs") as task:
            for (_, key, *_), pair, reasons in zip(judged, made, task.each(judge.reasons(made), BATCH), strict=True):
                by_lang[pair.src_lang].add(key, reasons)
        found += by_lang.values()
    return found


class Judge:
    """The rules that reject a pair; those that a reader has a part in are asked last."""

    def __init__(self, rules: Mapping[str, Rule], encoder: Encoder | None, reader: PairReader | None) -> None:
        slow = READ if reader else frozenset()
        self.quick = {name: rule for name, rule in rules.items() if name not in slow}
        self.slow = {name: rule for name, rule in rules.items() if name in slow}
        known = all_scorers(encoder, reader)
        self.quick_scorers = [scorer for scorer in known if not self.quick.keys().isdisjoint(scorer.signatures)]
        self.slow_scorers = [scorer for scorer in known if not self.slow.keys().isdisjoint(scorer.signatures)]

    def reasons(self, pairs: Sequence[Pair]) -> Iterator[list[str]]:
        """The names of the rules that reject each pair."""
        for at in range(0, len(pairs), BATCH):
            batch = pairs[at : at + BATCH]
            found = [list(failures(self.quick, row)) for row in score(batch, self.quick_scorers, Context())]
            left = [i for i, reasons in enumerate(found) if not reasons and self.slow]
            for i, row in zip(left, score([batch[i] for i in left], self.slow_scorers, Context()), strict=True):
                found[i] = list(failures(self.slow, row))
            yield from found


def as_pair(name: str, lang: str, source: str, target: str) -> Pair:
    """A pair of texts as the aligner would give it."""
    return Pair(name, "", "", lang, (), (), (), (), source, target, "aligned", 0.0)


class Remembering:
    """An encoder that encodes equal texts once in a run; most damage leaves one side as it was."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder
        self.name, self.fingerprint, self.languages = encoder.name, encoder.fingerprint, encoder.languages
        self._known: dict[str, Vectors] = {}
        self._spans: dict[tuple[str, ...], Vectors] = {}

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), d)."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self.encoder.encode(new), strict=True))
        return np.stack([self._known[text] for text in texts]) if texts else self.encoder.encode([])

    def encode_spans(self, lines: Sequence[Sequence[str]], width: int) -> Vectors:
        """As `pipeline.stages.align.span_vectors.span_vectors`, shape (width, units of all lines, d)."""
        new = [line for line in dict.fromkeys(map(tuple, lines)) if line not in self._spans]
        if new:
            found = span_vectors(self.encoder, new, width)
            ends = np.cumsum([len(line) for line in new])
            self._spans.update(zip(new, np.split(found, ends[:-1], axis=1), strict=True))
        return np.concatenate([self._spans[tuple(line)] for line in lines], axis=1)

    def encode_overlaps(self, units: Sequence[str], width: int) -> Vectors:
        """As `pipeline.stages.align.span_vectors.overlap_vectors`, shape (width, units, d)."""
        return overlap_vectors(self.encoder, units, width)
