"""What lies in a run folder beside its shards: the settings, and the input that was set aside."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import orjson
import yaml

from pipeline.config.load import load_config
from pipeline.config.settings import Config
from pipeline.errors import StoreError
from pipeline.files.store import write_bytes, write_lines
from pipeline.types import Reject


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
        raise StoreError(f"{folder} is no run folder (no {path.name})", "Give the --out of a `mekong run`.")
    return load_config(path)


def rejects_path(folder: Path) -> Path:
    """The file with the input that was set aside, JSONL."""
    return folder / "rejected.jsonl"


def write_rejects(rejects: Iterable[Reject], folder: Path) -> None:
    """Store what was set aside, one row in memory at a time."""
    write_lines(rejects_path(folder), rejects)


def read_rejects(folder: Path) -> list[Reject]:
    """What was set aside, in order."""
    return [Reject(**orjson.loads(row)) for row in rejects_path(folder).read_bytes().split(b"\n")[:-1]]
