"""The Python environment of the learned metrics, in the model store.

Their packages want older versions of transformers and numpy than the rest of mekong, so they live apart and are spoken
to through a pipe (`pipeline.metrics.learned`). What is installed is pinned with hashes in `requirements-scorers.lock`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from pipeline.errors import ModelError, ModelMissing
from pipeline.files.store import file_sha256, write_bytes
from pipeline.registry.models import root, shipped

LOCK_FILE = "requirements-scorers.lock"
CUDA_LOCK_FILE = "requirements-cuda.lock"
DONE = "installed.sha256"
PYTHONS = ((3, 11), (3, 12))
"""For later ones there is no numpy below 2, which COMET wants."""
LAST_WORDS = 5


def folder() -> Path:
    """Where the environment is, or would be; no model can have this name."""
    return root() / ".scorers"


def python() -> Path:
    """The interpreter of the environment.

    Raises ModelMissing when it is not there or was made from other pins than those of this version of mekong.
    """
    found = folder() / "bin" / "python"
    done = folder() / DONE
    if not found.exists() or not done.is_file():
        raise ModelMissing("the environment of the learned metrics is not made", "mekong models add --scorer comet")
    if done.read_text(encoding="utf-8") != file_sha256(_pins(LOCK_FILE)):
        raise ModelMissing(
            "the environment of the learned metrics was made by another version of mekong",
            "mekong models add --scorer comet",
        )
    return found


def make(say: Callable[[str], None]) -> None:
    """Make the environment unless it is there. Needs the package index; 1.8 GB without CUDA libraries.

    Raises ModelError when no fitting Python is found or a package cannot be installed.
    """
    with claimed("scorers"):
        try:
            python()
            return
        except ModelMissing:
            shutil.rmtree(folder(), ignore_errors=True)
        say(f"making the environment of the learned metrics in {folder()}; this downloads some gigabytes")
        _run([_interpreter(), "-m", "venv", str(folder())])
        _install(LOCK_FILE)
        if _wants_cuda():
            _install(CUDA_LOCK_FILE)
        write_bytes(folder() / DONE, file_sha256(_pins(LOCK_FILE)).encode())


@contextmanager
def claimed(name: str) -> Iterator[None]:
    """Be the only process that adds `name` to the store; what a killed one has left goes away.

    Raises ModelError when another process is at it.
    """
    try:
        lock = FileLock(root() / f".{name}.claim").acquire(blocking=False)
    except Timeout:
        raise ModelError(f"another process is adding {name}", "Wait for it, then try again.") from None
    with lock:
        for left in root().glob(f".{name}.*.part"):
            shutil.rmtree(left, ignore_errors=True)
        yield


def _pins(name: str) -> Path:
    """A lock file: inside the installed package, or at the top of a checkout."""
    return shipped().parent / name


def _interpreter() -> str:
    """A Python for which the pinned packages exist."""
    if sys.version_info[:2] in PYTHONS:
        return sys.executable
    for major, minor in PYTHONS:
        if found := shutil.which(f"python{major}.{minor}"):
            return found
    raise ModelError(
        f"the learned metrics run on Python 3.11 or 3.12; this is {sys.version_info[0]}.{sys.version_info[1]}",
        "Put python3.11 or python3.12 on the PATH.",
    )


def _install(name: str) -> None:
    pip = [str(folder() / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet", "install"]
    _run([*pip, "--no-deps", "--require-hashes", "--requirement", str(_pins(name))])


def _wants_cuda() -> bool:
    """Whether the torch that was installed asks for CUDA libraries; the CPU build does not."""
    program = "import importlib.metadata as m; print(*(m.requires('torch') or ()))"
    done = subprocess.run([folder() / "bin" / "python", "-c", program], capture_output=True, text=True, check=True)
    return any(name.startswith(("nvidia-", "cuda-")) for name in done.stdout.split())


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise ModelError(
            "the environment of the learned metrics cannot be made: " + " - ".join(said[-LAST_WORDS:]),
            "Connect to the package index, then `mekong models add --scorer comet`.",
        )
