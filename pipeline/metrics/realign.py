"""Hypotheses cut anew, so that every reference segment has its part of them.

A system may have cut a document into other sentences than the reference: always so for Thai, which does not mark where
a sentence ends. Metrics compare segment with segment, so the document is aligned with the reference first, and cut
where the reference is cut. The reference's segments stay, so that systems stay comparable.

    vectors  our aligner between the parts of the hypothesis' sentences and the reference segments, by the sentence
             vectors of an encoder. A bead with several reference segments is divided among them by words.
    words    the edit distance between the words of both documents (Matusov, Leusch, Bender and Ney 2005:
             mwerSegmenter). It looks for the cuts that make the texts most alike, as word metrics do.

No text is lost: what has no counterpart goes to a segment beside it that has no text, or else to the one from which no
line break and no end of a sentence divides it, the one before it in doubt.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from rapidfuzz.distance import Levenshtein

from pipeline.stages.align.beads import PARTS, Track, find_beads
from pipeline.stages.align.span_vectors import overlap_vectors, span_vectors
from pipeline.stages.align.units import Span, Units, cut_units, whole_units
from pipeline.types import ENGLISH

if TYPE_CHECKING:
    from pipeline.engines.encoders.base import Encoder, Vectors

VERSION = 1
"""Raised with every change, here or in the aligner, that can change where a hypothesis is cut."""
MOST_PARTS = 8
MOST_SEGMENTS = 4
CUT = 3.0
"""Log-odds of a sentence boundary at the end of a line on either side: likely, but what one side has cut the other may
have joined. Chosen on 200 lines of FLORES-200 dev in three systems' English."""
NO_BREAK, SENTENCE_END, LINE_END = range(3)
END_MARKS = (".", "!", "?", "…")
CLOSING = "'\"’”)]"
MOST_CLOSING = 3
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class BeadCounts:
    """How the segments of hypothesis and reference fit together.

    A bead joins the hypothesis segments and the reference segments that share text; `one_to_one` have one on each side.
    `omissions` are reference segments without any text, `insertions` runs of text without a reference segment; both
    are among the `beads`.
    """

    beads: int = 0
    one_to_one: int = 0
    omissions: int = 0
    insertions: int = 0

    def __add__(self, other: BeadCounts) -> BeadCounts:
        return BeadCounts(
            self.beads + other.beads,
            self.one_to_one + other.one_to_one,
            self.omissions + other.omissions,
            self.insertions + other.insertions,
        )


@dataclass(frozen=True, slots=True)
class Realigned:
    """A hypothesis in as many segments as its reference has; white space is one space."""

    segments: tuple[str, ...]
    counts: BeadCounts


class Realigner:
    """Cuts hypothesis documents as their references are cut; without an encoder by words alone."""

    def __init__(self, encoder: Encoder | None = None) -> None:
        self._encoder = encoder

    @property
    def items(self) -> dict[str, object]:
        """What stands in signatures."""
        if self._encoder is None:
            return {"realign": f"words-v{VERSION}"}
        return {"realign": f"mekong-v{VERSION}", "encoder": self._encoder.name}

    def realign(self, hypothesis: Sequence[str], reference: Sequence[str]) -> Realigned:
        """One document, its M segments on the hypothesis side and the N of its reference, none of them blank.

        Without any hypothesis all N are omissions.
        """
        if not hypothesis:
            return Realigned(("",) * len(reference), BeadCounts(beads=len(reference), omissions=len(reference)))
        text = "\n".join(hypothesis)
        if self._encoder is None:
            spans = _by_words(text, (0, len(text)), reference)
        else:
            spans = _by_vectors(text, reference, self._encoder)
        edges = [0, *(_edge(text, ours[1], theirs[0]) for ours, theirs in pairwise(spans)), len(text)]
        segments = tuple(" ".join(text[start:end].split()) for start, end in pairwise(edges))
        return Realigned(segments, _counts(text, spans))


def _by_vectors(text: str, reference: Sequence[str], encoder: Encoder) -> list[Span]:
    """The span of `text` that says the same as each reference segment, in order; empty where there is none."""
    joined = "\n".join(reference)
    starts = [0]
    for segment in reference:
        starts.append(starts[-1] + len(segment) + 1)
    parts = cut_units(text, ENGLISH, [(0, len(text))])
    whole = whole_units(joined, ENGLISH, [(start, end - 1) for start, end in pairwise(starts)])
    place = {start: number for number, start in enumerate(starts)}
    found: list[Span | None] = [None] * len(reference)
    if parts.spans and whole.spans:
        ours = span_vectors(encoder, parts.by_line(), MOST_PARTS)
        theirs = overlap_vectors(encoder, whole.texts, MOST_SEGMENTS)
        for bead in find_beads(_track(parts, ours), _track(whole, theirs), PARTS):
            (start, end), (first, past) = bead.src, bead.tgt
            if first < past and start < end:
                numbers = [place[span[0]] for span in whole.spans[first:past]]
                span = parts.spans[start][0], parts.spans[end - 1][1]
                divided = _by_words(text, span, [reference[number] for number in numbers])
                for number, piece in zip(numbers, divided, strict=True):
                    found[number] = piece
    return _filled(found, 0)


