"""The engine against transformers, in float32, on tiny models of every family."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pipeline.engines.mekong import places
from pipeline.engines.mekong.checkpoint import read_checkpoint
from pipeline.engines.mekong.cpu.matrices import weight_limit
from pipeline.engines.mekong.cpu.model import CpuDecoder, CpuModel
from pipeline.engines.mekong.engine import MekongEngine
from tests.support import tiny as builders
from tests.support.reference import generate

FAMILIES = builders.FAMILIES
BOUND = 24


def engine(model, search, **changes):
    return MekongEngine(
        model.folder, search, **({"device": "cpu", "dtype": "float32", "workers": 1, "threads": 1} | changes)
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_encoder_and_step_logits_are_those_of_transformers(tiny, transformers_model, family):
    made = tiny(family)
    reference = transformers_model(made.folder)
    model = CpuModel(read_checkpoint(made.folder), torch.float32)
    rows = made.rows(12, seed=1)
    hidden, starts = model.encode(rows)
    hidden = hidden.x
    decoder = CpuDecoder(model, slots=len(rows), beams=1)
    slots = np.arange(len(rows))
    decoder.admit(slots.tolist(), rows)
    target = torch.randint(5, made.vocabulary - 1, (len(rows), 9), generator=torch.manual_seed(1))
    target[:, 0] = made.start
    with torch.inference_mode():
        wanted = [
            reference(input_ids=torch.tensor([row]), decoder_input_ids=ids[None])
            for row, ids in zip(rows, target, strict=True)
        ]
    for row, one in enumerate(wanted):
        assert np.abs(hidden[starts[row] : starts[row + 1]] - one.encoder_last_hidden_state[0].numpy()).max() < 1e-4
    for place in range(target.shape[1]):
        state = decoder.step(slots, target[:, place].numpy(), np.full(len(rows), place))
        everything = np.zeros((len(rows), 0), np.int64)
        logs, tokens = decoder.candidates(state, made.vocabulary, everything)
        for row, one in enumerate(wanted):
            expected = one.logits[0, place].log_softmax(-1).numpy()
            assert sorted(tokens[row]) == list(range(made.vocabulary))
            assert np.abs(logs[row] - expected[tokens[row]]).max() < 1e-4


@pytest.mark.parametrize("family", FAMILIES)
def test_greedy_tokens_are_those_of_transformers(tiny, transformers_model, family):
    made = tiny(family)
    # Few rows of M2M100 end by themselves: a seed with some.
    search, rows = made.search(), made.rows(200, seed=9 if family == "m2m100" else 2)
    expected = generate(transformers_model(made.folder), search, rows, BOUND, batch=200)
    outputs = engine(made, search).generate(rows, [BOUND] * len(rows))
    assert [(o.tokens, o.ended == "stop") for o in outputs] == [(best.tokens, best.stopped) for best in expected]
    # That all are equal shows something only where they differ from each other and some end.
    assert len({o.tokens for o in outputs}) > 60
    assert {o.ended for o in outputs} == {"stop", "length"}


@pytest.mark.parametrize(
    ("family", "beams", "penalty"),
    [("marian", 4, 0.6), ("marian", 4, 1.4), ("m2m100", 5, 1.0), ("nllb", 4, 0.6), ("mbart50", 4, 1.4), ("t5", 5, 1.0)],
)
def test_beam_hypotheses_and_scores_are_those_of_transformers(tiny, transformers_model, family, beams, penalty):
    made = tiny(family)
    search, rows = made.search(beams, penalty), made.rows(100, seed=3, longest=24)
    expected = generate(transformers_model(made.folder), search, rows, 14, batch=100)
    outputs = engine(made, search).generate(rows, [14] * len(rows))
    assert [(o.tokens, o.ended == "stop") for o in outputs] == [(best.tokens, best.stopped) for best in expected]
    assert len({o.tokens for o in outputs}) > 25
    for output, best in zip(outputs, expected, strict=True):
        scored = len(output.tokens) + (output.ended == "stop")
        counted = scored + len(search.prefix) - 1
        assert output.logprob * scored / counted**penalty == pytest.approx(best.score, abs=1e-4)


@pytest.mark.parametrize("stopping", [True, "never"])
def test_early_stopping_has_transformers_meaning(tiny, transformers_model, stopping):
    made = tiny("nllb")
    search, rows = made.search(4, 1.0, early_stopping=stopping), made.rows(60, seed=4, longest=24)
    expected = generate(transformers_model(made.folder), search, rows, 14)
    outputs = engine(made, search).generate(rows, [14] * len(rows))
    assert [o.tokens for o in outputs] == [best.tokens for best in expected]


@pytest.mark.parametrize("beams", [1, 3])
def test_blocked_n_grams_are_those_of_transformers(tiny, transformers_model, beams):
    made = tiny("t5")
    search, rows = made.search(beams, 1.0, no_repeat_ngram_size=2), made.rows(60, seed=5, longest=24)
    expected = generate(transformers_model(made.folder), search, rows, 30)
    outputs = engine(made, search).generate(rows, [30] * len(rows))
    assert [o.tokens for o in outputs] == [best.tokens for best in expected]
    free = engine(made, made.search(beams, 1.0)).generate(rows, [30] * len(rows))
    assert sum(a.tokens != b.tokens for a, b in zip(outputs, free, strict=True)) > 10


def test_the_next_best_hypotheses_come_in_the_order_of_their_scores(tiny, transformers_model):
    made = tiny("m2m100")
    search, rows = made.search(4, 1.0, n_best=3), made.rows(30, seed=6, longest=24)
    outputs = engine(made, search).generate(rows, [14] * len(rows))
    model = transformers_model(made.folder)
    found = generate(model, made.search(4, 1.0), rows, 14)
    for best, output in zip(found, outputs, strict=True):
        assert len(output.others) == 2
        assert output.tokens == best.tokens
        assert len({output.tokens, *(other.tokens for other in output.others)}) == 3


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    ("dtype", "limit", "share", "same"),
    [("bfloat16", weight_limit(), 0.2, 35), ("int8", weight_limit(), 0.5, 28), ("int8", 63, 0.5, 28)],
    ids=["bfloat16", "int8 of this processor", "int8 of any processor"],
)
def test_rougher_numbers_stay_close_to_float32(tiny, monkeypatch, family, dtype, limit, share, same):
    """Scores of the first token, where no earlier difference can have an effect: apart by `share` of what separates one
    row from the next at most, and at least `same` of 40 tokens alike. A core that mixed up rows has 16 or fewer alike,
    one whose integer sums overflow 19."""
    monkeypatch.setattr(places, "weight_limit", lambda: limit)
    made = tiny(family)
    rows = made.rows(40, seed=7)
    exact = engine(made, made.search()).generate(rows, [1] * len(rows))
    rough = engine(made, made.search(), dtype=dtype).generate(rows, [1] * len(rows))
    others = exact[1:] + exact[:1]
    assert distance(exact, rough) < share * distance(exact, others)
    assert alike(exact, rough) >= same > 16 >= alike(exact, others)


def distance(outputs, others):
    """Mean difference of log-probabilities."""
    return np.mean([abs(a.logprob - b.logprob) for a, b in zip(outputs, others, strict=True)])


def alike(outputs, others):
    return sum(a.tokens == b.tokens for a, b in zip(outputs, others, strict=True))
