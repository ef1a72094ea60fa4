"""Word lists and a table of languages of a test's own: a copy of the shipped ones to add to and to break."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.text import data, languages


@contextmanager
def copied_lists(folder: Path) -> Iterator[Path]:
    """A copy of the word lists in `folder` that is read instead of the shipped ones."""
    mine = Path(shutil.copytree(data.FOLDER, folder / "data"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "FOLDER", mine)
        forget()
        yield mine
    forget()


def forget() -> None:
    """Drop what was read from the lists, so that it is read again."""
    for cached in (data.words, data.entries, data.rows, data.values, languages.table):
        cached.cache_clear()


def add_language(folder: Path, code: str, **entry: Any) -> None:
    """One more entry in the table of a copied folder."""
    with (folder / "languages.yaml").open("a", encoding="utf-8") as stream:
        stream.write(yaml.safe_dump({code: entry}, allow_unicode=True))
    forget()
