"""Whole runs: what they leave, what a second one does, what a kill does."""

import io
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
import pyarrow.parquet
import pytest

from pipeline.config.settings import Config, ReadSettings
from pipeline.engines.encoders.base import Vectors
from pipeline.errors import Interrupted
from pipeline.files.progress import Progress
from pipeline.registry import models
from pipeline.registry.models import Entry
from pipeline.run.journal import Journal
from pipeline.run.run import Run
from pipeline.stages.segment import boundaries
from tests.support.encoders import LetterEncoder
from tests.support.runs import ENGLISH, THAI, VIETNAMESE, articles, config, lines, mekong, outputs, start, wait_for


@dataclass(frozen=True)
class Finished:
    """A configuration, the folder of its finished run, what that printed, and its manifest."""

    started: Path
    out: Path
    printed: str
    manifest: bytes


@pytest.fixture
def started(run_entry: Entry, tmp_path: Path) -> Path:
    """A configuration with articles to run."""
    return config(tmp_path, run_entry.name, paths=[str(articles(tmp_path / "articles", copies=3))])


@pytest.fixture(scope="module")
def once() -> list[Finished]:
    """Where the run that several tests look at is kept."""
    return []


@pytest.fixture
def finished(
    run_entry: Entry,
    once: list[Finished],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Finished:
    """A finished run; no test may change its files, but for the times in its manifest."""
    if not once:
        folder = tmp_path_factory.mktemp("finished")
        started = config(folder, run_entry.name, paths=[str(articles(folder / "articles", copies=3))])
        out = folder / "out"
        assert mekong(monkeypatch, "run", started, "--out", out, "--json", "--quiet") == 0
        once.append(Finished(started, out, capfd.readouterr().out, (out / "manifest.json").read_bytes()))
    return once[0]


def test_a_run_leaves_everything_and_the_counts_agree(finished: Finished) -> None:
    out = finished.out
    manifest = orjson.loads(finished.manifest)
    assert orjson.loads(finished.printed) == manifest
    assert manifest["counts"]["documents"] == {"en": 3, "th": 3, "vi": 3}
    translations = lines(out / "translations.jsonl")
    assert sum(manifest["counts"]["translations"].values()) == len(translations)
    assert [row["lang"] for row in translations].count("en") == 0
    for row in translations:
        text = (finished.started.parent / row["source"]).read_text("utf-8")
        assert text[row["start"] : row["end"]].split() == row["text"].split()
    kept, rejected = lines(out / "corpus/pairs.jsonl"), lines(out / "rejected_pairs.jsonl")
    assert len(kept) + len(rejected) == sum(manifest["counts"]["pairs"].values())
    assert len(kept) == sum(manifest["counts"]["kept"].values())
    assert all(row["reasons"] for row in rejected)
    assert {model["name"] for model in manifest["models"]} == {"tiny-qwen2", "use-multilingual-v3"}
    notebook = Path(__file__).resolve().parents[2] / "notebooks" / "look_at_a_run.py"
    environment = os.environ | {"MEKONG_RUN": str(out)}
    shown = subprocess.run([sys.executable, notebook], env=environment, capture_output=True, text=True, check=True)
    assert shown.stdout.startswith(f"{len(kept)} pairs in ")
    html = (out / "report.html").read_text("utf-8")
    assert "tiny-qwen2" in html and "<script src" not in html


def test_nothing_that_is_published_names_a_folder_of_its_maker(finished: Finished) -> None:
    out = finished.out
    kept = {"config.yaml", "folder.json", "input.json", "finished.json"}  # for going on, beside what is published
    files = [path for path in out.rglob("*") if path.is_file() and path.name not in kept]
    named = [path for path in files if path.suffix != ".zst" and str(out.parent).encode() in path.read_bytes()]
    assert len(files) > 15 and named == []
    table = pyarrow.parquet.read_table(out / "corpus/pairs.parquet").to_pylist()
    assert {row["src_path"].split("/")[0] for row in table} == {"articles"}


def test_true_counterparts_are_found_and_aligned(finished: Finished) -> None:
    out = finished.out
    rows = [*lines(out / "corpus/pairs.jsonl"), *lines(out / "rejected_pairs.jsonl")]
    thai = [row for row in rows if row["origin"] == "aligned" and row["src_lang"] == "th"]
    assert {sentence for row in thai for sentence in ENGLISH if sentence in row["tgt_text"]} == set(ENGLISH)
    for row in thai:
        path = finished.started.parent / row["src_path"]
        spans = [path.read_text("utf-8")[start:end] for start, end in row["src_spans"]]
        assert " ".join(spans).split() == row["src_text"].split()


def test_a_second_run_loads_no_model_and_changes_nothing(finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    import pipeline.run.resources

    out = finished.out
    before = outputs(out)
    monkeypatch.setattr(pipeline.run.resources, "load", lambda *_: pytest.fail("the model was loaded again"))
    assert mekong(monkeypatch, "run", finished.started, "--out", out, "--quiet") == 0
    assert outputs(out) == before
    assert mekong(monkeypatch, "report", out, "--quiet") == 0
    assert outputs(out) == before


def test_a_run_compared_with_its_copy_differs_in_nothing(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, before = finished.out, outputs(finished.out)
    other, compared = tmp_path / "other", tmp_path / "compared"
    shutil.copytree(out, other)
    assert mekong(monkeypatch, "report", out, other, "--out", compared, "--quiet") == 0
    assert outputs(out) == before
    found = orjson.loads((compared / "comparison.json").read_bytes())
    assert [run["name"] for run in found["runs"]] == [out.name, "other"] and found["settings"] == []
    assert all(len(set(row["values"])) == 1 for row in found["counts"])
    assert "mekong report" in (compared / "comparison.html").read_text("utf-8")
    assert mekong(monkeypatch, "report", out, out, "--quiet") == 2
    assert mekong(monkeypatch, "report", out, "--out", compared, "--quiet") == 2


def test_a_model_of_the_filter_reads_what_was_found_and_translates_nothing_again(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished.out, out)
    before = lines(out / "corpus/pairs.jsonl")
    again = ("run", finished.started, "--out", out, "--set", "filter.model=tiny-qwen2", "--quiet")
    with monkeypatch.context() as patch:
        patch.setattr("pipeline.run.resources.load", lambda *_: pytest.fail("the translator was loaded again"))
        assert mekong(monkeypatch, *again) == 0
    after = lines(out / "corpus/pairs.jsonl")
    assert {row["origin"] for row in after} == {"translated", "aligned"}
    for row, old in zip(after, before, strict=True):
        found = [row["scores"].pop(name) for name in ("forced_log_probability", "information")]
        assert [value is not None for value in found] == [row["origin"] == "aligned"] * 2
        assert {**old["scores"], "forced_log_probability": None, "information": None} == old["scores"]
        assert row["scores"].items() <= old["scores"].items()
    made_with = orjson.loads((out / "manifest.json").read_bytes())
    assert [(row["name"], row["role"]) for row in made_with["models"]][2:] == [("tiny-qwen2", "filter")]
    decoder = "pipeline.engines.forced.decoder.ForcedDecoder"
    monkeypatch.setattr(decoder, lambda *_: pytest.fail("the weights were loaded"))
    assert mekong(monkeypatch, *again) == 0


def test_a_changed_article_redoes_its_shard_only(
    started: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert mekong(monkeypatch, "run", started, "--out", out, "--quiet") == 0

    def times() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in (out / "shards/translate").glob("*.jsonl.zst")}

    before = times()
    last = tmp_path / "articles" / "vi-2.txt"
    last.write_text(last.read_text("utf-8") + "\nĐoàn đại biểu rời sân bay.\n", encoding="utf-8")
    assert mekong(monkeypatch, "run", started, "--out", out, "--quiet") == 0
    after = times()
    assert len(after.items() - before.items()) == 1 < len(after) == len(before)


@pytest.mark.parametrize(("lang", "redone"), [("th", ["segment", "match"]), ("en", ["match"]), ("", [])])
def test_a_changed_boundary_model_redoes_what_rests_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lang: str, redone: list[str]
) -> None:
    shipped = Path(shutil.copytree(boundaries.shipped() / "boundaries", tmp_path / "models/boundaries")).parent
    monkeypatch.setattr(boundaries, "shipped", lambda: shipped)
    monkeypatch.setattr(models, "fingerprint", lambda entry: entry.name)  # no encoder is loaded
    (tmp_path / "a.txt").write_text("\n".join(THAI), encoding="utf-8")
    settings = Config(read=ReadSettings(paths=[str(tmp_path / "a.txt")]))

    def committed() -> dict[str, str]:
        run = Run(settings, tmp_path / "out", Progress(quiet=True))
        run.read()
        run.segment()
        run.store.commit("translate", 0, "", [])  # without English documents, matching needs no more
        run.match()
        return {stage: run.store.key(stage, 0) for stage in ("segment", "match")}

    before = committed()
    if lang:
        path = shipped / "boundaries" / f"{lang}.safetensors"
        path.write_bytes(path.read_bytes() + b" ")
    assert [stage for stage, key in committed().items() if key != before[stage]] == redone


def test_matching_says_where_it_stands_and_hears_a_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "fingerprint", lambda entry: entry.name)  # no encoder need be in the store
    (tmp_path / "a.txt").write_text("\n".join(VIETNAMESE), encoding="utf-8")
    (tmp_path / "b.txt").write_text("\n".join(ENGLISH), encoding="utf-8")
    stream = io.StringIO()
    run = Run(Config(read=ReadSettings(paths=[str(tmp_path)])), tmp_path / "out", Progress(stream))
    run.read()
    run.segment()
    run.translation_keys = ["t"]
    run.store.commit("translate", 0, "t", [])

    class Stopping(LetterEncoder):
        def encode(self, texts: Sequence[str]) -> Vectors:
            run.stop.asked = True
            return super().encode(texts)

    run.resources.encoder = Stopping("vi", "en")
    with pytest.raises(Interrupted):
        run.match()
    assert ["profile", "0%", "0/2", "documents"] in [line.split() for line in stream.getvalue().splitlines()]
    assert run.store.record("match", 0) is None


@pytest.mark.parametrize(
    "moment", ["shards/answers/000001.jsonl.zst", "shards/translate/000000.jsonl.zst", "shards/match/000000.jsonl.zst"]
)
def test_a_killed_run_goes_on_and_gives_the_same_bytes(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    started, whole, out = finished.started, finished.out, tmp_path / "out"
    process = start(started, out)
    wait_for(moment, out, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (out / "manifest.json").exists()
    kept = {
        path: path.stat().st_mtime_ns for path in (out / "shards").rglob("*.jsonl.zst") if path.parent.name != "read"
    }
    parts = sorted((out / "shards").glob("answers/*.jsonl.zst"))
    assert mekong(monkeypatch, "run", started, "--out", out, "--quiet") == 0
    again = [path for path, at in kept.items() if path.exists() and path.stat().st_mtime_ns != at]
    assert again == [], "a finished shard was done again"
    assert "000001" not in moment or parts, "no batch had been kept"
    first, second = outputs(whole), outputs(out)
    assert first.keys() == second.keys()
    for name in first:
        same = second[name].replace(str(out).encode(), str(whole).encode())
        assert same == first[name], f"{name} differs"


def test_a_kill_behind_the_last_translation_costs_no_names_and_leaves_no_answers(
    run_entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config(tmp_path, run_entry.name, paths=[str(articles(tmp_path / "articles"))])
    out = tmp_path / "out"
    run = ("run", path, "--out", out, "--quiet", "--set", "translate.use_glossary=true")
    for name, killed in (
        ("forget", lambda journal, shard: journal._open and sys.exit(9)),  # a batch is left, its shard is whole
        ("close", lambda journal: sys.exit(9)),  # and now all are
    ):
        with monkeypatch.context() as patch:
            patch.setattr(Journal, name, killed)
            assert mekong(patch, *run) == 9
            assert list((out / "shards/answers").glob("*"))
    assert mekong(monkeypatch, *run) == 0
    assert "Hanoi" in (out / "names.tsv").read_text("utf-8")
    assert not list((out / "shards").glob("answers*")) and not list((out / "shards").glob("*.due"))


def test_ctrl_c_finishes_the_batch_and_the_next_run_goes_on(
    started: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    process = start(started, out)
    wait_for("shards/answers/000000.jsonl.zst", out, process)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert not list((out / ".claims").glob("*.json"))
    assert mekong(monkeypatch, "run", started, "--out", out, "--quiet") == 0


def test_two_runs_on_one_folder_do_not_mix(started: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    process = start(started, out)
    wait_for(".claims/*.json", out, process)
    assert mekong(monkeypatch, "run", started, "--out", out, "--quiet") == 1
    assert process.wait(timeout=120) == 0
