"""What input, and a whole run, were made from, as far as that can be seen without reading or loading anything.

Files count as the same by name, size and time of change, as with make and rsync. Nothing here imports what takes long.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from pipeline.config.settings import Config
from pipeline.errors import MekongError
from pipeline.files.store import digest
from pipeline.registry import models
from pipeline.run import provenance
from pipeline.stages.read.paths import expand

RECENT = 2.0
"""Seconds: a file that changed so shortly ago may change again within one tick of the disk's clock."""
Seen = tuple[str, int, int]
"""Path, bytes, time of change in nanoseconds."""


def input_key(config: Config, files: Sequence[Path]) -> str:
    """Of input files, and of how they are read; empty where something about them may have changed unseen."""
    found: list[Seen] = []
    now = time.time_ns()
    for path in files:
        try:
            seen = _seen([path])
        except OSError:
            return ""
        if any(now - changed < RECENT * 1e9 for _, _, changed in seen):
            return ""
        found += seen
    return digest("input", provenance.version(), config.read, config.run.shard_chars, found)


def run_key(config: Config) -> str:
    """Of a whole run: code, packages, machine, settings, input and models.

    Empty where that cannot be told: code that was changed and not committed, a model or a file that is not there.
    """
    code = provenance.code_version()
    if code.endswith("+changes"):
        return ""
    named = [config.translate.model, config.align.encoder, *([config.filter.model] if config.filter.model else [])]
    files = [*config.translate.glossary, *config.filter.held_out]
    try:
        inputs = input_key(config, expand(config.read.paths).files)
        entries = [models.entry(name) for name in named]
        seen = _seen([*(models.folder(entry) for entry in entries), *map(Path, files)])
        lexicon = _seen(path for path in [Path(config.align.lexicon)] if path.exists())
    except (OSError, MekongError):
        return ""
    environment = [os.environ.get("CUDA_VISIBLE_DEVICES"), Path("/dev/nvidiactl").exists()]
    made_with = [code, provenance.packages(), provenance.machine(), environment]
    return digest(made_with, config, inputs, entries, seen, lexicon) if inputs else ""


def folder_key(folder: Path, besides: str) -> str:
    """Of all files of a run folder but one, its hidden ones left out."""
    left_out = str(folder / besides)
    return digest([one for one in sorted(_inside(folder, hidden=False)) if one[0] != left_out])


def _seen(paths: Iterable[Path]) -> list[Seen]:
    """Files, those in folders too, as they stand on disk.

    Raises OSError for one that is not there, or is a pipe or a device.
    """
    found: list[Seen] = []
    for path in paths:
        if path.is_dir():
            found += sorted(_inside(path, hidden=True))
        elif path.is_file():
            about = path.stat()
            found.append((str(path), about.st_size, about.st_mtime_ns))
        else:
            raise FileNotFoundError(f"{path} is no file")
    return found


def _inside(folder: str | Path, *, hidden: bool) -> Iterator[Seen]:
    """The files of a folder tree: there may be a hundred thousand of them, so as little as possible is done of each."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") and not hidden:
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _inside(entry.path, hidden=hidden)
            elif entry.is_file():
                about = entry.stat()
                yield entry.path, about.st_size, about.st_mtime_ns
