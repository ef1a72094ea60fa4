"""From a registry entry to a sentence encoder, and from the settings to lexicons."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

from pipeline.aligners.encoders import Encoder, TransformersEncoder, UseEncoder
from pipeline.aligners.lexicon import Lexicon, read_lexicon, shipped_lexicons
from pipeline.errors import ModelError, UsageError
from pipeline.models import Entry, fingerprint, locate
from pipeline.store import file_sha256


def load_encoder(entry: Entry, device: str = "cpu") -> Encoder:
    """Load the encoder of a registry entry.

    Raises UsageError when the entry is no encoder, ModelMissing when it is not in the store.
    """
    if entry.kind != "encoder":
        raise UsageError(f"{entry.name} is a {entry.kind}, not a sentence encoder", "`mekong models list` shows them.")
    folder = locate(entry)
    if entry.family == "use":
        return UseEncoder(threads=len(os.sched_getaffinity(0)))
    return TransformersEncoder(
        folder, name=entry.name, fingerprint=fingerprint(entry), languages=entry.languages, device=device
    )


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

    @cache
    def find(lang: str) -> Lexicon | None:
        if own is not None and own.lang == lang:
            return own
        path = shipped_lexicons().get(lang)
        return read_lexicon(path) if path else None

    return find


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
