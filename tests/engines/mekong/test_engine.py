"""What must hold of the engine whatever the model: nothing lost, no row depends on another, faults are survived."""

from __future__ import annotations

import gc
import json
import shutil
from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from pipeline.engines.mekong import engine as engines
from pipeline.engines.mekong.cpu import model as cpu
from pipeline.engines.mekong.cpu.quantised import FILE
from pipeline.engines.mekong.engine import MekongEngine
from pipeline.engines.mekong.scheduler import Budget
from pipeline.errors import EngineError, ModelError, ModelRefused

ROWS = 16
BOUND = 8
EASY = settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))


def engine(model, beams=1, dtype="float32"):
    return MekongEngine(model.folder, model.search(beams), "cpu", dtype, 1, 1)


@pytest.fixture(scope="module")
def known(tiny):
    """A model's rows, bounds and outputs, by precision and beams."""
    made = {}

    def get(dtype, beams):
        if (dtype, beams) not in made:
            model = tiny("nllb")
            rows = model.rows(ROWS, seed=11, longest=24)
            bounds = [1 + number % BOUND for number in range(ROWS)]
            whole = engine(model, beams, dtype)
            made[dtype, beams] = model, whole, rows, bounds, whole.generate(rows, bounds)
        return made[dtype, beams]

    return get


@pytest.mark.parametrize(("dtype", "beams"), [("float32", 3), ("int8", 1), ("bfloat16", 1)])
def test_no_cut_order_or_number_of_slots_changes_an_output(known, monkeypatch, dtype, beams):
    model, whole, rows, bounds, outputs = known(dtype, beams)
    sized = [whole]
    for slots in (1, 5):
        monkeypatch.setattr(engines, "CPU_ROWS", slots * beams)
        sized.append(engine(model, beams, dtype))

    @EASY
    @given(st.permutations(range(ROWS)), st.lists(st.integers(1, ROWS - 1), max_size=4))
    def check(order, cuts):
        for each in sized:
            found = {}
            for begin, end in zip([0, *sorted(cuts)], [*sorted(cuts), ROWS], strict=True):
                part = order[begin:end]
                got = each.generate([rows[i] for i in part], [bounds[i] for i in part])
                found.update(zip(part, got, strict=True))
            # Bit for bit: products of integers are exact, and floats are added in one order whatever the batch.
            assert [found[i] for i in range(ROWS)] == outputs

    check()


@pytest.mark.parametrize("beams", [1, 4])
def test_forced_lengths_are_met_and_tokens_add_up(tiny, beams):
    model = tiny("t5")
    rows = model.rows(30, seed=12)
    lengths = [1 + (7 * number) % 20 for number in range(30)]
    made = engine(model, beams)
    outputs = made.generate(rows, lengths, lengths)
    assert [len(output.tokens) for output in outputs] == lengths
    assert all(output.ended == "length" and model.end not in output.tokens for output in outputs)
    assert made.stats.computed_steps == beams * sum(lengths)
    assert made.stats.model_seconds > 0


def test_bounds_hold_row_by_row_and_within_the_table_of_positions(tiny):
    model = tiny("mbart50")
    rows = model.rows(20, seed=13)
    made = engine(model)
    for bounds in ([1 + number for number in range(20)], [5000] * 20):
        for bound, output in zip(bounds, made.generate(rows, bounds), strict=True):
            assert len(output.tokens) + (output.ended == "stop") <= min(bound, 128 - 2)
            assert output.ended == "stop" or len(output.tokens) == min(bound, 128 - 2)


def test_a_row_beyond_the_positions_is_refused_not_cut(tiny):
    model = tiny("marian")
    with pytest.raises(EngineError, match=r"129 tokens .* 128 positions"):
        engine(model).generate([[9] * 128 + [model.end]], [5])


def test_no_rows(tiny):
    assert engine(tiny("marian")).generate([], []) == []


def test_careful_repeats_no_four_tokens_and_is_never_empty(tiny):
    model = tiny("t5")
    rows = model.rows(60, seed=14)
    made = engine(model)
    plain, careful = made.generate(rows, [60] * 60), made.generate(rows, [60] * 60, careful=True)

    def repeats(output):
        grams = list(zip(*(output.tokens[i:] for i in range(4)), strict=False))
        return len(grams) != len(set(grams))

    assert sum(map(repeats, plain)) > 1
    assert not any(map(repeats, careful))
    assert all(output.tokens for output in careful)


