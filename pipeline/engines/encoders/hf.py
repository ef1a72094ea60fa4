"""Encoders in Hugging Face's layout, run by transformers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np

from pipeline.engines.encoders.base import Vectors, checked, distinct
from pipeline.errors import ModelError, ModelMissing


class TransformersEncoder:
    """A BERT-like sentence encoder (LaBSE, E5, ...) from a folder with `config.json`, tokenizer and safetensors.

    `pooling` is "pooler" (the pooler output, as LaBSE wants) or "mean" (over tokens that are no padding). A text
    longer than `max_tokens` is cut. Nothing is downloaded and no code from the folder is run. A GPU rounds otherwise
    than a CPU, so it is part of the fingerprint.
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
        self.fingerprint = f"{fingerprint}|{pooling}|{max_tokens}" + ("" if device == "cpu" else f"|{device}")
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
        """See Encoder."""
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
