"""How many weights a model has, from the headers of its files."""

from __future__ import annotations

from math import prod
from pathlib import Path

from safetensors import SafetensorError, safe_open

from pipeline.errors import ModelError

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2, "int8": 1}
"""Of one weight."""


def count_weights(folder: Path) -> int:
    """How many numbers the safetensors of a model hold.

    Raises ModelError when one is damaged.
    """
    count = 0
    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, framework="numpy") as file:
                count += sum(prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise ModelError(f"{path} does not load: {error}", f"mekong models check {folder.name}") from error
    return count
