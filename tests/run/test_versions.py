"""Which code made a shard is not told wrongly after an update."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from pipeline.config.settings import SegmentSettings
from pipeline.errors import StoreError
from pipeline.run import provenance
from pipeline.run.provenance import WORKED, Version, note_version, worked
from tests.support.null_runs import carry_out, prepared, quick_reports, report, settings, write_articles


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    with quick_reports():
        yield


def test_the_manifest_names_all_versions_that_have_worked_in_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, out = settings(write_articles(tmp_path / "articles.jsonl", 2)), tmp_path / "out"

    def told() -> tuple[str, list[str], str]:
        manifest, made = (orjson.loads((out / name).read_bytes()) for name in ("manifest.json", "report.json"))
        environment = made["provenance"]["environment"]
        return manifest["code"], [one["code"] for one in manifest["worked"]], environment.get("shards made by", "")

    carry_out(prepared(config, out))
    assert told() == ("1", ["1"], "")
    carry_out(prepared(config, out))
    assert told() == ("1", ["1"], "")
    monkeypatch.setattr(provenance, "code_version", lambda: "2")
    stopped = prepared(settings(tmp_path / "articles.jsonl", segment=SegmentSettings(max_chars=100)), out)
    monkeypatch.setattr(stopped, "match", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        carry_out(stopped)
    monkeypatch.setattr(provenance, "code_version", lambda: "3")
    carry_out(prepared(config, out))
    assert told() == ("3", ["1", "2", "3"], "one of 1, 2, 3")
    report(out)
    assert told() == ("3", ["1", "2", "3"], "one of 1, 2, 3")


@pytest.mark.parametrize("has_manifest", [True, False])
def test_who_made_a_folder_that_does_not_say_so_is_not_made_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_manifest: bool
) -> None:
    config, out = settings(write_articles(tmp_path / "articles.jsonl", 2)), tmp_path / "out"
    carry_out(prepared(config, out))
    (out / WORKED).unlink()
    if not has_manifest:
        (out / "manifest.json").unlink()
    monkeypatch.setattr(provenance, "code_version", lambda: "2")
    carry_out(prepared(config, out))
    assert [one.code for one in worked(out)] == ["1" if has_manifest else "an earlier version", "2"]


def test_a_line_that_a_kill_cut_short_is_no_version_and_a_damaged_one_says_so(tmp_path: Path) -> None:
    note_version(tmp_path, None)
    with (tmp_path / WORKED).open("ab") as stream:
        stream.write(b'{"code": "2", "pa')
    assert worked(tmp_path) == (Version("1", {}),)
    (tmp_path / WORKED).write_bytes(b'{"code": 1}\n')
    with pytest.raises(StoreError, match=r"versions\.jsonl is damaged"):
        worked(tmp_path)
