"""Corpus measures by sentence vectors: how close hypotheses come to references, sources, or one another.

All three are means of cosines over the segments; none has learned what people call a good translation. `SimRef` sees
missing and changed meaning. `SimSrc` needs no reference and rewards literal translations: human ones score below
machine ones (docs/learned-metrics.md). `peer_similarity` takes the other systems' outputs as references (pseudo-
references, Albrecht and Hwa 2007, P07-1038), so it ranks systems, but has no meaning for one alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError, UsageError
from pipeline.text.language import detect

if TYPE_CHECKING:
    from pipeline.engines.encoders.base import Encoder, Vectors

TARGET = "en"
FEWEST_PEERS = 3
"""With two systems, each would be as close to the other as the other to it."""


class _Cosine:
    """What both metrics share: an encoder, and a mean over segments."""

    name: str
    against: ClassVar[str]
    version: ClassVar[int] = 1
    higher_better: ClassVar[bool] = True

    def __init__(self, encoder: Encoder, suffix: str = "") -> None:
        """`suffix` is part of the name, so that metrics with several encoders can stand side by side."""
        if TARGET not in encoder.languages:
            raise UsageError(f"the encoder {encoder.name} does not know English", "Use another: `mekong models list`")
        self.name += suffix
        self.encoder = encoder
        self.streams = 0

    @property
    def signature(self) -> str:
        """The number of references is known when `statistics` has seen them."""
        seen = f"nrefs:{self.streams}|" if self.streams else ""
        return f"{seen}against:{self.against}|{encoder_signature(self.encoder)}|version:{self.version}"

    def aggregate(self, sums: NDArray[Any]) -> Any:
        """The mean cosine, -1 to 1, of summed statistics (2,), or the means (n,) of n sums (n, 2)."""
        return sums[..., 0] / sums[..., 1]

    def _counted(self, cosines: Vectors) -> NDArray[np.float64]:
        return np.stack([cosines.astype(np.float64), np.ones(len(cosines))], axis=1)


class SimRef(_Cosine):
    """Mean cosine of hypothesis and reference; of several references the closest counts, segment by segment."""

    name = "SimRef"
    against = "closest-reference"

    def statistics(
        self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], sources: Sequence[str] | None = None
    ) -> NDArray[np.float64]:
        """(cosine, 1) for each segment, shape (len(hypotheses), 2). Raises UsageError where there is no reference."""
        if not references:
            raise UsageError(f"{self.name} needs a reference", "Add --ref FILE, or take SimSrc with --src FILE.")
        self.streams = len(references)
        ours = text_vectors(self.encoder, hypotheses)
        return self._counted(
            np.max([cosines(ours, text_vectors(self.encoder, stream)) for stream in references], axis=0)
        )


class SimSrc(_Cosine):
    """Mean cosine of hypothesis and source, without any reference."""

    name = "SimSrc"
    against = "source"

    def statistics(
        self,
        hypotheses: Sequence[str],
        references: Sequence[Sequence[str]] = (),
        sources: Sequence[str] | None = None,
    ) -> NDArray[np.float64]:
        """(cosine, 1) for each segment, shape (len(hypotheses), 2).

        Raises UsageError where there is no source or the encoder does not know its language.
        """
        if sources is None:
            raise UsageError(f"{self.name} needs the source", "Add --src FILE, or take SimRef with --ref FILE.")
        require_language(self.encoder, sources)
        return self._counted(cosines(text_vectors(self.encoder, hypotheses), text_vectors(self.encoder, sources)))


def encoder_signature(encoder: Encoder) -> str:
    """The part of a signature that says which vectors were compared."""
    return f"encoder:{encoder.name}|weights:{encoder.fingerprint}"


def require_language(encoder: Encoder, sources: Sequence[str]) -> None:
    """Raise UsageError when the sources are in a language that the encoder does not know."""
    found = detect("\n".join(sources))
    if found not in encoder.languages:
        raise UsageError(
            f"the encoder {encoder.name} does not know the language of the source, {found!r}",
            "Use one that does, such as labse (`mekong models add labse`), or compare without the source.",
        )


def text_vectors(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    """Unit vectors, shape (len(texts), d). A blank text has the zero vector: its cosine with anything is 0."""
    said = [i for i, text in enumerate(texts) if text.strip()]
    if not said:
        raise InputError("there is no text to compare, all lines are blank", "Give at least one segment.")
    found = encoder.encode([texts[i].strip() for i in said])
    vectors = np.zeros((len(texts), found.shape[1]), dtype=np.float32)
    vectors[said] = found
    return vectors


def cosines(left: Vectors, right: Vectors) -> Vectors:
    """The cosine of each row of `left` with the same row of `right`, -1 to 1.

    Raises InputError when the numbers of rows differ.
    """
    if len(left) != len(right):
        raise InputError(f"{len(left)} segments cannot be compared with {len(right)}", "Line n belongs to line n.")
    found: Vectors = np.clip((left * right).sum(axis=1), -1.0, 1.0)
    return found


def peer_similarity(systems: Sequence[Vectors]) -> NDArray[np.float64]:
    """The mean cosine of each system's segments with those of all other systems, shape (systems, segments).

    Raises UsageError with fewer than three systems.
    """
    if len(systems) < FEWEST_PEERS:
        raise UsageError(f"{len(systems)} systems cannot be ranked by one another", "Give three or more.")
    total = np.sum(systems, axis=0)
    return np.stack([((total - own) * own).sum(axis=1, dtype=np.float64) for own in systems]) / (len(systems) - 1)
