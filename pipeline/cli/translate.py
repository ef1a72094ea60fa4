"""`mekong translate`: lines in, lines out."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from io import BufferedReader
from itertools import islice
from pathlib import Path

from pipeline.config.load import settings_from
from pipeline.engines.base import Hypothesis, Request, Translator
from pipeline.engines.load import choose, load
from pipeline.errors import InputError, UsageError
from pipeline.files.lines import open_raw
from pipeline.files.progress import Progress
from pipeline.files.separators import one_line
from pipeline.files.tables import JSON, JSON_LINES, PARQUET, TMX, kind
from pipeline.files.terminal import put
from pipeline.registry import models
from pipeline.registry.facts import TRIAL
from pipeline.run.line_by_line import translate_lines
from pipeline.stages.translate.glossary import Glossary
from pipeline.stages.translate.stage import TranslateContext
from pipeline.text.languages import alternatives, source_languages

POOL_LINES = 4000
"""Lines that are sorted by length together."""
NO_LINES = (*JSON_LINES, JSON, PARQUET, TMX)


def translate_command(
    files: Sequence[Path], lang: str, overrides: Sequence[str], glossary: Sequence[Path], *, as_json: bool, quiet: bool
) -> None:
    """Translate every line of `files` (standard input when there are none) and print the English lines in order."""
    choices = (*source_languages(), "auto")
    if lang not in choices:
        raise UsageError(f"--lang is {lang!r}", f"Use {alternatives(choices)}.")
    config = settings_from(overrides)
    progress = Progress(quiet=quiet)
    models.offline()
    entry = models.entry(config.translate.model)
    progress.say(f"model {entry.name}: {choose(entry, config.translate)}")
    if entry.trial:
        progress.say(f"{entry.name} is {TRIAL}.")
    langs = source_languages() if config.translate.use_glossary else ()
    glossaries = {code: Glossary.load(code, glossary) for code in langs}
    with load(entry, config.translate, progress.say) as translator:
        for pool in _pools(_lines(files)):
            total = sum(translator.count(line) for _, line in pool)
            with progress.task("translate", total, "tokens") as task:
                context = TranslateContext(translator, glossaries, task.advance)
                for line in translate_lines(pool, lang, config, context, as_json=as_json):
                    put(line if as_json else one_line(line)[0])
            sys.stdout.flush()


def _lines(files: Sequence[Path]) -> Iterator[tuple[str, str]]:
    if not files:
        yield from _decoded("stdin", sys.stdin.buffer)
    for path in files:
        if kind(path) in NO_LINES:
            raise InputError(f"{path} holds no lines of text", "Give a text file; `mekong run` reads articles in JSON.")
        try:
            with BufferedReader(open_raw(path)) as stream:
                yield from _decoded(str(path), stream)
        except EOFError as error:
            raise InputError(f"{path}: the compressed file is damaged: {error}", "Get it anew.") from error
        except OSError as error:
            problem = "is a folder, not a file" if path.is_dir() else f"cannot be read: {error.strerror}"
            raise InputError(f"{path} {problem}", "Give a text file.") from error


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
