"""`manifest.json`, which a run or a filtered corpus leaves last: made, written, read and checked here.

The order of the fields is that of the file.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from pipeline.config.settings import Config
from pipeline.errors import StoreError
from pipeline.files.owner import FILTER, RUN, check_made_by, owner
from pipeline.files.published import published_names
from pipeline.files.store import file_sha256, flush_folder, to_json, write_bytes
from pipeline.registry import models
from pipeline.registry.facts import ModelFacts
from pipeline.run import provenance
from pipeline.run.provenance import Version
from pipeline.run.resources import Resources
from pipeline.stages.filter.held_out import digests

FILE = "manifest.json"
WITHDRAWN = "shards/withdrawn.json"
"""The last manifest, while what it describes is being changed."""
NEEDED = ("code", "packages", "machine", "translation", "models", "signatures", "shards")
"""What later reports take from a manifest; without it they cannot be made."""
NEEDED_OF_FILTER = ("code", "packages", "machine", "models", "signatures", "inputs", "shards")
"""The same for a filtered corpus."""
M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class HandCounts:
    """Pairs that people accepted and rejected; decisions whose pairs are gone or have other texts now."""

    accepted: int
    rejected: int
    not_applied: int


@dataclass(frozen=True, slots=True)
class RunCounts:
    """How much went through each stage.

    `documents` by language, `translations` by how they ended, `document_pairs` by relation, `pairs` and `kept` by
    origin. `notes` are translations that the engine did not get the usual way, or not at all, by what it says of that.
    """

    documents: dict[str, int]
    rejected_inputs: int
    segments: int
    translations: dict[str, int]
    document_pairs: dict[str, int]
    pairs: dict[str, int]
    kept: dict[str, int]
    by_hand: HandCounts
    notes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MadeWith:
    """What a run was made with; `name` is that of its configuration.

    `translation` says engine, device and precision. `signatures` by score; `held_out` the SHA-256 of each
    file by its published path.
    """

    name: str
    code: str
    packages: dict[str, str]
    machine: dict[str, str]
    translation: str
    models: tuple[ModelFacts, ...]
    signatures: dict[str, str]
    held_out: dict[str, str]

    @classmethod
    def now(cls, config: Config, resources: Resources, *, with_model: bool = True) -> MadeWith:
        """What a run that ends now was made with; without the translation model where others translated."""
        return MadeWith(
            name=config.name,
            code=provenance.code_version(),
            packages=provenance.packages(),
            machine=provenance.machine(),
            translation=resources.translation_plan if with_model else "",
            models=resources.model_facts() if with_model else resources.scoring_facts(),
            signatures=resources.signatures,
            held_out=digests(config.filter.held_out),
        )

    @property
    def translation_model(self) -> str:
        """The name of the translation model."""
        return next((model.name for model in self.models if model.role == "translation"), "")


@dataclass(frozen=True, slots=True)
class Manifest(MadeWith):
    """The manifest of a finished run.

    `corpus` holds what the write stage counted, `seconds` the time of each stage, `finished` when (ISO 8601, UTC).
    `keys` is a hash over the keys of all shards that it was made of, empty where an earlier version wrote it. `code`
    and `packages` are those of the run that finished; each shard was made by one of `worked`.
    """

    counts: RunCounts
    corpus: dict[str, int]
    shards: int
    seconds: dict[str, float]
    finished: str
    keys: str = ""
    worked: tuple[Version, ...] = ()

    @classmethod
    def of(
        cls,
        made: MadeWith,
        *,
        counts: RunCounts,
        corpus: dict[str, int],
        shards: int,
        seconds: dict[str, float],
        keys: str,
        worked: tuple[Version, ...],
    ) -> Manifest:
        """The manifest of a run that is finished now."""
        inherited = {part.name: getattr(made, part.name) for part in fields(MadeWith)}
        more: dict[str, Any] = {"counts": counts, "corpus": corpus, "shards": shards, "seconds": seconds, "keys": keys}
        return Manifest(**inherited, **more, worked=worked, finished=_now())

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of a run folder.

        Raises StoreError when there is none, or one that is damaged, of another version or of another command.
        """
        return _read(Manifest, folder, RUN, NEEDED)

    def write(self, folder: Path) -> None:
        """Store the manifest in a run folder, when all that it describes is there."""
        _write(self, folder)


def _read(kind: type[M], folder: Path, command: str, needed: Iterable[str]) -> M:
    """The manifest that `command` left in a folder; raises StoreError, see `Manifest.read`."""
    check_made_by(folder, command)
    path = folder / FILE
    if not path.exists():
        _refuse_withdrawn(folder)
        raise StoreError(f"{folder} holds no finished run (no {FILE})", f"Finish it with `{command}` first.")
    try:
        data = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise StoreError(f"{path} is damaged: {error}", f"Write it anew with `{command}`.") from error
    lacking = [name for name in needed if not isinstance(data, dict) or name not in data]
    if lacking:
        raise StoreError(f"{path} lacks {', '.join(lacking)}", "Another version wrote it; run again with a new --out.")
    try:
        return TypeAdapter(kind).validate_python({"held_out": {}} | data)
    except ValidationError as error:
        what = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise StoreError(f"{path} is damaged: {what}", f"Write it anew with `{command}`.") from error


