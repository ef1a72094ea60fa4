"""A run translated by two nodes of a Ray cluster on this machine: the files of one run, whoever is killed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.files.claim import Part
from pipeline.registry.models import Entry
from pipeline.run import cluster as clusters
from pipeline.run import provenance
from tests.support.cluster import cluster, parts
from tests.support.processes import is_alive, parent_of
from tests.support.runs import articles, config, mekong, outputs, start, wait_for

ray = pytest.importorskip("ray", reason="Ray is not installed (extra ray)")
OUT = Path("out")
RAY = ("--set", "run.executor=ray")


@pytest.fixture(scope="module")
def nodes() -> Iterator[str]:
    """The address of a cluster of two nodes."""
    with cluster(2) as address:
        yield address


def test_two_nodes_make_the_files_of_one_run_whoever_is_killed(
    nodes: str, run_entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = config(tmp_path, run_entry.name, paths=[str(articles(tmp_path / "articles", copies=3))])
    for name in ("here", "nodes"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert mekong(monkeypatch, "run", settings, "--out", OUT, "--quiet") == 0
    whole = outputs(OUT)
    monkeypatch.chdir(tmp_path / "nodes")
    monkeypatch.setenv("RAY_ADDRESS", nodes)
    driver = start(settings, OUT, *RAY)  # the first loses its driver, with both parts at work
    wait_for("shards/answers-*/*.zst", OUT, driver)
    at_work = parts(OUT)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    for _ in range(12_000):
        if not any(is_alive(pid) for pid in at_work):
            break
        time.sleep(0.01)
    assert at_work and not (OUT / "corpus").exists()
    assert not any(is_alive(pid) for pid in at_work), "parts outlive the run that wanted them"
    done = {path: path.stat().st_mtime_ns for path in (OUT / "shards/translate").glob("*.zst")}
    driver = start(settings, OUT, *RAY)  # the second loses a worker of Ray
    for _ in range(4_000):
        if (at_work := parts(OUT)) or driver.poll() is not None:
            break
        time.sleep(0.05)  # to look through all processes takes time
    worker = parent_of(at_work[0])
    assert worker
    os.kill(worker, signal.SIGKILL)
    assert driver.wait(timeout=400) == 0
    assert all(path.stat().st_mtime_ns == changed for path, changed in done.items())
    told = ("config.yaml", "report.html", "report.json")  # who translated is among the settings
    found = outputs(OUT)
    assert {name: data for name, data in found.items() if name not in told} == {
        name: data for name, data in whole.items() if name not in told
    }


def test_a_part_that_cannot_be_done_says_why(tmp_path: Path) -> None:
    here, settings = provenance.code_version(), tmp_path / "config.yaml"
    part, out = Part(1, 2), str(tmp_path / "out")
    said = clusters.perform_part(part, str(settings), out, str(tmp_path), {}, "another")
    assert f"this node has mekong {here}, not another" in said
    assert "on a disk that all nodes share" in clusters.perform_part(part, str(settings), out, str(tmp_path), {}, here)
    settings.write_text("read: {pahts: []}", encoding="utf-8")
    assert "did you mean 'paths'" in clusters.perform_part(part, str(settings), out, str(tmp_path), {}, here)


def test_without_ray_it_is_said_how_to_get_it(
    run_entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = config(tmp_path, run_entry.name, paths=[str(articles(tmp_path / "articles"))])
    monkeypatch.setitem(sys.modules, "ray", None)
    assert mekong(monkeypatch, "run", settings, "--out", tmp_path / "out", "--quiet", *RAY) == 2
    assert "mekong-mt[ray]" in capsys.readouterr().err
