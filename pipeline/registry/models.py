"""The registry of models and the store they are kept in.

An entry says where a model comes from, under which licence, and how it is to be driven. A model is added once
(`pipeline.cli.model_add`), which is the only time anything is fetched; from then on it is read from the store:

    $MEKONG_MODELS (or ~/.cache/mekong/models)/
        NAME/                 configuration, tokenizer, safetensors
            lock.json         where it came from, and size and SHA-256 of every file
        entries/*.yaml        the user's own registry entries

A model that an installed Python package carries stays there; its folder in the store holds the lock alone.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib.metadata
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints, field_validator, model_validator

from pipeline.config.load import parse_settings
from pipeline.config.settings import Count, Settings
from pipeline.errors import ConfigError, ModelError, ModelMissing, ModelRefused, StoreError, UsageError
from pipeline.files.plain_yaml import load_yaml
from pipeline.files.store import digest, file_sha256, to_json, write_bytes

LOCK = "lock.json"
OWN_ENTRIES = "entries"
OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}

SOURCE = re.compile(
    r"package:(?P<package>[A-Za-z0-9._-]+(\{\d+\.\.\d+\})?[A-Za-z0-9._-]*)==(?P<version>[^#\s]+)(#(?P<files>\S+))?"
    r"|hub:(?P<repo>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?(#(?P<file>\S+))?"
    r"|path:(?P<path>\S.*)"
)
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Backend = Literal["mekong", "transformers", "ctranslate2"]
SCORERS = ("comet", "metricx")
SEQ2SEQ = ("marian", "m2m100", "nllb", "mbart50", "t5")


class Generation(Settings):
    """How a translator searches."""

    length_penalty: float = 1.0
    """Exponent of the length by which the score of a beam is divided (transformers' meaning)."""
    max_new_factor: Annotated[float, Field(gt=0)] = 3.0
    """Bound on the output: this many tokens a source token, ..."""
    max_new_extra: Annotated[int, Field(ge=1)] = 32
    """... plus this many."""


class Prompt(Settings):
    """What a chat model is told; `user` holds {language}, {hints} and {text}."""

    system: str
    user: str
    end_tokens: tuple[str, ...]
    """Tokens that end an answer."""

    @field_validator("user")
    @classmethod
    def _has_text(cls, user: str) -> str:
        try:
            user.format(language="", hints="", text="")
        except (KeyError, IndexError, ValueError) as error:
            raise ValueError(f"a placeholder is wrong: {error!r}") from error
        if "{text}" not in user:
            raise ValueError("{text} is missing")
        return user


class LearnedMetricSettings(Settings):
    """How the scores of a scorer are asked for and read."""

    name: str
    """What `mekong score --metric` and `mekong models add --scorer` call it."""
    title: str
    """As it is printed."""
    reference: Literal["needed", "optional", "unused"]
    higher_better: bool
    batch_rows: Count = 16


class Entry(Settings):
    """One model of the registry."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    kind: Literal["translator", "encoder", "scorer"]
    family: Literal["marian", "m2m100", "nllb", "mbart50", "t5", "chat", "use", "bert", "comet", "metricx"]
    format: Literal["safetensors", "gguf", "package"] = "safetensors"
    """How it is published: a transformers checkpoint, one GGUF file, or a Python package that holds it."""
    sources: Annotated[tuple[str, ...], Field(min_length=1)]
    """In order of preference: `package:NAME==VERSION#FILES`, `hub:OWNER/REPO@REVISION#FILE`, `path:FOLDER-OR-FILE`.

    `{1..9}` in a package name stands for nine packages, whose files are joined in that order; FILES is a pattern."""
    tokenizer: str = ""
    """Source of the tokenizer and the configuration of the encoder, where the checkpoint comes without them."""
    sha256: dict[str, Sha256] = {}
    """Expected hashes by file name; a source with another file under that name is refused."""
    languages: Annotated[dict[str, str], Field(min_length=1)]
    """Our language code -> the token that names the language in the source, empty where the model takes none."""
    target: str = ""
    """The token that asks for English, empty where the model takes none."""
    licence: str
    commercial: bool
    """Whether the licence is known to allow commercial use."""
    use: Literal["", "trial"] = ""
    """`trial`: good enough to try mekong with, not to be believed unread; its pairs are kept apart in a corpus."""
    url: str
    citation: str = ""
    parameters: Count | None = None
    """Its size in millions of weights, so that the memory it needs is known before it is fetched."""
    max_source_tokens: Count
    """Longest text given to the model, in tokens, without prompt and language codes."""
    generation: Generation = Generation()
    engine: dict[Literal["cpu", "cuda"], Backend] = {}
    """The engine on each device, where it is not the family's usual one."""
    prompt: Prompt | None = None
    metric: LearnedMetricSettings | None = None
    vietnamese_tones: Literal["as written", "old", "new"] = "as written"
    """Where the model's training text put the tones of oa, oe and uy (old hòa, new hoà), if it was all of one style."""

    @field_validator("sources")
    @classmethod
    def _sources(cls, sources: tuple[str, ...]) -> tuple[str, ...]:
        for source in sources:
            if not SOURCE.fullmatch(source):
                raise ValueError(f"{source!r} is not of the form package:NAME==VERSION, hub:OWNER/REPO or path:FOLDER")
        return sources

    @field_validator("tokenizer")
    @classmethod
    def _tokenizer(cls, source: str) -> str:
        if source and not re.fullmatch(r"(hub|path):.+", source):
            raise ValueError(f"{source!r} is not of the form hub:OWNER/REPO or path:FOLDER")
        return source

    @model_validator(mode="after")
    def _consistent(self) -> Entry:
        if len({self.kind == "scorer", self.metric is not None, self.family in SCORERS}) > 1:
            raise ValueError(f"a scorer, and nothing else, has `metric` and a family among {', '.join(SCORERS)}")
        if self.family == "chat" and self.prompt is None:
            raise ValueError("a chat model needs `prompt`")
        if self.format == "gguf" and len(self.sha256) != 1:
            raise ValueError("a GGUF model needs the SHA-256 of its one file")
        if self.family in SEQ2SEQ and self.family != "marian" and not self.target:
            raise ValueError(f"a model of family {self.family} needs `target`, its token for English")
        if self.family not in SEQ2SEQ and "mekong" in self.engine.values():
            raise ValueError(f"the engine mekong is not for models of family {self.family}")
        return self

    @property
    def trial(self) -> bool:
        """Whether it is for trials only."""
        return self.use == "trial"

    @property
    def general(self) -> bool:
        """Whether it is a general language model that is told to translate, not one trained for that."""
        return self.family == "chat"

    def backend(self, device: Literal["cpu", "cuda"]) -> Backend:
        """The engine that runs it on a device unless another is asked for."""
        return self.engine.get(device, "mekong" if self.family in SEQ2SEQ else "transformers")


class FileRecord(BaseModel):
    """Size in bytes and hash of one file, and when it had last changed when it was hashed (0: nobody knows)."""

    size: int
    sha256: str
    mtime_ns: int = 0


class Lock(BaseModel):
    """What is in the store under one name, and where it came from.

    `version` is the resolved commit or package version. `files` are relative to the model's folder, or to the folder of
    the installed packages when `in_package` names the one that holds them. A scorer's tokenizer has a source of its
    own, here with its version, and `published` records a scorer's weights as they were before they were converted.
    """

    name: str
    source: str
    version: str
    licence: str
    converted_from: Literal["", "gguf", "pickle"] = ""
    in_package: str = ""
    tokenizer: str = ""
    published: dict[str, FileRecord] = {}
    files: dict[str, FileRecord]


@dataclass(frozen=True, slots=True)
class FileProblem:
    """What a full check found wrong with one file."""

    file: str
    problem: str


def shipped() -> Path:
    """The folder of the registry: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parents[1]
    packaged = package / "_data" / "models"
    return packaged if packaged.is_dir() else package.parent / "models"


def root() -> Path:
    """The model store, which may not exist yet."""
    chosen = os.environ.get("MEKONG_MODELS")
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "mekong" / "models"


def entries(extra: Path | None = None) -> dict[str, Entry]:
    """All entries by name: the shipped ones, then those of `extra` (default: the folder `entries` of the store).

    Raises ConfigError for a file that is no entry, or a name that is there twice.
    """
    found: dict[str, Entry] = {}
    for folder in (shipped(), extra if extra is not None else root() / OWN_ENTRIES):
        for path in sorted(folder.glob("*.yaml")):
            data = load_yaml(path)
            if not isinstance(data, dict):
                raise ConfigError(f"{path} is not a mapping", "See the files in models/ for examples.")
            one = parse_settings(Entry, data, str(path))
            if one.name in found or path.stem != one.name:
                raise ConfigError(
                    f"{path} describes a model named {one.name!r}", "Give it a name of its own, the same as the file's."
                )
            found[one.name] = one
    return found


def entry(name: str, extra: Path | None = None) -> Entry:
    """One entry.

    Raises UsageError naming the nearest one when there is none of that name.
    """
    known = entries(extra)
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
        raise UsageError(
            f"there is no model {name!r} in the registry", f"Did you mean {near[0]!r}? `mekong models list`"
        )
    return known[name]


def how_to_add(entry: Entry) -> str:
    """The command that gets a model."""
    return f"mekong models add {f'--scorer {entry.metric.name}' if entry.metric else entry.name}"


def folder(entry: Entry) -> Path:
    """Where a model is, or would be, in the store."""
    return root() / entry.name


def read_lock(entry: Entry) -> Lock:
    """The lock of a model in the store.

    Raises ModelMissing when it is not there, ModelError when the lock is damaged.
    """
    path = folder(entry) / LOCK
    remedy = how_to_add(entry)
    try:
        return Lock.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise ModelMissing(f"the model {entry.name} is not in the store {root()}", remedy) from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}", f"Delete {path.parent}, then {remedy}") from error


def locate(entry: Entry) -> Path:
    """The folder to load a model from; every file of the lock is there as it was.

    One that was written to since it was hashed is hashed again. Raises ModelMissing with the command that gets it when
    it is not in the store, incomplete, or belongs to another version of the package, ModelRefused when a file has
    changed.
    """
    lock = read_lock(entry)
    base, files = _resolved(entry, lock)
    times: dict[str, int] = {}
    for name, record in lock.files.items():
        about = files[name].stat() if files[name].is_file() else None
        size = about.st_size if about else None
        if about is None or size != record.size:
            raise ModelMissing(
                f"the model {entry.name} is incomplete: {files[name]} has {size or 'no'} of {record.size} bytes",
                how_to_add(entry),
            )
        if about.st_mtime_ns == record.mtime_ns:
            continue
        if _hash(files[name], about.st_size, about.st_mtime_ns) != record.sha256:
            raise ModelRefused(
                f"the model {entry.name} has changed since it was added: {files[name]} has another SHA-256 than {LOCK}",
                f"See `mekong models check {entry.name}`; get it again with {how_to_add(entry)}",
            )
        times[name] = about.st_mtime_ns
    if times:
        _note_times(entry, lock, times)
    return base


@cache
def _hash(path: Path, size: int, mtime_ns: int) -> str:
    """The SHA-256 of a file that has that size and time."""
    return file_sha256(path)


def _note_times(entry: Entry, lock: Lock, times: dict[str, int]) -> None:
    """Remember that files are as they were at these times, so that they are hashed once only."""
    for name, mtime_ns in times.items():
        lock.files[name].mtime_ns = mtime_ns
    with contextlib.suppress(StoreError):  # the store of others: then each process hashes them
        write_bytes(folder(entry) / LOCK, to_json(lock, indent=True) + b"\n")


def check(entry: Entry) -> list[FileProblem]:
    """Hash every file of a model in the store again; an empty list when all are as they were.

    Raises ModelMissing when it is not in the store.
    """
    lock = read_lock(entry)
    _, files = _resolved(entry, lock)
    return [FileProblem(name, problem) for name, problem in _problems(lock, files)]


def fingerprint(entry: Entry) -> str:
    """Hash of the files of a model as the lock records them, and of the entry's fields that can change an output.

    Raises ModelMissing when it is not in the store.
    """
    files = {name: record.sha256 for name, record in read_lock(entry).files.items()}
    fields = {"family", "languages", "target", "max_source_tokens", "generation", "prompt", "vietnamese_tones"}
    said = entry.model_dump(include=fields)
    return digest(files, said)


def offline() -> None:
    """Keep huggingface_hub and transformers off the network, and quiet, for the rest of this process.

    They read these variables when they are first imported, so this is called before: by every command but
    `mekong models add`, and by whatever loads a model.
    """
    os.environ.update(OFFLINE)


def _resolved(entry: Entry, lock: Lock) -> tuple[Path, dict[str, Path]]:
    """The folder to load from, and where each file of the lock is."""
    if not lock.in_package:
        base = folder(entry)
        return base, {name: base / name for name in lock.files}
    try:
        installed: Any = importlib.metadata.distribution(lock.in_package)
    except importlib.metadata.PackageNotFoundError:
        raise ModelMissing(
            f"the model {entry.name} is in the package {lock.in_package}, which is not installed",
            f"pip install {lock.in_package}=={lock.version}",
        ) from None
    if installed.version != lock.version:
        raise ModelMissing(
            f"the model {entry.name} was added from {lock.in_package} {lock.version}, now it is {installed.version}",
            f"mekong models add {entry.name}",
        )
    files = {name: Path(str(installed.locate_file(name))) for name in lock.files}
    return Path(os.path.commonpath([path.parent for path in files.values()])), files


def _problems(lock: Lock, files: dict[str, Path]) -> Iterator[tuple[str, str]]:
    for name, record in lock.files.items():
        path = files[name]
        if not path.is_file():
            yield name, "is missing"
        elif path.stat().st_size != record.size:
            yield name, f"has {path.stat().st_size} bytes, not {record.size}"
        elif (now := file_sha256(path)) != record.sha256:
            yield name, f"has SHA-256 {now}, not {record.sha256}"
