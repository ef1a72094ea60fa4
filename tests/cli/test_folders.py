"""A command that finds another command's folder says so and touches nothing."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.engines.encoders import load
from pipeline.registry import models
from pipeline.registry.models import Entry
from pipeline.stages.read.paths import expand
from tests.support.encoders import LetterEncoder
from tests.support.runs import ENGLISH, VIETNAMESE, articles, config, mekong

Command = Callable[..., int]


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def filtering(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """`filtering(name, out)`: `mekong filter` on a corpus of that name, with an encoder that counts letters."""
    importlib.import_module("pipeline.engines.load")

    def call(name: str, out: Path, *more: str) -> int:
        path = tmp_path / name
        rows = zip(VIETNAMESE, ENGLISH, strict=False)
        path.write_text("".join(f"{source}\t{english}\n" for source, english in rows) + "broken\n" * 3, "utf-8")
        with monkeypatch.context() as patch:
            patch.setattr(load, "load_encoder", lambda entry, *_, **__: LetterEncoder("vi", "en"))
            patch.setattr(models, "locate", lambda entry: None)
            patch.setattr(models, "fingerprint", lambda entry: "0")
            return mekong(monkeypatch, "filter", path, "--out", out, "--lang", "vi", "--quiet", *more)

    return call


def test_runs_and_filtered_corpora_keep_out_of_each_others_folders(
    run_entry: Entry,
    filtering: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    inputs, filtered, done = articles(tmp_path / "articles", 1), tmp_path / "filtered", tmp_path / "done"
    settings = config(tmp_path, run_entry.name, paths=[str(inputs)])
    assert filtering("a.tsv", filtered) == 0
    assert mekong(monkeypatch, "run", settings, "--out", done, "--quiet") == 0
    before = contents(filtered) | contents(done)
    capfd.readouterr()
    refused = [
        (filtering("a.tsv", done), "was made by `mekong run`"),
        (filtering("b.tsv", filtered), "would be replaced by"),
        (mekong(monkeypatch, "run", settings, "--out", filtered, "--quiet"), "was made by `mekong filter`"),
        (mekong(monkeypatch, "report", done, filtered), "Give the --out of a `mekong run`"),
        (mekong(monkeypatch, "score", "--hyp", filtered), "Give the --out of a `mekong run`"),
    ]
    said = capfd.readouterr().err
    assert [code for code, _ in refused] == [1] * len(refused), said
    assert [words for _, words in refused if words not in said] == []
    assert contents(filtered) | contents(done) == before


def test_an_earlier_folder_and_a_folder_of_texts_are_left_alone(
    filtering: Command, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "texts"
    out.mkdir()
    (out / "config.yaml").write_text("mine: true\n")
    assert filtering("a.tsv", out) == 1
    assert "config.yaml" in capfd.readouterr().err
    assert contents(out) == {out / "config.yaml": b"mine: true\n"}


def test_output_inside_an_input_folder_is_not_read_again_and_is_said(filtering: Command, tmp_path: Path) -> None:
    assert filtering("a.tsv", tmp_path / "out") == 0
    (tmp_path / "article.txt").write_text(VIETNAMESE[0], "utf-8")
    found = expand([str(tmp_path)])
    assert found.files == [tmp_path / "article.txt"]
    assert found.passed_over[tmp_path / "out"] == "output of `mekong filter`"


def test_many_lines_set_aside_are_the_exit_code_after_all_is_done(
    filtering: Command, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert filtering("a.tsv", tmp_path / "out", "--set", "read.max_rejects=3") == 0
    assert filtering("a.tsv", tmp_path / "out", "--set", "read.max_rejects=2") == 3
    assert "3 lines were set aside; read.max_rejects allows 2" in capfd.readouterr().err
    assert (tmp_path / "out" / "corpus" / "pairs.jsonl").exists()
