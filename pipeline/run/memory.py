"""The translation memory of a run: what the same model has translated in the same way is not translated again.

It holds hypotheses as the engine made them, and they are judged anew in each run: what a run with a memory makes is,
byte for byte, what it makes without. So it is for engines in which no row depends on the others, and holds only first
attempts, got in the usual way, that passed every guard.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pipeline.config.settings import TranslateSettings
from pipeline.engines.base import Hypothesis, ModelInput, Translator
from pipeline.engines.devices import processor
from pipeline.errors import StoreError
from pipeline.files.store import digest, to_json
from pipeline.registry import models
from pipeline.run import provenance
from pipeline.run.memory_file import KnownSegment, Maker, MemoryFile, MemoryOutOfReach, check_header
from pipeline.stages.translate.stage import VERSION as TRANSLATE_VERSION

AUTO, OFF = "auto", "off"
FOLDER = ".memory"
FILE = "memory.sqlite"
PACKAGES = ("numba", "numpy", "sentencepiece", "tokenizers", "torch", "transformers")
"""Those whose other version may round, or cut words, otherwise."""


def memory_path(setting: str = AUTO) -> Path | None:
    """The file that `translate.memory` means: in the model store, the one named, or in the folder named; None for
    off."""
    if setting == OFF:
        return None
    if setting == AUTO:
        return models.root() / FOLDER / FILE
    path = Path(setting).expanduser()
    return path / FILE if path.is_dir() or setting.endswith("/") else path


def check_memory(setting: str) -> None:
    """Raises StoreError when the file is there and is no memory that this version can read; touches nothing."""
    path = memory_path(setting)
    if path is not None and path.exists():
        try:
            check_header(path)
        except MemoryOutOfReach:
            if setting != AUTO:
                raise


def maker(translator: Translator, search: str) -> Maker:
    """What answers come from, but for the language: the model, its settings, this version of the stage, the libraries,
    and the processor or GPU, as another one may round otherwise. `search` is for people."""
    about = translator.engine.about
    devices = sorted(set(about.get("device", "cpu").split(", ")))
    device = processor() if devices == ["cpu"] else ", ".join(devices)
    packages = {name: version for name, version in provenance.packages().items() if name in PACKAGES}
    dtype = about.get("dtype", "")
    identity = digest(translator.fingerprint, TRANSLATE_VERSION, packages, device, dtype)
    made_with = ", ".join(filter(None, (about.get("engine", ""), dtype, search, device)))
    return Maker(identity, "", translator.name, made_with)


@dataclass(frozen=True, slots=True)
class MemoryUse:
    """How many of the segments of a run the memory knew, and the bytes that it takes on disk."""

    known: int
    asked: int
    bytes: int

    @property
    def spared(self) -> bool:
        """Whether so much was known that the time of the run says nothing of the engine: more than a tenth."""
        return self.known * 10 > self.asked

    def __str__(self) -> str:
        return f"{self.known:,} of {self.asked:,} segments known, {megabytes(self.bytes)}"


def megabytes(size: int) -> str:
    """A number of bytes for people."""
    return f"{size / 1e6:,.0f} MB" if size >= 10**7 else f"{size / 1e6:,.1f} MB"


class TranslationMemory:
    """The memory of a run; without a file it knows nothing and keeps nothing. A context manager that closes the file.

    What goes wrong with the file once it is open ends no run: `warn` is told, once. One that cannot be read is not
    asked again; one that cannot be written is still read.
    """

    def __init__(
        self, file: MemoryFile | None = None, made_by: Maker | None = None, warn: Callable[[str], None] = lambda _: None
    ) -> None:
        self._file, self._made_by, self._warn = file, made_by, warn
        self._warned = False
        self._known = self._asked = 0
        self.use: MemoryUse | None = None
        """What it was good for, once it is closed."""

    def __enter__(self) -> TranslationMemory:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def recall(self, inputs: Sequence[ModelInput]) -> dict[int, Hypothesis]:
        """What is known of first attempts, by their place."""
        if self._file is None or not inputs:
            return {}
        keys = [self._key(row) for row in inputs]
        try:
            found, stale = self._file.find(keys)
        except StoreError as error:
            self._trouble(f"the translation memory is not used any more: {error}")
            self._close()
            return {}
        self._write(partial(MemoryFile.use, keys=stale))
        known = {number: found[key] for number, key in enumerate(keys) if key in found}
        self._known += len(known)
        self._asked += len(inputs)
        return known

    def remember(self, passed: Iterable[tuple[ModelInput, Hypothesis]]) -> None:
        """Keep first attempts that passed every guard. One that was got in an unusual way is left out: another run
        might have got it in the usual one."""
        if self._file is None or self._made_by is None:
            return
        by_language: dict[str, list[KnownSegment]] = {}
        for row, hypothesis in passed:
            if not hypothesis.note and hypothesis.ended == "stop":
                one = KnownSegment(self._key(row), row.request.text, hypothesis)
                by_language.setdefault(row.request.lang, []).append(one)
        for lang, rows in by_language.items():
            made_by = replace(self._made_by, lang=lang)
            self._write(partial(MemoryFile.keep, maker=made_by, rows=rows))

    def _key(self, row: ModelInput) -> bytes:
        """Of an input: its text, language and hints, and the tokens that they come to."""
        assert self._made_by is not None
        said = to_json((self._made_by.identity, row.request, row.tokens, row.text_tokens))
        return hashlib.blake2b(said, digest_size=16).digest()

    def _write(self, work: Callable[[MemoryFile], None]) -> None:
        try:
            if self._file is not None:
                work(self._file)
        except StoreError as error:
            self._trouble(f"not everything goes into the translation memory: {error}")

    def _trouble(self, text: str) -> None:
        if not self._warned:
            self._warn(text)
        self._warned = True

    def _close(self) -> None:
        if self._file is None:
            return
        file, self._file = self._file, None
        try:
            self.use = MemoryUse(self._known, self._asked, file.size)
            file.close()
        except StoreError as error:
            self._trouble(f"the translation memory cannot be closed: {error}")


def open_memory(settings: TranslateSettings, translator: Translator, warn: Callable[[str], None]) -> TranslationMemory:
    """The memory of a run with these settings.

    `warn` is told where a file was named and the engine cannot have a memory, and where the usual file is out of reach.
    Raises StoreError when the file is no memory that this version can read, or one that was named is out of reach.
    """
    path = memory_path(settings.memory)
    if path is None:
        return TranslationMemory()
    if not translator.rows_apart:
        if settings.memory != AUTO:
            engine = translator.engine.about.get("engine", "this engine")
            warn(f"no translation memory with {engine}: what becomes of a row depends on the rows beside it")
        return TranslationMemory()
    search = "greedy" if settings.num_beams == 1 else f"{settings.num_beams} beams"
    try:
        file = MemoryFile.opened(path)
    except MemoryOutOfReach as error:
        if settings.memory != AUTO:
            raise
        warn(f"no translation memory: {error.problem}")
        return TranslationMemory()
    return TranslationMemory(file, maker(translator, search + ", shortlist" * settings.shortlist), warn)
