"""Profiles: what the counterparts of a document are looked for by, and what tells whether it is still the same one.

A profile rests on its document alone, so that it is made once, whatever comes to the input beside it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass

import numpy as np

from pipeline.engines.encoders.base import Encoder, Vectors
from pipeline.files.store import digest
from pipeline.stages.align.anchors import anchors
from pipeline.stages.align.candidates import windowed
from pipeline.stages.align.sides import Side, kept_segments, readable_texts, usable_english

TEXTS_AT_ONCE = 128
"""Texts that the encoder gets together: seconds even on a slow processor."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A document as candidates are compared: its anchors, and its vector where it can be read.

    `content` is the hash of all of the document that its alignment rests on; its name is none of it. `vector` is
    written as Base64 of little-endian float32, empty where there is none.
    """

    doc_id: str
    lang: str
    content: str
    anchors: dict[str, int]
    vector: str

    @property
    def numbers(self) -> Vectors | None:
        """The vector (WINDOWS * d,), None where there is none."""
        return np.frombuffer(b64decode(self.vector), dtype="<f4") if self.vector else None


def profile(side: Side, encoder: Encoder) -> Profile:
    """The profile of a document."""
    document, kept = side.document, kept_segments(side)
    return Profile(
        document.id,
        document.lang,
        digest(document.lang, document.text, [(one.start, one.end, usable_english(side, one)) for one in kept]),
        dict(anchors("\n".join(segment.text for segment in kept), document.lang)),
        _vector(side, encoder),
    )


def _vector(side: Side, encoder: Encoder) -> str:
    texts = readable_texts(side, encoder)
    if not texts:
        return ""
    found = [encoder.encode(texts[at : at + TEXTS_AT_ONCE]) for at in range(0, len(texts), TEXTS_AT_ONCE)]
    lengths = np.array([len(segment.text) for segment in kept_segments(side)], dtype=np.float64)
    return b64encode(windowed(np.concatenate(found), lengths).astype("<f4").tobytes()).decode()
