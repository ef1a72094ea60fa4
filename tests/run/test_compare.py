"""`mekong report` on folders that hold no run it can read."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import StoreError
from pipeline.files.progress import Progress
from pipeline.run.finished import FinishedRun


@pytest.mark.parametrize(
    ("manifest", "words"),
    [
        (None, "holds no finished run"),
        (b'{"code": "0.1', "is damaged"),
        (b'{"code": "0.1.0", "shards": 1}', "lacks packages, machine, translation, models, signatures"),
    ],
)
def test_a_folder_without_a_readable_run_is_refused(tmp_path: Path, manifest: bytes | None, words: str) -> None:
    if manifest is not None:
        (tmp_path / "manifest.json").write_bytes(manifest)
    with pytest.raises(StoreError, match=words):
        FinishedRun.read(tmp_path, Progress(quiet=True))
