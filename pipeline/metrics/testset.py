"""Test sets: hypotheses, references and sources segment by segment, with what is known of each segment.

Sides are matched by ids where both have them, by their order otherwise; hypotheses that are cut otherwise are realigned
document by document.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.errors import InputError, UsageError
from pipeline.metrics.evaluation import System
from pipeline.metrics.realign import BeadCounts, Realigner

DOCUMENT = "doc_id"


@dataclass(frozen=True, slots=True)
class Stream:
    """One side: N segments in order. `columns` holds N values for each key (`id`, `doc_id`, ...) that all have."""

    name: str
    segments: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TestSet:
    """What `pipeline.metrics.evaluation.evaluate` takes; every sequence but `systems` has an entry a segment."""

    systems: tuple[System, ...]
    references: tuple[tuple[str, ...], ...]
    sources: tuple[str, ...] | None
    documents: tuple[str, ...] | None
    slices: tuple[str, ...] | None

    __test__ = False


@dataclass(frozen=True, slots=True)
class Streams:
    """All sides as they were read. `by` is the key to slice by, None for no slices."""

    hypotheses: tuple[Stream, ...]
    references: tuple[Stream, ...]
    source: Stream | None
    by: str | None

    @property
    def first(self) -> Stream:
        """The side whose order the others follow: the first reference, or the source where there is none."""
        first = self.references[0] if self.references else self.source
        assert first is not None
        return first

    def matched(self) -> TestSet:
        """The sides segment by segment: by id where both have ids, by their order otherwise.

        Raises InputError where ids do not match, UsageError where no side has the key to slice by.
        """
        first = self.first
        hypotheses = [_in_order(stream, first) for stream in self.hypotheses]
        references = [_in_order(stream, first) for stream in self.references]
        source = _in_order(self.source, first) if self.source else None
        sides = [*references, *hypotheses, *([source] if source else [])]
        return TestSet(
            tuple(System(stream.name, stream.segments) for stream in hypotheses),
            tuple(stream.segments for stream in references),
            source.segments if source else None,
            _column(sides, DOCUMENT),
            _labels(sides, self.by),
        )

    def realigned(self, realigner: Realigner) -> tuple[TestSet, list[BeadCounts]]:
        """The hypotheses cut as the first reference is cut, document by document, and how well each one fitted.

        Documents are told by `doc_id`, or by blank lines where a side has none, and then matched in order. Blank
        segments are left out. Ids put the other references and the source in the order of the first reference. Raises
        InputError where the documents of both sides do not match.
        """
        if not self.references:
            raise UsageError("there is no reference to cut the hypotheses by", "Name one with --ref.")
        first = self.first
        references = [_in_order(stream, first) for stream in self.references]
        source = _in_order(self.source, first) if self.source else None
        sides = [*references, *([source] if source else [])]
        for stream in sides:
            if len(stream.segments) != len(first.segments):
                raise InputError(
                    f"{stream.name} has {len(stream.segments)} segments, {first.name} has {len(first.segments)}",
                    "References and source must be cut alike; only hypotheses are realigned.",
                )
        documents = _documents(first)
        found = [_realigned(stream, first, realigner) for stream in self.hypotheses]
        kept = sorted(place for places in documents.values() for place in places)
        names = {place: name for name, places in documents.items() for place in places}
        found_documents = tuple(names[place] for place in kept)
        labels = None if self.by == DOCUMENT else _labels(sides, self.by)
        test_set = TestSet(
            tuple(
                System(stream.name, tuple(texts[place] for place in kept))
                for stream, (texts, _) in zip(self.hypotheses, found, strict=True)
            ),
            tuple(tuple(stream.segments[place] for place in kept) for stream in references),
            tuple(source.segments[place] for place in kept) if source else None,
            found_documents,
            tuple(labels[place] for place in kept) if labels else found_documents if self.by else None,
        )
        return test_set, [counts for _, counts in found]


def _in_order(stream: Stream, reference: Stream) -> Stream:
    """`stream` in the order of the reference's ids, as it is where one of both has none."""
    if "id" not in stream.columns or "id" not in reference.columns or stream is reference:
        return stream
    places = {name: place for place, name in enumerate(stream.columns["id"])}
    wanted = reference.columns["id"]
    for side in (stream, reference):
        if len(set(side.columns["id"])) < len(side.segments):
            raise InputError(f"{side.name} has an id twice", "Give every segment an id of its own.")
    missing = [name for name in wanted if name not in places]
    unknown = sorted(places.keys() - set(wanted))
    if missing or unknown:
        name, lacking = (missing[0], stream.name) if missing else (unknown[0], reference.name)
        raise InputError(
            f"{lacking} has no segment {name!r} ({len(missing)} missing, {len(unknown)} unknown)",
            "Give both sides the same ids, or none.",
        )
    order = [places[name] for name in wanted]
    return Stream(
        stream.name,
        tuple(stream.segments[place] for place in order),
        {key: tuple(values[place] for place in order) for key, values in stream.columns.items()},
    )


def _column(sides: Sequence[Stream], key: str) -> tuple[str, ...] | None:
    """The values of `key` of the first side that has them."""
    return next((side.columns[key] for side in sides if key in side.columns), None)


def _labels(sides: Sequence[Stream], by: str | None) -> tuple[str, ...] | None:
    if by is None:
        return None
    found = _column(sides, by)
    if found is None:
        raise UsageError(f"no segment has the key {by!r} to slice by", "Use a key that every line of the JSONL has.")
    return found


def _documents(stream: Stream) -> dict[str, list[int]]:
    """The places of the segments of each document, those without text left out."""
    ids = stream.columns.get(DOCUMENT)
    found: dict[str, list[int]] = {}
    number, blank = 0, True
    for place, text in enumerate(stream.segments):
        if not text.strip():
            blank = True
            continue
        number += blank
        blank = False
        found.setdefault(ids[place] if ids else str(number), []).append(place)
    if not found:
        raise InputError(f"{stream.name} is empty", "Give at least one segment.")
    return found


def _realigned(stream: Stream, reference: Stream, realigner: Realigner) -> tuple[dict[int, str], BeadCounts]:
    """The hypothesis of each reference segment by its place, and how the documents fitted."""
    ours, theirs = _documents(stream), _documents(reference)
    if DOCUMENT in stream.columns and DOCUMENT in reference.columns:
        # A document of which the system said nothing is one all the same.
        ours |= {name: [] for name in stream.columns[DOCUMENT] if name in theirs and name not in ours}
        odd = sorted(ours.keys() ^ theirs.keys())
        if odd:
            side = stream if odd[0] in theirs else reference
            raise InputError(
                f"{side.name} has no document {odd[0]!r} ({len(odd)} have no counterpart)",
                "Both sides need the same documents.",
            )
        pairs = [(ours[name], theirs[name]) for name in theirs]
    elif len(ours) != len(theirs):
        raise InputError(
            f"{stream.name} has {len(ours)} documents, {reference.name} has {len(theirs)}",
            "Separate documents by a blank line, or use JSONL with doc_id.",
        )
    else:
        pairs = list(zip(ours.values(), theirs.values(), strict=True))
    texts: dict[int, str] = {}
    counts = BeadCounts()
    for own, expected in pairs:
        found = realigner.realign(
            [stream.segments[place] for place in own], [reference.segments[place] for place in expected]
        )
        texts |= dict(zip(expected, found.segments, strict=True))
        counts += found.counts
    return texts, counts
