"""A row that ends the process that decodes it has failed, but not for good."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.bench.null_model import NullEngine, NullResources
from pipeline.config.settings import RunSettings
from pipeline.engines.base import Failure, Output
from pipeline.files.progress import Progress
from pipeline.run.again import MOST
from pipeline.run.preview import preview
from pipeline.run.run import Run
from tests.support.null_runs import carry_out, prepared, quick_reports, settings, write_articles
from tests.support.runs import lines, outputs

deadly: set[int] = set()
"""Numbers of rows, counted over a run, that end their process in the first attempt, and are got in the second."""
asked: list[int] = []


class DeadlyEngine(NullEngine):
    """Has workers that die."""

    def generate(
        self, rows: Sequence[Sequence[int]], max_new_tokens: Sequence[int], *, careful: bool = False
    ) -> list[Output]:
        first = sum(asked)
        asked.append(len(rows))
        done = super().generate(rows, max_new_tokens, careful=careful)
        note = f"{Failure.DEADLY} (ended with code -9)"
        return [
            Output((), None, "failed", note) if first + number in deadly else replace(output, logprob=-1.0 - careful)
            for number, output in enumerate(done)
        ]


class DeadlyResources(NullResources):
    """With that engine."""

    def translator(self, say):
        made = super().translator(say)
        made.engine = DeadlyEngine()
        return made


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    with quick_reports():
        yield


class Room:
    """A folder with articles and a run."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "out"
        self.config = settings(
            write_articles(folder / "articles.jsonl", 4), run=RunSettings(shard_chars=300, workers=1)
        )

    def prepared(self) -> Run:
        return prepared(self.config, self.out, Progress(quiet=True), DeadlyResources)

    def run(self) -> int:
        """How many rows the engine was asked for."""
        asked.clear()
        carry_out(self.prepared())
        return sum(asked)


def test_the_next_run_does_such_rows_again_and_comes_to_the_same_bytes(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    deadly.clear()
    room = Room(tmp_path)
    rows, whole = room.run(), outputs(room.out)
    shutil.rmtree(room.out)
    deadly.add(1)
    room.run()
    assert "rows of" in capfd.readouterr().err
    assert outputs(room.out) != whole, "a second attempt is not the first"
    assert not preview(room.prepared(), None).nothing_to_do
    deadly.clear()
    assert 0 < room.run() < rows, "the other shards are as they were"
    assert outputs(room.out) == whole
    assert preview(room.prepared(), None).nothing_to_do
    assert room.run() == 0


def test_what_fails_every_time_is_given_up(tmp_path: Path) -> None:
    deadly.clear()
    room = Room(tmp_path)
    deadly.update(range(1000))
    counts = [room.run() for _ in range(MOST + 1)]
    assert all(counts[:MOST]) and counts[MOST] == 0
    assert {row["ended"] for row in lines(room.out / "translations.jsonl")} == {"failed"}