class Flaky:
    """Runs out of memory at the calls of encoder and decoder whose numbers are in `at`."""

    def __init__(self, monkeypatch, at, kind=torch.OutOfMemoryError):
        self.calls = 0

        def flaky(whole):
            def call(*arguments):
                self.calls += 1
                if self.calls in at:
                    raise kind("out of memory")
                return whole(*arguments)

            return call

        for name in ("admit", "step"):
            monkeypatch.setattr(cpu.CpuDecoder, name, flaky(getattr(cpu.CpuDecoder, name)))


@pytest.mark.parametrize("beams", [1, 2])
def test_running_out_of_memory_at_any_call_changes_no_output(known, monkeypatch, beams):
    model, _, rows, bounds, outputs = known("float32", beams)
    monkeypatch.setattr(engines, "CPU_ROWS", 8 * beams)
    whole = Flaky(monkeypatch, ())
    assert engine(model, beams).generate(rows, bounds) == outputs
    monkeypatch.undo()
    for at in range(1, whole.calls + 1, 4):
        with monkeypatch.context() as patch:
            patch.setattr(engines, "CPU_ROWS", 8 * beams)
            Flaky(patch, {at, at + 5}, MemoryError if at % 2 else torch.OutOfMemoryError)
            assert engine(model, beams).generate(rows, bounds) == outputs


def test_memory_that_never_suffices_fails_every_row_and_ends(known, monkeypatch):
    model, _, rows, bounds, _ = known("float32", 1)
    Flaky(monkeypatch, range(1, 10_000))
    outputs = engine(model).generate(rows, bounds)
    assert [output.ended for output in outputs] == ["failed"] * ROWS


def test_one_row_that_does_not_fit_fails_alone(known, monkeypatch):
    model, _, rows, bounds, outputs = known("float32", 1)
    longest = max(range(ROWS), key=lambda i: len(rows[i]))
    whole = cpu.CpuModel.encode

    def encode(self, part):
        if rows[longest] in part:
            raise torch.OutOfMemoryError("out of memory")
        return whole(self, part)

    monkeypatch.setattr(cpu.CpuModel, "encode", encode)
    found = engine(model).generate(rows, bounds)
    assert [i for i in range(ROWS) if found[i].ended == "failed"] == [longest]
    assert all(found[i] == outputs[i] for i in range(ROWS) if i != longest)


def test_the_budget_is_remembered_and_grows_again_slowly():
    budget = Budget(64)
    budget.shrink(64)
    budget.shrink(32)
    seen = []
    for _ in range(20 * Budget.GROW_AFTER):
        budget.grow()
        seen.append(budget.slots)
    assert seen[0] == 16
    assert seen[Budget.GROW_AFTER] == 18
    assert seen == sorted(seen)
    assert seen[-1] == 64


def spoiled(model, tmp_path, change):
    folder = shutil.copytree(model.folder, tmp_path / "spoiled", ignore=shutil.ignore_patterns("mekong-int8"))
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return replace(model, folder=folder)


