"""Functions compiled by numba, the same way everywhere, and where their machine code is kept.

numba asks only whether the file of a function has changed. Our kernels are compiled together with functions and
constants of other files, so the code is kept in a folder named after the content of all files that a kernel's module
imports: what was compiled from other ones lies elsewhere, and can never be taken for it.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core.caching import FunctionCache, IndexDataCacheFile

F = TypeVar("F", bound=Callable[..., Any])
DIGITS = 16
"""Hexadecimal digits of a folder's name."""


def compiled(**options: Any) -> Callable[[F], F]:
    """A decorator that compiles a function with numba's `options`, without the interpreter lock; the machine code is
    kept where a folder can be written."""

    def compile_one(function: F) -> F:
        dispatcher = numba.njit(nogil=True, **options)(function)
        # RuntimeError is numba's for no writable folder, OSError ours: compile in every process.
        with suppress(RuntimeError, OSError):
            dispatcher._cache = KernelCache(function)
        return cast(F, dispatcher)

    return compile_one


class KernelCache(FunctionCache):
    """The machine code of one function, in the folder of its module beside numba's own files."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)  # type: ignore[no-untyped-call]
        folder = kernel_folder(Path(self.cache_path), Path(inspect.getfile(function)))
        self._cache_path = str(folder)
        stamp = self._impl.locator.get_source_stamp()
        self._cache_file = IndexDataCacheFile(  # type: ignore[no-untyped-call]
            self._cache_path, self._impl.filename_base, stamp
        )

    def save_overload(self, signature: Any, result: Any) -> None:
        """Keep the machine code; that it cannot be kept (a full disk, a folder that a newer version removed) costs the
        next process some time and nothing else."""
        with suppress(OSError):
            super().save_overload(signature, result)  # type: ignore[no-untyped-call]


def kernel_folder(root: Path, module: Path) -> Path:
    """The folder in `root` for what is compiled from `module` as it is now; those of its earlier contents are removed.

    Raises OSError when it cannot be made.
    """
    folder = root / f"{module.stem}-{_digest(module)}"
    with suppress(FileExistsError):
        folder.mkdir()
        for former in root.glob(f"{module.stem}-{'[0-9a-f]' * DIGITS}"):
            if former != folder:
                shutil.rmtree(former, ignore_errors=True)
    return folder


@cache
def _digest(module: Path) -> str:
    """The content of a module and of all that it imports from its package, directly or not."""
    pending, contents = [module], {}
    while pending:
        path = pending.pop()
        if path not in contents:
            contents[path] = path.read_bytes()
            pending += _imported(path, contents[path])
    hashes = sorted(hashlib.sha256(content).digest() for content in contents.values())
    return hashlib.sha256(b"".join(hashes)).hexdigest()[:DIGITS]


def _imported(path: Path, source: bytes) -> Iterator[Path]:
    """The files of a module's own package that it imports by absolute names."""
    top = path.parent
    while (top / "__init__.py").exists():
        top = top.parent
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            file = top.joinpath(*name.split(".")).with_suffix(".py")
            if file.is_file():
                yield file
