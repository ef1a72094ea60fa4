"""What the engine's int8 products cost in chrF, on real weights.

    python scripts/int8_chrf.py SOURCE REFERENCE LANG [SENTENCES]

Translates the first lines of SOURCE with the embedded model twice: as it is, in float32, and with every matrix product
replaced by `Int8Matrix`, and prints chrF of both against REFERENCE and against each other. (No weights of an
encoder-decoder family come in a package; a matrix product does not know what model it is in.)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sacrebleu.metrics.chrf import CHRF

from pipeline.config.settings import TranslateSettings
from pipeline.engines.base import Request, Translator
from pipeline.engines.load import load
from pipeline.engines.mekong.cpu import kernels
from pipeline.engines.mekong.cpu.matrices import Int8Matrix, int8_rows, weight_limit
from pipeline.engines.mekong.cpu.quantised import quantise
from pipeline.registry import models

BATCH = 25


class Int8Linear(torch.nn.Module):
    """A linear layer as the engine does it in int8."""

    def __init__(self, linear: torch.nn.Linear) -> None:
        super().__init__()
        self.matrix = Int8Matrix(quantise(linear.weight.detach(), weight_limit()), linear.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(..., inputs) to (..., outputs)."""
        rows = int8_rows(x[..., 0].numel(), x.shape[-1])
        rows.x[:] = x.reshape(len(rows.x), -1).numpy()
        none = np.empty(0, np.float32)
        kernels.normalise(rows.x, none, none, np.float32(0), False, *rows)
        numbers, scale = self.matrix(rows)
        return torch.from_numpy(numbers * scale[:, None] + self.matrix.bias).reshape(*x.shape[:-1], -1)


def replace(model: Any) -> int:
    """Put Int8Linear in the place of every linear layer; how many there were."""
    found = [
        (parent, name, layer)
        for parent in model.modules()
        for name, layer in parent.named_children()
        if isinstance(layer, torch.nn.Linear)
    ]
    for parent, name, layer in found:
        setattr(parent, name, Int8Linear(layer))
    return len(found)


def translated(translator: Translator, texts: list[str], lang: str) -> Iterator[str]:
    """Their English, in batches, in order."""
    for at in range(0, len(texts), BATCH):
        yield from (h.text for h in translator.translate([Request(text, lang) for text in texts[at : at + BATCH]]))


def main(source: str, reference: str, lang: str, sentences: str = "100") -> None:
    """Print the table."""
    models.offline()
    count = int(sentences)
    texts, references = (Path(path).read_text("utf-8").splitlines()[:count] for path in (source, reference))
    settings = TranslateSettings(engine="transformers", dtype="float32", device="cpu")
    with load(models.entry(settings.model), settings) as translator, torch.inference_mode():
        found = {}
        for name in ("float32", "int8"):
            if name == "int8":
                replace(translator.engine.model)  # type: ignore[attr-defined]
            began = time.monotonic()
            found[name] = list(translated(translator, texts, lang))
            score = CHRF().corpus_score(found[name], [references]).score
            print(f"{name}: chrF {score:.2f}, {time.monotonic() - began:.0f} s", flush=True)
    same = sum(a == b for a, b in zip(*found.values(), strict=True))
    apart = CHRF().corpus_score(found["int8"], [found["float32"]]).score
    print(f"{same} of {count} hypotheses are the same; chrF of int8 against float32 {apart:.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
