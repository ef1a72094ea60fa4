"""What numba has compiled is kept, and never taken for what would be compiled now."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

NUMERICS = """
import numba
FACTOR = {factor}
@numba.njit(inline="always")
def scaled(x):
    return FACTOR * x
"""
KERNELS = """
from pipeline.engines.jit import compiled
from made_kernels.numerics import scaled
@compiled(error_model="numpy")
def kernel(x):
    return scaled(x) + 1
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with a kernel that takes a function of another file into itself."""
    folder = tmp_path / "made_kernels"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "numerics.py").write_text(NUMERICS.format(factor=2))
    (folder / "kernels.py").write_text(KERNELS)
    monkeypatch.syspath_prepend(tmp_path)
    # Python's own caches do not see a file that changes within a second.
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield folder
    forget()


def forget() -> None:
    for name in [name for name in sys.modules if name.startswith("made_kernels")]:
        del sys.modules[name]


@pytest.fixture
def load(package: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], ModuleType]:
    """`load()`: the kernel's module as another process would have it."""

    def again() -> ModuleType:
        from pipeline.engines import jit

        forget()
        jit._digest.cache_clear()
        importlib.invalidate_caches()
        return importlib.import_module("made_kernels.kernels")

    return again


def hits(module: ModuleType) -> int:
    return sum(module.kernel.stats.cache_hits.values())


def folders(package: Path) -> list[str]:
    return sorted(path.name for path in (package / "__pycache__").iterdir() if path.is_dir())


def test_machine_code_is_taken_from_the_folder_the_second_time(load: Callable[[], ModuleType]) -> None:
    first = load()
    assert (first.kernel(3), hits(first)) == (7, 0)
    second = load()
    assert (second.kernel(3), hits(second)) == (7, 1)


def test_a_change_in_another_file_compiles_anew_and_leaves_nothing_behind(
    package: Path, load: Callable[[], ModuleType]
) -> None:
    assert load().kernel(3) == 7
    (before,) = folders(package)
    (package / "numerics.py").write_text(NUMERICS.format(factor=5))
    changed = load()
    assert (changed.kernel(3), hits(changed)) == (16, 0)
    (after,) = folders(package)
    assert after != before
    again = load()
    assert (again.kernel(3), hits(again)) == (16, 1)


def test_a_change_that_no_kernel_takes_in_compiles_nothing(package: Path, load: Callable[[], ModuleType]) -> None:
    assert load().kernel(3) == 7
    (package / "other.py").write_text("FACTOR = 9\n")
    again = load()
    assert (again.kernel(3), hits(again)) == (7, 1)


def test_a_folder_that_goes_away_costs_no_result(package: Path, load: Callable[[], ModuleType]) -> None:
    module = load()
    shutil.rmtree(package / "__pycache__")
    assert module.kernel(3) == 7
    assert module.kernel(2.5) == 6.0


def test_an_install_that_cannot_be_written_compiles_without_a_cache(
    package: Path, load: Callable[[], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    (package / "__pycache__").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/nowhere")
    module = load()
    assert (module.kernel(3), hits(module)) == (7, 0)
    assert module.kernel.stats.cache_path is None
