"""From the settings to the lexicons of each language."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from pipeline.errors import ModelError
from pipeline.files.store import file_sha256
from pipeline.stages.align.lexicon import Lexicon, read_lexicon, shipped_lexicons

Lexicons = Callable[[str], Lexicon | None]
"""From a language to its lexicon, None where there is none."""


def no_lexicons(lang: str) -> Lexicon | None:
    """No language has a lexicon."""
    return None


def load_lexicons(setting: str) -> Lexicons:
    """The lexicons of `align.lexicon`: the shipped ones (auto), none, or those and a file for its language.

    Raises ModelError when a file cannot be read or is no lexicon, at once for the user's and on use for the shipped.
    """
    if setting == "none":
        return no_lexicons
    own = read_lexicon(Path(setting)) if setting != "auto" else None

    def find(lang: str) -> Lexicon | None:
        return own if own is not None and own.lang == lang else _shipped(lang)

    return find


@cache
def _shipped(lang: str) -> Lexicon | None:
    """Read once a process, whoever asks: one takes .2 seconds and some 30 MB."""
    path = shipped_lexicons().get(lang)
    return read_lexicon(path) if path else None


def lexicon_key(setting: str) -> list[str]:
    """The hashes of the files that `setting` may lead to. Raises ModelError when the user's cannot be read."""
    if setting == "none":
        return []
    own = [Path(setting)] if setting != "auto" else []
    try:
        return [file_sha256(path) for path in [*shipped_lexicons().values(), *own]]
    except OSError as error:
        raise ModelError(
            f"the lexicon {setting} cannot be read: {error.strerror}", "Give a file, auto or none."
        ) from error
