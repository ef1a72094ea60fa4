"""What lies in a run folder beside its shards: whose it is, the settings, and the input that was set aside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import orjson
import yaml

from pipeline.config.load import load_config
from pipeline.config.settings import Config
from pipeline.errors import StoreError, TooManyRejects
from pipeline.files.claim import Part
from pipeline.files.damage import NOT_JSON
from pipeline.files.lines import path_text
from pipeline.files.owner import FILTER, LAYOUT, RUN, Owner
from pipeline.files.store import write_bytes, write_lines
from pipeline.report.build import HTML, JSON
from pipeline.run import keys, provenance
from pipeline.run.manifest import FILE as MANIFEST
from pipeline.run.manifest import is_finished, withdraw, withdrawn
from pipeline.run.names import FILE as NAMES
from pipeline.run.provenance import Version, note_version
from pipeline.run.shards import DOCUMENTS, GIVEN, Shards
from pipeline.stages.write.stage import CORPUS, REJECTED
from pipeline.types import Reject

SPEED_ONLY = {f"run.{name}" for name in ("workers", "executor", "parts")} | {
    f"translate.{name}" for name in keys.SPEED_ONLY
}
"""Settings that change no byte of what is made."""


@contextmanager
def held(
    shards: Shards,
    command: str,
    inputs: Sequence[str],
    part: Part | None = None,
    say: Callable[[str], None] = lambda _: None,
    orphans: float = 0.0,
) -> Iterator[None]:
    """Hold the folder of `shards` for this process, or a part of it, once it is known that it is the command's.
    `orphans` is how many seconds it waits for those who hold parts.

    It goes on with what it finds where its inputs are those of before: a filtered corpus needs every one of them, a
    run any. Raises StoreError, before anything is written, when the folder is another's or another process holds it.
    """
    folder, given = shards.folder, tuple(path_text(Path(path)) for path in inputs)
    mine = Owner(command, provenance.version(), LAYOUT, given)
    names = [settings_path(folder).name, rejects_path(folder).name, MANIFEST, NAMES, "shards", CORPUS, REJECTED]
    names += [HTML, JSON]

    def check() -> None:
        begun = shards.has_any(DOCUMENTS) or shards.has_any(GIVEN)
        mine.check(folder, names, whole=command == FILTER, begun=begun)

    check()
    with shards.store.claimed(part, say, orphans):
        check()  # it may have been made in between
        mine.mark(folder)
        yield


def reopen(folder: Path) -> None:
    """Begin to work in the folder, which is held: from here on it is not finished.

    Raises StoreError when that cannot be written.
    """
    path = folder / MANIFEST if is_finished(folder) else withdrawn(folder)
    note_version(folder, _maker(path) if (folder / "shards").is_dir() or path.is_file() else None)
    withdraw(folder)


def _maker(manifest: Path) -> Version:
    """Who worked in a folder that does not say it: what its manifest knows of that."""
    try:
        said = orjson.loads(manifest.read_bytes())
        return Version(str(said["code"]), dict(said["packages"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Version("an earlier version", {})


def settings_path(folder: Path) -> Path:
    """The file with the settings that the run really had."""
    return folder / "config.yaml"


def write_settings(config: Config, folder: Path) -> None:
    """Store the settings with every default resolved, so that the run can be repeated."""
    text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    write_bytes(settings_path(folder), text.encode())


def read_settings(folder: Path) -> Config:
    """The settings of the run.

    Raises StoreError when the folder has none, ConfigError when they do not fit this version.
    """
    path = settings_path(folder)
    if not path.is_file():
        raise StoreError(f"{folder} is no run folder (no {path.name})", f"Give the --out of a `{RUN}`.")
    return load_config(path)


def changed_settings(before: Config, now: Config) -> list[str]:
    """The dotted names of the settings that differ and can change what is made."""
    then, later = _flat(before.model_dump(mode="json")), _flat(now.model_dump(mode="json"))
    return sorted(name for name in (then.keys() | later.keys()) - SPEED_ONLY if then.get(name) != later.get(name))


def _flat(data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Settings by their dotted names."""
    flat: dict[str, Any] = {}
    for name, value in data.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def report_path(folder: Path) -> Path:
    """The report to look at."""
    return folder / HTML


def rejects_path(folder: Path) -> Path:
    """The file with the input that was set aside, JSONL."""
    return folder / "rejected.jsonl"


def write_rejects(rejects: Iterable[Reject], folder: Path) -> None:
    """Store what was set aside, one row in memory at a time."""
    write_lines(rejects_path(folder), rejects)


def check_rejects(what: str, count: int, allowed: int, folder: Path) -> None:
    """Raises TooManyRejects when more was set aside than `read.max_rejects` allows; `what` says of the count what."""
    if count > allowed:
        raise TooManyRejects(
            f"{count:,} {what}; read.max_rejects allows {allowed:,}",
            f"See {rejects_path(folder)}. Everything else is done.",
        )


def read_rejects(folder: Path) -> Iterator[Reject]:
    """What was set aside, in order, one row in memory at a time.

    Raises StoreError, when it comes to that, where the file is gone or damaged.
    """
    path = rejects_path(folder)
    remedy = "Make it again by the command that made the folder."
    try:
        with path.open("rb") as stream:
            for row in stream:
                yield msgspec.json.decode(row, type=Reject)
    except FileNotFoundError as error:
        raise StoreError(f"{path} is gone", remedy) from error
    except (OSError, *NOT_JSON) as error:
        raise StoreError(f"{path} is damaged: {error}", remedy) from error
