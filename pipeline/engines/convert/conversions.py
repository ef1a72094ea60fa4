"""The conversions themselves: safetensors, and int8 for CTranslate2. `apart` runs them in a child process."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.engines.convert.apart import CT2_FOLDER
from pipeline.errors import ModelRefused

ENCODER_DECODER = ("marian", "m2m_100", "mbart", "t5")


def say(text: str) -> None:
    """One line of progress."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def join(parts: Sequence[Path], sha256: str) -> memoryview:
    """The bytes of all parts, one after the other, in memory.

    Raises ModelRefused when their SHA-256 is not `sha256`.
    """
    sizes = [part.stat().st_size for part in parts]
    whole = memoryview(bytearray(sum(sizes)))
    hasher = hashlib.sha256()
    at = 0
    for part, size in zip(parts, sizes, strict=True):
        with part.open("rb") as stream:
            stream.readinto(whole[at : at + size])
        hasher.update(whole[at : at + size])
        at += size
    if hasher.hexdigest() != sha256:
        raise ModelRefused(f"the GGUF file has SHA-256 {hasher.hexdigest()}, not {sha256} as the registry says")
    return whole


def from_gguf(folder: Path, sha256: str, parts: Sequence[Path]) -> None:
    """Write the checkpoint of a GGUF file into `folder`."""
    from pipeline.engines.convert.gguf import parse, write_checkpoint

    say(f"reading {len(parts)} part{'s' * (len(parts) != 1)}")
    file = parse(join(parts, sha256))
    say(f"writing {len(file.tensors)} tensors in bfloat16")
    write_checkpoint(file, folder)


def from_pickles(folder: Path) -> None:
    """Replace every *.bin of a folder, and of the folders in it, by safetensors, with an index where there are shards.

    Raises ModelRefused when a file holds anything but tensors in plain containers.
    """
    from safetensors.torch import save_file

    for place in {path.parent for path in [*folder.glob("*.bin"), *folder.glob("*/*.bin")]}:
        where: dict[str, str] = {}
        for path in sorted(place.glob("*.bin")):
            say(f"reading {path.name} (tensors only)")
            state = _unshared(_load_tensors(path))
            save_file(state, path.with_name(_safe_name(path.name)), metadata={"format": "pt"})
            where |= dict.fromkeys(state, _safe_name(path.name))
            path.unlink()
        (place / "pytorch_model.bin.index.json").unlink(missing_ok=True)
        if len(set(where.values())) > 1:
            index = json.dumps({"metadata": {}, "weight_map": where}, indent=2)
            (place / "model.safetensors.index.json").write_text(index + "\n", encoding="utf-8")


def from_checkpoint(folder: Path) -> None:
    """Replace the training checkpoint of a folder by its weights, `model.safetensors`, and `hyper_parameters.json`.

    Every tensor keeps its name: what ties them is not known here.
    Raises ModelRefused when it holds anything but tensors and plain values.
    """
    from safetensors.torch import save_file

    (path,) = folder.rglob("*.ckpt")
    say(f"reading {path.name} (tensors and plain values only)")
    held = _load(path)
    if not isinstance(held, Mapping) or not _named_tensors(held.get("state_dict")):
        raise ModelRefused(f"{path.name} has no state_dict of named tensors")
    state: dict[str, Any] = {}
    for name, tensor in held["state_dict"].items():
        alone = tensor.nbytes == tensor.untyped_storage().nbytes()
        taken = any(tensor.data_ptr() == other.data_ptr() for other in state.values())
        state[name] = tensor.contiguous() if alone and not taken else tensor.clone().contiguous()
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    try:
        text = json.dumps(dict(held.get("hyper_parameters") or {}), indent=2, sort_keys=True)
    except (TypeError, ValueError) as error:
        raise ModelRefused(f"{path.name} has hyperparameters that are not plain values ({error})") from error
    (folder / "hyper_parameters.json").write_text(text + "\n", encoding="utf-8")
    path.unlink()
    if path.parent != folder:
        path.parent.rmdir()


def _named_tensors(state: Any) -> bool:
    import torch

    return isinstance(state, Mapping) and all(isinstance(value, torch.Tensor) for value in state.values())


def _load(path: Path) -> Any:
    """What a pickle holds, as far as it is tensors and plain values."""
    import torch

    try:
        mapped = zipfile.is_zipfile(path) or None
        return torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)  # noqa: TID251 - in a process apart
    except (OSError, MemoryError):
        raise
    except Exception as error:  # bytes from elsewhere go through an interpreter: it can fail in any way
        reason = f"{type(error).__name__}: {error}".split("\n")[0]
        raise ModelRefused(f"{path.name} is not a plain file of tensors ({reason})") from error


def _load_tensors(path: Path) -> dict[str, Any]:
    state = _load(path)
    if not _named_tensors(state):
        raise ModelRefused(f"{path.name} holds more than named tensors")
    return dict(state)


def _unshared(state: Mapping[str, Any]) -> dict[str, Any]:
    """Tensors with memory of their own, without the later names of tied ones: transformers ties them when it loads."""
    kept: dict[tuple[Any, ...], str] = {}
    for name, tensor in state.items():
        kept.setdefault((tensor.data_ptr() or name, tensor.shape, tensor.stride()), name)
    chosen = {name: state[name].contiguous() for name in kept.values()}
    return {
        name: tensor if tensor.nbytes == tensor.untyped_storage().nbytes() else tensor.clone()
        for name, tensor in chosen.items()
    }


def _safe_name(name: str) -> str:
    """`pytorch_model-00001-of-00003.bin` becomes `model-00001-of-00003.safetensors`."""
    return name.removesuffix(".bin").replace("pytorch_model", "model") + ".safetensors"


def to_ctranslate2(folder: Path) -> None:
    """Write the int8 model for CTranslate2 beside the checkpoint, unless it is there: whole, or not at all."""
    with _alone(folder):
        final, building = folder / CT2_FOLDER, folder / f".{CT2_FOLDER}.part"
        if final.is_dir():
            return
        shutil.rmtree(building, ignore_errors=True)  # what a kill has left
        say("writing int8 weights for CTranslate2")
        try:
            _write_int8(folder, building)
            building.rename(final)
        finally:
            shutil.rmtree(building, ignore_errors=True)


def _write_int8(folder: Path, out: Path) -> None:
    if json.loads((folder / "config.json").read_text(encoding="utf-8")).get("model_type") in ENCODER_DECODER:
        from pipeline.engines.convert import ct2_seq2seq

        ct2_seq2seq.convert(folder, out)
    else:
        from pipeline.engines.convert import ct2_causal

        ct2_causal.convert(folder, out)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other process converts in this folder; the system drops the claim with the process."""
    claim = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(claim, fcntl.LOCK_EX)
        yield
    finally:
        os.close(claim)
