"""Shards made by several processes: the same bytes, errors that come through, a request to stop that is heard."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipeline.config.settings import Config, RunSettings
from pipeline.errors import EngineError, InputError, Interrupted
from pipeline.files.store import Store
from pipeline.registry.models import Entry
from pipeline.run import shards as kinds
from pipeline.run.executors import CHARS_A_PROCESS, HereExecutor, ProcessExecutor, processes
from pipeline.run.resources import Resources
from pipeline.run.shards import Shards
from pipeline.run.work import ShardTask, ShardWork
from pipeline.types import Document, Pair, Scored, Source
from tests.support.processes import is_alive, wait_until
from tests.support.runs import articles, config, mekong, outputs

COUNT = 5


class Dying(Resources):
    """Ends its process where scorers are asked for, as the kernel does when memory is short."""

    @property
    def scorers(self):
        os.kill(os.getpid(), signal.SIGKILL)


class Refusing(Resources):
    """Has no scorers."""

    @property
    def scorers(self):
        raise InputError("no scorers here", "Look elsewhere.")


@pytest.fixture
def shards(tmp_path: Path) -> Shards:
    """Shards of one English document each."""
    made = Shards(Store(tmp_path), COUNT)
    for number in made.numbers:
        text = " ".join(f"Sentence {i} of text {number} is here." for i in range(3 + number))
        made.commit(kinds.DOCUMENTS, number, "d", [Document(f"en{number}", "en", text, Source("a"))])
        made.commit(kinds.TRANSLATIONS, number, "t", [])
        made.commit(kinds.PAIRS, number, "p", [])
    return made


def tasks(stage, key="k"):
    return [ShardTask(stage, number, key, number + 1) for number in range(COUNT)]


def test_processes_make_what_this_one_makes(shards: Shards, tmp_path: Path) -> None:
    HereExecutor(ShardWork(Config(), shards, Resources(Config()))).perform(tasks("segment"), lambda _: None, list)
    here = [shards.segments(number) for number in shards.numbers]
    told: list[int] = []
    executor = ProcessExecutor(2, Config(), tmp_path, COUNT, Resources)
    try:
        executor.perform(tasks("segment", "other"), told.append, list)
    finally:
        executor.close()
    assert [shards.segments(number) for number in shards.numbers] == here and len(here[4]) == 7
    assert all(shards.done(kinds.SEGMENTS, number, "other") for number in shards.numbers)
    assert sorted(told) == [1, 2, 3, 4, 5]


def test_a_process_that_is_killed_and_an_error_in_one_are_said(shards: Shards, tmp_path: Path) -> None:
    executor = ProcessExecutor(2, Config(), tmp_path, COUNT, Dying)
    with pytest.raises(EngineError, match=r"processes .* ended from outside") as dead:
        executor.perform(tasks("score"), lambda _: None, list)
    assert "run.workers=1" in dead.value.remedy
    executor = ProcessExecutor(2, Config(), tmp_path, COUNT, Refusing)
    try:
        with pytest.raises(InputError, match="no scorers here") as refused:
            executor.perform(tasks("score"), lambda _: None, list)
    finally:
        executor.close()
    assert refused.value.remedy == "Look elsewhere."


def test_processes_that_were_just_started_end_with_the_one_that_wanted_them(tmp_path: Path) -> None:
    """They are told to end with it only when they have imported all they need, and by then it may be gone."""
    program = """
