"""What the two texts of a pair do not share: numbers, names, years left as they were, remains of the source language.

A text is given as runs, `{"text": ..., "kind": ...}`, whose texts joined are the text itself; templates escape them one
by one. Kinds of the source: `missing` (the English has no such number or name). Of the English: `added` (a number,
address or name such as F-16 that the source lacks), `untranslated` (still source language). Of both: `calendar` (a
Buddhist year that the English keeps as it was). Plain text has the kind "".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise

from rapidfuzz.distance import Indel

from pipeline.stages.score.names import kept_names, lacking
from pipeline.stages.score.surface import remains
from pipeline.text.numbers import Number
from pipeline.text.numbers.agreement import agree

Run = dict[str, str]
Span = tuple[int, int, str]

_CODE = re.compile(r"[A-Za-z]+-?\d+[A-Za-z]?")
_WORD = re.compile(r"\S+\s*|\s+")
_EDGES = re.compile(r"^\W+|\W+$")


def marked(src: str, lang: str, tgt: str) -> tuple[list[Run], list[Run]]:
    """Both texts of a pair as runs; `lang` is that of the source."""
    missing, extra = agree(src, lang, tgt)
    ours: list[Span] = [(number.start, number.end, "missing") for number in missing]
    theirs: list[Span] = [(number.start, number.end, "added") for number in extra]
    for number in missing:
        found = list(_unconverted(src, number, tgt))
        if found:
            ours.append((number.start, number.end, "calendar"))
            theirs += found
    ours += _places(src, lacking(kept_names(src, lang), tgt), "missing")
    theirs += _places(tgt, lacking(list(_codes(tgt, lang)), src), "added")
    theirs += [(start, end, "untranslated") for start, end in remains(src, tgt, lang)]
    return runs(src, ours), runs(tgt, theirs)


def _unconverted(src: str, number: Number, tgt: str) -> Iterator[Span]:
    """Where the English has a Buddhist year of the source as it was written."""
    if number.era != "BE" or number.end - number.start != 4:
        return
    for match in re.finditer(rf"(?<!\d){int(src[number.start : number.end])}(?!\d)", tgt):
        yield (*match.span(), "calendar")


def _codes(english: str, lang: str) -> Iterator[str]:
    """Names that the source must have in the same letters: addresses, and beside Vietnamese such as F-16.

    Thai writes codes in its own letters too (โควิด-19).
    """
    for name in kept_names(english, "en"):
        if "@" in name or "www." in name or "://" in name or (lang == "vi" and _CODE.fullmatch(name)):
            yield name


def _places(text: str, names: Iterable[str], kind: str) -> Iterator[Span]:
    for name in names:
        for match in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text):
            yield (*match.span(), kind)


def runs(text: str, spans: Iterable[Span]) -> list[Run]:
    """`text` cut at the spans; where spans overlap, the last one given holds."""
    kinds = [""] * len(text)
    for start, end, kind in spans:
        kinds[start:end] = [kind] * (end - start)
    cuts = [0, *(i for i in range(1, len(text)) if kinds[i] != kinds[i - 1]), len(text)]
    return [{"text": text[start:end], "kind": kinds[start]} for start, end in pairwise(cuts) if start < end]


def word_differences(machine: str, english: str) -> tuple[list[Run], list[Run]]:
    """Two English texts as runs of kind `same` ("") or `differs`, by the longest common subsequence of their words.

    Words are compared without case and without the marks around them.
    """
    left, right = _WORD.findall(machine), _WORD.findall(english)
    ours, theirs = [True] * len(left), [True] * len(right)
    for step in Indel.opcodes([_bare(word) for word in left], [_bare(word) for word in right]):
        if step.tag == "equal":
            ours[step.src_start : step.src_end] = [False] * (step.src_end - step.src_start)
            theirs[step.dest_start : step.dest_end] = [False] * (step.dest_end - step.dest_start)
    return _joined(left, ours), _joined(right, theirs)


def _bare(word: str) -> str:
    return _EDGES.sub("", word).casefold() or word.strip()


def _joined(words: list[str], flags: list[bool]) -> list[Run]:
    """The words as runs; a row of words that differ is one run, without the blanks after it."""
    spans, at = [], 0
    for differs, group in groupby(zip(words, flags, strict=True), key=lambda item: item[1]):
        text = "".join(word for word, _ in group)
        if differs:
            spans.append((at, at + len(text.rstrip()), "differs"))
        at += len(text)
    return runs("".join(words), spans)
