"""Paths as they go to others: what is published does not tell what the folders of its maker are called.

A path that was given relative to the working directory says nothing of them, and stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipeline.files.lines import path_text


def published(path: Path, root: Path | None = None) -> str:
    """A path as others may see it: as it was given, or from its own name on where that leads to the maker's folders.

    `root` is the folder that was given, of which the path is a part; the name of that folder stays.
    """
    root = path if root is None else root
    if not leads_away(str(root)):
        return path_text(path)
    inner = path.relative_to(root)
    return path_text(inner if root.name in ("", "..") or root == Path.home() else root.name / inner)


def published_names(paths: Iterable[Path]) -> dict[Path, str]:
    """The same for several files; those of one name are told apart by a number."""
    names: dict[Path, str] = {}
    taken: set[str] = set()
    for path in dict.fromkeys(paths):
        first = name = published(path)
        number = 1
        while name in taken:
            number += 1
            name = f"({number}) {first}"
        taken.add(name)
        names[path] = name
    return names


def published_settings(value: Any) -> Any:
    """Settings as plain data, with every path in them as others may see it."""
    if isinstance(value, dict):
        return {key: published_settings(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [published_settings(inner) for inner in value]
    return published(Path(value)) if isinstance(value, str) and leads_away(value) else value


def leads_away(path: str) -> bool:
    """Whether a path begins somewhere else than in the working directory."""
    return path.startswith(("/", "~")) or ".." in path.split("/")
