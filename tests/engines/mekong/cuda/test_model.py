"""The padded core against transformers. It runs on the CPU here; what is CUDA's alone carries the marker `gpu`."""

import dataclasses
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from pipeline.engines.gpu import Gpu
from pipeline.engines.mekong.checkpoint import read_checkpoint
from pipeline.engines.mekong.cuda import model as padded
from pipeline.engines.mekong.cuda import slots as padded_slots
from pipeline.engines.mekong.cuda.graphs import Graphs
from pipeline.engines.mekong.cuda.model import PaddedModel
from pipeline.engines.mekong.cuda.rooms import Footprint, Room
from pipeline.engines.mekong.cuda.slots import PaddedSlots, shapes
from pipeline.engines.mekong.scheduler import Job, Pending
from pipeline.engines.mekong.search import Finished
from pipeline.engines.search_settings import Search
from pipeline.errors import EngineError
from tests.support.reference import generate, load_reference
from tests.support.tiny import FAMILIES

ROWS = 64
LONGEST = 71
BOUND = 24
FORCED = 7
CPU = torch.device("cpu")
DTYPES = (torch.float64, torch.float32)


def rounding(name: str, dtype: torch.dtype) -> tuple[int, float]:
    """How many of the rows may differ, and scores by how much.

    The weights of tiny models amplify roundings: in float32 some rows are one away from other tokens, on one machine or
    the other. In float64 none is, but transformers has float32 inside T5.
    """
    return (0, 1e-4) if dtype == torch.float64 and name != "t5" else (2, 5e-3)


@pytest.fixture(scope="module")
def family(tiny_model: Callable[[str], Path]) -> Callable[[str], SimpleNamespace]:
    """`family(name)`: the checkpoint, transformers' model in float64, rows, and `search(beams, **settings)`."""
    known: dict[str, SimpleNamespace] = {}

    def build(name: str) -> SimpleNamespace:
        folder = tiny_model(name)
        model = load_reference(folder).double()
        config, pick = model.config, random.Random(name)
        forced = None if name in ("marian", "t5") else FORCED

        def search(beams: int = 1, length_penalty: float = 1.0, **settings: Any) -> Search:
            start, end, pad = config.decoder_start_token_id, config.eos_token_id, config.pad_token_id
            return Search(beams, length_penalty, start, end, pad, forced, **settings)

        lengths = [0, LONGEST - 1, *(pick.randrange(LONGEST) for _ in range(ROWS - 2))]
        rows = [[pick.randrange(5, config.vocab_size - 1) for _ in range(n)] + [config.eos_token_id] for n in lengths]
        return SimpleNamespace(checkpoint=read_checkpoint(folder), reference=model, rows=rows, search=search)

    return lambda name: known[name] if name in known else known.setdefault(name, build(name))


def jobs(rows: Sequence[Sequence[int]], bound: int = BOUND, minimum: int = 0) -> list[Job]:
    return [Job(number, row, bound, minimum) for number, row in enumerate(rows)]


def waiting(todo: Sequence[Job]) -> Pending:
    return Pending(todo, 1)


def load(part: SimpleNamespace, dtype: torch.dtype = torch.float64, device: torch.device = CPU) -> PaddedModel:
    return PaddedModel(part.checkpoint, dtype, device)


def outputs(
    model: PaddedModel, search: Search, todo: Sequence[Job], slots: int = 16, bound: int = BOUND, **settings
) -> list[list[Finished]]:
    """Hypotheses in the order of the jobs."""
    worker = PaddedSlots(model, search, slots, LONGEST, len(search.prefix) + bound, **settings)
    found = {job.index: hypotheses for job, hypotheses in worker.run(waiting(todo))}
    assert len(found) == len(todo) and not worker.jobs
    return [found[job.index] for job in todo]


def assert_same(
    found: Sequence[Sequence[Finished]], expected: Sequence[Finished], may_differ: int, tolerance: float
) -> None:
    """Best hypotheses: tokens, end and score."""
    best = [hypotheses[0] for hypotheses in found]
    same = [(a.tokens, a.stopped) == (b.tokens, b.stopped) for a, b in zip(best, expected, strict=True)]
    assert same.count(False) <= may_differ, [number for number, equal in enumerate(same) if not equal]
    for equal, one, other in zip(same, best, expected, strict=True):
        assert not equal or one.score == pytest.approx(other.score, rel=tolerance)


