"""Int8 weights of a checkpoint, kept beside it, so that loading need not read and round the floats again."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from pipeline.engines.mekong.architecture import (
    Affine,
    Architecture,
    Checkpoint,
    Layer,
    Norm,
    RelativeBias,
    Stack,
)
from pipeline.engines.mekong.checkpoint import read_checkpoint

log = logging.getLogger(__name__)

VERSION = 1
"""Raised when the same checkpoint would give other integers."""
FILE = "mekong-int8/weights.safetensors"


@dataclasses.dataclass(frozen=True, slots=True)
class Int8Weights:
    """Weights (N, K) as int8 `values` with one `scale` an output (N,): weight = scale * value."""

    values: torch.Tensor
    scale: torch.Tensor

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: slice | torch.Tensor) -> Int8Weights:
        return Int8Weights(self.values[rows], self.scale[rows])


CLASSES: dict[str, Any] = {
    kind.__name__: kind for kind in (Affine, Architecture, Checkpoint, Int8Weights, Layer, Norm, RelativeBias, Stack)
}


def quantise(weight: torch.Tensor, limit: int) -> Int8Weights:
    """Round each row of (N, K) to multiples of its largest magnitude over `limit`, the largest integer used."""
    wide = weight.float()
    scale = wide.abs().amax(dim=1).clamp(min=torch.finfo(torch.float32).tiny) / limit
    return Int8Weights((wide / scale[:, None]).round_().to(torch.int8), scale)


def int8_checkpoint(folder: Path, limit: int) -> Checkpoint:
    """The checkpoint in `folder` with Int8Weights for matrices and embeddings, from its int8 file where that belongs to
    the checkpoint; else made, and kept if the folder can be written.

    Raises ModelError and ModelRefused as `read_checkpoint`.
    """
    key = _key(folder, limit)
    kept = _load(folder / FILE, key)
    if kept is None:
        kept = _quantised(read_checkpoint(folder), limit)
        _save(kept, folder / FILE, key)
    return kept


def _key(folder: Path, limit: int) -> str:
    """Changes when the checkpoint does: sizes and times of its files."""
    files = [*sorted(folder.glob("*.safetensors")), folder / "config.json"]
    marks = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files if path.is_file()]
    return json.dumps([VERSION, limit, marks])


def _quantised(checkpoint: Checkpoint, limit: int) -> Checkpoint:
    made: dict[tuple[int, torch.Size], Int8Weights] = {}

    def once(weight: torch.Tensor) -> Int8Weights:
        key = (weight.data_ptr(), weight.shape)
        if key not in made:
            made[key] = quantise(weight, limit)
        return made[key]

    def visit(value: Any) -> Any:
        if isinstance(value, Affine):
            return Affine(once(value.weight), value.bias)
        if isinstance(value, Stack):
            layers = tuple(visit(layer) for layer in value.layers)
            return dataclasses.replace(value, embedding=once(value.embedding), layers=layers)
        if isinstance(value, Layer):
            return Layer(**{field.name: visit(getattr(value, field.name)) for field in dataclasses.fields(value)})
        return value

    return Checkpoint(*(visit(getattr(checkpoint, field.name)) for field in dataclasses.fields(checkpoint)))


def _save(checkpoint: Checkpoint, path: Path, key: str) -> None:
    tensors: dict[str, torch.Tensor] = {}
    names: dict[int, str] = {}

    def describe(value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            name = names.setdefault(id(value), str(len(names)))
            tensors[name] = value.contiguous()
            return {"tensor": name}
        if isinstance(value, tuple):
            return [describe(item) for item in value]
        if dataclasses.is_dataclass(value):
            fields = {field.name: describe(getattr(value, field.name)) for field in dataclasses.fields(value)}
            return {"class": type(value).__name__, "fields": fields}
        return value

    whole = json.dumps(describe(checkpoint))
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(exist_ok=True)
        save_file(tensors, part, metadata={"key": key, "checkpoint": whole})
        part.replace(path)
    except (OSError, SafetensorError) as error:
        log.info("the int8 weights are not kept: %s", error)
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _load(path: Path, key: str) -> Checkpoint | None:
    try:
        file: Any = safe_open(path, framework="pt")
    except (OSError, SafetensorError):
        return None
    with file:
        stated = file.metadata() or {}
        if stated.get("key") != key:
            return None
        tensors: dict[str, torch.Tensor] = {}

        def build(value: Any) -> Any:
            if isinstance(value, list):
                return tuple(build(item) for item in value)
            if not isinstance(value, dict):
                return value
            if "tensor" in value:
                name = value["tensor"]
                return tensors[name] if name in tensors else tensors.setdefault(name, file.get_tensor(name))
            return CLASSES[value["class"]](**{name: build(item) for name, item in value["fields"].items()})

        checkpoint: Checkpoint = build(json.loads(stated["checkpoint"]))
        return checkpoint
