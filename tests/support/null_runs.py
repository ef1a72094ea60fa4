"""Whole runs on made news that take little time: models that cost nothing, reports that resample twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pipeline.bench import news
from pipeline.bench.null_model import NullResources
from pipeline.config.settings import Config, FilterSettings, ReadSettings, RunSettings, TranslateSettings, WriteSettings
from pipeline.files.owner import RUN
from pipeline.files.progress import Progress
from pipeline.files.store import to_json
from pipeline.run import provenance, report_data
from pipeline.run.finished import FinishedRun
from pipeline.run.folder import held, reopen, write_settings
from pipeline.run.publish import publish, publish_again
from pipeline.run.run import Run

QUIET = Progress(quiet=True)


@contextmanager
def quick_reports() -> Iterator[None]:
    """What does not matter takes little time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report_data, "RESAMPLES", 2)
        patch.setattr(provenance, "code_version", lambda: "1")
        patch.setattr(provenance, "packages", dict)
        yield


def write_articles(path: Path, count: int) -> Path:
    """So many articles, and a line that is none."""
    articles = [*news.documents(count * news.SENTENCES), {"id": "no text"}]
    path.write_bytes(b"".join(to_json(article) + b"\n" for article in articles))
    return path


def settings(articles: Path, **changed: Any) -> Config:
    """Settings for a run of them."""
    made = {
        "read": ReadSettings(paths=(str(articles),)),
        "translate": TranslateSettings(use_glossary=False, retries=1),
        "run": RunSettings(shard_chars=1500, workers=1),
        "filter": FilterSettings(preset="none"),
        "write": WriteSettings(formats=("jsonl", "moses")),
    }
    return Config(**(made | changed))


def prepared(config: Config, out: Path, progress: Progress = QUIET, resources: Any = NullResources) -> Run:
    """A run that has not begun."""
    return Run(config, out, progress, make_resources=resources)


def carry_out(started: Run) -> None:
    """All that `mekong run` does."""
    with held(started.shards, RUN, started.config.read.paths):
        reopen(started.out)
        write_settings(started.config, started.out)
        publish(started.execute(), started.seconds)


def report(out: Path) -> None:
    """What `mekong report` does."""
    finished = FinishedRun.read(out, QUIET)
    with finished.shards.store.claimed():
        publish_again(finished)
