"""A server on a small run, in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.view.review import Review
from pipeline.view.server import Server
from tests.view.folder import run_folder


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(Review(run_folder(tmp_path / "run"), pytest.fail)) as found:
        thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield found
        found.shutdown()