def withdraw(folder: Path) -> None:
    """Put the manifest aside, before anything is changed of what it describes: until the next one is written, the
    folder holds no finished state.

    Raises StoreError when it cannot be moved.
    """
    path, to = folder / FILE, folder / WITHDRAWN
    try:
        if path.exists():
            to.parent.mkdir(exist_ok=True)
            path.replace(to)
            flush_folder(to.parent)
            flush_folder(folder)
    except FileNotFoundError:
        pass  # another part of the run was faster
    except OSError as error:
        raise StoreError(f"cannot move {path}: {error.strerror}", "Make the folder writable.") from error


def withdrawn(folder: Path) -> Path:
    """Where the manifest is that was put aside, which may not exist."""
    return folder / WITHDRAWN


def _refuse_withdrawn(folder: Path) -> None:
    if withdrawn(folder).exists() and not is_finished(folder):
        made = owner(folder)
        raise StoreError(
            f"{folder} is being made anew, or that was stopped halfway: what is there may be of two states",
            f"Finish it with the same `{made.made_by if made else RUN}` first.",
        )


def _write(manifest: MadeWith | FilteredWith, folder: Path) -> None:
    write_bytes(folder / FILE, to_json(manifest, indent=True) + b"\n")
    withdrawn(folder).unlink(missing_ok=True)


def is_finished(folder: Path) -> bool:
    """Whether the folder has a manifest."""
    return (folder / FILE).exists()


def finished_shards(folder: Path) -> int | None:
    """How many shards the manifest of a run or of a filtered corpus names, of whatever version it is; None where there
    is none.

    Raises StoreError when it is damaged, and when the folder had one and is being made anew.
    """
    path = folder / FILE
    if not path.is_file():
        _refuse_withdrawn(folder)
        return None
    try:
        return int(orjson.loads(path.read_bytes())["shards"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        made = owner(folder)
        again = f"Finish it with `{made.made_by if made else RUN}` again."
        raise StoreError(f"{path} is damaged: {error}", again) from error


@dataclass(frozen=True, slots=True)
class UsedEncoder:
    """The sentence encoder that pairs were compared with."""

    name: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class FilterCounts:
    """What became of the pairs of a corpus.

    `set_aside` are lines that are no pair, `scored_now` pairs that no earlier run had scored, `kept` by source
    language. `reasons` are rejected pairs by the kind of the reason, one pair in several kinds, `alone` those that only
    one kind rejects; the most frequent first.
    """

    pairs: int
    set_aside: int
    scored_now: int
    kept: dict[str, int]
    reasons: dict[str, int]
    alone: dict[str, int]


@dataclass(frozen=True, slots=True)
class FilteredWith:
    """What a corpus was filtered with; `inputs` and `held_out` are the SHA-256 of each file by its published path.

    `models` are those that the corpus names and those that scored it.
    """

    name: str
    code: str
    packages: dict[str, str]
    machine: dict[str, str]
    encoder: UsedEncoder
    models: tuple[ModelFacts, ...]
    signatures: dict[str, str]
    inputs: dict[str, str]
    held_out: dict[str, str]

    @classmethod
    def now(
        cls, config: Config, resources: Resources, inputs: Iterable[Path], named: tuple[ModelFacts, ...]
    ) -> FilteredWith:
        """What a filter of the files `inputs`, whose pairs name the models `named`, is made with now."""
        encoder = resources.encoder_entry
        return FilteredWith(
            name=config.name,
            code=provenance.code_version(),
            packages=provenance.packages(),
            machine=provenance.machine(),
            encoder=UsedEncoder(encoder.name, models.fingerprint(encoder)),
            models=(*named, *resources.scoring_facts()),
            signatures=resources.signatures,
            inputs={name: file_sha256(path) for path, name in published_names(inputs).items()},
            held_out=digests(config.filter.held_out),
        )


@dataclass(frozen=True, slots=True)
class FilterManifest(FilteredWith):
    """The manifest of a filtered corpus; the rest as in `Manifest`."""

    counts: FilterCounts
    corpus: dict[str, int]
    shards: int
    seconds: float
    finished: str
    keys: str = ""
    worked: tuple[Version, ...] = ()

    @classmethod
    def of(
        cls,
        made: FilteredWith,
        *,
        counts: FilterCounts,
        corpus: dict[str, int],
        shards: int,
        seconds: float,
        keys: str,
        worked: tuple[Version, ...],
    ) -> FilterManifest:
        """The manifest of a corpus that is filtered now."""
        inherited = {part.name: getattr(made, part.name) for part in fields(FilteredWith)}
        more: dict[str, Any] = {
            "counts": counts,
            "corpus": corpus,
            "shards": shards,
            "seconds": round(seconds, 3),
            "keys": keys,
        }
        return FilterManifest(**inherited, **more, worked=worked, finished=_now())

    @classmethod
    def read(cls, folder: Path) -> FilterManifest:
        """The manifest of a filtered corpus; raises StoreError as `Manifest.read` does."""
        return _read(FilterManifest, folder, FILTER, NEEDED_OF_FILTER)

    def write(self, folder: Path) -> None:
        """Store the manifest beside the corpus, when all that it describes is there."""
        _write(self, folder)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
