"""What is said before anything is loaded: `mekong run --dry-run`, `mekong doctor`, and a GPU that is not there."""

from __future__ import annotations

import shutil
from pathlib import Path

import orjson
import pytest

from pipeline.engines import devices
from pipeline.engines.devices import Memory
from pipeline.errors import Interrupted
from pipeline.files.store import Store
from pipeline.registry.models import Entry, root
from pipeline.run import forecast
from pipeline.run.rates import FOLDER
from pipeline.run.shards import Shards
from pipeline.run.stop import Stop
from tests.support.runs import THAI, articles, config, lines, mekong


def test_a_missing_gpu_is_told_before_a_missing_model(
    store: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Else people fetch 17 GB for a machine that cannot use them."""
    monkeypatch.setattr(devices, "why_no_gpu", lambda: "it was sold")
    for more in ([], ["--dry-run"]):
        asked = ("configs/gpu.yaml", "--set", "read.paths=[samples]", "--out", store / "out", *more)
        assert mekong(monkeypatch, "run", *asked) == 2
        said = capfd.readouterr()
        assert "translate.device is cuda, but there is no usable GPU: it was sold" in said.err
        assert said.out == "" and "add" not in said.err and "CC-BY" not in said.err
    changed = ("--set", "translate.device=cpu", "--set", "read.paths=[samples]")
    assert mekong(monkeypatch, "run", "configs/gpu.yaml", *changed, "--out", store / "out") == 1
    assert "mekong models add nllb-200-3.3B" in capfd.readouterr().err


def test_dry_run_writes_nothing(
    run_entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = articles(tmp_path / "articles")
    (folder / "a.docx").write_bytes(b"")
    path = config(tmp_path, run_entry.name, paths=[str(folder)])
    assert mekong(monkeypatch, "run", path, "--out", tmp_path / "out", "--dry-run") == 0
    said = capfd.readouterr().out
    assert run_entry.name in said and "1 .docx" in " ".join(said.split())
    assert "1 en, 1 th, 1 vi; 0 rejected" in said
    assert not (tmp_path / "out").exists()


def test_a_dry_run_tells_amounts_memory_and_time(
    run_entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(root() / FOLDER, ignore_errors=True)
    folder, out = articles(tmp_path / "articles", copies=2), tmp_path / "out"
    path = config(tmp_path, run_entry.name, paths=[str(folder)])
    monkeypatch.setenv("COLUMNS", "300")

    def plan(*more: object) -> dict[str, object]:
        assert mekong(monkeypatch, "run", path, "--out", out, "--dry-run", "--json", *more) == 0
        return dict(orjson.loads(capfd.readouterr().out))

    before = plan()
    assert before["tokens_per_second"] is None and before["seconds"] is None
    assert before["documents"]["th"]["characters"] == sum(  # type: ignore[index]
        len(Path(folder / f"th-{n}.txt").read_text("utf-8")) for n in range(2)
    )
    assert before["bytes_needed"]["weights"] > 10_000 and before["bytes_there"]["free"] > 0  # type: ignore[index]
    assert mekong(monkeypatch, "run", path, "--out", out, "--dry-run") == 0
    assert "not measured yet on this machine" in capfd.readouterr().out
    assert mekong(monkeypatch, "run", path, "--out", out, "--quiet") == 0
    made = lines(out / "translations.jsonl")
    segments = sum(one["segments"] for lang, one in before["documents"].items() if lang != "en")  # type: ignore[attr-defined]
    assert segments == len(made)
    (kept,) = (root() / FOLDER).iterdir()
    rate = orjson.loads(kept.read_bytes())
    after, again = plan(), plan("--set", "segment.max_chars=219")
    assert after["tokens_to_translate"] == 0 and not any(work["shards"] for work in after["anew"])  # type: ignore[attr-defined]
    assert again["tokens_per_second"] == pytest.approx(rate["tokens"] / rate["seconds"])
    assert again["tokens_to_translate"] == again["tokens"]
    assert again["seconds"] == pytest.approx(again["tokens"] * rate["seconds"] / rate["tokens"])  # type: ignore[operator]
    # Numbers are shown to this model in another form, so that its tokens are not quite those of the text.
    assert after["tokens"] == before["tokens"] == pytest.approx(rate["tokens"], rel=0.1)
    assert mekong(monkeypatch, "run", path, "--out", out, "--dry-run") == 0
    assert "nothing to do" in capfd.readouterr().out
    assert plan("--set", "translate.num_beams=2")["tokens_per_second"] is None


def test_what_was_made_before_a_kill_does_not_count_in_the_rate(
    run_entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loading what is committed takes no time: it would look very fast."""
    shutil.rmtree(root() / FOLDER, ignore_errors=True)
    path = config(tmp_path, run_entry.name, paths=[str(articles(tmp_path / "articles"))])
    made: list[int] = []

    def stop(self: Stop) -> None:
        made.append(1)
        if len(made) == 8:
            raise Interrupted("stopped", "")

    with monkeypatch.context() as patched:
        patched.setattr(Stop, "check", stop)
        assert (
            mekong(patched, "run", path, "--out", tmp_path / "out", "--quiet", "--set", "run.shard_chars=9000") == 130
        )
    assert mekong(monkeypatch, "run", path, "--out", tmp_path / "out", "--quiet", "--set", "run.shard_chars=9000") == 0
    (kept,) = (root() / FOLDER).iterdir()
    shards = Shards(Store(tmp_path / "out"), 1)
    assert 0 < orjson.loads(kept.read_bytes())["tokens"] < sum(one.src_tokens for one in shards.translations(0))


def test_a_dry_run_says_all_it_can_of_a_model_that_is_not_there(
    run_entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setattr(forecast, "main_memory", lambda: Memory(1_000_000_000, 2_000_000_000))
    path = config(tmp_path, "nllb-200-3.3B", paths=[str(articles(tmp_path / "articles"))])
    asked = ("run", path, "--out", tmp_path / "out", "--dry-run", "--set", "translate.dtype=bfloat16")
    assert mekong(monkeypatch, *asked) == 1
    said = capfd.readouterr()
    assert "6.7 GB of weights in bfloat16" in said.out and "RAM: 1.0 of 2.0 GB free" in said.out
    assert "1 en, 1 th, 1 vi" in said.out and "CC-BY-NC-4.0" in said.out
    assert "nllb-200-3.3B needs 6.7 GB" in said.err
    assert said.err.rstrip().endswith("mekong models add nllb-200-3.3B")
    assert not (tmp_path / "out").exists()


def test_a_dry_run_says_finished_only_where_nothing_has_changed(
    run_entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder, out = articles(tmp_path / "articles"), tmp_path / "out"
    path = config(tmp_path, run_entry.name, paths=[str(folder)])
    terms = tmp_path / "terms.tsv"
    terms.write_text("ข่าว\tnews\tNOUN\n", encoding="utf-8")
    hints = ("--set", "translate.use_glossary=true", "--set", f"translate.glossary=[{terms}]")

    def finished(*more: object) -> str:
        monkeypatch.setenv("COLUMNS", "300")
        assert mekong(monkeypatch, "run", path, "--out", out, "--dry-run", *hints, *more) == 0
        return capfd.readouterr().out.partition("finished before")[2].strip()

    assert finished().split()[:2] == ["no", "read"]
    assert mekong(monkeypatch, "run", path, "--out", out, "--quiet", *hints) == 0
    assert capfd.readouterr().out == ""
    assert finished("--set", "translate.workers=1").startswith("yes")
    assert "filter.near_duplicates" in finished("--set", "filter.near_duplicates=0.9")
    terms.write_text("ข่าว\treport\tNOUN\n", encoding="utf-8")
    assert "what the translations are made with" in finished()
    terms.write_text("ข่าว\tnews\tNOUN\n", encoding="utf-8")
    (folder / "new.txt").write_text(THAI[0], encoding="utf-8")
    assert (said := finished()).startswith("no longer") and "new.txt" in said


def test_doctor_tries_a_model_that_is_named_and_loads_none_by_itself(
    run_entry: Entry, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    code = mekong(monkeypatch, "doctor", "--model", run_entry.name, "--json")
    checks = {check["name"]: check for check in orjson.loads(capfd.readouterr().out)}
    assert checks["use-multilingual-v3"]["state"] == "ok" and "translation" in checks
    assert "GB of weights in int8" in checks["memory"]["detail"] and "speed" in checks
    assert (code == 0) == all(check["state"] != "failed" for check in checks.values())
    monkeypatch.setattr("pipeline.cli.doctor._translation", lambda name: pytest.fail("loaded"))
    mekong(monkeypatch, "doctor", "--json")
    assert "translation" not in {check["name"] for check in orjson.loads(capfd.readouterr().out)}


def test_doctor_warns_where_the_memory_will_not_do(
    run_entry: Entry, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(forecast, "main_memory", lambda: Memory(1_000_000_000, 2_000_000_000))
    mekong(monkeypatch, "doctor", "--model", "madlad400-7b-mt", "--json")
    checks = {check["name"]: check for check in orjson.loads(capfd.readouterr().out)}
    assert checks["memory"]["state"] == "warning" and "madlad400-7b-mt needs" in checks["memory"]["detail"]


def test_doctor_names_what_is_missing(
    store: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert mekong(monkeypatch, "doctor") == 1
    assert "mekong models add" in capfd.readouterr().out.replace("\n", " ")
    assert mekong(monkeypatch, "doctor", "--model", "nllb-200-3.3") == 1
    assert "Did you mean" in capfd.readouterr().out.replace("\n", " ")


def test_a_dry_run_says_what_each_stage_would_make_anew_and_why(
    run_entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    folder, out = articles(tmp_path / "articles", copies=3), tmp_path / "out"
    path = config(tmp_path, run_entry.name, paths=[str(folder)])
    monkeypatch.setenv("COLUMNS", "300")

    def plan(*more: object) -> tuple[dict[str, int], list[str]]:
        assert mekong(monkeypatch, "run", path, "--out", out, "--dry-run", "--json", *more) == 0
        said = orjson.loads(capfd.readouterr().out)
        return {work["stage"]: work["shards"] for work in said["anew"]}, said["changed"]

    first, because = plan()
    every = first["read"]
    assert every > 2 and first == dict.fromkeys(("read", "segment", "translate", "match", "align", "score"), every)
    assert because == []
    assert mekong(monkeypatch, "run", path, "--out", out, "--quiet") == 0
    assert plan() == (dict.fromkeys(first, 0), [])
    beams, because = plan("--set", "translate.num_beams=2")
    assert beams == first | {"read": 0, "segment": 0} and because == ["translate.num_beams"]
    rules, because = plan("--set", "filter.near_duplicates=0.9")
    assert rules == dict.fromkeys(first, 0) and because == ["filter.near_duplicates"]
    mined, because = plan("--set", "align.mine=true")
    assert mined["translate"] == 0 and mined["align"] == mined["score"] == every and because == ["align.mine"]
    (folder / "th-1.txt").write_text("\n\n".join(THAI) + "\nข่าวเช้านี้\n", encoding="utf-8")
    (folder / "th-9.txt").write_text("\n\n".join(THAI) + "\nข่าวอื่น\n", encoding="utf-8")
    (folder / "vi-0.txt").unlink()
    edited, because = plan()
    assert 0 < edited["read"] == edited["segment"] == edited["translate"] < every
    assert [reason.partition(":")[0] for reason in because] == ["1 new", "1 changed", "1 gone"]
    assert "th-9" in because[0] and "th-1" in because[1] and "vi-0" in because[2]
    assert mekong(monkeypatch, "run", path, "--out", out, "--dry-run") == 0
    said = " ".join(capfd.readouterr().out.split())
    assert f"translate anew {edited['translate']} of" in said and "changed since 1 new" in said
