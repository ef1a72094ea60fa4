"""What seems unchanged from outside is not done again, and whatever changed is seen."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from pipeline.config.load import load_config
from pipeline.config.settings import Config, ReadSettings
from pipeline.errors import InputError
from pipeline.files.store import Store
from pipeline.registry.models import Entry, folder
from pipeline.run import provenance
from pipeline.run.fingerprint import input_key
from pipeline.run.reading import read_input
from pipeline.run.unchanged import is_unchanged
from pipeline.stages.read.stage import Reader
from tests.support.runs import articles, config, mekong


def aged(path: Path) -> Path:
    """All files of a folder as if they had been written a minute ago."""
    at = time.time() - 60
    for file in [path] if path.is_file() else path.rglob("*"):
        os.utime(file, (at, at))
    return path


def never(text: str) -> None:
    """No warning is expected."""
    pytest.fail(text)


@pytest.fixture
def finished(run_entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration whose run in `out` is finished, made by code that is committed."""
    monkeypatch.setattr(provenance, "code_version", lambda: "1.0 0123456789ab")
    path = config(tmp_path, run_entry.name, paths=[str(aged(articles(tmp_path / "articles")))])
    assert mekong(monkeypatch, "run", path, "--out", tmp_path / "out", "--quiet") == 0
    return path


def test_a_finished_run_answers_at_once_and_touches_nothing(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    monkeypatch.setitem(sys.modules, "pipeline.cli.run", None)  # nothing of it may be needed
    assert mekong(monkeypatch, "run", finished, "--out", out) == 0
    assert "nothing to do" in (said := capsys.readouterr().out) and str(out / "report.html") in said
    assert mekong(monkeypatch, "run", finished, "--out", out, "--json") == 0
    assert orjson.loads(capsys.readouterr().out)["counts"]["documents"] == {"en": 1, "th": 1, "vi": 1}
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before


def test_whatever_changed_is_seen(
    finished: Path, run_entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, out = load_config(finished), tmp_path / "out"
    article, model = tmp_path / "articles/th-0.txt", folder(run_entry)

    def append(path: Path) -> Callable[[], object]:
        return lambda: path.write_bytes((path.read_bytes() if path.exists() else b"") + b" ")

    with monkeypatch.context() as patch:
        changes: dict[str, Callable[[], object]] = {
            "an article": append(article),
            "a new article": lambda: aged(Path(shutil.copy(article, article.with_name("new.txt")))),
            "an article, in the same size": lambda: article.write_bytes(article.read_bytes()[::-1]),
            "a decision": append(out / "decisions.jsonl"),
            "a name": append(out / "names.tsv"),
            "the corpus": append(out / "corpus/pairs.jsonl"),
            "no corpus": lambda: shutil.rmtree(out / "corpus"),
            "a claim": append(out / ".claims/7-0123abcd.json"),
            "a shard": append(out / "shards/score/000000.jsonl.zst"),
            "no shard": (out / "shards/translate/000000.jsonl.zst").unlink,
            "the code": lambda: patch.setattr(provenance, "code_version", lambda: "1.0 other"),
            "code that is not committed": lambda: patch.setattr(provenance, "code_version", lambda: "1 a+changes"),
            "a package": lambda: patch.setattr(provenance, "packages", lambda: {"numpy": "0"}),
            "the device": lambda: patch.setenv("CUDA_VISIBLE_DEVICES", "7"),
            "a model": lambda: os.utime(next(path for path in model.rglob("*") if path.is_file())),
        }
        for name in ("articles", "out"):
            subprocess.run(["cp", "-a", tmp_path / name, tmp_path / f"keep-{name}"], check=True)
        stamps = {path: path.stat() for path in model.rglob("*")}
        for what, change in changes.items():
            assert is_unchanged(settings, out), f"before {what}"
            change()
            assert not is_unchanged(settings, out), what
            patch.undo()
            for name in ("articles", "out"):
                shutil.rmtree(tmp_path / name)
                subprocess.run(["cp", "-a", tmp_path / f"keep-{name}", tmp_path / name], check=True)
            for path, about in stamps.items():
                os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert not is_unchanged(settings.model_copy(update={"name": "other"}), out)


def test_input_that_is_as_it_was_is_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = aged(articles(tmp_path / "articles", copies=2))
    settings, store = Config(read=ReadSettings(paths=(str(paths),))), Store(tmp_path / "out")
    first = read_input(settings, store, never, list)
    read_files = Reader.read_files
    monkeypatch.setattr(Reader, "read_files", lambda *_: pytest.fail("read again"))
    assert read_input(settings, store, never, list) == first
    monkeypatch.setattr(Reader, "read_files", read_files)
    (paths / "th-0.txt").write_text("ข่าวใหม่", encoding="utf-8")
    assert read_input(settings, store, never, list) != first
    (tmp_path / "out/shards/read/000000.jsonl.zst").unlink(missing_ok=True)
    assert len(read_input(settings, store, never, list)) == len(first)
    assert store.record("read", 0) or store.committed("read")


def test_input_that_was_read_in_part_is_read_again(tmp_path: Path) -> None:
    """A run that is stopped while it reads other input leaves nothing that passes for the first one."""
    paths = aged(articles(tmp_path / "articles"))
    other = aged(articles(tmp_path / "other", copies=2))
    settings, store = Config(read=ReadSettings(paths=(str(paths),))), Store(tmp_path / "out")
    first = read_input(settings, store, never, list)

    def stopped() -> None:
        raise InputError("stopped", "")

    with pytest.raises(InputError):
        read_input(Config(read=ReadSettings(paths=(str(other),))), store, never, stopped)
    assert not (tmp_path / "out/shards/input.json").exists()
    assert read_input(settings, store, never, list) == first


def test_a_file_that_was_just_written_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Text.")
    assert input_key(Config(), [path]) == ""
    assert input_key(Config(), [aged(path)]) != ""
    assert input_key(Config(), [tmp_path / "gone.txt"]) == ""
