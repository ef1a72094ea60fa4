"""One GPU, a fake one, in a process of its own: what ends the device costs rows, and not the run."""

from __future__ import annotations

from contextlib import closing

import pytest

from pipeline.config.settings import TranslateSettings
from pipeline.engines import child, devices, pool
from pipeline.engines.base import Failure, Request
from pipeline.engines.load import load
from pipeline.engines.mekong.engine import MekongEngine
from pipeline.engines.pool import EnginePool
from pipeline.engines.rescue import FREE_ROWS, NOTE
from pipeline.engines.search_settings import Search
from pipeline.errors import EngineError
from tests.support import tiny
from tests.support.fake_gpu import WEIGHTS, FakeGpu
from tests.support.faults import set_faults
from tests.support.forks import fork_children

SEARCH = Search(num_beams=1, length_penalty=1.0, start=2, end=2, pad=1, forced=40)
TOO_SMALL = WEIGHTS + (1 << 16)


@pytest.fixture
def folder(tiny_model):
    return tiny_model("m2m100")


@pytest.fixture(autouse=True)
def forked(monkeypatch):
    """Workers are forks of this process."""
    fork_children(monkeypatch, child)


@pytest.fixture
def gpu(monkeypatch, folder):
    """`gpu(**faults)`: a pool of one fake GPU."""
    made = []

    def make(**faults):
        set_faults(monkeypatch, pool, "fake_gpu_worker", faults)
        made.append(EnginePool(folder, SEARCH, ["cuda:0"], "float32", 1))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def known(folder):
    """Rows, their bounds, and the outputs of the CPU."""
    rows = [[*(4 + (7 * n + place) % 200 for place in range(1 + n % 9)), 2] for n in range(FREE_ROWS + 1)]
    bounds = [3 + number % 5 for number in range(len(rows))]
    with closing(MekongEngine(folder, SEARCH, "cpu", "float32", 1, 1)) as engine:
        return rows, bounds, [output.tokens for output in engine.generate(rows, bounds)]


def test_a_row_that_ends_the_device_fails_with_its_reason_and_the_others_come_back(tiny_store, monkeypatch, caplog):
    """Through all that a run loads, with one GPU."""
    entry = tiny_store("m2m100")
    requests = [Request(tiny.sentence("th", 3 + n, n), "th") for n in range(8)]
    with load(entry, TranslateSettings(device="cpu", dtype="float32", workers=1, threads=1)) as translator:
        want = [found.text for found in translator.translate(requests)]
        rows = [translator.codec.encode(request) for request in requests]
    bad = 3
    lost = next(token for token in rows[bad] if sum(token in row for row in rows) == 1)
    set_faults(monkeypatch, pool, "fake_gpu_worker", {"lost": lost})
    monkeypatch.setattr(devices, "gpus", lambda: 1)
    monkeypatch.setattr(devices, "gpu", lambda name: FakeGpu())
    # A bad row is tried twice in each chunk that it is in.
    monkeypatch.setattr(pool, "MIN_ROWS", 1)
    with load(entry, TranslateSettings(device="cuda", dtype="float32")) as translator:
        assert translator.engine.about["device"] == "a fake GPU" and translator.engine.about["workers"] == "1"
        for careful in (False, True):  # as the second look at what has failed
            found = translator.translate(requests, careful=careful)
            failed = found.pop(bad)
            assert failed.ended == "failed"
            assert failed.note == f"{Failure.DEADLY} (torch.AcceleratorError: CUDA error: device-side assert triggered)"
            assert careful or [hypothesis.text for hypothesis in found] == want[:bad] + want[bad + 1 :]
            assert all(hypothesis.ended != "failed" and not hypothesis.note for hypothesis in found)
    # What is known to end the device is not given to another worker.
    assert caplog.text.count("ended 2 workers and fails: torch.AcceleratorError: CUDA error: device-side assert") == 1


def test_a_few_rows_that_a_device_has_no_room_for_are_done_on_the_cpu_and_say_so_and_many_are_an_error(
    gpu, known, caplog
):
    rows, bounds, want = known
    one = gpu(whole=TOO_SMALL)
    found = one.generate(rows[:9], bounds[:9])
    assert [(output.tokens, output.note) for output in found] == [(tokens, NOTE) for tokens in want[:9]]
    assert "9 of 9 rows so far have failed in float32 on cuda:0, the last because it does not fit" in caplog.text
    with pytest.raises(EngineError, match=r"74 of 74 rows so far .* would take too long"):
        one.generate(rows, bounds)
