"""Files that appear together: they are written into a folder aside, and moved to their places when all are whole."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import StoreError
from pipeline.files.store import flush_folder

ASIDE = ".publishing"
"""Nobody but the holder of the folder writes there; what a kill left of it is removed by the next one."""


@contextmanager
def aside(folder: Path) -> Iterator[Path]:
    """Yield an empty folder inside `folder`, so that moving files out of it is one step each; removed at the end.

    Raises StoreError when it cannot be made.
    """
    fresh = folder / ASIDE
    try:
        if fresh.exists():
            shutil.rmtree(fresh)
        fresh.mkdir(parents=True)
    except OSError as error:
        raise _failed(fresh, error) from error
    try:
        yield fresh
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def take_places(fresh: Path, folder: Path) -> list[Path]:
    """Move every file of `fresh` over what is in its place in `folder`; returns the places.

    Each move is one step, all of them are not: who reads the folder has to be told before, and after.
    Raises StoreError when a file cannot be moved.
    """
    places = []
    try:
        for path in sorted(path for path in fresh.rglob("*") if path.is_file()):
            place = folder / path.relative_to(fresh)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)
            places.append(place)
        for parent in {place.parent for place in places}:
            flush_folder(parent)
    except OSError as error:
        raise _failed(folder, error) from error
    return places


def _failed(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"cannot write {path}: {error.strerror or error}", "Make it writable, or choose another folder with --out."
    )
