"""From files, folders and globs to the files behind them, and what of the folders is passed over."""

from __future__ import annotations

import glob
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import InputError
from pipeline.files.lines import path_text
from pipeline.files.owner import Owner, owner
from pipeline.files.published import published
from pipeline.files.tables import COMPRESSIONS, JSON, JSON_LINES, PARQUET, kind

TEXT = ".txt"
KINDS = (TEXT, *JSON_LINES, JSON, PARQUET)
READ = f"{', '.join(KINDS)}; all but {PARQUET} also with {' or '.join(COMPRESSIONS)}"
DATASET_MARK = "state.json"


@dataclass
class InputFiles:
    """The files in the order of the paths, folders sorted by name; a folder saved by `datasets` counts as a file.

    `names` are the files as what is made of them calls them. `passed_over` is what lies in the folders and is not read,
    with the reason.
    """

    files: list[Path] = field(default_factory=list)
    names: dict[Path, str] = field(default_factory=dict)
    passed_over: dict[Path, str] = field(default_factory=dict)

    def passed_over_text(self) -> str:
        """How much is passed over and why, empty for nothing: "3 in folders: 2 .docx, 1 hidden (such as a/b.docx)"."""
        if not self.passed_over:
            return ""
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in Counter(self.passed_over.values()).most_common())
        return f"{len(self.passed_over):,} in folders: {reasons} (such as {path_text(next(iter(self.passed_over)))})"


def expand(paths: Iterable[str]) -> InputFiles:
    """The files behind files, folders and globs, each once.

    Raises InputError when a path does not exist, a glob matches nothing, a folder has nothing that can be read, cannot
    be listed or is output of mekong's.
    """
    found = InputFiles()
    for given in paths:
        try:
            files = _matches(given, found.passed_over)
        except OSError as error:
            raise InputError(
                f"{error.filename or given} cannot be listed: {error.strerror}", "Check its rights."
            ) from error
        if not files:
            raise _nothing(given, found)
        for path, root in files.items():
            found.names.setdefault(path, published(path, root))
    found.files = list(found.names)
    return found


def _nothing(given: str, found: InputFiles) -> InputError:
    if not Path(given).is_dir() and not glob.glob(given, recursive=True):
        return InputError(f"{given} does not exist", "Check read.paths (relative to the working directory).")
    passed_over = found.passed_over_text()
    why = f"passed over are {passed_over}" if passed_over else "it is empty"
    return InputError(f"{given} has no file that can be read: {why}", f"Read are {READ}.")


def _matches(given: str, passed_over: dict[Path, str]) -> dict[Path, Path]:
    """Each file with the file or folder that was given, or that a glob led to."""
    path = Path(given)
    if path.is_dir():
        if made := owner(path):
            raise InputError(
                f"{given} is output of `{made.made_by}`, which is never read",
                "Name the folder of the articles in read.paths, and give --out a folder of its own.",
            )
        return dict.fromkeys(_inside(path, set(), passed_over), path)
    if path.exists() or path.is_symlink():
        return {path: path}
    found: dict[Path, Path] = {}
    for match in map(Path, sorted(glob.glob(given, recursive=True))):
        if made := next(filter(None, map(owner, (match, *match.parents))), None):
            passed_over[match] = _output(made)
        else:
            found |= _matches(str(match), passed_over)
    return found


def _inside(folder: Path, seen: set[Path], passed_over: dict[Path, str]) -> list[Path]:
    """The files of a folder tree that can be read, sorted; the others go to `passed_over`.

    `seen` holds the real places of the folders already listed, since links can lead in circles.
    """
    if (folder / DATASET_MARK).is_file():
        return [folder]
    if folder.resolve() in seen:
        return []
    seen.add(folder.resolve())
    files: list[Path] = []
    for path in sorted(folder.iterdir()):
        reason = _why_not(path)
        if reason:
            passed_over[path] = reason
        elif path.is_dir():
            files += _inside(path, seen, passed_over)
        else:
            files.append(path)
    return files


def _output(made: Owner) -> str:
    return f"output of `{made.made_by}`"


def _why_not(path: Path) -> str:
    """Why something in a folder is not read, empty where it is."""
    if path.name.startswith("."):
        return "hidden"
    if path.is_dir():
        made = owner(path)
        return _output(made) if made else ""
    if kind(path) not in KINDS:
        return kind(path) or path.suffix.lower() or "without a suffix"
    return "" if path.is_file() or path.is_symlink() else "no file"