import multiprocessing, os, signal, sys
from pathlib import Path
from pipeline.config.settings import Config
from pipeline.run.executors import ProcessExecutor, _perform
from pipeline.run.resources import Resources
if __name__ == "__main__":
    pool = ProcessExecutor(2, Config(), Path(sys.argv[1]), 1, Resources)._started()
    for _ in range(2):
        pool.submit(_perform, None)
    print(*(child.pid for child in multiprocessing.active_children()), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
    script = tmp_path / "dies.py"
    script.write_text(program, encoding="utf-8")
    done = subprocess.run([sys.executable, script, tmp_path], capture_output=True, text=True, cwd=Path.cwd())
    started = [int(pid) for pid in done.stdout.split()]
    assert len(started) == 2, done.stderr
    wait_until(lambda: not any(is_alive(pid) for pid in started), 60)


def test_closing_waits_for_no_process_whoever_was_killed_while_it_did_nothing(shards: Shards, tmp_path: Path) -> None:
    """One that waits for tasks holds a lock that the others wait for: killed then, closing hung two times in five."""
    for number in range(3):
        executor = ProcessExecutor(2, Config(), tmp_path, COUNT, Resources)
        executor.perform(tasks("segment", f"k{number}"), lambda _: None, list)
        assert executor._pool is not None
        for process in list(executor._pool._processes.values())[: 1 + number % 2]:
            process.kill()
        with ThreadPoolExecutor(1) as beside:
            beside.submit(executor.close).result(timeout=60)


@pytest.mark.parametrize("several", [False, True])
def test_stopped_it_leaves_whole_shards_only(shards: Shards, tmp_path: Path, several: bool) -> None:
    done: list[int] = []

    def check() -> None:
        if done:
            raise Interrupted("stopped", "")

    here = HereExecutor(ShardWork(Config(), shards, Resources(Config())))
    executor = ProcessExecutor(2, Config(), tmp_path, COUNT, Resources) if several else here
    try:
        with pytest.raises(Interrupted):
            executor.perform(tasks("segment"), done.append, check)
        made = [number for number in shards.numbers if shards.done(kinds.SEGMENTS, number, "k")]
        assert 0 < len(made) < COUNT and all(len(shards.segments(number)) == number + 3 for number in made)
    finally:
        if isinstance(executor, ProcessExecutor):
            executor.close()


def test_processes_are_started_for_much_work_only_or_when_asked_for() -> None:
    small, asked = Config(run=RunSettings(shard_chars=400)), Config(run=RunSettings(shard_chars=400, workers=3))
    assert processes(small, 10) == 0 and processes(asked, 10) == 3 and processes(asked, 2) == 2
    assert processes(Config(run=RunSettings(shard_chars=CHARS_A_PROCESS)), 1) == 1


def test_any_number_of_workers_gives_the_same_files(
    run_entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = config(tmp_path, run_entry.name, paths=[str(articles(tmp_path / "articles", copies=2))])
    out, found = tmp_path / "out", []
    for workers in (1, 2, 4):
        for stage in ("segment", "profile", "judge", "match", "align", "score"):
            shutil.rmtree(out / "shards" / stage, ignore_errors=True)
        sets = ("--set", f"run.workers={workers}", "--set", "align.mine=true", "--set", "translate.retries=0")
        assert mekong(monkeypatch, "run", path, "--out", out, "--quiet", *sets) == 0
        tells_settings = ("config.yaml", "report.html", "report.json")
        found.append({name: data for name, data in outputs(out).items() if name not in tells_settings})
    assert found[0] == found[1] == found[2] and "corpus/pairs.jsonl" in found[0]


def test_a_pair_that_comes_back_without_scores_is_never_committed(
    shards: Shards, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = Pair("p", "d", "e", "vi", (), (), ((0, 3),), (), "Xin", "Hello", "translated", None)
    shards.commit(kinds.PAIRS, 0, "p", [pair, pair])
    monkeypatch.setattr("pipeline.run.work.score", lambda pairs, *_: iter([Scored(pair, {})]))
    work = ShardWork(Config(), shards, SimpleNamespace(scorers=[]))
    with pytest.raises(EngineError, match="shard 0 has 2 pairs, and 1 of them came back"):
        HereExecutor(work).perform(tasks("score"), lambda _: None, list)
    assert not shards.has_any(kinds.SCORED)
