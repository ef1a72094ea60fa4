"""Tiny models whose scores are of a usual size, and the same in transformers."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from pipeline.engines.search_settings import Search
from tests.support.reference import load_reference

LAST_NORMS = ("model.decoder.layer_norm", "decoder.final_layer_norm", "model.decoder.layers.1.final_layer_norm")


@dataclass(frozen=True)
class Tiny:
    """A checkpoint and how to search it."""

    family: str
    folder: Path
    vocabulary: int
    start: int
    end: int
    pad: int
    forced: int | None

    def search(self, num_beams: int = 1, length_penalty: float = 1.0, **more: object) -> Search:
        fixed = {"start": self.start, "end": self.end, "pad": self.pad, "forced": self.forced}
        return Search(num_beams=num_beams, length_penalty=length_penalty, **fixed, **more)  # type: ignore[arg-type]

    def rows(self, count: int, seed: int, longest: int = 40) -> list[list[int]]:
        """Random rows of mixed length."""
        pick = random.Random(seed)
        return [
            [pick.randrange(5, self.vocabulary - 1) for _ in range(pick.randint(0, longest))] + [self.end]
            for _ in range(count)
        ]


@pytest.fixture(scope="session")
def tiny(tiny_model: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Tiny]:
    """`tiny(family)`: the tiny model with flatter probabilities, in which rounding errors stay what they are."""
    made: dict[str, Tiny] = {}

    def build(family: str) -> Tiny:
        if family not in made:
            folder = tmp_path_factory.mktemp(f"flat-{family}") / "model"
            shutil.copytree(tiny_model(family), folder)
            _flatten(family, folder)
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            made[family] = Tiny(
                family,
                folder,
                config["vocab_size"],
                config["decoder_start_token_id"],
                config["eos_token_id"],
                config["pad_token_id"],
                None if family in ("marian", "t5") else 7,
            )
        return made[family]

    return build


def _flatten(family: str, folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    for name, value in weights.items():
        # With queries and keys this large, a softmax makes much of the last bits of its input. (With much smaller ones,
        # the norms of Marian, which come last, would wipe out what differs between the rows.)
        if any(part in name for part in ("q_proj", "k_proj", "Attention.q", "Attention.k")):
            weights[name] = value * (0.8 if family == "marian" else 0.25)
    name = next(name for name in LAST_NORMS if f"{name}.weight" in weights)
    for part in (f"{name}.weight", f"{name}.bias"):
        if part in weights:
            weights[part] = weights[part] * (0.1 if family == "marian" else 0.3)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


@pytest.fixture(scope="session")
def transformers_model() -> Callable[[Path], object]:
    """The model of a folder in transformers, without generation settings of its own."""
    loaded: dict[Path, object] = {}

    def load(folder: Path) -> object:
        if folder not in loaded:
            loaded[folder] = load_reference(folder)
        return loaded[folder]

    return load
