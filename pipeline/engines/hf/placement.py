"""Where the layers of a model go that is larger than the memory of one device.

A model that fits is loaded straight to its device. One that does not is laid out with accelerate: its layers over all
GPUs in their order, then in main memory, then on disk, from where they are fetched each time they are used. What is no
layer (embeddings, norms, the output) stays on the first device, so that sums of an embedding and a position never
meet on two.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from accelerate import init_empty_weights
from accelerate.utils import compute_module_sizes
from safetensors import SafetensorError
from transformers import AutoConfig

from pipeline.engines.devices import gpu_memory, main_memory
from pipeline.engines.weights import BYTES, count_weights, load_whole
from pipeline.errors import ModelError, ModelRefused
from pipeline.registry.models import offline

log = logging.getLogger("mekong")
# It says of every model with layers elsewhere what the warning of this module says in figures.
logging.getLogger("accelerate.big_modeling").setLevel(logging.ERROR)

SHARE = 0.8
"""Of the free memory of a device that weights may take; the rest is for the sentences in hand."""
DISK = "disk"
Place = int | str
"""The number of a GPU, "cpu" or "disk"."""


@dataclass(frozen=True, slots=True)
class MemoryShare:
    """Bytes of weights that a device can take."""

    place: Place
    size: int


@dataclass
class PlacedModel:
    """A transformers model ready for inference; `device` is where its inputs go, `places` where its layers are."""

    model: Any
    device: str
    places: Sequence[Place]
    _files: ExitStack

    @property
    def device_name(self) -> str:
        """For people: the GPUs, or "cpu", and what is fetched from elsewhere."""
        cards = [place for place in self.places if isinstance(place, int)]
        first = torch.cuda.get_device_name(cards[0]) if cards else "cpu"
        names = [f"{len(cards)} x {first}" if len(cards) > 1 else first]
        return " + ".join([*names, *(place for place in self.places if isinstance(place, str) and place != first)])

    def close(self) -> None:
        """Let go of the weights, and of what was put on disk."""
        del self.model
        self._files.close()
        if self.device != "cpu":
            torch.cuda.empty_cache()


def load_placed(kind: Any, folder: Path, device: str, dtype: str) -> PlacedModel:
    """A model in the store, of the class `kind` of transformers, on `device` or, where it is too large, wherever there
    is room.

    Raises ModelError when its weights do not load or fit nowhere, ModelRefused when there are no safetensors.
    """
    offline()
    if not any(folder.glob("*.safetensors")):
        raise ModelRefused(f"{folder} has no weights in safetensors", f"mekong models add {folder.name}")
    try:
        return _load(kind, folder, device, dtype)
    except (OSError, ValueError, RuntimeError, KeyError, ImportError, SafetensorError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise ModelError(f"{folder.name} does not load: {error}", f"mekong models check {folder.name}") from error


def _load(kind: Any, folder: Path, device: str, dtype: str) -> PlacedModel:
    layout = place(kind, folder, dtype, shares(device))
    places = list(dict.fromkeys(layout.values()))
    with ExitStack() as undo:
        spare = undo.enter_context(TemporaryDirectory(prefix="mekong-offload-")) if DISK in places else None
        with warnings.catch_warnings():
            # Marian's output bias belongs to no module, and has its place all the same.
            warnings.filterwarnings("ignore", message=".*do not match any submodules")
            model = load_whole(kind, folder, dtype=getattr(torch, dtype), device_map=layout, offload_folder=spare)
        return PlacedModel(model.eval(), device, places, undo.pop_all())


def shares(device: str) -> list[MemoryShare]:
    """What can take weights, in the order in which it is filled."""
    cards = gpu_memory() if device == "cuda" else []
    found = [MemoryShare(number, int(SHARE * memory.free)) for number, memory in enumerate(cards)]
    return [*found, MemoryShare("cpu", int(SHARE * main_memory().free))]


def place(kind: Any, folder: Path, dtype: str, there: Sequence[MemoryShare]) -> dict[str, Place]:
    """transformers' `device_map`: everything on the first device where it fits there, else module by module, and
    people are told what that costs.

    Raises ModelError when not even what is no layer fits on the first device.
    """
    weights = count_weights(folder) * BYTES[dtype]
    if weights <= there[0].size:
        return {"": there[0].place}
    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    with init_empty_weights():
        model = kind.from_config(config, dtype=getattr(torch, dtype), trust_remote_code=False)
    model.tie_weights()
    sizes = compute_module_sizes(model, dtype=getattr(torch, dtype))
    layers = _layers(model)
    others = sizes[""] - sum(sizes[name] for name in layers)
    found = spread([sizes[name] for name in layers], others, there)
    if found is None:
        raise ModelError(
            f"{folder.name} does not fit: beside its layers it has {others / 1e9:.1f} GB in {dtype}, "
            f"and {there[0].size / 1e9:.1f} GB can be used for weights",
            "Take a smaller model, or a smaller translate.dtype.",
        )
    _warn(folder.name, weights, found, there)
    return _outside(model, layers, there[0].place) | dict(zip(layers, found, strict=True))


def _layers(model: torch.nn.Module) -> list[str]:
    """Names of the layers, in their order: the modules of the outermost lists."""
    lists = {name: module for name, module in model.named_modules() if isinstance(module, torch.nn.ModuleList)}
    outer = [name for name in lists if not any(name.startswith(f"{other}.") for other in lists)]
    return [f"{name}.{number}" for name in outer for number in range(len(lists[name]))]


def _outside(model: torch.nn.Module, layers: Sequence[str], first: Place) -> dict[str, Place]:
    """Every module with tensors of its own that is no part of a layer, on the first device."""
    inside = tuple(f"{name}." for name in layers)
    names: list[str] = []
    for name, module in model.named_modules(remove_duplicate=False):
        tensors = [*dict(module.named_parameters(recurse=False)), *dict(module.named_buffers(recurse=False))]
        if tensors and not f"{name}.".startswith(inside):
            names += [name] if name else tensors
    return dict.fromkeys(names, first)


def spread(layers: Sequence[int], others: int, there: Sequence[MemoryShare]) -> list[Place] | None:
    """Where each layer of so many bytes goes, `others` bytes being on the first device; None where those do not fit.

    GPUs get equal shares of their rooms where all layers fit on them. Where they do not, the first device keeps room
    for the largest layer, which comes there to be used.
    """
    cards = [room for room in there if isinstance(room.place, int)]
    total = sum(layers)
    on_cards = sum(room.size for room in cards) - others
    fits = bool(cards) and total <= on_cards
    kept = 0 if fits else max(layers)
    if others + kept > there[0].size:
        return None
    free = {room.place: room.size - (others + kept if room is there[0] else 0) for room in there}
    share = {room.place: free[room.place] * total / on_cards for room in cards} if fits else {}
    places: list[Place] = []
    queue = [*free, DISK]
    used = 0
    for size in layers:
        # A layer may reach beyond a share by half of it, never beyond a room.
        while queue[0] != DISK and (
            used + size > free[queue[0]] or (len(queue) > 2 and used + size / 2 > share.get(queue[0], free[queue[0]]))
        ):
            queue.pop(0)
            used = 0
        used += size
        places.append(queue[0])
    return places


def _warn(name: str, weights: int, places: Sequence[Place], there: Sequence[MemoryShare]) -> None:
    first = there[0].place
    counts: Mapping[str, int] = {
        "in main memory": sum(place == "cpu" != first for place in places),
        "on disk": sum(place == DISK for place in places),
    }
    away = " and ".join(f"{count} {where}" for where, count in counts.items() if count)
    if away:
        log.warning(
            "%s has %.1f GB of weights, and there is room for %.1f GB: of %d layers %s are fetched anew at every step, "
            "which is slow. Take a smaller model or another translate.dtype, or free memory.",
            name,
            weights / 1e9,
            sum(room.size for room in there if room.place != "cpu" or first == "cpu") / 1e9,
            len(places),
            away,
        )
