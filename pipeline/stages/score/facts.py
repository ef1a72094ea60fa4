"""How many facts of the source reach the English: countries, years, other numbers.

No reference is needed, so this can be counted for every article. A fact counts once a paragraph, however often it is
named, and it is enough that the English of the paragraph has it anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain

from pipeline.text.countries import english_name, mentions
from pipeline.text.numbers import Number, StatedNumbers, compare

KINDS = ("countries", "years", "numbers")

Fact = tuple[str, str, bool]
"""The kind, what people read of it, and whether the English has it."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A source paragraph (normalised) and all of its English; `segment_id` names its first segment."""

    doc_id: str
    segment_id: str
    lang: str
    source: str
    translation: str


@dataclass(frozen=True, slots=True)
class Miss:
    """A fact that the English lacks; `expected` is for people: "2568 (2025)", "คาซัคสถาน (Kazakhstan)"."""

    doc_id: str
    segment_id: str
    lang: str
    expected: str
    source: str
    translation: str


@dataclass(frozen=True, slots=True)
class FactKind:
    """All facts of one kind: "countries", "years" or "numbers"; `misses` are the first of those that were not found."""

    name: str
    expected: int
    found: int
    misses: tuple[Miss, ...]

    @property
    def rate(self) -> float | None:
        """Share found, 0 to 1; None where nothing was expected."""
        return self.found / self.expected if self.expected else None


@dataclass(frozen=True, slots=True)
class Facts:
    """The three kinds, in the order countries, years, numbers."""

    kinds: tuple[FactKind, ...]

    def __getitem__(self, name: str) -> FactKind:
        return next(kind for kind in self.kinds if kind.name == name)


def facts(paragraphs: Iterable[Paragraph], named: int | None = None) -> Facts:
    """Count what the sources state and what their English has; of each kind `named` misses are told, None for all.

    A year is compared by value in either calendar (พ.ศ. 2568 is 2025; an unconverted 2568 is a miss), a number by
    value; numbers written as words, months apart, are not asked for. A country is found under any of its English names
    or adjectives, not under its capital.
    """
    expected, found = dict.fromkeys(KINDS, 0), dict.fromkeys(KINDS, 0)
    misses: dict[str, list[Miss]] = {name: [] for name in KINDS}
    for paragraph in paragraphs:
        for name, label, reached in chain(_countries(paragraph), _numbers(paragraph)):
            expected[name] += 1
            found[name] += reached
            if not reached and (named is None or len(misses[name]) < named):
                misses[name].append(_miss(paragraph, label))
    return Facts(tuple(FactKind(name, expected[name], found[name], tuple(misses[name])) for name in KINDS))


def _miss(paragraph: Paragraph, label: str) -> Miss:
    return Miss(paragraph.doc_id, paragraph.segment_id, paragraph.lang, label, paragraph.source, paragraph.translation)


def _countries(paragraph: Paragraph) -> Iterator[Fact]:
    named = {code for mention in mentions(paragraph.translation, "en") for code in mention.codes}
    distinct: dict[frozenset[str], str] = {}
    for mention in mentions(paragraph.source, paragraph.lang):
        distinct.setdefault(mention.codes, mention.name)
    for codes, name in distinct.items():
        english = " or ".join(sorted(english_name(code) for code in codes))
        yield "countries", f"{name} ({english})", bool(codes & named)


def _numbers(paragraph: Paragraph) -> Iterator[Fact]:
    source = StatedNumbers(paragraph.source, paragraph.lang)
    missing, _ = compare(source, StatedNumbers(paragraph.translation, "en"))
    lost = set(map(_key, missing))
    stated: dict[tuple[str, bool, Decimal], Number] = {}
    for number in source.asked:
        stated.setdefault(("years" if number.kind == "year" else "numbers", *_key(number)), number)
    for (name, *_), number in stated.items():
        written = paragraph.source[number.start : number.end]
        yield name, f"{written} ({number.value})" if number.era in ("BE", "RS") else written, _key(number) not in lost


def _key(number: Number) -> tuple[bool, Decimal]:
    """The fact that a number states: May is not five."""
    return number.kind == "month", number.value
