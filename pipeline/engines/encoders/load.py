"""From a registry entry to a sentence encoder."""

from __future__ import annotations

from pipeline.engines.devices import cores
from pipeline.engines.encoders.base import Encoder
from pipeline.engines.encoders.hf import TransformersEncoder
from pipeline.engines.encoders.use import UseEncoder
from pipeline.errors import UsageError
from pipeline.registry.models import Entry, fingerprint, locate


def load_encoder(entry: Entry, device: str = "cpu", threads: int = 0) -> Encoder:
    """Load the encoder of a registry entry; `threads` on the CPU, 0 for one a core.

    Raises UsageError when the entry is no encoder, ModelMissing when it is not in the store.
    """
    if entry.kind != "encoder":
        raise UsageError(f"{entry.name} is a {entry.kind}, not a sentence encoder", "`mekong models list` shows them.")
    folder = locate(entry)
    if entry.family == "use":
        return UseEncoder(threads=threads or cores())
    return TransformersEncoder(
        folder, name=entry.name, fingerprint=fingerprint(entry), languages=entry.languages, device=device
    )
