"""A command that dies before any step with the disk: the folder shows one state, or says that it does not."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.settings import Config, FilterSettings, SegmentSettings, WriteSettings
from pipeline.errors import StoreError
from pipeline.files.claim import CLAIMS
from pipeline.files.together import ASIDE
from pipeline.run.finished import FinishedRun
from pipeline.run.manifest import finished_shards
from pipeline.stages.filter.decisions import Decisions, decide
from pipeline.view.review import Review
from tests.support.null_runs import QUIET, carry_out, prepared, quick_reports, report, settings, write_articles

STEPS = ("replace", "rename", "fsync", "unlink", "rmdir")
REPORT = partial(FinishedRun.read, progress=QUIET)
EVALUATE = finished_shards
VIEW = partial(Review, warn=pytest.fail)
"""How the commands of these names begin with a folder; a comparison begins as a report."""
STRICTER = FilterSettings(preset="none", rules={"length_ratio": {"max": 0.9}})


@pytest.fixture(autouse=True, scope="module")
def quick() -> Iterator[None]:
    with quick_reports():
        yield


def run(config: Config, out: Path) -> None:
    carry_out(prepared(config, out))


def shown(out: Path) -> dict[str, bytes]:
    """What people and programs find in a folder, but for times and the work behind it."""
    hidden = {"shards", ASIDE, "manifest.json", CLAIMS}
    files = [path for path in out.rglob("*") if path.is_file() and not hidden & set(path.relative_to(out).parts)]
    return {str(path.relative_to(out)): path.read_bytes() for path in files if not path.name.endswith(".tmp")}


def everything(out: Path) -> tuple[object, ...]:
    """A folder as the next command finds it; of what is unfinished, only whether it is there."""
    files = sorted(path for path in out.rglob("*") if path.is_file())
    left = {ASIDE: (out / ASIDE).is_dir(), "tmp": any(path.name.endswith(".tmp") for path in files)}
    whole = [path for path in files if not {ASIDE, CLAIMS} & set(path.parts) and not path.name.endswith(".tmp")]
    times = ("manifest.json", "withdrawn.json")
    return (*left.items(), *((str(path), b"" if path.name in times else path.read_bytes()) for path in whole))


class Deaths:
    """Keeps the folder as it is before each step with the disk, which is what a kill there would leave."""

    def __init__(self, out: Path, kept: Path, patch: pytest.MonkeyPatch) -> None:
        self._out, self._kept = out, kept
        self.steps = 0
        self._distinct: dict[tuple[object, ...], Path] = {}
        for name in STEPS:
            patch.setattr(os, name, self._noted(getattr(os, name)))

    def _noted(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*args: Any, **options: Any) -> Any:
            self.steps += 1
            state = everything(self._out)
            if state not in self._distinct:
                self._distinct[state] = self._kept / str(self.steps)
                shutil.copytree(self._out, self._distinct[state])
            return step(*args, **options)

        return noted

    @property
    def folders(self) -> list[Path]:
        """The folders that were kept, in order."""
        return list(self._distinct.values())


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run `out` of `articles.jsonl`, which no test changes."""
    folder = tmp_path_factory.mktemp("finished")
    run(settings(write_articles(folder / "articles.jsonl", 2)), folder / "out")
    return folder


@pytest.mark.parametrize(
    ("changed", "every"),
    [
        ({"filter": STRICTER, "write": WriteSettings(formats=("jsonl",))}, 1),
        ({"segment": SegmentSettings(max_chars=100)}, 60),
        ({}, 10),
    ],
    ids=["rule", "segments", "nothing"],
)
def test_a_run_again_that_dies_leaves_one_state_or_says_that_it_does_not(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any], every: int
) -> None:
    config, out = settings(finished / "articles.jsonl", **changed), tmp_path / "out"
    shutil.copytree(finished / "out", out)
    report(out)  # which names the folder
    (out / "corpus/notes.txt").write_text("mine")
    before = shown(out)
    with monkeypatch.context() as patch:
        deaths = Deaths(out, tmp_path / "kept", patch)
        run(config, out)
    after = shown(out)
    assert (after == before) == (not changed) and "corpus/notes.txt" in after
    assert deaths.steps > 40, "the steps are seen"
    finished_ones = 0
    for number, kept in enumerate(deaths.folders):
        is_finished = (kept / "manifest.json").exists()
        finished_ones += is_finished
        if is_finished:
            assert shown(kept) in (before, after)
            FinishedRun.read(kept, QUIET)
        else:
            for read in REPORT, EVALUATE, VIEW:
                with pytest.raises(StoreError, match=r"is being made anew[\s\S]*`mekong run` first"):
                    read(kept)
        if number % every:  # the next run costs much more than the look
            continue
        shutil.rmtree(out)
        shutil.copytree(kept, out)
        run(config, out)
        assert shown(out) == after and (out / "manifest.json").exists()
        assert not (out / ASIDE).exists() and not list(out.rglob("*.tmp"))
    assert 0 < finished_ones < len(deaths.folders)


def test_a_disk_that_is_full_at_any_step_is_our_error_and_the_next_run_completes(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, out = settings(finished / "articles.jsonl", filter=STRICTER), tmp_path / "out"
    shutil.copytree(finished / "out", out)
    report(out)
    before = shown(out)
    failures = 0
    for left in range(0, 200, 6):
        with monkeypatch.context() as patch:
            fill(patch, left)
            try:
                run(config, out)
                break
            except StoreError as error:
                assert "No space left on device" in str(error)
                failures += 1
        if (out / "manifest.json").exists():
            assert shown(out) == before
        else:
            with pytest.raises(StoreError, match="`mekong run` first"):
                FinishedRun.read(out, QUIET)
        assert not list(out.rglob("*.tmp")) and not (out / ASIDE).exists()
    assert failures > 3 and shown(out) != before
    FinishedRun.read(out, QUIET)


def fill(patch: pytest.MonkeyPatch, left: int) -> None:
    """Have the disk take so many more flushes and renames, then no more."""
    steps = iter(range(left))

    def failing(step: Callable[..., Any]) -> Callable[..., Any]:
        def attempted(*args: Any, **options: Any) -> Any:
            if next(steps, None) is None:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return step(*args, **options)

        return attempted

    for name in ("fsync", "replace"):
        patch.setattr(os, name, failing(getattr(os, name)))


def test_a_report_again_that_dies_leaves_one_state_or_says_that_it_does_not(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    shutil.copytree(finished / "out", out)
    report(out)
    before = shown(out)
    pair = FinishedRun.read(out, QUIET).shards.scored(0)[0].pair
    Decisions(out, pytest.fail).append(decide(pair, keep=False))
    before |= {"decisions.jsonl": (out / "decisions.jsonl").read_bytes()}
    with monkeypatch.context() as patch:
        deaths = Deaths(out, tmp_path / "kept", patch)
        report(out)
    after = shown(out)
    assert after != before
    for number, kept in enumerate(deaths.folders):
        is_finished = (kept / "manifest.json").exists()
        assert not is_finished or shown(kept) in (before, after)
        if number % 5:  # the next command costs much more than the look
            continue
        shutil.rmtree(out)
        shutil.copytree(kept, out)
        if is_finished:
            report(out)
        else:
            with pytest.raises(StoreError, match="is being made anew"):
                report(out)
            run(settings(finished / "articles.jsonl"), out)
        assert shown(out) == after
