"""Adding a model to the store: `mekong models add NAME`.

The only part of mekong that uses the network. A model is built in a hidden folder of the store and renamed when it is
complete, so a kill at any moment leaves either no model or a whole one. One process adds a model at a time; the claim
is a lock that the system drops with the process. Files are not flushed to disk one by one: after a power failure
`mekong models check NAME` tells whether a model that was just added is whole.
"""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

from pipeline.engines.convert.apart import CT2_FOLDER, run_apart
from pipeline.errors import ModelError, ModelMissing, ModelRefused
from pipeline.files.plain_yaml import load_yaml
from pipeline.files.store import file_sha256, to_json, write_bytes
from pipeline.metrics import environment
from pipeline.metrics.environment import claimed
from pipeline.registry.models import LOCK, OWN_ENTRIES, Entry, FileRecord, Lock, entry, folder, locate, root
from pipeline.registry.sources import Fetched, Say, fetch, fetch_tokenizer, refuse_other

HASH_THREADS = 2
TOKENIZER = "tokenizer"
"""The folder of a scorer's tokenizer, in that of the model."""


def add(name: str, say: Say, given: Path | None = None) -> Path:
    """Put a model of the registry into the store, from the first of its sources that has it; the folder to load from.

    A model that is there as it was added is left alone. A scorer gets its environment first. `say` gets lines of
    progress; `given` is a folder to take the model from instead, a scorer's tokenizer from the folder `tokenizer` in
    it.

    Raises UsageError for an unknown name, ModelRefused when a source had it but it must not be used, ModelError when no
    source has it or another process is adding it.
    """
    one = entry(name)
    if given is not None:
        one = one.model_copy(
            update={"sources": (f"path:{given}",), "tokenizer": one.tokenizer and f"path:{given / TOKENIZER}"}
        )
    root().mkdir(parents=True, exist_ok=True)
    if one.kind == "scorer":
        environment.make(say)
    with claimed(one.name):
        try:
            there = locate(one)
            if not _wants_ctranslate2(one) or (there / CT2_FOLDER).is_dir():
                say(f"{name} is in the store: {there}")
                return there
        except (ModelMissing, ModelRefused):  # not there, or not as it was
            pass
        _add(one, say)
    return locate(one)


def _wants_ctranslate2(entry: Entry) -> bool:
    """Whether the int8 model for CTranslate2 belongs into the store of this machine."""
    return entry.backend("cpu") == "ctranslate2" and importlib.util.find_spec("ctranslate2") is not None


def _add(entry: Entry, say: Say) -> None:
    reasons: list[str] = []
    refused = False
    for source in entry.sources:
        work = Path(tempfile.mkdtemp(prefix=f".{entry.name}.", suffix=".part", dir=root()))
        try:
            say(f"{entry.name} from {source}")
            _build(entry, source, work, say)
            _move(work / "model", folder(entry))
            return
        except (ModelError, OSError) as error:
            refused |= isinstance(error, ModelRefused)
            reasons.append(f"{source}: " + " - ".join(str(error).split("\n  ")))
            say(reasons[-1])
        finally:
            shutil.rmtree(work, ignore_errors=True)
    kind = ModelRefused if refused else ModelError
    raise kind(
        f"no source gave the model {entry.name}:\n  " + "\n  ".join(reasons),
        f"Connect to the network, install the package named, or put a path: source into {root() / OWN_ENTRIES}",
    )


def _build(entry: Entry, source: str, work: Path, say: Say) -> None:
    """Make the whole model, lock included, in `work/model`."""
    model, fetched_into = work / "model", work / "fetched"
    model.mkdir()
    fetched_into.mkdir()
    fetched = fetch(entry, source, fetched_into if entry.format == "gguf" else model, say)
    converted: Literal["", "gguf", "pickle"] = ""
    published: dict[str, FileRecord] = {}
    if entry.format == "gguf":
        (expected,) = entry.sha256.values()
        run_apart(say, "gguf", model, expected, *(str(part.resolve()) for part in fetched.parts))
        converted = "gguf"
    elif entry.format == "safetensors":
        for name, expected in entry.sha256.items():
            refuse_other(name, model / name, expected)
        if entry.kind == "scorer":
            _check_encoder(entry, model)
            published = _weights(model)
        if any(model.rglob("*.ckpt")):
            run_apart(say, "checkpoint", model)
            converted = "pickle"
        elif any(model.rglob("*.bin")):
            run_apart(say, "pickle", model)
            converted = "pickle"
        if not any(model.glob("*.safetensors")):
            raise ModelError("there are no weights in safetensors or PyTorch format")
    tokenizer = _tokenizer(entry, model, say) if entry.tokenizer else ""
    if _wants_ctranslate2(entry):
        run_apart(say, "ctranslate2", model)
    say("hashing")
    lock = Lock(
        name=entry.name,
        source=source,
        version=fetched.version,
        licence=entry.licence,
        converted_from=converted,
        in_package=fetched.package,
        tokenizer=tokenizer,
        published=published,
        files=_records(model, fetched),
    )
    write_bytes(model / LOCK, to_json(lock, indent=True) + b"\n")


def _tokenizer(entry: Entry, model: Path, say: Say) -> str:
    """Put the tokenizer beside a scorer's weights; its source with the version."""
    (model / TOKENIZER).mkdir()
    version = fetch_tokenizer(entry.tokenizer, model / TOKENIZER, say)
    return f"{entry.tokenizer} {version}".rstrip()


def _check_encoder(entry: Entry, model: Path) -> None:
    """Raise ModelRefused when a checkpoint of COMET is built on another encoder than the registry says."""
    path = model / "hparams.yaml"
    data = load_yaml(path) if path.is_file() else {}
    built_on = str(data.get("pretrained_model") or "") if isinstance(data, dict) else ""
    said = entry.tokenizer.removeprefix("hub:").partition("@")[0]
    if entry.tokenizer.startswith("hub:") and built_on and built_on.rpartition("/")[2] != said.rpartition("/")[2]:
        raise ModelRefused(f"the checkpoint is built on {built_on}, the registry has the tokenizer of {said}")


def _weights(model: Path) -> dict[str, FileRecord]:
    """Size and hash of the weights as they were published."""
    files = [path for path in sorted(model.rglob("*")) if path.suffix in (".ckpt", ".bin", ".safetensors")]
    return {
        path.relative_to(model).as_posix(): FileRecord(size=path.stat().st_size, sha256=file_sha256(path))
        for path in files
    }


def _records(model: Path, fetched: Fetched) -> dict[str, FileRecord]:
    own = [(path.relative_to(model).as_posix(), path) for path in sorted(model.rglob("*")) if path.is_file()]
    files = list(fetched.installed) or own
    with ThreadPoolExecutor(HASH_THREADS) as pool:
        hashes = pool.map(file_sha256, [path for _, path in files])
        return {
            name: FileRecord(size=path.stat().st_size, sha256=sha256, mtime_ns=path.stat().st_mtime_ns)
            for (name, path), sha256 in zip(files, hashes, strict=True)
        }


def _move(built: Path, final: Path) -> None:
    """Rename a finished model into place; an incomplete one that is there goes away with the working folder."""
    if final.exists():
        final.rename(built.with_name("replaced"))
    built.rename(final)
