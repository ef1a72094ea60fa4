"""What a corpus and a report state of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

GENERAL = (
    "a general language model, not one made for translating; where no check fails its English may still be wrong, "
    "in names and in what is said"
)
"""What people must know of what a model made whose `general` is true."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Where a model comes from and what its licence allows; `commercial` is None when that is not known.

    `role` is for people: "translation", "sentence encoder". `fingerprint` changes with anything of the model that can
    change an output; `files` has the SHA-256 of each of its files, as `sha256sum` gives it. `general` is true of a
    language model that was not made for translating.
    """

    name: str
    role: str
    source: str
    revision: str
    fingerprint: str
    licence: str
    commercial: bool | None
    files: Mapping[str, str] = field(default_factory=dict)
    general: bool = False
