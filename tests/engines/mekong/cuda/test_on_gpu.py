"""What only a real GPU can show, with docs/gpu-first-day.md beside it. All of it carries the marker `gpu`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
import torch

from pipeline.engines import pool
from pipeline.engines.base import Failure
from pipeline.engines.gpu import Gpu
from pipeline.engines.mekong.checkpoint import read_checkpoint
from pipeline.engines.mekong.cuda.model import PaddedModel
from pipeline.engines.mekong.cuda.rooms import USABLE, Footprint, Room
from pipeline.engines.mekong.cuda.slots import PaddedSlots
from pipeline.engines.mekong.engine import MekongEngine
from pipeline.engines.mekong.scheduler import Job, Pending
from pipeline.engines.pool import EnginePool
from tests.support.tiny import FAMILIES

pytestmark = pytest.mark.gpu
MB = 1 << 20


@pytest.fixture
def gpu() -> Gpu:
    return Gpu("cuda:0")


def outputs(model, device="cuda:0", dtype="float32", beams=1, rows=200, careful=False):
    with closing(MekongEngine(model.folder, model.search(beams), device, dtype, 1, 1)) as engine:
        return engine.generate(model.rows(rows, seed=41), [3 + n % 20 for n in range(rows)], careful=careful)


def tokens(found):
    return [(output.tokens, output.ended) for output in found]


@contextmanager
def almost_full(gpu: Gpu, left: int) -> Iterator[None]:
    """Leave so many bytes of the device free."""
    gpu.use()
    gpu.give_back()
    ballast = torch.empty(gpu.memory()[0] - left, dtype=torch.uint8, device=gpu.where)
    yield
    del ballast
    gpu.give_back()


@pytest.mark.parametrize("beams", [1, 4])
@pytest.mark.parametrize("family", FAMILIES)
def test_float32_finds_what_the_cpu_finds(tiny, family, beams):
    model = tiny(family)
    here, there = outputs(model, "cpu", beams=beams), outputs(model, beams=beams)
    differ = sum(a != b for a, b in zip(tokens(here), tokens(there), strict=True))
    assert differ <= 2


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_the_same_rows_in_the_same_slots_give_the_same_bytes(tiny, dtype):
    model = tiny("nllb")
    assert outputs(model, dtype=dtype, beams=4) == outputs(model, dtype=dtype, beams=4)


def test_slots_take_no_more_than_is_reckoned(tiny, gpu):
    model = tiny("nllb")
    padded = PaddedModel(read_checkpoint(model.folder), torch.bfloat16, gpu.where)
    torch.cuda.reset_peak_memory_stats(gpu.where)
    before, room, slots = torch.cuda.memory_allocated(gpu.where), Room(64, 128), 1024
    for search in (model.search(), model.search(4)):
        worker = PaddedSlots(padded, search, slots, room.source, room.target)
        rows = model.rows(2000, seed=42)
        assert len(list(worker.run(Pending([Job(n, row, 40, 0) for n, row in enumerate(rows)])))) == 2000
        peak = torch.cuda.max_memory_allocated(gpu.where) - before
        assert Footprint.of(padded).slots_that_fit(search, room, int(peak / USABLE)) <= slots


@pytest.mark.parametrize("left", [64, 100, 200, 400])
def test_on_a_card_that_is_almost_full_every_row_ends(tiny, gpu, left):
    """With so little, slots, graphs or the libraries' own memory run out; which of them is for the card to say."""
    model = tiny("m2m100")
    want = {careful: tokens(outputs(model, "cpu", careful=careful)) for careful in (False, True)}
    with almost_full(gpu, left * MB):
        for careful in (False, True):
            found = outputs(model, careful=careful)
            assert all(out.ended != "failed" or out.note == Failure.MEMORY for out in found)
            same = [a == b or a[1] == "failed" for a, b in zip(tokens(found), want[careful], strict=True)]
            assert same.count(False) <= 2


def test_closing_gives_all_memory_back(tiny, gpu):
    outputs(tiny("nllb"))  # what libraries keep for themselves, they have from here on
    gpu.give_back()
    before, allocated = gpu.memory()[0], torch.cuda.memory_allocated(gpu.where)
    for _ in range(3):
        outputs(tiny("nllb"), beams=4)
    gpu.give_back()
    # Each engine has a stream of its own, for which libraries keep some.
    assert before - gpu.memory()[0] < 256 * MB
    assert torch.cuda.memory_allocated(gpu.where) - allocated < 256 * MB


def test_a_token_that_is_none_ends_the_device_and_costs_one_row(tiny, monkeypatch):
    monkeypatch.setattr(pool, "MIN_ROWS", 1)
    model = tiny("m2m100")
    rows = model.rows(9, seed=43)
    with closing(EnginePool(model.folder, model.search(), ["cuda:0"], "float32", 1)) as one:
        want = one.generate(rows, [8] * 9)
        found = one.generate([*rows, [model.vocabulary + 5, model.end]], [8] * 10)
    lost = found.pop()
    assert lost.ended == "failed" and lost.note.startswith(Failure.DEADLY) and "assert" in lost.note
    assert found == want


def test_native_bfloat16_is_what_torch_says_without_emulation(gpu):
    gpu.use()
    assert gpu.has_bfloat16 == torch.cuda.is_bf16_supported(including_emulation=False)
