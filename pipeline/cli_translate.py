"""`mekong translate`: lines in, lines out."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline import models
from pipeline.config import Config, apply_overrides, parse_settings
from pipeline.engines.base import Hypothesis, Request, Translator
from pipeline.engines.load import choose, load
from pipeline.errors import InputError, UsageError
from pipeline.glossary import Glossary
from pipeline.progress import Progress
from pipeline.segment import segment
from pipeline.store import to_json
from pipeline.text.language import detect
from pipeline.translate import TranslateContext, translate
from pipeline.types import Document, Source, Translation

POOL_LINES = 4000
"""Lines that are sorted by length together."""


def settings_from(overrides: Sequence[str]) -> Config:
    """The default configuration with `a.b=c` overrides."""
    data: dict[str, Any] = {}
    apply_overrides(data, overrides)
    return parse_settings(Config, data, "the command line")


def translate_command(
    files: Sequence[Path], lang: str, overrides: Sequence[str], glossary: Sequence[Path], *, as_json: bool, quiet: bool
) -> None:
    """Translate every line of `files` (standard input when there are none) and print the English lines in order."""
    if lang not in ("auto", "th", "vi"):
        raise UsageError(f"--lang is {lang!r}", "Use th, vi or auto.")
    config = settings_from(overrides)
    progress = Progress(quiet=quiet)
    models.offline()
    entry = models.entry(config.translate.model)
    progress.say(f"model {entry.name}: {choose(entry, config.translate)}")
    langs = ("th", "vi") if config.translate.use_glossary else ()
    glossaries = {code: Glossary.load(code, glossary) for code in langs}
    out = sys.stdout
    with load(entry, config.translate, progress.say) as translator:
        for pool in _pools(_lines(files)):
            total = sum(translator.count(line) for _, line in pool)
            with progress.task("translate", total, "tokens") as task:
                context = TranslateContext(translator, glossaries, no_memo, task.advance)
                for line in translate_lines(pool, lang, config, context, as_json=as_json):
                    out.write(line + "\n")
            out.flush()


def translate_lines(
    lines: Sequence[tuple[str, str]], lang: str, config: Config, context: TranslateContext, *, as_json: bool
) -> Iterator[str]:
    """The English of each (name, line): text, or a JSON record. Blank lines stay blank."""
    documents = [_document(name, line, lang) for name, line in lines]
    foreign = {document.id: document for document in documents if document.lang != "en" and document.text.strip()}
    segments = [replace(found, kind="body") for found in segment(foreign.values(), config.segment)]
    done: dict[str, list[Translation]] = {}
    for found, made in zip(segments, translate(segments, foreign, config.translate, context), strict=True):
        done.setdefault(found.doc_id, []).append(made)
    for document in documents:
        made_here = done.get(document.id, [])
        text = " ".join(part.text for part in made_here if part.text) if made_here else document.text
        if as_json:
            record = {"id": document.id, "lang": document.lang, "text": document.text, "translation": text}
            yield to_json({**record, "segments": made_here}).decode()
        else:
            yield text


def _document(name: str, line: str, lang: str) -> Document:
    found = lang if lang != "auto" else detect(line) if line.strip() else "en"
    if found not in ("th", "vi", "en"):
        raise InputError(f"{name}: the language looks like {found!r}", "Say it with --lang th or --lang vi.")
    return Document(name, found, line, Source(name))


def no_memo(rows: Sequence[Request], compute: Callable[[], list[Hypothesis]]) -> list[Hypothesis]:
    """Compute every batch, store none."""
    return compute()


def _lines(files: Sequence[Path]) -> Iterator[tuple[str, str]]:
    if not files:
        yield from _decoded("stdin", sys.stdin.buffer)
    for path in files:
        try:
            with path.open("rb") as stream:
                yield from _decoded(str(path), stream)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror}", "Give a text file.") from error


def _decoded(name: str, stream: Iterable[bytes]) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(stream, 1):
        where = f"{name}:{number}"
        try:
            yield where, line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"{where} is not UTF-8 at byte {error.start}", "Convert it to UTF-8 first.") from error


def _pools(lines: Iterator[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    while pool := list(islice(lines, POOL_LINES)):
        yield pool


def one_sentence(translator: Translator, text: str, lang: str, glossary: Glossary) -> Hypothesis:
    """Translate one short sentence once, for a check."""
    hints = tuple((found.term, found.english) for found in glossary.hints(text, 25))
    return translator.translate([Request(text, lang, hints if translator.codec.takes_hints else ())])[0]