def assert_equal(found: Sequence[Sequence[Finished]], expected: Sequence[Sequence[Finished]]) -> None:
    """All hypotheses; scores but for rounding."""
    assert [[(one.tokens, one.stopped) for one in hypotheses] for hypotheses in found] == [
        [(one.tokens, one.stopped) for one in hypotheses] for hypotheses in expected
    ]
    for hypotheses, others in zip(found, expected, strict=True):
        assert [one.score for one in hypotheses] == pytest.approx([one.score for one in others], rel=1e-5)


@pytest.mark.parametrize(
    ("name", "dtype"), [*((name, torch.float64) for name in FAMILIES), ("m2m100", torch.float32), ("t5", torch.float32)]
)
def test_greedy_search_finds_what_transformers_finds(family, name, dtype):
    part = family(name)
    search = part.search()
    expected = generate(part.reference, search, part.rows, BOUND)
    assert len({one.tokens for one in expected}) > 20 and len({len(one.tokens) for one in expected}) > 3
    assert_same(outputs(load(part, dtype), search, jobs(part.rows)), expected, *rounding(name, dtype))


@pytest.mark.parametrize(
    ("name", "penalty", "dtype"),
    [
        ("marian", 1.4, torch.float64),
        ("m2m100", 0.6, torch.float64),
        ("nllb", 1.4, torch.float32),
        ("mbart50", 0.6, torch.float32),
        ("t5", 1.4, torch.float64),
    ],
)
def test_beam_search_finds_what_transformers_finds(family, name, penalty, dtype):
    part = family(name)
    search = part.search(4, penalty)
    expected = generate(part.reference, search, part.rows, BOUND)
    assert_same(outputs(load(part, dtype), search, jobs(part.rows)), expected, *rounding(name, dtype))


@pytest.mark.parametrize(("name", "beams"), [("nllb", 3), ("t5", 1)])
def test_each_row_has_its_own_bound_and_minimum(family, name, beams):
    part = family(name)
    search, todo, expected = part.search(beams), [], []
    groups = [(1, 0), (5, 3), (12, 0), (40, 0), (50, 40)]
    for number, (bound, minimum) in enumerate(groups):
        rows = part.rows[number : 35 : len(groups)]
        expected += generate(part.reference, search, rows, bound, minimum)
        todo += [Job(len(todo) + at, row, bound, minimum) for at, row in enumerate(rows)]
    assert {one.stopped for one in expected} == {True, False}
    assert_same(outputs(load(part), search, todo, slots=12, bound=50), expected, *rounding(name, torch.float64))


@pytest.mark.parametrize(("name", "beams"), [("mbart50", 4), ("t5", 1)])
def test_no_sequence_of_tokens_comes_twice(family, name, beams):
    part = family(name)
    search = part.search(beams, no_repeat_ngram_size=2)
    rows = part.rows[:32]
    found = outputs(load(part), search, jobs(rows, 40), bound=40)
    assert_same(found, generate(part.reference, search, rows, 40), *rounding(name, torch.float64))
    for (one,) in found:
        pairs = list(zip(one.tokens, one.tokens[1:], strict=False))
        assert len(set(pairs)) == len(pairs)


@pytest.mark.parametrize("beams", [1, 4])
def test_slots_looks_chunks_and_shapes_do_not_matter(family, monkeypatch, beams):
    part = family("m2m100")
    model, search, todo = load(part), part.search(beams, 0.6, n_best=beams), jobs(part.rows[:16], 12)
    expected = outputs(model, search, todo)
    for settings in ({"slots": 1}, {"slots": 100}, {"slots": 3, "poll": 1}, {"poll": 31}):
        assert_equal(outputs(model, search, todo, **settings), expected)
    monkeypatch.setattr(padded_slots, "SMALLEST", 8)
    monkeypatch.setattr(padded_slots, "ENCODE_TOKENS", 100)
    # The last chunk has fewer tokens than beams want candidates.
    assert model.architecture.vocabulary % 54 < 4
    monkeypatch.setattr(padded, "CHUNK", 54)
    assert_equal(outputs(model, search, todo), expected)


def test_tokens_that_are_banned_have_their_part_in_the_probabilities(family, monkeypatch):
    model = load(family("marian"))
    monkeypatch.setattr(padded, "CHUNK", 50)
    hidden = torch.randn(6, 32, dtype=torch.float64)
    logs = hidden.matmul(model.output.T).log_softmax(1)
    best = logs.topk(4)
    banned = torch.cat([best.indices[:, :1], best.indices[:, 2:3]], dim=1)
    found, tokens = model.candidates(hidden, 2, banned)
    assert tokens.tolist() == best.indices[:, [1, 3]].tolist()
    assert found.double().allclose(best.values[:, [1, 3]], atol=1e-5)


