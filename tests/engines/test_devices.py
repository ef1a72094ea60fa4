"""What is said of the machine, and that a missing GPU is told without importing torch."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.engines import devices
from pipeline.errors import UsageError

BUILDS = {
    "cpu": "__version__ = '2.13.0+cpu'\ncuda: Optional[str] = None\nhip: Optional[str] = None\n",
    "cuda": "__version__ = '2.13.0+cu130'\ncuda: Optional[str] = '13.0'\nhip: Optional[str] = None\n",
    "other": "__version__ = '2.13.0+rocm7'\ncuda: Optional[str] = None\nhip: Optional[str] = '7.0'\n",
}


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """`installed(build, driver)`: a torch of that build, on a machine with or without a driver."""

    def install(build: str, *, driver: bool) -> None:
        (tmp_path / "version.py").write_text(BUILDS[build])
        spec = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
        monkeypatch.setattr(devices, "_loads", lambda library: driver)

    return install


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch):
    """`seen(there)`: what torch says of a GPU when it is asked; the calls are counted."""
    calls: list[bool] = []

    def answer(there: bool) -> list[bool]:
        cuda = SimpleNamespace(is_available=lambda: calls.append(there) or there, device_count=lambda: int(there))
        monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda, __version__="2.13.0"))
        return calls

    return answer


@pytest.mark.parametrize(
    ("build", "driver", "there", "asked", "why"),
    [
        ("cpu", True, True, 0, "built for processors only"),
        ("cuda", False, True, 0, "no NVIDIA driver"),
        ("cuda", True, False, 1, "torch 2.13.0 sees none"),
        ("cuda", True, True, 1, ""),
        ("other", False, True, 1, ""),
    ],
)
def test_torch_is_asked_only_where_there_may_be_a_gpu(installed, seen, build, driver, there, asked, why):
    installed(build, driver=driver)
    calls = seen(there)
    said = devices.why_no_gpu()
    assert why in said if why else said == ""
    assert len(calls) == asked
    assert devices.find_device("auto") == ("cpu" if why else "cuda")
    if why:
        with pytest.raises(UsageError, match=f"there is no usable GPU: .*{why}"):
            devices.find_device("cuda")
        assert why in devices.describe_device() and devices.gpu_memory() == []


def test_nobody_who_wants_the_processor_is_asked_for_a_gpu(monkeypatch):
    monkeypatch.setattr(devices, "why_no_gpu", lambda: pytest.fail("asked"))
    assert devices.find_device("cpu") == "cpu"


def test_the_build_of_the_installed_torch_is_read_right():
    torch = pytest.importorskip("torch")
    expected = "cuda" if torch.version.cuda else "other" if torch.version.hip or torch.version.xpu else "cpu"
    assert devices._torch_build() == expected


def test_memory_is_that_of_the_system():
    memory = devices.main_memory()
    assert 0 < memory.free <= memory.total
    assert str(devices.Memory(1_500_000_000, 4_000_000_000)) == "1.5 of 4.0 GB free"


@pytest.mark.skipif(devices._torch_build() == "cuda" and devices._loads(devices.DRIVER), reason="there may be a GPU")
def test_doctor_imports_no_model_library(tmp_path: Path):
    """It is asked for when something is wrong, so it must answer at once."""
    program = (
        "import sys\nfrom pipeline.cli.main import main\nsys.argv = ['mekong', 'doctor']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('torch', 'transformers', 'ctranslate2') if name in sys.modules])"
    )
    environment = {"MEKONG_MODELS": str(tmp_path), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert done.stdout.rstrip().endswith("[]"), done.stderr
