"""Worker processes fed from one queue: the same outputs as one engine, whatever happens to the workers."""

import os
import random
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace

import pytest

from pipeline.engines import child, patience, pool
from pipeline.engines.base import Failure, Output
from pipeline.engines.mekong.engine import MekongEngine
from pipeline.engines.pool import CHUNKS, MAX_ROWS, MIN_ROWS, EnginePool, plan
from pipeline.engines.pool_worker import PoolWorker
from pipeline.engines.search_settings import Search
from pipeline.errors import EngineError, ModelError, ModelRefused
from tests.support.faults import set_faults as put_faults
from tests.support.forks import fork_children, popen
from tests.support.processes import children, is_alive, wait_until

SEARCH = Search(num_beams=2, length_penalty=1.0, start=2, end=2, pad=1, forced=40, n_best=2)
DEADLY = 299
KILLED = Output((), None, "failed", f"{Failure.DEADLY} (ended with code -9)")


def random_rows(count, longest=30, seed=3):
    """Rows of random tokens without DEADLY, lengths mixed."""
    pick = random.Random(seed)
    return [[*(pick.randrange(4, DEADLY) for _ in range(pick.randint(1, longest))), 2] for _ in range(count)]


def echoed(rows, most):
    return [Output(tuple(row[::-1][:bound]), -0.5, "stop") for row, bound in zip(rows, most, strict=True)]


def without_scores(output):
    return replace(output, logprob=None, others=tuple(map(without_scores, output.others)))


def workers(parent):
    """The living children of a process."""
    return children({parent})


@pytest.fixture
def folder(tiny_model):
    return tiny_model("m2m100")


@pytest.fixture
def set_faults(monkeypatch):
    """`set_faults(**faults)`: have pools use the faulty worker, a fork of this process, an echoing one where nothing
    else is said."""

    def change(**faults):
        fork_children(monkeypatch, child)
        put_faults(monkeypatch, pool, "faulty_pool_worker", {"echo": True} | faults)

    return change


@pytest.fixture
def faulty(set_faults, folder):
    """`faulty(devices, **faults)`: a pool of faulty workers."""
    made = []

    def make(devices, **faults):
        set_faults(**faults)
        made.append(EnginePool(folder, SEARCH, devices, "float32", 1))
        return made[-1]

    yield make
    for each in made:
        each.close()
    assert not workers(os.getpid())


def test_outputs_are_those_of_one_engine_in_order(folder, monkeypatch):
    """With workers that are started as users do."""
    monkeypatch.setattr(pool, "MIN_ROWS", 16)
    count = 80
    rows = random_rows(count, longest=12)
    most = [3 + number % 12 for number in range(count)]
    least = [number % 3 for number in range(count)]
    alone = MekongEngine(folder, SEARCH, "cpu", "float32", 1, 1)
    both = EnginePool(folder, SEARCH, ["cpu", "cpu"], "float32", 1)
    for options in ({}, {"min_new_tokens": least}, {"careful": True}):
        want, got = alone.generate(rows, most, **options), both.generate(rows, most, **options)
        assert [without_scores(out) for out in got] == [without_scores(out) for out in want]
        assert [out.logprob for out in got] == pytest.approx([out.logprob for out in want], abs=1e-5)
        assert all(out.others for out in got)
    assert len({out.tokens for out in got}) > count / 2
    assert both.generate([], []) == []
    assert both.about == alone.about | {"device": "cpu, cpu", "workers": "2"}
    assert both.batch_rows > alone.batch_rows
    alone.close()
    assert len(workers(os.getpid())) == 2
    both.close()
    assert not workers(os.getpid())
    both.close()


def test_a_row_that_kills_the_engine_fails_alone(folder, faulty):
    rows = random_rows(2, longest=8)
    alone = MekongEngine(folder, SEARCH, "cpu", "float32", 1, 1)
    want = alone.generate(rows, [8, 8])
    alone.close()
    two = faulty(["cpu", "cpu"], echo=False, deadly=DEADLY)
    got = two.generate([rows[0], [DEADLY] * 12, rows[1]], [8, 8, 8])
    assert got[1] == KILLED
    assert [got[0].tokens, got[2].tokens] == [out.tokens for out in want]


@pytest.mark.parametrize("devices", [["a"], ["a", "b", "c"]])
def test_many_deadly_rows_use_up_no_device(faulty, devices, monkeypatch, caplog):
    monkeypatch.setattr(pool, "MIN_ROWS", 16)
    all_of_them = faulty(devices, deadly=DEADLY)
    most = [50] * 80
    # Longest, so in one chunk side by side; then of all lengths, so some in several chunks.
    for length, deadly in ((40, [0, 7, 8]), (None, [0, 40, 79])):
        rows = random_rows(80)
        for number in deadly:
            rows[number] = [DEADLY] * (length or len(rows[number]))
        got = all_of_them.generate(rows, most)
        assert [number for number, out in enumerate(got) if out == KILLED] == list(deadly)
        assert all(got[number] in (want, KILLED) for number, want in enumerate(echoed(rows, most)))
    assert "given up" not in caplog.text


