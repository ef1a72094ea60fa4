from __future__ import annotations

from typing import Any

import pytest

from pipeline.engines import jit as module


def test_a_read_only_install_compiles_without_a_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def njit(**options: Any) -> Any:
        asked.append(options)
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr(module.numba, "njit", njit)
    assert module.compiled(fastmath=True)(len) is len
    assert asked[-1] == {"nogil": True, "fastmath": True}
