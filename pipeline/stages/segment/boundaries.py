"""The boundary models that are shipped under `models/boundaries/`, one file a language."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np

from pipeline.errors import ModelMissing, ModelRefused
from pipeline.files.store import file_sha256
from pipeline.registry.models import shipped
from pipeline.stages.segment.boundary_model import BoundaryModel
from pipeline.text.languages import alternatives, language, table

FORMAT = "mekong-boundaries-1"


@cache
def load(lang: str) -> BoundaryModel:
    """The shipped model of a language.

    Raises ModelMissing for a language without one, ModelRefused as `read`.
    """
    path = _folder() / (language(lang).boundaries or f"{lang}.safetensors")
    if not path.is_file():
        others = alternatives(code for code, entry in table().items() if entry.boundaries)
        raise ModelMissing(f"there is no boundary model for the language {lang!r} ({path})", f"Use {others}.")
    return read(path)


def digests() -> dict[str, str]:
    """The SHA-256 of each shipped model's file, by language: what is made with a model is made anew when it changes."""
    return {path.stem: file_sha256(path) for path in sorted(_folder().glob("*.safetensors"))}


def _folder() -> Path:
    return shipped() / "boundaries"


def read(path: Path) -> BoundaryModel:
    """The model in a file: the tensor `weights` (half precision), all else as JSON in the metadata.

    Raises ModelRefused when the file is damaged or something else.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            settings = json.loads((file.metadata() or {}).get("model", "{}"))
            weights = file.get_tensor("weights").astype(np.float32)
        if settings.get("format") != FORMAT:
            raise ValueError(f"its format is {settings.get('format')!r}, expected {FORMAT!r}")
        bias, prior, lift = (float(settings[key]) for key in ("bias", "prior", "lift"))
        mean, deviation = map(float, settings["length"])
        lang = str(settings["lang"])
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelRefused(
            f"the boundary model {path} cannot be used: {error}",
            "Reinstall the package, or train the model again with scripts/train_boundaries.py.",
        ) from error
    return BoundaryModel(lang, weights, bias, (mean, deviation), prior, lift)


def write(model: BoundaryModel, path: Path) -> None:
    """Write what `read` reads; the same model gives the same bytes."""
    from safetensors.numpy import save

    settings = {
        "format": FORMAT,
        "lang": model.lang,
        "bias": model.bias,
        "length": model.length,
        "prior": model.prior,
        "lift": model.lift,
    }
    # One entry: safetensors writes several in any order.
    metadata = {"model": json.dumps(settings)}
    path.write_bytes(save({"weights": model.weights.astype(np.float16)}, metadata=metadata))
