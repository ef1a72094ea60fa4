"""What a manifest holds comes back as it was, and what is none is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from pipeline.errors import StoreError
from pipeline.registry.facts import ModelFacts
from pipeline.run.manifest import HandCounts, MadeWith, Manifest, RunCounts, finished_shards, is_finished
from pipeline.run.provenance import Version

MADE_WITH = MadeWith(
    name="news",
    code="0.1.0",
    packages={"numpy": "2"},
    machine={"cores": "2"},
    translation="mekong on cpu, int8",
    models=(
        ModelFacts("enc", "sentence encoder", "hub", "1", "0", "MIT", True),
        ModelFacts("mt", "translation", "hub", "2", "1", "CC-BY-NC-4.0", None),
    ),
    signatures={"similarity": "version:1"},
    held_out={"dev.en": "00"},
)
COUNTS = RunCounts({"th": 2}, 1, 9, {"stop": 8}, {"parallel": 1}, {"translated": 8}, {}, HandCounts(1, 0, 2))
MANIFEST = Manifest.of(
    MADE_WITH,
    counts=COUNTS,
    corpus={"pairs": 0},
    shards=3,
    seconds={"read": 0.5},
    keys="00",
    worked=(Version("0.1.0", {"numpy": "2"}),),
)


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert not is_finished(tmp_path) and finished_shards(tmp_path) is None
    MANIFEST.write(tmp_path)
    assert is_finished(tmp_path) and finished_shards(tmp_path) == 3
    assert Manifest.read(tmp_path) == MANIFEST
    before = (tmp_path / "manifest.json").read_bytes()
    replace(Manifest.read(tmp_path), corpus={"pairs": 0}).write(tmp_path)
    assert (tmp_path / "manifest.json").read_bytes() == before


def test_the_file_has_its_keys_in_the_order_that_other_programs_know(tmp_path: Path) -> None:
    MANIFEST.write(tmp_path)
    data = orjson.loads((tmp_path / "manifest.json").read_bytes())
    assert list(data) == [
        "name", "code", "packages", "machine", "translation", "models", "signatures", "held_out",
        "counts", "corpus", "shards", "seconds", "finished", "keys", "worked",
    ]  # fmt: skip
    assert list(data["counts"]) == [
        "documents", "rejected_inputs", "segments", "translations", "document_pairs", "pairs", "kept", "by_hand",
        "notes",
    ]  # fmt: skip
    assert data["counts"]["by_hand"] == {"accepted": 1, "rejected": 0, "not_applied": 2}


def test_the_translation_model_is_told_by_its_role() -> None:
    assert MADE_WITH.translation_model == "mt"
    assert replace(MADE_WITH, models=()).translation_model == ""


def test_a_manifest_that_counts_no_notes_is_read(tmp_path: Path) -> None:
    MANIFEST.write(tmp_path)
    path = tmp_path / "manifest.json"
    data = orjson.loads(path.read_bytes())
    del data["counts"]["notes"]
    path.write_bytes(orjson.dumps(data))
    assert Manifest.read(tmp_path) == MANIFEST


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"shards": "many"}, "shards"),
        ({"models": [{"name": "mt"}]}, "models.0.role"),
        ({"counts": {}}, "counts.documents"),
    ],
)
def test_a_value_that_does_not_fit_is_named(tmp_path: Path, change: dict[str, object], words: str) -> None:
    MANIFEST.write(tmp_path)
    path = tmp_path / "manifest.json"
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | change))
    with pytest.raises(StoreError, match=f"is damaged.*{words}"):
        Manifest.read(tmp_path)


@pytest.mark.parametrize("data", [b"", b"[]", b"3", b"{}", b'{"shards": null}'])
def test_a_number_of_shards_that_is_none_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "manifest.json").write_bytes(data)
    with pytest.raises(StoreError, match="is damaged"):
        finished_shards(tmp_path)
    with pytest.raises(StoreError):
        Manifest.read(tmp_path)
