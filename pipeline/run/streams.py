"""Test sets from files: hypotheses, references, sources, and what is known of each segment.

A side is read from plain lines (UTF-8, cut at LF only), from JSONL, or from a run folder, whose translations stand
against the English that was aligned with their source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson

from pipeline.config.load import load_config
from pipeline.errors import InputError, UsageError
from pipeline.files.lines import BOM
from pipeline.files.progress import Progress
from pipeline.metrics.evaluation import System
from pipeline.metrics.realign import BeadCounts, Realigner
from pipeline.run.run import Run

Role = Literal["hypothesis", "reference", "source"]
MANIFEST = "manifest.json"
DOCUMENT = "doc_id"
TEXT_KEYS: Mapping[Role, tuple[str, ...]] = {
    "hypothesis": ("hypothesis", "mt", "translation", "tgt", "tgt_text", "text"),
    "reference": ("reference", "ref", "translation", "tgt", "tgt_text", "text"),
    "source": ("src", "src_text", "text", "source"),
}
"""The keys of JSONL that may hold the text of a side; the first that the file has is taken."""


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


def read_streams(
    hypotheses: Sequence[Path],
    references: Sequence[Path],
    source: Path | None = None,
    documents: Path | None = None,
    by: str | None = None,
) -> Streams:
    """Read every side; a hypothesis that is named twice counts once. A run folder brings its own reference.

    `documents` is a file with the document of each reference segment, a line each. Without references, the source says
    what the segments are. Raises InputError on what cannot be read, UsageError where there is neither.
    """
    keys = {"id", DOCUMENT, *([by] if by else [])}
    paths = list(dict.fromkeys(hypotheses))
    if not references:
        runs = all(path.is_dir() for path in paths)
        if not runs and source is None:
            raise UsageError(
                "there is no reference", "Name one with --ref, or the source with --src for metrics without references."
            )
        found = [_run_reference(paths, keys)] if runs else []
    else:
        found = [read_stream(path, "reference", keys) for path in references]
    sides = [*found, *([read_stream(source, "source", keys)] if source else [])]
    if documents is not None:
        names = read_lines(documents)
        first = sides[0]
        if len(names) != len(first.segments):
            raise InputError(
                f"{documents} has {len(names)} lines, {first.name} has {len(first.segments)} segments",
                "Line n must be the document of segment n.",
            )
        sides[0] = Stream(first.name, first.segments, {**first.columns, DOCUMENT: tuple(names)})
    return Streams(
        tuple(read_stream(path, "hypothesis", keys) for path in paths),
        tuple(sides[: len(found)]),
        sides[-1] if source else None,
        by,
    )


def read_stream(path: Path, role: Role, keys: set[str]) -> Stream:
    """One side from a run folder, JSONL (by its suffix) or plain lines, with the columns `keys` as far as it has them.

    Raises InputError when it cannot be read.
    """
    if path.is_dir():
        return _run_stream(path, role, keys)
    if path.suffix == ".jsonl":
        return _json_stream(path, role, keys)
    return Stream(str(path), tuple(read_lines(path)))


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 file, cut at LF only; one CR before it is dropped, and a byte order mark before all.

    Raises InputError when the file cannot be read, or with the line of the first byte that is not UTF-8.
    """
    try:
        data = path.read_bytes()
        start = len(BOM) if data.startswith(BOM) else 0
        text = data[start:].decode("utf-8")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", "Give a text file, one segment a line.") from error
    except UnicodeDecodeError as error:
        place = start + error.start
        line = data.count(b"\n", 0, place) + 1
        raise InputError(f"{path}, line {line}: byte {place} is not UTF-8", "Convert the file to UTF-8.") from error
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def _json_stream(path: Path, role: Role, keys: set[str]) -> Stream:
    rows = [(number, _row(path, number, line)) for number, line in enumerate(read_lines(path), 1) if line.strip()]
    if not rows:
        raise InputError(f"{path} is empty", "Give at least one segment.")
    options = TEXT_KEYS[role]
    key = next((option for option in options if option in rows[0][1]), None)
    if key is None:
        raise InputError(f"{path}, line {rows[0][0]} has no {role}", f"Name it with one of: {', '.join(options)}.")
    for number, row in rows:
        if not isinstance(row.get(key), str):
            raise InputError(f"{path}, line {number} has no text under {key!r}", "Every line needs what the first has.")
    for name in ("id", DOCUMENT):
        lacking = [number for number, row in rows if not isinstance(row.get(name), str | int)]
        if lacking and any(name in row for _, row in rows):
            raise InputError(
                f"{path}, line {lacking[0]} has no {name!r} that is text or a whole number, other lines have one",
                "Segments are matched by it: give it to all lines, or to none.",
            )
    columns = {
        name: tuple(str(row[name]) for _, row in rows)
        for name in sorted(keys)
        if all(isinstance(row.get(name), str | int) for _, row in rows)
    }
    return Stream(str(path), tuple(row[key] for _, row in rows), columns)


def _row(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InputError(f"{path}, line {number} is not JSON: {error}") from error
    if not isinstance(row, dict):
        raise InputError(f"{path}, line {number} is no JSON object", 'A line is like {"id": "7", "text": "..."}.')
    return row


def _run_stream(folder: Path, role: Role, keys: set[str]) -> Stream:
    try:
        shards = orjson.loads((folder / MANIFEST).read_bytes())["shards"]
    except FileNotFoundError as error:
        raise InputError(f"{folder} holds no finished run (no {MANIFEST})", "Finish it with `mekong run`.") from error
    run = Run(load_config(folder / "config.yaml"), folder, Progress(quiet=True))
    groups = [group for number in range(shards) for group in run.groups(number)]
    if not groups:
        raise InputError(
            f"no English of {folder} was aligned with a translated source", "Add English articles to its input."
        )
    columns = {DOCUMENT: tuple(group.doc_id for group in groups), "lang": tuple(group.lang for group in groups)}
    texts = tuple(str(getattr(group, role)) for group in groups)
    return Stream(str(folder), texts, {name: values for name, values in columns.items() if name in keys})


def _run_reference(folders: Sequence[Path], keys: set[str]) -> Stream:
    """The reference of runs, which must be the same for all of them."""
    first, *others = (_run_stream(folder, "reference", keys) for folder in folders)
    for other in others:
        if other.segments != first.segments:
            raise InputError(
                f"{first.name} and {other.name} have not the same reference segments",
                "Alignment follows translations; give both one reference with --ref and --realign.",
            )
    return first


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