def test_a_death_that_does_not_come_again_costs_no_row(faulty, tmp_path, caplog):
    (tmp_path / "once").touch()
    rows, most = random_rows(20), [50] * 20
    assert faulty(["a"], once=str(tmp_path / "once")).generate(rows, most) == echoed(rows, most)
    assert not caplog.text


def test_a_device_that_ends_every_worker_is_given_up(faulty, caplog):
    rows, most = random_rows(600), [50] * 600
    both = faulty(["good", "bad"], dead="bad")
    for _ in range(100):  # the good one may be so quick that the other gets few chunks
        if "given up" in caplog.text:
            break
        assert both.generate(rows, most) == echoed(rows, most)
    assert "bad is given up after 4 failures in a row: the worker on bad ended with code -9" in caplog.text
    assert {record.name for record in caplog.records} == {"mekong"}
    assert both.generate(rows, most) == echoed(rows, most)
    assert len(workers(os.getpid())) == 1


def test_the_last_device_given_up_is_an_error_that_counts_the_rows(faulty):
    both = faulty(["bad"], dead="bad")
    for _ in range(2):
        with pytest.raises(EngineError, match="no device is left for 300 of 300 rows: bad: ended with code -9"):
            both.generate(random_rows(300), [9] * 300)


def test_an_error_in_a_worker_arrives_as_what_it_is(faulty):
    both = faulty(["a", "b"], refused=DEADLY)
    rows = random_rows(200)
    before = workers(os.getpid())
    with pytest.raises(ModelRefused) as caught:
        both.generate([*rows, [DEADLY]], [50] * 201)
    assert (caught.value.problem, caught.value.remedy) == ("this row is refused", "try another")
    assert both.generate(rows, [50] * 200) == echoed(rows, [50] * 200)
    assert workers(os.getpid()) == before


def test_an_error_that_nobody_expected_ends_a_worker_and_is_told(faulty):
    with pytest.raises(EngineError, match="2 of 2 rows: a: RuntimeError: nobody expected this"):
        faulty(["a"], broken=5).generate([[5], [5, 6]], [9, 9])


def test_errors_of_loading_are_raised_and_leave_no_process(tmp_path, monkeypatch):
    fork_children(monkeypatch, child)
    with pytest.raises(ModelError, match=r"config\.json cannot be read"):
        EnginePool(tmp_path, SEARCH, ["cpu", "cpu"], "float32", 1)
    assert not workers(os.getpid())


def test_a_gpu_that_is_not_there_is_told(folder):
    error = PoolWorker(str(folder), asdict(SEARCH), "cuda:99", "float16", 1, None).answer("load")["error"]
    assert error["kind"] == "EngineError"
    assert error["problem"].startswith("cuda:99 cannot be used")


def test_a_worker_that_dies_while_it_starts_is_an_error_with_its_last_words(folder, monkeypatch):
    monkeypatch.setattr(pool, "WORKER", "tests.engines.no_such_module")
    with pytest.raises(EngineError, match=r"the worker on [ab] ended with code 1: .*no_such_module"):
        EnginePool(folder, SEARCH, ["a", "b"], "float32", 1)


def test_a_worker_that_hangs_is_named_and_closing_does_not_wait_for_it(faulty, tmp_path, monkeypatch, caplog):
    both = faulty(["a", "b"], hang=str(tmp_path))
    monkeypatch.setattr(patience, "QUIET", 0.1)
    with ThreadPoolExecutor(1) as caller:
        call = caller.submit(both.generate, [[5]], [5])
        wait_until(lambda: any(tmp_path.iterdir()))
        (pid,) = [path.name for path in tmp_path.iterdir()]
        wait_until(lambda: "has not answered for" in caplog.text)
        assert re.search(rf"the worker on [ab] \(process {pid}\) .* `kill -9 {pid}` ends it", caplog.text)
        both.close()
        with pytest.raises(EngineError, match="ended with code -9"):
            call.result()
    assert not workers(os.getpid())


def test_the_workers_die_with_their_parent(set_faults, folder):
    set_faults()
    program = (
        "import time; from pathlib import Path; from pipeline.engines import pool;"
        "from pipeline.engines.search_settings import Search;"
        f"p = pool.EnginePool(Path({str(folder)!r}), {SEARCH!r}, ['a', 'b'], 'float32', 1);"
        "print('ready', flush=True); time.sleep(60)"
    )
    with popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout and parent.stdout.readline() == "ready\n"
        started = workers(parent.pid)
        assert len(started) == 2
        parent.kill()
    wait_until(lambda: not any(map(is_alive, started)))


@pytest.mark.parametrize("count", [1, 63, 64, 65, 1000, 5000, 40_000])
def test_chunks_hold_every_row_once_and_the_longest_come_first(count):
    lengths = [random.Random(n).randint(1, 20) for n in range(count)]
    chunks = [chunk.rows for chunk in plan([range(length) for length in lengths])]
    together = [number for chunk in chunks for number in chunk]
    assert sorted(together) == list(range(count))
    assert [lengths[number] for number in together] == sorted(lengths, reverse=True)
    sizes = {len(chunk) for chunk in chunks[:-1]}
    assert sizes <= {min(max(count // CHUNKS, MIN_ROWS), MAX_ROWS)}
