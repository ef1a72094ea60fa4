"""Functions compiled by numba, the same way everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., Any])


def compiled(**options: Any) -> Callable[[F], F]:
    """A decorator that compiles a function with numba's `options`, without the interpreter lock; the machine code is
    kept where a folder can be written."""

    def compile_one(function: F) -> F:
        try:
            return cast(F, numba.njit(cache=True, nogil=True, **options)(function))
        except RuntimeError:  # no writable cache folder: compile in every process
            return cast(F, numba.njit(nogil=True, **options)(function))

    return compile_one
