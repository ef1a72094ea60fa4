"""Records on disk, in order, and what is said when the disk does not play along."""

import random
import tempfile
from pathlib import Path

import pytest

from pipeline.errors import StoreError
from pipeline.files import spool
from pipeline.files.spool import Spool


@pytest.mark.parametrize("size", [0, 24])
def test_every_record_comes_back_wherever_it_lies(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "PENDING", 64)
    monkeypatch.setattr(spool, "BLOCK", 16)
    draw, kept = random.Random(1), Spool(size)
    records = [draw.randbytes(size or draw.randrange(40)) for _ in range(300)]
    for number, record in enumerate(records):
        assert kept.append(record) == number
        asked = draw.randrange(number + 1)
        assert kept[asked] == records[asked]
    assert len(kept) == 300 and kept.span(7, 290) == b"".join(records[7:290])


def test_a_folder_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(StoreError, match="gone") as caught:
        Spool()
    assert "TMPDIR" in str(caught.value.remedy)


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "PENDING", 8)
    kept = Spool()
    kept._file.close()
    kept._file = open("/dev/full", "r+b", buffering=0)  # noqa: SIM115
    with pytest.raises(StoreError, match="No space left"):
        kept.append(b"more than eight bytes")
    kept._file.close()
