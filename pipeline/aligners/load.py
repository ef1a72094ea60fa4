"""From a registry entry to a sentence encoder."""

from __future__ import annotations

import os

from pipeline.aligners.encoders import Encoder, TransformersEncoder, UseEncoder
from pipeline.errors import UsageError
from pipeline.models import Entry, fingerprint, locate


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
