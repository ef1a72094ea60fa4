from __future__ import annotations

import pytest

from pipeline.errors import StoreError
from pipeline.stages.write.moses import MosesWriter
from pipeline.stages.write.record import make_record
from tests.stages.write.rows import row


def test_files_with_unequal_lines_never_appear(tmp_path):
    def write():
        with MosesWriter(tmp_path) as writer:
            writer.add(make_record(row()))
            writer._streams["th"][0].write(b"one line too many\n")

    with pytest.raises(StoreError, match="2 and 1 lines"):
        write()
    assert list(tmp_path.iterdir()) == []
