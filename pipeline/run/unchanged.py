"""Whether a run is finished and nothing has changed since: then it need not begin.

A finished run leaves a seal: the fingerprint of all it was made from, and that of all files of its folder.
"""

from __future__ import annotations

from pathlib import Path

import orjson

from pipeline.config.settings import Config
from pipeline.files.claim import CLAIMS
from pipeline.files.store import to_json, write_bytes
from pipeline.run.fingerprint import folder_key, run_key

SEAL = "shards/seal.json"


def seal(folder: Path, made_from: str) -> None:
    """Note that the run in the folder is finished; `made_from` is its `run_key` of when it began, perhaps empty."""
    if made_from:
        write_bytes(folder / SEAL, to_json({"made_from": made_from, "files": folder_key(folder, SEAL)}) + b"\n")


def unseal(folder: Path) -> None:
    """Before anything in the folder is changed."""
    (folder / SEAL).unlink(missing_ok=True)


def is_unchanged(config: Config, folder: Path) -> bool:
    """Whether the folder holds this very run, finished, and nobody is at work in it or was killed there."""
    if any((folder / CLAIMS).glob("*.json")):
        return False
    try:
        said = orjson.loads((folder / SEAL).read_bytes())
        return bool(said["files"] == folder_key(folder, SEAL) and said["made_from"] == run_key(config))
    except (OSError, ValueError, KeyError, TypeError):
        return False
