"""Decisions reach the corpus and the report of a real run."""

from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest

from pipeline.files.store import Store
from pipeline.registry.models import Entry
from pipeline.stages.filter.decisions import FILE, REJECTED_BY_HAND, Decisions, decide
from pipeline.types import Scored
from tests.support.runs import articles, config, lines, mekong
from tests.view.folder import scored


def test_corpus_and_report_follow_the_decisions(
    run_entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    path = config(tmp_path, run_entry.name, paths=[str(articles(tmp_path / "articles"))])
    assert mekong(monkeypatch, "run", path, "--out", out, "--quiet") == 0
    kept = [row["id"] for row in lines(out / "corpus/pairs.jsonl")]
    refused = [row["id"] for row in lines(out / "rejected_pairs.jsonl")]
    shards = orjson.loads((out / "manifest.json").read_bytes())["shards"]
    pairs = {row.pair.id: row.pair for n in range(shards) for row in Store(out).rows("score", n, Scored)}
    decisions = Decisions(out, pytest.fail)
    decisions.append(decide(pairs[kept[0]], False))
    decisions.append(decide(pairs[refused[0]], True))
    decisions.append(decide(scored(0, "This pair is not in the run.").pair, True))
    capfd.readouterr()

    assert mekong(monkeypatch, "run", path, "--out", out, "--quiet") == 0
    assert "1 of 3 decisions" in capfd.readouterr().err
    rows = lines(out / "corpus/pairs.jsonl")
    assert {row["id"] for row in rows} == {*kept[1:], refused[0]}
    assert [row["id"] for row in rows if row["accepted_by_hand"]] == [refused[0]]
    assert sum(pq.read_table(out / "corpus/pairs.parquet")["accepted_by_hand"].to_pylist()) == 1
    assert (out / "corpus/corpus.tmx").read_text("utf-8").count("x-accepted-by-hand") == 1
    reasons = {row["id"]: row["reasons"] for row in lines(out / "rejected_pairs.jsonl")}
    assert reasons[kept[0]] == [REJECTED_BY_HAND.text] and refused[0] not in reasons
    counts = orjson.loads((out / "manifest.json").read_bytes())["counts"]
    assert counts["by_hand"] == {"accepted": 1, "rejected": 1, "not_applied": 1}
    assert "A person looked at 1 of the pairs" in (out / "corpus/README.md").read_text()
    report = orjson.loads((out / "report.json").read_bytes())
    assert any("By hand, 1 pair accepted and 1 rejected." in note["text"] for note in report["notes"])
    assert REJECTED_BY_HAND.kind in {row["reason"] for row in report["attrition"]}

    (out / FILE).write_text("{}\n")
    assert mekong(monkeypatch, "run", path, "--out", out, "--quiet") == 1
    assert f"{FILE}, line 1 is no decision" in capfd.readouterr().err
