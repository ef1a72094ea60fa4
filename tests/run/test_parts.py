"""A run in parts: the same files as in one piece, whoever translates them and whatever happens to a part."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from pipeline.errors import UsageError
from pipeline.files.claim import Part
from pipeline.registry.models import Entry
from pipeline.run.part import part_of
from tests.support.runs import articles, config, mekong, outputs, start

OUT = Path("out")


@pytest.fixture(scope="module")
def once() -> dict[Path, dict[str, bytes]]:
    """The configuration and the files of the run in one piece, for all tests here."""
    return {}


@pytest.fixture
def settings(
    run_entry: Entry,
    once: dict[Path, dict[str, bytes]],
    tmp_path_factory: pytest.TempPathFactory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """The configuration of a run that was made in one piece elsewhere."""
    if not once:
        folder = tmp_path_factory.mktemp("parts")
        path = config(folder, run_entry.name, paths=[str(articles(folder / "articles", copies=3))])
        monkeypatch.chdir(folder)  # the report has commands with the folder
        assert mekong(monkeypatch, "run", path, "--out", OUT, "--quiet") == 0
        once[path] = outputs(OUT)
    monkeypatch.chdir(tmp_path)
    return next(iter(once))


@pytest.fixture
def whole(settings: Path, once: dict[Path, dict[str, bytes]]) -> dict[str, bytes]:
    """The files of the run in one piece."""
    return once[settings]


def test_parts_and_a_merge_make_the_files_of_one_run(
    settings: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    beside = [start(settings, OUT, "--shard", f"{number}/4") for number in (3, 1, 4)]
    assert [process.wait(timeout=300) for process in beside] == [0, 0, 0]
    assert mekong(monkeypatch, "run", settings, "--out", OUT, "--shard", "3/4") == 0
    assert "when all are: mekong merge" in capsys.readouterr().out
    assert mekong(monkeypatch, "merge", OUT) == 1
    assert "parts of" in (said := capsys.readouterr().err) and "--shard 2/4" in said
    assert not (OUT / "corpus").exists()
    assert mekong(monkeypatch, "run", settings, "--out", OUT, "--shard", "2/4", "--quiet", "--json") == 0
    done = orjson.loads(capsys.readouterr().out)
    assert done["translated"] == done["all_shards"] > done["shards"] > 0
    assert mekong(monkeypatch, "merge", OUT, "--quiet") == 0
    assert outputs(OUT) == whole
    before = {path: path.stat().st_mtime_ns for path in (OUT / "shards").rglob("[0-9]*.jsonl.zst")}
    assert mekong(monkeypatch, "run", settings, "--out", OUT, "--quiet") == 0
    assert before == {path: path.stat().st_mtime_ns for path in (OUT / "shards").rglob("[0-9]*.jsonl.zst")}
    assert outputs(OUT) == whole


def test_a_run_goes_on_where_parts_left_off(
    settings: Path, whole: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert mekong(monkeypatch, "run", settings, "--out", OUT, "--shard", "1/2", "--quiet") == 0
    done = {path: path.stat().st_mtime_ns for path in (OUT / "shards/translate").glob("*.zst")}
    assert mekong(monkeypatch, "run", settings, "--out", OUT, "--quiet") == 0
    assert done and all(path.stat().st_mtime_ns == changed for path, changed in done.items())
    assert outputs(OUT) == whole


def test_parts_that_are_not_alike_are_not_merged(
    settings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mekong(monkeypatch, "merge", OUT) == 1
    assert "no run folder" in capsys.readouterr().err
    for number in (1, 2):
        beams = ("--set", f"translate.num_beams={number}")
        assert mekong(monkeypatch, "run", settings, "--out", OUT, "--shard", f"{number}/2", "--quiet", *beams) == 0
    assert mekong(monkeypatch, "merge", OUT) == 1
    assert "not translated alike" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "1", "0/2", "3/2", "a/2", "1/", "1/2/3", "-1/2", "１/2x"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="SLURM_ARRAY_TASK_ID"):
        part_of(text)


def test_parts_have_every_shard_once() -> None:
    parts = [part_of(f"{number}/3") for number in (1, 2, 3)]
    assert parts == [Part(1, 3), Part(2, 3), Part(3, 3)]
    assert all(sum(part.has(slot) for part in parts) == 1 for slot in range(20))