def _track(units: Units, vectors: Vectors) -> Track:
    return Track(vectors, units.lengths, np.minimum(units.cuts, CUT))


def _filled(found: Sequence[Span | None], start: int) -> list[Span]:
    """Segments without text get an empty span behind the one before them, the first ones at `start`."""
    spans: list[Span] = []
    for span in found:
        end = spans[-1][1] if spans else start
        spans.append(span or (end, end))
    return spans


def _by_words(text: str, span: Span, reference: Sequence[str]) -> list[Span]:
    """The part of `text` in `span` for each segment so that their words differ by the fewest edits.

    The words around a cut that match nothing could lie on either side of it; there the text's own line breaks and
    ends of sentences decide.
    """
    if len(reference) == 1:
        return [span]
    words = [match.span() for match in _WORD.finditer(text, *span)]
    breaks = [_break(text, ours[1], theirs[0]) for ours, theirs in pairwise(words)]
    expected = [[_plain(word) for word in segment.split()] for segment in reference]
    cuts = _word_cuts([_plain(text[start:end]) for start, end in words], expected, [NO_BREAK, *breaks, NO_BREAK])
    found = [(words[first][0], words[past - 1][1]) if first < past else None for first, past in pairwise(cuts)]
    return _filled(found, span[0])


def _edge(text: str, end: int, start: int) -> int:
    """Where to cut between two segments' spans: at the likelier end of what lies between them."""
    between = _WORD.search(text, end, start)
    if between is None:
        return start
    past = end + len(text[end:start].rstrip())
    return end if _break(text, end, between.start()) > _break(text, past, start) else start


def _break(text: str, end: int, start: int) -> int:
    """How likely a segment ends at `end`, when the next words begin at `start`."""
    if "\n" in text[end:start]:
        return LINE_END
    before = text[max(0, end - MOST_CLOSING - 1) : end].rstrip(CLOSING)
    return SENTENCE_END if before.endswith(END_MARKS) else NO_BREAK


def _word_cuts(words: Sequence[str], expected: Sequence[Sequence[str]], breaks: Sequence[int]) -> list[int]:
    """Where to cut `words` into len(expected) runs, their ends included, given how likely each place is."""
    flat = [word for segment in expected for word in segment]
    first, past = [0] * (len(flat) + 1), [len(words)] * (len(flat) + 1)
    cut = [0] * len(flat) + [len(words)]
    for step in Levenshtein.opcodes(flat, words):
        for offset in range(step.src_end - step.src_start):
            place, word = step.src_start + offset, step.dest_start + (0 if step.tag == "delete" else offset)
            cut[place] = word
            if step.tag == "equal":
                past[place], first[place + 1] = word, word + 1
    low, high = np.maximum.accumulate(first), np.minimum.accumulate(past[::-1])[::-1]
    cuts, at = [0], 0
    for segment in expected:
        at += len(segment)
        options = range(max(cuts[-1], int(low[at])), int(high[at]) + 1)
        cuts.append(max(options, key=lambda place: (breaks[place], -abs(place - cut[at]))))
    cuts[-1] = len(words)
    return cuts


def _plain(word: str) -> str:
    """A word without case and punctuation, as it is where it has nothing else."""
    return "".join(char for char in word.casefold() if char.isalnum()) or word


def _counts(text: str, spans: Sequence[Span]) -> BeadCounts:
    """Shapes of the beads between the lines of `text` and the reference segments that have `spans` of it."""
    omissions = sum(not text[start:end].strip() for start, end in spans)
    edges = [0, *(edge for span in spans for edge in span), len(text)]
    insertions = sum(bool(text[start:end].strip()) for start, end in zip(edges[::2], edges[1::2], strict=True))
    beads = one_to_one = 0
    last_line, size = -1, 0
    for start, end in spans:
        if not text[start:end].strip():
            continue
        first = text.count("\n", 0, start)
        last = first + text.count("\n", start, end)
        if first == last_line:
            one_to_one -= size == 1
            size += 1
        else:
            beads += 1
            size = 1 if first == last else 2
            one_to_one += size == 1
        last_line = last
    return BeadCounts(beads + omissions + insertions, one_to_one, omissions, insertions)
