"""Shards with rows that ended the process that decoded them: the next run translates them again.

Whether a row or something from outside ended the process (memory that others took, a person) nobody can tell. Such a
row has failed, and the run goes on, since one row must not stop a night's work; but the shard is noted, and a note
changes the key that the next run wants, so that it makes the shard anew with all that rests on it. What has failed in
MOST runs stays so.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipeline.files.store import write_bytes
from pipeline.run.keys import again_key

FOLDER = "shards/again"
"""An empty file for each note, named by the key of the translations that had such rows."""
MOST = 3


class Again:
    """What runs in a folder have noted."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self.noted = 0
        """Shards that this run has noted."""

    def note(self, key: str) -> None:
        """The translations that are about to be committed under that key have such rows."""
        write_bytes(self._folder / key, b"")
        self.noted += 1

    def tell(self, warn: Callable[[str], None]) -> None:
        """Warn of what this run has noted."""
        if self.noted:
            failed = "they count as failed, and the next `mekong run` here translates these shards again"
            warn(f"rows of {self.noted:,} shards ended the process that decoded them; {failed}")

    def keys(self, asked: str) -> list[str]:
        """The key that translations are wanted under, then those under which earlier runs made them; `asked` is that of
        the first run."""
        found = [asked]
        while (self._folder / found[0]).exists() and len(found) < MOST:
            found.insert(0, again_key(asked, len(found)))
        return found
