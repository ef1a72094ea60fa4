"""What a corpus and a report state of a model."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Where a model comes from and what its licence allows; `commercial` is None when that is not known.

    `role` is for people: "translation", "sentence encoder". `sha256` is that of the weights, or of their list.
    """

    name: str
    role: str
    source: str
    revision: str
    sha256: str
    licence: str
    commercial: bool | None
