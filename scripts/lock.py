"""Make the lock files anew: `make lock`. Needs uv and the package index.

One resolution, cut into the parts that are installed at different times:

    requirements.lock            what a run needs, and the build backend
    requirements-embedded.lock   the embedded translation model and its engine
    requirements-dev.lock        test and lint tools
    requirements-cuda.lock       the CUDA libraries of the CUDA build of torch; installed only beside that build

And one of its own, for the environment that `mekong models add --scorer` makes, with the same torch and CUDA libraries:

    requirements-scorers.lock    COMET and what it wants
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9_.-]+)==.*?(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
CUDA = re.compile(r"^(nvidia-|cuda-|triton$)")
TORCH = "torch"
SCORERS = ("unbabel-comet==2.2.7", "setuptools<82")
"""COMET's torchmetrics imports pkg_resources, which setuptools has no longer from version 82 on."""
CPU_BUILD = "6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b"
"""SHA-256 of PyTorch's own CPU wheel 2.13.0+cpu for CPython 3.11 on x86-64 Linux, which is not on the index."""


def resolve(*arguments: str) -> dict[str, str]:
    """Lock text of every package in the resolution of pyproject.toml with `arguments`, by package name."""
    return compiled("pyproject.toml", "--group", "build", *arguments)


def compiled(*arguments: str, wanted: tuple[str, ...] = ()) -> dict[str, str]:
    """Lock text of every package that uv resolves, by package name; `wanted` is read where an argument is `-`."""
    command = ["uv", "pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes"]
    quiet = ["--no-header", "--no-annotate", "--quiet"]
    done = subprocess.run(
        [*command, *quiet, *arguments], cwd=ROOT, capture_output=True, text=True, input="\n".join(wanted)
    )
    if done.returncode:
        sys.exit(done.stderr)
    found: dict[str, str] = {}
    for match in ENTRY.finditer(done.stdout):
        found[match["name"]] = found.get(match["name"], "") + match.group()
    return found


def write(name: str, packages: dict[str, str], names: set[str]) -> None:
    """Write one lock file."""
    text = "# Made by `make lock`; installed with --no-deps --require-hashes.\n"
    (ROOT / name).write_text(text + "".join(packages[key] for key in sorted(names)))


def main() -> None:
    """Resolve and cut."""
    packages = resolve("--extra", "embedded", "--group", "dev")
    base, embedded, dev = set(resolve()), set(resolve("--extra", "embedded")), set(resolve("--group", "dev"))
    cuda = {name for name in packages if CUDA.match(name)}
    packages[TORCH] = with_cpu_build(packages[TORCH])
    write("requirements.lock", packages, base - cuda)
    write("requirements-embedded.lock", packages, embedded - base - cuda)
    write("requirements-dev.lock", packages, dev - base - cuda)
    write("requirements-cuda.lock", packages, cuda)
    lock_scorers()


def with_cpu_build(text: str) -> str:
    """The lock text of torch with the CPU build as well."""
    return text.rstrip() + f" \\\n    --hash=sha256:{CPU_BUILD}\n"


def lock_scorers() -> None:
    """Resolve the environment of the learned metrics; its torch needs what requirements-cuda.lock holds."""
    version = re.search(rf"^{TORCH}==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    if version is None:
        sys.exit("requirements.lock has no torch")
    wanted = (*SCORERS, f"{TORCH}=={version[1]}")
    packages = compiled("-", "--constraint", "requirements-cuda.lock", wanted=wanted)
    packages[TORCH] = with_cpu_build(packages[TORCH])
    write("requirements-scorers.lock", packages, {name for name in packages if not CUDA.match(name)})


if __name__ == "__main__":
    main()
