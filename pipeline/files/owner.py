"""Whose a folder is: the command that made it leaves its name there before anything else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import msgspec

from pipeline.errors import StoreError
from pipeline.files.damage import NOT_JSON
from pipeline.files.store import to_json, write_bytes

MARK = "folder.json"
LAYOUT = 2
"""Counts up when what lies in a folder can no longer be continued by the next version."""
RUN = "mekong run"
FILTER = "mekong filter"
REPORT = "mekong report"
"""The commands that own folders; a report, that of a comparison."""
OTHER_OUT = "Give another folder with --out; nothing was touched."


@dataclass(frozen=True, slots=True)
class Owner:
    """The command that a folder belongs to.

    `version` is that of the distribution, `inputs` are the paths that the command was given, as they were written.
    """

    made_by: str
    version: str
    layout: int
    inputs: tuple[str, ...]

    def check(self, folder: Path, names: Iterable[str], *, whole: bool, begun: bool) -> None:
        """Whether this command may write into the folder, which may be missing; touches nothing.

        `names` are the files and folders that it would write. Where work of the owner has `begun`, other input would
        replace it: one of its inputs must be among those of now, for `whole` each of them.

        Raises StoreError when another command, another layout or nobody known has made what is there.
        """
        other = owner(folder)
        if other is None:
            taken = sorted(name for name in (MARK, *names) if (folder / name).exists())
            if taken:
                raise StoreError(
                    f"{folder} has {', '.join(taken)} and does not say whose it is: an earlier version of mekong made "
                    "it, or something else",
                    OTHER_OUT,
                )
            return
        if other.made_by != self.made_by:
            raise StoreError(f"{folder} was made by `{other.made_by}`, this is `{self.made_by}`", OTHER_OUT)
        if other.layout != self.layout:
            raise StoreError(
                f"{folder} was made by mekong {other.version}, whose folders are laid out otherwise "
                f"({other.layout}, here {self.layout})",
                OTHER_OUT,
            )
        if begun and not _goes_on(other.inputs, self.inputs, whole=whole):
            raise StoreError(
                f"{folder} was made from {_listed(other.inputs)} and would be replaced by {_listed(self.inputs)}",
                OTHER_OUT,
            )

    def mark(self, folder: Path) -> None:
        """Make the folder this command's."""
        write_bytes(folder / MARK, to_json(self, indent=True) + b"\n")


def owner(folder: Path) -> Owner | None:
    """Whose the folder is; None where nothing says so."""
    try:
        return msgspec.json.decode((folder / MARK).read_bytes(), type=Owner)
    except (OSError, *NOT_JSON):
        return None


def check_made_by(folder: Path, command: str) -> None:
    """Raises StoreError when the folder says that another command made it."""
    found = owner(folder)
    if found and found.made_by != command:
        raise StoreError(f"{folder} was made by `{found.made_by}`", f"Give the --out of a `{command}`.")


def _goes_on(before: Sequence[str], now: Sequence[str], *, whole: bool) -> bool:
    """Whether inputs are those of before or more; a file that has moved still has its name."""
    names, there = ({PurePath(path).name for path in paths} for paths in (before, now))
    return names <= there if whole else not names.isdisjoint(there)


def _listed(paths: Sequence[str]) -> str:
    return ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
