"""A language model of the registry that reads pairs, loaded when the first pair is to be read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Literal

from pipeline.engines.devices import find_device
from pipeline.engines.forced.decoder import ForcedDecoder, Reading, Sides
from pipeline.engines.mekong.cpu.matrices import has_bfloat16_products
from pipeline.errors import UsageError
from pipeline.files.store import digest
from pipeline.registry.models import Entry, fingerprint, locate


class RegisteredReader:
    """Forced decoding with a chat model of the registry, in bfloat16 where the device multiplies it, else in float32.

    Its name and fingerprint are known without the weights: a run that has nothing to read does not load them. Raises
    UsageError for a model of another kind, ModelMissing when it is not in the store.
    """

    def __init__(self, entry: Entry, wanted: Literal["auto", "cpu", "cuda"] = "auto") -> None:
        if entry.family != "chat":
            raise UsageError(
                f"filter.model is {entry.name}, of the family {entry.family}: only chat models read pairs",
                "Use qwen2.5-coder-1.5b, or null.",
            )
        self._folder = locate(entry)
        self._device = find_device(wanted)
        self._dtype = "bfloat16" if self._device == "cuda" or has_bfloat16_products() else "float32"
        self.name = entry.name
        self.fingerprint = digest(fingerprint(entry), self._device, self._dtype)

    def read(self, pairs: Sequence[Sides]) -> list[Reading | None]:
        """See `ForcedDecoder.read`."""
        return self._decoder.read(pairs) if pairs else []

    @cached_property
    def _decoder(self) -> ForcedDecoder:
        return ForcedDecoder(self._folder, self.name, self._device, self._dtype)