@pytest.mark.parametrize(("dtype", "beams"), [("float32", 1), ("bfloat16", 1), ("int8", 3)])
def test_a_row_with_scores_that_are_no_numbers_fails_alone(tiny, tmp_path, dtype, beams):
    """A token whose embedding is not finite spoils its own row and no other."""
    model = tiny("mbart50")
    rows = model.rows(20, seed=15)
    poisoned = 17
    clean = [[token for token in row if token != poisoned] for row in rows]
    rows = [[poisoned, *row] if number % 5 == 0 else row for number, row in enumerate(clean)]
    whole = engine(model, beams, dtype).generate(clean, [8] * 20)
    bad = spoiled(model, tmp_path, lambda weights: weights["model.shared.weight"][poisoned].fill_(torch.nan))
    # The token's row of the output matrix is the same one and would spoil every row: give the output its own.
    weights = load_file(model.folder / "model.safetensors")
    spoilt = load_file(bad.folder / "model.safetensors")
    save_file(
        {**spoilt, "lm_head.weight": weights["model.shared.weight"].clone()},
        bad.folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    found = engine(bad, beams, dtype).generate(rows, [8] * 20)
    assert [output.ended == "failed" for output in found] == [number % 5 == 0 for number in range(20)]
    assert all(found[i] == whole[i] for i in range(20) if i % 5)


def test_a_row_that_only_int8_cannot_do_is_done_in_float32(tiny, monkeypatch):
    """The int8 products of one row are spoilt; float32 has none."""
    from pipeline.engines.mekong.cpu import matrices

    model = tiny("m2m100")
    rows = model.rows(10, seed=16)
    expected = engine(model).generate(rows, [8] * 10)
    whole = matrices.Int8Matrix.__call__

    def spoil(self, x):
        numbers, scale = whole(self, x)
        scale[-1] = float("nan")
        return numbers, scale

    monkeypatch.setattr(matrices.Int8Matrix, "__call__", spoil)
    found = engine(model, dtype="int8").generate(rows, [8] * 10)
    noted = [i for i in range(10) if found[i].note]
    assert noted
    assert all("float32" in found[i].note and found[i].tokens == expected[i].tokens for i in noted)
    assert all(output.ended != "failed" for output in found)


def test_int8_weights_are_kept_and_made_anew_when_the_checkpoint_changes(tiny, tmp_path):
    model = tiny("t5")
    rows = model.rows(20, seed=17)
    copy = spoiled(model, tmp_path, lambda weights: None)
    first = engine(copy, dtype="int8").generate(rows, [8] * 20)
    kept = copy.folder / FILE
    stamp = kept.stat().st_mtime_ns
    assert engine(copy, dtype="int8").generate(rows, [8] * 20) == first
    assert kept.stat().st_mtime_ns == stamp
    weights = load_file(copy.folder / "model.safetensors")
    weights["decoder.final_layer_norm.weight"] *= -1
    save_file(weights, copy.folder / "model.safetensors", metadata={"format": "pt"})
    assert engine(copy, dtype="int8").generate(rows, [8] * 20) != first
    kept.write_bytes(b"nonsense")
    assert engine(copy, dtype="int8").generate(rows, [8] * 20) != first


def test_missing_weights_are_not_filled_with_noise(tiny, tmp_path):
    bad = spoiled(tiny("t5"), tmp_path, lambda weights: weights.pop("decoder.final_layer_norm.weight"))
    with pytest.raises(ModelError, match=r"lacks decoder\.final_layer_norm\.weight"):
        engine(bad)


def test_weights_of_another_size_than_stated_are_refused(tiny, tmp_path):
    bad = spoiled(tiny("marian"), tmp_path, lambda weights: None)
    config = json.loads((bad.folder / "config.json").read_text())
    (bad.folder / "config.json").write_text(json.dumps(config | {"vocab_size": 77}))
    with pytest.raises(ModelError, match=r"encoder embedding .* config.json says \(77, 32\)"):
        engine(bad)


def test_other_families_and_pickles_are_refused(tiny, tmp_path):
    bad = spoiled(tiny("marian"), tmp_path, lambda weights: None)
    config = json.loads((bad.folder / "config.json").read_text())
    (bad.folder / "config.json").write_text(json.dumps(config | {"model_type": "bart"}))
    with pytest.raises(ModelError, match="'bart'"):
        engine(bad)
    (bad.folder / "config.json").write_text(json.dumps(config))
    (bad.folder / "model.safetensors").rename(bad.folder / "pytorch_model.bin")
    with pytest.raises(ModelRefused, match="safetensors"):
        engine(bad)


def test_closing_lets_go_of_the_weights_and_may_be_done_twice(tiny):
    model = tiny("marian")
    before = {id(part) for part in gc.get_objects() if isinstance(part, cpu.CpuModel)}
    made = engine(model)
    made.generate(model.rows(3, seed=18), [3] * 3)
    made.close()
    made.close()
    gc.collect()
    assert not [part for part in gc.get_objects() if isinstance(part, cpu.CpuModel) and id(part) not in before]
