"""Shards with rows that ended the process that decoded them: the next run translates them again.

Whether a row or something from outside ended the process (memory that others took, a person) nobody can tell. Such a
row has failed, and the run goes on, since one row must not stop a night's work; but the shard is noted, and the note
changes its key, so that the next run makes it anew with all that rests on it. What has failed in MOST runs stays so.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.errors import StoreError
from pipeline.files.store import write_bytes

FOLDER = "shards/again"
"""A file a shard, named by the key of its translations, with the number of runs that have tried."""
MOST = 3


class Again:
    """What earlier runs in a folder have noted, and what this one notes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self.noted = 0
        """Shards that this run has noted."""

    def tries(self, key: str) -> int:
        """In how many runs a row of the shard has ended its process.

        Raises StoreError when the file is damaged.
        """
        path = self._folder / key
        try:
            return int(path.read_bytes())
        except FileNotFoundError:
            return 0
        except (OSError, ValueError) as error:
            raise StoreError(f"{path} is damaged: {error}", "Delete it.") from error

    def note(self, key: str, tries: int) -> None:
        """A row of the shard has ended its process, after it did so in `tries` runs before this one."""
        if tries + 1 < MOST:
            write_bytes(self._folder / key, b"%d\n" % (tries + 1))
            self.noted += 1
