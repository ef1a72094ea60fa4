"""Folders of models that are not what they should be: whatever the libraries raise, people are told which model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.engines.load import Plan
from pipeline.engines.mekong.checkpoint import read_checkpoint
from pipeline.engines.needs import need
from pipeline.engines.weights import loading
from pipeline.errors import ModelError, ModelRefused
from pipeline.registry.models import entries

BROKEN: dict[str, Any] = {
    "a huge width": {"d_model": 10**6},
    "a negative width": {"d_model": -4},
    "a width in words": {"d_model": "wide"},
    "no layers": {"encoder_layers": None},
    "too many layers": {"encoder_layers": 99},
    "heads that do not divide": {"encoder_attention_heads": 7},
    "a list for a vocabulary": {"vocab_size": []},
    "an unknown activation": {"activation_function": "eval"},
}


@pytest.mark.parametrize("change", BROKEN.values(), ids=BROKEN)
def test_a_configuration_that_does_not_fit_is_told(
    tiny_model: Callable[[str], Path], tmp_path: Path, change: dict[str, Any]
) -> None:
    folder = Path(shutil.copytree(tiny_model("marian"), tmp_path / "m"))
    path = folder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in (config | change).items() if value is not None}))
    with pytest.raises(ModelError):
        read_checkpoint(folder)


@pytest.mark.parametrize("text", ["", "[]", "7", "[" * 100_000, '{"model_type": ', "\udcff"])
def test_a_configuration_that_is_none_is_told(tiny_model: Callable[[str], Path], tmp_path: Path, text: str) -> None:
    folder = Path(shutil.copytree(tiny_model("marian"), tmp_path / "m"))
    (folder / "config.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ModelError):
        read_checkpoint(folder)
    with pytest.raises(ModelError):
        need(next(iter(entries().values())), folder, Plan("mekong", "cpu", "float32", 1, 1), 1)


def test_what_is_ours_and_what_is_no_fault_of_the_model_goes_through() -> None:
    for error in (ModelRefused("no"), MemoryError()):
        with pytest.raises(type(error)), loading("m"):
            raise error
    with pytest.raises(ModelError, match="m does not load: RuntimeError: shape") as caught, loading("m"):
        raise RuntimeError("shape\nand a hundred lines more")
    assert "hundred" not in str(caught.value)