def test_a_step_reads_nothing_from_the_device(family):
    """Else it could not be recorded as a graph."""

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            seen.add(func.overloadpacket)
            return func(*args, **(kwargs or {}))

    aten = torch.ops.aten
    reading = {aten._local_scalar_dense, aten.nonzero, aten.masked_select, aten.equal, aten.is_nonzero}
    for name, settings in (("nllb", {}), ("t5", {"beams": 3, "no_repeat_ngram_size": 3}), ("marian", {"beams": 2})):
        part = family(name)
        worker = PaddedSlots(load(part), part.search(**settings), 4, LONGEST, 40)
        next(worker.run(waiting(jobs(part.rows[:8]))))
        seen: set = set()
        with torch.inference_mode(), Watch():
            worker._step(64, 40)
        assert aten.addmm in seen or aten.mm in seen
        assert not seen & reading, seen & reading


@pytest.mark.parametrize("beams", [1, 2])
def test_a_row_whose_numbers_are_not_finite_spoils_no_other(family, beams):
    part = family("nllb")
    spoilt, search = 300, part.search(beams)
    rows = [[token for token in row if token != spoilt] for row in part.rows[:20]]
    expected = outputs(load(part), search, jobs(rows))
    embedding = part.checkpoint.encoder.embedding.clone()
    embedding[spoilt] = torch.nan
    encoder = dataclasses.replace(part.checkpoint.encoder, embedding=embedding)
    model = PaddedModel(dataclasses.replace(part.checkpoint, encoder=encoder), torch.float64, CPU)
    # The longest comes first, so that a slot has it before the others.
    found = outputs(model, search, jobs([*rows, [spoilt] * LONGEST]), slots=2)
    assert found.pop() == []
    assert_equal(found, expected)


@pytest.mark.parametrize("beams", [1, 3])
def test_after_running_out_of_memory_nothing_is_lost(family, monkeypatch, beams):
    part = family("mbart50")
    model, search, todo = load(part), part.search(beams), jobs(part.rows[:40], 16)
    expected = outputs(model, search, todo)
    worker = PaddedSlots(model, search, 8, LONGEST, BOUND + 2)
    pending, found = waiting(todo), {}

    def fails_after(calls: int, function):
        def call(*args):
            nonlocal calls
            calls -= 1
            if calls < 0:
                raise torch.OutOfMemoryError("so it goes")
            return function(*args)

        return call

    def run() -> None:
        for job, hypotheses in worker.run(pending):
            found[job.index] = hypotheses

    for where, name, calls in ((worker.decoder, "step", 29), (model, "encode", 3), (worker.searcher, "advance", 3)):
        with monkeypatch.context() as patch:
            patch.setattr(where, name, fails_after(calls, getattr(where, name)))
            with pytest.raises(torch.OutOfMemoryError):
                run()
        undone = worker.clear()
        assert undone and worker.clear() == []
        pending.put_back(undone)
    run()
    assert_equal([found[job.index] for job in todo], expected)


def test_a_row_longer_than_the_slots_is_refused(family):
    part = family("marian")
    worker = PaddedSlots(load(part), part.search(), 2, 8, 16)
    for job in (Job(0, [5] * 9, 4, 0), Job(0, [5], 16, 0)):
        with pytest.raises(EngineError, match="slots of 8 and 16"):
            list(worker.run(waiting([job])))
        assert worker.clear() == [job]


def test_what_was_done_is_counted(family):
    part = family("t5")
    worker = PaddedSlots(load(part), part.search(2), 4, LONGEST, 20)
    assert list(worker.run(waiting([]))) == []
    assert (worker.stats.computed_steps, worker.stats.model_seconds) == (0, 0.0)
    list(worker.run(waiting(jobs(part.rows[:1], bound=9))))
    assert worker.stats.computed_steps in (4 * 2 * padded_slots.POLL, 2 * 4 * 2 * padded_slots.POLL)
    assert worker.stats.model_seconds > 0


def test_shared_weights_are_on_the_device_once(family):
    shared, apart = load(family("m2m100"), torch.bfloat16), load(family("t5"), torch.bfloat16)
    for model in (shared, apart):
        assert model.encoder.embedding is model.decoder.embedding
        assert model.encoder.layers[0].feed_input.weight.dtype == torch.bfloat16
    assert shared.output is shared.decoder.embedding
    assert apart.output is not apart.decoder.embedding


