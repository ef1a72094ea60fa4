"""Tiny models for every test that needs one. No test uses the network: connecting to it is an error."""

from __future__ import annotations

import gc
import ipaddress
import os
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from pipeline.errors import ModelMissing
from pipeline.registry.models import OWN_ENTRIES, Entry, entry, locate, offline
from tests.support.small import quiet, renew, write_entry

offline()
# With more threads than free cores the small matrices of these models spend their time in barriers.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# The first example of a test may load tables; how long that takes is nobody's mistake.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


_frozen_modules = 0
_connect, _connect_ex = socket.socket.connect, socket.socket.connect_ex


class NetworkUsed(BaseException):
    """A test reached for the network; not an Exception, so that no code that goes on without it hides this."""


def check_is_here(family: int, address: Any) -> None:
    """Raises NetworkUsed for an address that is not on this machine."""
    if family == socket.AF_UNIX:
        return
    host = str(address[0])
    try:
        here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = host == "localhost"
    if not here:
        raise NetworkUsed(f"a test connects to {host!r}; tests do without a network")


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """No socket of this process leaves the machine, no name is looked up; children are told to be offline."""
    with pytest.MonkeyPatch.context() as patch:

        def connect(self: socket.socket, address: Any) -> None:
            check_is_here(self.family, address)
            _connect(self, address)

        def connect_ex(self: socket.socket, address: Any) -> int:
            check_is_here(self.family, address)
            return _connect_ex(self, address)

        def look_up(host: Any, *rest: Any, **more: Any) -> Any:
            if host is not None:
                check_is_here(socket.AF_INET, (host.decode() if isinstance(host, bytes) else host,))
            return getaddrinfo(host, *rest, **more)

        getaddrinfo = socket.getaddrinfo
        patch.setattr(socket.socket, "connect", connect)
        patch.setattr(socket.socket, "connect_ex", connect_ex)
        patch.setattr(socket, "getaddrinfo", look_up)
        yield


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what the machine cannot run.

    Where libraries were imported since, leave them out of later collections: engines collect when they are loaded, and
    going through a million objects each time took longer than the tests.
    """
    # Where another test has left more of them, they wait for one another whenever a core is taken.
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    global _frozen_modules
    if len(sys.modules) > _frozen_modules + 50:
        _frozen_modules = len(sys.modules)
        gc.collect()
        gc.freeze()
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("no CUDA device")
    if item.get_closest_marker("embedded"):
        try:
            for name in ("qwen2.5-coder-1.5b", "use-multilingual-v3"):
                locate(entry(name))
        except ModelMissing as error:
            pytest.skip(str(error))


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`tiny_model(family)`: a folder as it would be published; families are the keys of `tiny.BUILDERS`."""
    from tests.support import tiny

    built: dict[str, Path] = {}

    def build(family: str) -> Path:
        if family not in built:
            folder = tmp_path_factory.mktemp(f"published-{family}")
            tiny.BUILDERS[family](folder)
            built[family] = folder
        return built[family]

    return build


@pytest.fixture(scope="session")
def session_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model store that all tests share."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def tiny_store(
    session_store: Path, tiny_model: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Entry]:
    """`tiny_store(family)`: the registry entry `tiny-FAMILY`, its model added to the store of $MEKONG_MODELS."""
    from pipeline.cli.model_add import add
    from pipeline.engines.convert import apart
    from tests.support import tiny
    from tests.support.forks import fork_children

    monkeypatch.setenv("MEKONG_MODELS", str(session_store))

    def get(family: str) -> Entry:
        data = tiny.entry(family, tiny_model(family))
        path = session_store / OWN_ENTRIES / f"{data['name']}.yaml"
        if not path.exists():
            write_entry(session_store, data)
            with monkeypatch.context() as patch:
                fork_children(patch, apart)  # what converts imports torch and transformers, which are here
                add(data["name"], quiet)
        return entry(data["name"])

    return get


@pytest.fixture
def run_entry(tiny_store: Callable[[str], Entry], monkeypatch: pytest.MonkeyPatch) -> Entry:
    """The tiny chat model, with the sentence encoder beside it: all that a run needs."""
    from pipeline.cli.model_add import add
    from tests.support.encoders import load_once

    pytest.importorskip("ctranslate2")
    load_once(monkeypatch)
    found = tiny_store("qwen2")
    add("use-multilingual-v3", quiet)
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium of Playwright; tests that ask for it are skipped where there is none.

    Not for the whole session: an open one leaves an event loop running in this thread.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium on this machine")
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty model store for one test."""
    folder = tmp_path / "models"
    monkeypatch.setenv("MEKONG_MODELS", str(folder))
    yield folder


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A checkpoint folder whose weights are never loaded, so they need not be any."""
    folder = tmp_path / "published"
    (folder / "2_Dense").mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "tokenizer.json").write_text('{"a": 1}')
    (folder / "model.safetensors").write_bytes(b"weights" * 1000)
    (folder / "pytorch_model.bin").write_bytes(b"the same as a pickle")
    (folder / "2_Dense" / "model.safetensors").write_bytes(b"dense")
    (folder / "modeling_own.py").write_text("raise SystemExit")
    (folder / "README.md").write_text("hello")
    return folder


@pytest.fixture
def small(store: Path, published: Path) -> Path:
    """Where the model `small` would be; its entry has the published folder as source."""
    renew(store, sources=[f"path:{published}"])
    return store / "small"
