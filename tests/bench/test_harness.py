"""Engines side by side: choosing, checking, rounds, and the command as a whole."""

import importlib.util
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
import typer
from typer.testing import CliRunner

from pipeline.bench import harness, memory
from pipeline.bench.arms import Arm, ArmSettings, arms, choose
from pipeline.bench.child import BenchChild
from pipeline.bench.engines import MekongEngineArm
from pipeline.bench.harness import make_plan, measure_rounds, set_parts, spread
from pipeline.bench.process import Process
from pipeline.bench.runner import Runner, TimedRun, check_lengths
from pipeline.bench.shapes import SHAPES
from pipeline.bench.workload import news
from pipeline.cli.bench import app
from pipeline.errors import EngineError, UsageError
from pipeline.files.progress import Progress

ROWS = news(SHAPES["tiny"], 400, multiple=1)
OWN = ArmSettings(1, 1, "own")


class FakeProcess:
    """An engine of a known speed, which may lose a token."""

    def __init__(self, tokens_per_second: Sequence[float], lost: int = 0) -> None:
        self.speeds, self.lost = list(tokens_per_second), lost
        self.asked: list[int] = []

    def ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
        if verb != "run":
            return {}
        rows = arguments["rows"]
        self.asked.append(rows)
        lengths = ROWS.lengths[:rows]
        lengths[-1] -= self.lost
        seconds = sum(ROWS.lengths[:rows]) / self.speeds.pop(0)
        return {"seconds": seconds, "cpu_seconds": seconds, "lengths": lengths, "steps": None, "memory_mb": 1.0}


def runner(engine: Any, dtype: str, process: FakeProcess, *candidates: ArmSettings) -> Runner:
    return Runner(Arm(engine, dtype, candidates or (OWN,)), process, ROWS, "cpu")


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Children that answer here, through JSON as well: each of their own takes seconds to import torch. That the
    command and a child's own process understand each other is seen in test_systems.py."""

    class Here:
        def __init__(self, name: str) -> None:
            self.child = BenchChild()

        def ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
            answer = getattr(self.child, verb)(**json.loads(json.dumps(arguments)))
            return dict(json.loads(json.dumps(answer)))

        def __enter__(self) -> "Here":
            return self

        def __exit__(self, *_: object) -> None:
            if isinstance(getattr(self.child, "engine", None), MekongEngineArm):
                self.child.engine.close()

    monkeypatch.setattr(harness, "Process", Here)
    monkeypatch.setattr(memory, "Process", Here)


def command(*arguments: object) -> Any:
    """Run `bench engine`."""
    parent = typer.Typer()
    parent.add_typer(app, name="bench")
    return CliRunner().invoke(parent, ["bench", "engine", *map(str, arguments)])


def test_a_row_of_the_wrong_length_voids_the_run() -> None:
    check_lengths("fake", [3, 4], [3, 4])
    with pytest.raises(EngineError, match="fake generated 5 tokens for row 1 instead of 4"):
        check_lengths("fake", [3, 4], [3, 5])
    with pytest.raises(EngineError, match="1 of 2 rows"):
        check_lengths("fake", [3, 4], [3])
    with pytest.raises(EngineError, match="for row 9 instead of"):
        runner("mekong", "int8", FakeProcess([100], lost=1)).run(10)


def test_slow_engines_get_as_many_rows_as_the_others_need_time_for() -> None:
    fast = runner("mekong", "int8", FakeProcess([1000]))
    slow = runner("transformers", "float32", FakeProcess([250]))
    slower = runner("transformers", "bfloat16", FakeProcess([1]))
    for one in (fast, slow, slower):
        one.tune()
    set_parts([fast, slow, slower])
    assert (fast.rows, slow.rows, slower.rows) == (400, 96, 32)


def test_the_best_settings_are_found_and_hopeless_ones_dropped() -> None:
    good, better, stuck = (
        ArmSettings(2, 1, "tokens", 1024),
        ArmSettings(2, 1, "tokens", 2048),
        ArmSettings(1, 2, "tokens", 1024),
    )
    # A first batch and then half of the rows with each settings; all rows with the best.
    process = FakeProcess([90, 100, 70, 110, 10, 105])
    one = runner("ctranslate2", "int8", process, good, better, stuck)
    one.tune()
    assert one.settings == better
    assert one.swept == {str(good): pytest.approx(100), str(better): pytest.approx(110), str(stuck): pytest.approx(10)}
    assert process.asked == [32, 200, 32, 200, 32, 400]
    assert one.warm.rate == pytest.approx(105)


def test_choosing_for_a_slow_engine_costs_a_batch_a_worker() -> None:
    process = FakeProcess([5, 10, 5, 20])
    one = runner(
        "transformers", "float32", process, ArmSettings(2, 1, "unsorted", 32), ArmSettings(1, 2, "unsorted", 32)
    )
    one.tune()
    assert process.asked == [8, 64, 8, 64]
    assert one.warm.rate == pytest.approx(20)


def test_rounds_are_interleaved_and_ratios_paired() -> None:
    log: list[str] = []

    class Logged(FakeProcess):
        def ask(self, verb: str, **arguments: Any) -> dict[str, Any]:
            log.append(self.name)
            return super().ask(verb, **arguments)

        name = ""

    runners = []
    # Twice as fast in every round, though the second round is four times as slow.
    for engine, speeds in (("mekong", [200, 800, 200, 800]), ("ctranslate2", [100, 400, 100, 400])):
        process = Logged(speeds)
        process.name = engine
        runners.append(runner(engine, "int8", process))
        runners[-1].use(OWN)
        runners[-1].rows = 20
        runners[-1].warm = runners[-1].run(20)
    log.clear()
    measure_rounds(runners, 3, Progress(io.StringIO()))
    assert log == ["mekong", "ctranslate2"] * 3
    plan = make_plan(SHAPES["tiny"], "cpu", 1, ["mekong int8"], 3, 20)
    row = harness._row(plan, "a processor", runners[0], runners)
    assert row.ratio_to == {"ctranslate2 int8": spread([2.0, 2.0, 2.0])}
    assert (row.tokens_per_second.min, row.tokens_per_second.median, row.tokens_per_second.max) == (200, 800, 800)


