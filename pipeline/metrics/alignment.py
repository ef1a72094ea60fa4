"""Alignments against gold: strict, lax and exact precision and recall, boundaries, and recall by shape of the bead.

Strict and lax are those of Vecalign (Thompson and Koehn 2019): of the predicted beads, unaligned runs included, the
share that is in the gold; of the gold beads with two sides, the share that was predicted; lax takes a bead that shares
a link with the other set. Where prediction and gold cut a text differently, every gold sentence is first given to the
predicted bead with most of its characters, and a bead that gets none on either side has vanished: one wrong bead in
strict precision, nothing in lax. Exact asks for the same characters on both sides. White space never counts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from pipeline.errors import InputError

Span = tuple[int, int]
Link = tuple[tuple[int, ...], tuple[int, ...]]
"""Numbers of source sentences and of target sentences; one of the two may be empty."""
SpanPair = tuple[Sequence[Span], Sequence[Span]]
"""Spans in the source and in the target text."""

FOUND = "found"
MISSED = "none"


@dataclass(frozen=True, slots=True)
class Gold:
    """Two texts, the spans of their sentences in order, and the true beads."""

    src_text: str
    tgt_text: str
    src_spans: tuple[Span, ...]
    tgt_spans: tuple[Span, ...]
    links: tuple[Link, ...]


class _Text:
    """Offsets of a text as numbers of characters that are not white space."""

    def __init__(self, text: str) -> None:
        self.upto = [0, *accumulate(int(not char.isspace()) for char in text)]
        self.breaks = {self.upto[at] for at, char in enumerate(text) if char == "\n"}

    def solid(self, spans: Iterable[Span]) -> list[Span]:
        """The spans without white space, sorted, those that touch or overlap joined, empty ones left out.

        Raises InputError for a span that is not in the text.
        """
        joined: list[Span] = []
        for start, end in sorted(self._range(span) for span in spans):
            if joined and start <= joined[-1][1] and start < end:
                joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
            elif start < end:
                joined.append((start, end))
        return joined

    def _range(self, span: Span) -> Span:
        start, end = span
        if not 0 <= start <= end < len(self.upto):
            raise InputError(f"the span {span} is not in its text of {len(self.upto) - 1} characters")
        return self.upto[start], self.upto[end]

    def cuts(self, spans: Iterable[Span]) -> set[int]:
        """Where spans begin and end, the ends of the text apart."""
        ranges = [self._range(span) for span in spans]
        return {at for start, end in ranges if start < end for at in (start, end)} - {0, self.upto[-1]}

    def owners(self, sentences: Sequence[Span], beads: Sequence[Sequence[Span]]) -> list[int | None]:
        """For each sentence the bead that covers most of it (the first of several), None where none does."""
        ranges = [self._range(span) for span in sentences]
        ends = [end for _, end in ranges]
        covered: list[Counter[int]] = [Counter() for _ in ranges]
        for number, spans in enumerate(beads):
            for start, end in self.solid(spans):
                at = bisect_right(ends, start)
                while at < len(ranges) and ranges[at][0] < end:
                    covered[at][number] += max(0, min(end, ranges[at][1]) - max(start, ranges[at][0]))
                    at += 1
        # Beads were counted in order, so that the first of equals is the first in the counter.
        return [max(+counts, key=counts.__getitem__) if +counts else None for counts in covered]


@dataclass(slots=True)
class AlignmentScore:
    """Counts over cases, summed before they are divided."""

    counts: Counter[str] = field(default_factory=Counter)
    shapes: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """By shape of the gold bead: how often it was found, and the shape of what took its place otherwise."""

    def add_links(self, gold: Iterable[Link], predicted: Iterable[Link], vanished: int = 0) -> None:
        """Count a case whose prediction consists of gold sentences."""
        true = {link for link in gold if any(link)}
        guess = {link for link in predicted if any(link)}
        paired = {link for link in true if all(link)}
        self.counts.update(
            cases=1,
            gold=len(paired),
            predicted=len(guess),
            vanished=vanished,
            strict_right=len(guess & true),
            strict_found=len(paired & guess),
            lax_right=_touching(guess, true),
            lax_found=_touching(paired, {link for link in guess if all(link)}),
        )
        for link in sorted(true):
            self.shapes[_shape(link)][FOUND if link in guess else _shape(_instead(link, sorted(guess)))] += 1

    def add_spans(self, gold: Gold, predicted: Sequence[SpanPair]) -> list[bool]:
        """Count a case whose prediction has its own sentences; tells which of the beads are right in the strict sense.

        Raises InputError for a span that is not in its text.
        """
        beads = [bead for bead in predicted if bead[0] or bead[1]]
        src, tgt = _Text(gold.src_text), _Text(gold.tgt_text)
        src_owners = src.owners(gold.src_spans, [bead[0] for bead in beads])
        tgt_owners = tgt.owners(gold.tgt_spans, [bead[1] for bead in beads])
        links = [(_of(src_owners, number), _of(tgt_owners, number)) for number in range(len(beads))]
        self.add_links(gold.links, links, vanished=sum(not any(link) for link in links))
        self._add_exact(gold, beads, src, tgt)
        true, guess = src.cuts(gold.src_spans), src.cuts(span for bead in beads for span in bead[0])
        self._add_cuts("boundary", true, guess)
        self._add_cuts("inner", true - src.breaks, guess - src.breaks)
        right = iter([link in gold.links for link in links])
        return [bool(bead[0] or bead[1]) and next(right) for bead in predicted]

    def _add_exact(self, gold: Gold, beads: Sequence[SpanPair], src: _Text, tgt: _Text) -> None:
        true = {
            (tuple(src.solid(gold.src_spans[i] for i in ours)), tuple(tgt.solid(gold.tgt_spans[i] for i in theirs)))
            for ours, theirs in gold.links
        }
        right = true & {(tuple(src.solid(ours)), tuple(tgt.solid(theirs))) for ours, theirs in beads}
        self.counts.update(exact_right=len(right), exact_found=sum(all(bead) for bead in right), exact_cases=1)

    def _add_cuts(self, name: str, true: set[int], guess: set[int]) -> None:
        self.counts.update({f"{name}_right": len(true & guess), f"{name}_gold": len(true), f"{name}_all": len(guess)})

    def figures(self) -> dict[str, Any]:
        """Everything as shares: `p`, `r` and `f1` of each measure, and by shape the number, the recall and the rest."""
        n = self.counts
        beads = n["predicted"] + n["vanished"]
        found: dict[str, Any] = {
            "cases": n["cases"],
            "gold_beads": n["gold"],
            "predicted_beads": beads,
            "vanished": n["vanished"],
            "strict": _shares(n["strict_right"], beads, n["strict_found"], n["gold"]),
            "lax": _shares(n["lax_right"], n["predicted"], n["lax_found"], n["gold"]),
        }
        if n["exact_cases"]:
            found["exact"] = _shares(n["exact_right"], beads, n["exact_found"], n["gold"])
            for name in ("boundary", "inner"):
                right = n[f"{name}_right"]
                found[name] = _shares(right, n[f"{name}_all"], right, n[f"{name}_gold"])
        found["shapes"] = {
            shape: {"gold": seen.total(), "recall": seen[FOUND] / seen.total(), "instead": _rest(seen)}
            for shape, seen in sorted(self.shapes.items(), key=lambda item: (-item[1].total(), item[0]))
        }
        return found


def _of(owners: Sequence[int | None], number: int) -> tuple[int, ...]:
    return tuple(sentence for sentence, owner in enumerate(owners) if owner == number)


def _touching(links: Collection[Link], others: Iterable[Link]) -> int:
    """How many of `links` are among the others, or have a source and a target sentence that the others link."""
    known = set(others)
    partners: dict[int, set[int]] = defaultdict(set)
    for ours, theirs in known:
        for sentence in ours:
            partners[sentence].update(theirs)
    return sum(
        link in known or any(not partners[i].isdisjoint(link[1]) for i in link[0] if i in partners) for link in links
    )


def _shape(link: Link | None) -> str:
    return MISSED if link is None else f"{len(link[0])}:{len(link[1])}"


def _instead(link: Link, predicted: Iterable[Link]) -> Link | None:
    """The predicted bead that shares most sentences with a gold bead."""

    def shared(other: Link) -> int:
        return len(set(link[0]) & set(other[0])) + len(set(link[1]) & set(other[1]))

    best = max(predicted, key=shared, default=None)
    return best if best is not None and shared(best) else None


def _rest(seen: Mapping[str, int]) -> dict[str, int]:
    return {shape: n for shape, n in sorted(seen.items(), key=lambda item: (-item[1], item[0])) if shape != FOUND}


def _shares(right: int, predicted: int, found: int, gold: int) -> dict[str, float]:
    p, r = right / predicted if predicted else 0.0, found / gold if gold else 0.0
    return {"p": p, "r": r, "f1": 2 * p * r / (p + r) if p + r else 0.0}
