"""Ctrl-C: heard in every stage, and said."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.errors import Interrupted
from pipeline.files.progress import Progress, Task
from pipeline.run import reading
from pipeline.run.corpus import CorpusFilter
from pipeline.run.run import Run
from pipeline.run.stop import Stop
from pipeline.stages.read.pairs import corpora
from pipeline.types import Reject
from tests.support.null_runs import carry_out, prepared, quick_reports, settings, write_articles
from tests.support.runs import outputs


class Pressing(Progress):
    """Presses Ctrl-C as a task begins; `begun` are the tasks in order."""

    def __init__(self, at: int) -> None:
        super().__init__(quiet=True)
        self.at = at
        self.begun: list[str] = []

    @contextmanager
    def task(self, name: str, total: float, unit: str) -> Iterator[Task]:
        self.begun.append(name)
        with super().task(name, total, unit) as task:
            if len(self.begun) == self.at:
                os.kill(os.getpid(), signal.SIGINT)
            yield task


def test_a_first_ctrl_c_is_heard_in_every_stage_and_the_next_run_goes_on(tmp_path: Path) -> None:
    config, out = settings(write_articles(tmp_path / "articles.jsonl", 3)), tmp_path / "out"

    def pressed(progress: Pressing) -> None:
        run = prepared(config, out, progress)
        with run.stop.listening(lambda _: None):
            carry_out(run)

    with quick_reports():
        never = Pressing(0)
        pressed(never)
        whole, names = outputs(out), never.begun
        assert set(names) >= {"segment", "translate", "profile", "judge", "align", "score"}
        assert set(names) >= {"filter", "count", "write", "metrics", "report"}
        for number in range(1, len(names) + 1):
            shutil.rmtree(out)
            once = Pressing(number)
            with pytest.raises(Interrupted):
                pressed(once)
            assert once.begun == names[:number], "another stage began"
        pressed(Pressing(0))
        assert outputs(out) == whole


def test_a_file_that_has_no_end_is_left_when_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = prepared(settings(write_articles(tmp_path / "articles.jsonl", 1)), tmp_path / "out")
    (tmp_path / "pairs.tsv").write_text("no tab\n" * 10_000)
    given = corpora([tmp_path / "pairs.tsv"], "vi")
    pairs = CorpusFilter(given, settings(tmp_path), tmp_path / "filtered", Progress(quiet=True))

    def rows(work: Run | CorpusFilter) -> Iterator[Reject]:
        for number in range(10_000):
            work.stop.asked = number == 5
            yield Reject("a", number, 0, "no text")
            assert number < 7, "one file was read to its end"

    monkeypatch.setattr(reading.Reader, "read_files", lambda *_: rows(run))
    with pytest.raises(Interrupted):
        run.read()
    monkeypatch.setattr(type(given[0]), "read", lambda *_: rows(pairs))
    with pytest.raises(Interrupted):
        pairs.execute()


def test_the_second_ctrl_c_stops_at_once_and_both_are_answered() -> None:
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt), Stop().listening(said.append):
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)
    assert [line.split(";")[0] for line in said] == ["stopping after the batch in hand", "stopped at once"]
