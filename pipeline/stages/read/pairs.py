"""Pairs of corpora that are there already, from files to `Pair`; what cannot be read becomes a `Reject`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, get_args

from pipeline.errors import InputError, UsageError
from pipeline.files.lines import BadInput, check_file, numbered_lines, path_text
from pipeline.files.published import published, published_names
from pipeline.files.rejects import bounded
from pipeline.files.table_row import TableRow
from pipeline.files.tables import ENGLISH_KEYS, JSON, JSON_LINES, PARQUET, SOURCE_KEYS, TMX, kind, rows
from pipeline.stages.read.fields import by_language, id_field, is_missing, text_field
from pipeline.text.languages import alternatives, known_code, source_languages
from pipeline.text.unicode import one_line
from pipeline.types import ENGLISH, Origin, Pair, Reject, Source

TABLES = (".tsv", *JSON_LINES, JSON, PARQUET, TMX)
IDS = ("id", "src_doc", "tgt_doc")


@dataclass(frozen=True, slots=True)
class Given:
    """A pair of a corpus, with what that says of where the two texts come from and of the model that made the English.

    The id is the corpus's own, else FILE:LINE. `english` is None where no file of the English is named. `columns` are
    the further columns of a .tsv, which are handed on.
    """

    pair: Pair
    source: Source
    english: Source | None = None
    model: str = ""
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Corpus:
    """A file of pairs, or a source file with the English file that goes with it line by line; `lang` may be unknown.

    `name` is what pairs and rejects call the file.
    """

    path: Path
    english: Path | None
    lang: str
    name: str

    def read(self, limit: int) -> Iterator[Given | Reject]:
        """Every pair in order; lines of more than `limit` bytes, and all else that is no pair, are rejected.

        Raises InputError when a file cannot be opened, or the two have different numbers of lines.
        """
        return bounded(self._read(limit), self.path)

    def _read(self, limit: int) -> Iterator[Given | Reject]:
        for row in _moses(self.path, self.english, limit) if self.english else rows(self.path, limit):
            if isinstance(row, Reject):
                yield replace(row, path=self.name if Path(row.path) == self.path else published(Path(row.path)))
                continue
            try:
                yield from _pairs(row, self.name, self.lang)
            except BadInput as bad:
                yield Reject(self.name, row.line, row.offset, bad.reason)


def corpora(paths: Sequence[Path], lang: str) -> list[Corpus]:
    """What the files are, by their names: tables of pairs, or Moses files FILE.th and FILE.en, both of them given.

    `lang` is a source language or empty; empty will do where files state it themselves.
    Raises InputError for a file that is not there, UsageError where one side or the language is missing, or a file's
    ending states another one.
    """
    for path in paths:
        check_file(path, "Name files of pairs.")
    names = published_names(paths)
    english = {_stem(path): path for path in paths if _language(path) == ENGLISH}
    found: list[Corpus] = []
    for path in paths:
        suffix, code = kind(path), _language(path)
        if suffix in TABLES:
            if suffix == ".tsv" and not lang:
                raise UsageError(f"{path} does not say what language it is in", f"Give {_each('--lang {}')}.")
            found.append(Corpus(path, None, lang, names[path]))
        elif code in source_languages():
            if lang not in ("", code):
                raise UsageError(
                    f"{path} ends in {code}, --lang is {lang}", f"Leave --lang out, or rename {path.name}."
                )
            if _stem(path) not in english:
                raise UsageError(f"{path} has no English side", f"Give {_stem(path)}.en beside it.")
            found.append(Corpus(path, english[_stem(path)], code, names[path]))
        elif code != ENGLISH:
            raise UsageError(
                f"{path} is of no known type {suffix!r}",
                f"Known: {', '.join(TABLES)}, and {_each('FILE.{}')} with FILE.en.",
            )
    used = {corpus.english for corpus in found}
    for stem, path in ((stem, path) for stem, path in english.items() if path not in used):
        raise UsageError(f"{path} has no source side", f"Give {_each(stem + '.{}')} beside it.")
    return found


def _language(path: Path) -> str:
    """The language of a Moses file by its name: "en" of dev.en, dev.EN.gz and dev.eng."""
    return known_code(kind(path).removeprefix("."))


def _each(form: str) -> str:
    """`form` with each source language in its braces: "--lang th or --lang vi"."""
    return alternatives(form.replace("{}", code) for code in source_languages())


def _stem(path: Path) -> str:
    """The path up to its language: "a/corpus" of a/corpus.th.gz."""
    return str(path)[: str(path).lower().rindex(kind(path))]


def _moses(source: Path, english: Path, limit: int) -> Iterator[TableRow | Reject]:
    for ours, theirs in zip_longest(numbered_lines(source, limit), numbered_lines(english, limit)):
        if ours is None or theirs is None:
            longer, shorter = (source, english) if theirs is None else (english, source)
            number = (ours or theirs)[0]
            raise InputError(f"{longer} has a line {number}, {shorter} ends before it", "Lines must belong together.")
        for path, (number, offset, text) in ((source, ours), (english, theirs)):
            if isinstance(text, BadInput):
                yield Reject(path_text(path), number, offset + text.offset, text.reason)
                break
        else:
            sides = {"src": ours[2], "tgt": theirs[2]}
            if any(str(side).strip() for side in sides.values()):
                yield TableRow(ours[0], ours[1], sides)


def _pairs(row: TableRow, path: str, lang: str) -> list[Given]:
    """The pair of a row, or one for each source language of a row that has both and says nothing of its language."""
    row = replace(row, values=by_language(row.values))
    values = row.values
    stated = known_code(_text(values, "src_lang")) or lang
    there = [code for code in source_languages() if code in values]
    found = [stated] if stated else [code for code in there if _text(values, code).strip()] or there[:1]
    if not found or found[0] not in source_languages():
        raise BadInput(f"the source language {stated!r} is not one of {', '.join(source_languages())}")
    if known_code(_text(values, "tgt_lang")) not in ("", ENGLISH):
        raise BadInput(f"the target language is {values['tgt_lang']!r}, not English")
    name = _text(values, "id") or f"{path}:{row.line}"
    names = [name] if len(found) == 1 else [f"{name}:{code}" for code in found]
    return [_given(row, path, code, name) for code, name in zip(found, names, strict=True)]


def _given(row: TableRow, path: str, stated: str, name: str) -> Given:
    values = row.values
    src_text = _side(values, (*SOURCE_KEYS, stated), stated)
    tgt_text = _side(values, (*ENGLISH_KEYS, ENGLISH), ENGLISH)
    origin = _text(values, "origin")
    pair = Pair(
        id=name,
        src_doc=_text(values, "src_doc"),
        tgt_doc=_text(values, "tgt_doc"),
        src_lang=stated,
        src_segments=(),
        tgt_segments=(),
        src_spans=_spans(values, "src_spans"),
        tgt_spans=_spans(values, "tgt_spans"),
        src_text=src_text,
        tgt_text=tgt_text,
        origin=origin if origin in get_args(Origin) else "aligned",  # type: ignore[arg-type]
        cost=_score(values, "alignment_cost"),
        margin=_score(values, "mining_margin" if origin == "mined" else "margin"),
        displacement=_score(values, "displacement"),
    )
    licence = _text(values, "licence")
    source = Source(_text(values, "src_path") or path, row.line, _text(values, "url"), licence)
    named = _text(values, "tgt_path")
    english = Source(named, url=_text(values, "tgt_url"), licence=licence) if named else None
    columns = values.get("columns")
    further = tuple(map(str, columns)) if isinstance(columns, list | tuple) else ()
    return Given(pair, source, english, _text(values, "model"), further)


def _side(values: Mapping[str, Any], keys: Iterable[str], lang: str) -> str:
    """One side, normalised as a run normalises what it aligns: what becomes of a pair must not hang on how its
    characters are stored."""
    given = [key for key in keys if key in values]
    key = next((key for key in given if not is_missing(values[key])), given[0] if given else None)
    if key is None:
        raise BadInput(f"none of {', '.join(keys)} among the fields {sorted(values)}")
    text = _text(values, key)
    if "\0" in text:
        raise BadInput(f"{key!r} holds a NUL character, so it is not text")
    line = one_line(text, lang)
    if not line:
        raise BadInput(f"{key!r} is empty")
    return line


def _text(values: Mapping[str, Any], key: str) -> str:
    return (id_field if key in IDS else text_field)(values.get(key), key)


def _score(values: Mapping[str, Any], name: str) -> float | None:
    """A score that only the aligner could give, as corpora of mekong's own keep it."""
    scores = values.get("scores")
    value = scores.get(name) if isinstance(scores, Mapping) else values.get(f"score_{name}")
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise BadInput(f"the score {name!r} is a {type(value).__name__}, not a number")
    return None if value is None or math.isnan(value) else value


def _spans(values: Mapping[str, Any], key: str) -> tuple[tuple[int, int], ...]:
    spans = values.get(key) or []
    if not isinstance(spans, list) or not all(
        isinstance(span, list) and [*map(type, span)] == [int, int] for span in spans
    ):
        raise BadInput(f"{key!r} is no list of [start, end]")
    return tuple((span[0], span[1]) for span in spans)
