"""From a registry entry to a sentence encoder."""

from __future__ import annotations

from typing import Literal

from pipeline.engines.devices import cores, find_device
from pipeline.engines.encoders.base import Encoder
from pipeline.engines.encoders.hf import TransformersEncoder
from pipeline.engines.encoders.use import UseEncoder
from pipeline.engines.weights import loading
from pipeline.errors import UsageError
from pipeline.registry.models import Entry, fingerprint, locate


def encoder_device(entry: Entry, wanted: str) -> Literal["cpu", "cuda"]:
    """Where the encoder of an entry runs, given the device of the settings: the built-in one knows the CPU only.

    Raises UsageError where cuda is asked for and there is none.
    """
    return "cpu" if entry.family == "use" else find_device(wanted)


def load_encoder(entry: Entry, device: str = "auto", threads: int = 0) -> Encoder:
    """Load the encoder of a registry entry; `device` is auto, cpu or cuda, as in `translate.device`, `threads` those of
    the built-in one, 0 for one a core.

    Raises UsageError when the entry is no encoder or the device is not there, ModelMissing when it is not in the store,
    ModelError when it does not load.
    """
    if entry.kind != "encoder":
        raise UsageError(f"{entry.name} is a {entry.kind}, not a sentence encoder", "`mekong models list` shows them.")
    folder = locate(entry)
    with loading(entry.name):
        if entry.family == "use":
            return UseEncoder(threads=threads or cores())
        return TransformersEncoder(
            folder,
            name=entry.name,
            fingerprint=fingerprint(entry),
            languages=entry.languages,
            device=encoder_device(entry, device),
        )