def test_the_time_left_is_told() -> None:
    one = runner("mekong", "int8", FakeProcess([1] * 2))
    one.use(OWN)
    one.rows = 32
    one.warm = TimedRun(tokens=100, seconds=1, cpu_seconds=1, steps=None, memory_mb=0)
    stream = io.StringIO()
    measure_rounds([one], 2, Progress(stream))
    assert "measuring, 2 runs: about" in stream.getvalue()
    assert stream.getvalue().splitlines()[-1].endswith("0 s left")


def test_engines_are_chosen_by_name() -> None:
    known = arms("cpu", 1, 2)
    assert [arm.name for arm in choose(known, [])] == [
        "mekong int8", "ctranslate2 int8", "transformers bfloat16", "transformers float32",
    ]  # fmt: skip
    assert [arm.name for arm in choose(known, ["ctranslate2 float32"])] == ["ctranslate2 float32"]
    with pytest.raises(UsageError, match="mekong int8, mekong bfloat16"):
        choose(known, ["mekong int4"])


def test_beam_search_never_depends_on_the_callback() -> None:
    for device in ("cpu", "cuda"):
        units = {
            settings.unit for arm in arms(device, 4, 2) if arm.engine == "ctranslate2" for settings in arm.candidates
        }
        assert units == {"one length"}


def test_without_ctranslate2_its_arms_are_left_out_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    plan = make_plan(SHAPES["tiny"], "cpu", 1, [], 2, None)
    assert {arm.engine for arm in plan.arms} == {"mekong", "transformers"}
    assert "not installed" in plan.notes[0]
    with pytest.raises(UsageError, match="no engine is left"):
        make_plan(SHAPES["tiny"], "cpu", 1, ["ctranslate2 int8"], 2, None)


@pytest.mark.usefixtures("in_this_process")
def test_the_command_compares_engines_and_writes_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ctranslate2")
    # With one core there are fewer settings to try.
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0})
    file = tmp_path / "bench.json"
    done = command(
        "--shape", "tiny", "--rounds", 2, "--sentences", 12, "--engines", "ctranslate2 int8, transformers float32",
        "--json", file,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    written = json.loads(file.read_text(encoding="utf-8"))
    peer, slow = written["rows"]
    assert (peer["engine"], slow["engine"]) == ("ctranslate2 int8", "transformers float32")
    for row in (peer, slow):
        assert (row["shape"], row["device"], row["beam"], row["rounds"]) == ("tiny", "cpu", 1, 2)
        assert (row["sentences"], row["tokens"]) == (12, ROWS.tokens(12))
        rates = row["tokens_per_second"]
        assert 0 < rates["min"] <= rates["median"] <= rates["max"]
        assert row["cpu_seconds_per_1000_tokens"] >= 0  # the clock may not have ticked
        assert row["memory_mb"] > 1
    assert (peer["dtype"], slow["dtype"]) == ("int8", "float32")
    assert peer["padding_efficiency"] is None and 0 < slow["padding_efficiency"] < 1
    assert set(peer["ratio_to"]) == {"transformers float32"} and set(slow["ratio_to"]) == {"ctranslate2 int8"}
    assert slow["ratio_to"]["ctranslate2 int8"]["min"] == pytest.approx(
        1 / peer["ratio_to"]["transformers float32"]["max"]
    )
    assert peer["settings"] in peer["swept"] and len(peer["swept"]) == 5
    assert written["circumstances"]["cpu_mask"] == [0]
    assert "ctranslate2 int8: " in done.stdout and "transformers float32" in done.stdout
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.usefixtures("in_this_process")
def test_memory_over_many_short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pipeline.engines.mekong.engine")
    monkeypatch.setattr(memory, "CHUNK", 100)
    first, second = memory.measure(SHAPES["tiny"], "cpu", Progress(io.StringIO()), stages=(100, 300))
    assert (first.segments, second.segments) == (100, 300)
    assert 0 < first.model_share <= 1 and second.resident_mb > 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.usefixtures("in_this_process")
def test_an_absent_gpu_is_said_before_anything_is_built() -> None:
    done = command("--device", "cuda", "--shape", "nllb-3.3b", "--engines", "transformers bfloat16")
    assert isinstance(done.exception, UsageError) and "no usable GPU" in str(done.exception)
    assert "building" not in done.output


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--shape", "opus"), "there is no shape 'opus'"),
        (("--engines", "marian"), "there is no engine 'marian'"),
        (("--json", "/nowhere/at/all.json"), "there is no folder /nowhere/at"),
    ],
)
def test_bad_arguments_are_named(arguments: Sequence[str], problem: str) -> None:
    error = command(*arguments).exception
    assert isinstance(error, UsageError) and problem in str(error)


def test_a_child_that_dies_leaves_its_last_words() -> None:
    with Process("the fake") as process, pytest.raises(EngineError, match="KeyError: 'none'"):
        process.ask("load", engine="none", folder="", shape="tiny", device="cpu", dtype="int8", beam=1)