@pytest.mark.parametrize("name", FAMILIES)
def test_bfloat16_is_close(family, name):
    part = family(name)
    rows = part.rows[:16]
    exact, lengths = load(part).encode(rows)
    rough, _ = load(part, torch.bfloat16).encode(rows)
    assert lengths.tolist() == [len(row) for row in rows]
    for number, row in enumerate(rows):
        assert exact[number, : len(row)].any(-1).all() and not exact[number, len(row) :].any()
    assert torch.nn.functional.cosine_similarity(exact, rough.double(), dim=-1)[exact.any(-1)].mean() > 0.99


@pytest.mark.parametrize("name", FAMILIES)
def test_tokens_and_scores_of_bfloat16_are_close(family, name):
    """Of the first token, where no earlier difference can have an effect. The weights of these models amplify
    roundings, yet a row in bfloat16 is nearer to itself than to the next row, by far."""
    part = family(name)
    todo = jobs(part.rows, 1)
    exact, rough = (
        [best for (best,) in outputs(load(part, dtype), part.search(), todo, bound=1)]
        for dtype in (torch.float64, torch.bfloat16)
    )
    others = exact[1:] + exact[:1]
    assert apart(exact, rough) < 0.6 * apart(exact, others)
    assert alike(exact, rough) > 1.5 * alike(exact, others)
    assert alike(exact, rough) > ROWS / 2


def apart(hypotheses, others):
    """Mean difference of scores."""
    return sum(abs(a.score - b.score) for a, b in zip(hypotheses, others, strict=True)) / len(hypotheses)


def alike(hypotheses, others):
    return sum(a.tokens == b.tokens for a, b in zip(hypotheses, others, strict=True))


def test_shapes_hold_the_longest():
    assert shapes(512) == [64, 128, 256, 512]
    assert shapes(130) == [64, 128, 136]
    assert shapes(3) == [8]


@pytest.mark.parametrize("name", ["marian", "t5"])
def test_slots_that_fit_grow_with_memory_and_shrink_with_what_they_hold(family, name):
    part = family(name)
    free, of = 1 << 30, Footprint.of(load(part, torch.float32))
    fit = of.slots_that_fit(part.search(), Room(128, 128), free)
    assert of.slots_that_fit(part.search(), Room(128, 128), 4 * free) > 4 * fit > 0
    assert of.slots_that_fit(part.search(4), Room(128, 128), free) < fit / 2
    assert of.slots_that_fit(part.search(), Room(128, 512), free) < fit
    assert of.slots_that_fit(part.search(), Room(512, 128), free) < fit
    assert of.slots_that_fit(part.search(), Room(128, 128), 1000) == 0


def recorded() -> Graphs:
    """Graphs of the first GPU."""
    return Graphs(Gpu("cuda:0").recorder())


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("beams", [1, 4])
@pytest.mark.parametrize("name", FAMILIES)
def test_cuda_finds_what_transformers_finds(family, name, beams, dtype):
    part = family(name)
    search, model = part.search(beams, 0.6), load(part, dtype, torch.device("cuda", 0))
    # Long outputs go through several shapes; with roundings they would go apart.
    bound = 80 if rounding(name, dtype)[0] == 0 else BOUND
    expected = generate(part.reference, search, part.rows, bound)
    for graphs in (None, recorded()):
        found = outputs(model, search, jobs(part.rows, bound), bound=bound, graphs=graphs)
        assert_same(found, expected, *rounding(name, dtype))


@pytest.mark.gpu
@pytest.mark.parametrize("settings", [{}, {"no_repeat_ngram_size": 3}])
@pytest.mark.parametrize("beams", [1, 4])
@pytest.mark.parametrize("name", FAMILIES)
def test_graphs_change_nothing(family, name, beams, settings):
    part = family(name)
    model, search = load(part, torch.bfloat16, torch.device("cuda", 0)), part.search(beams, **settings)
    todo = [
        Job(number, row, 90 if number < 4 else BOUND, 80 if number < 4 else 0) for number, row in enumerate(part.rows)
    ]
    graphs = recorded()
    replayed = outputs(model, search, todo, bound=90, graphs=graphs)
    assert len(graphs.shapes) > 1
    assert_equal(replayed, outputs(model, search, todo, bound=90))


@pytest.mark.gpu
def test_a_step_that_cannot_be_recorded_is_an_error(family):
    part = family("marian")
    model = load(part, torch.float32, torch.device("cuda", 0))
    worker = PaddedSlots(model, part.search(), 4, LONGEST, 40, graphs=recorded())
    step = worker._step
    worker._step = lambda *shape: (step(*shape), worker._live.tolist())
    with pytest.raises(EngineError, match="CUDA graph"):
        list(worker.run(waiting(jobs(part.rows[:8], 30))))
