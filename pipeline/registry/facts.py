"""What a corpus and a report state of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

GENERAL = (
    "a general language model, not one made for translating; where no check fails its English may still be wrong, "
    "in names and in what is said"
)
"""What people must know of what a model made whose `general` is true."""
TRIAL = (
    "a model for trials: read its English before you use it. Of 111 of its segments that had passed every check, 58 "
    "were wrong when a person read them"
)
"""What people must know of what a model made whose `trial` is true. The 111 are those of the sample articles, in
November 2026."""


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Where a model comes from and what its licence allows; `commercial` is None when that is not known.

    `role` is for people: "translation", "sentence encoder". `fingerprint` changes with anything of the model that can
    change an output; `files` has the SHA-256 of each of its files, as `sha256sum` gives it. `general` is true of a
    language model that was not made for translating, `trial` of one that its registry entry gives for trials only.
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
    trial: bool = False

    @property
    def caution(self) -> str:
        """What people must know of what it made, as a sentence without its name; empty where there is nothing."""
        return TRIAL if self.trial else GENERAL if self.general else ""
