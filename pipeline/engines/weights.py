"""The weights of a model: how many there are, from the headers of its files, and all of them, by transformers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from pipeline.errors import MekongError, ModelError

BYTES = {"float32": 4, "bfloat16": 2, "float16": 2, "int8": 1}
"""Of one weight."""


@contextmanager
def loading(name: str) -> Iterator[None]:
    """What the libraries raise on a checkpoint that is not what it should be, which has no common base, as ModelError.

    `config.json` may say anything: a width of 10^9, a string for a number, no layers at all.
    """
    try:
        yield
    except (MekongError, MemoryError):
        raise
    except Exception as error:
        said = (str(error).strip() or "nothing more").split("\n")[0]
        raise ModelError(
            f"{name} does not load: {type(error).__name__}: {said}", f"mekong models check {name}"
        ) from error


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


def load_whole(kind: Any, folder: Path, **options: Any) -> Any:
    """The transformers model of a class `kind` in a folder: from safetensors there, and nothing else.

    Raises ModelError when the checkpoint lacks weights, which transformers would make up, and what loading raises.
    """
    model, loading = kind.from_pretrained(
        folder,
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
        output_loading_info=True,
        **options,
    )
    if loading["missing_keys"]:
        missing = sorted(loading["missing_keys"])
        raise ModelError(f"{folder.name} lacks {len(missing)} weights, {missing[0]} for one", "Get the model again.")
    return model
