"""Encoder-decoder models in CTranslate2, against transformers on the same tiny weights."""

import json
import random
import shutil
import subprocess
import sys
from functools import cache
from types import SimpleNamespace

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSeq2SeqLM, GenerationConfig

from pipeline.engines.convert import apart
from pipeline.engines.convert import conversions as convert
from pipeline.engines.convert.ct2_seq2seq import convert as convert_seq2seq
from pipeline.engines.ct2 import seq2seq_worker
from pipeline.engines.ct2.seq2seq import CTranslate2Seq2Seq, convert_now, load_ct2_seq2seq
from pipeline.engines.ct2.seq2seq_worker import rounded, share
from pipeline.engines.search_settings import Search
from pipeline.errors import EngineError, ModelError, ModelMissing, UsageError
from tests.support import tiny
from tests.support.forks import fork_children

pytest.importorskip("ctranslate2")

BOUND = 14


@pytest.fixture(scope="module")
def exact(tiny_model, tmp_path_factory):
    """`exact(family)`: a copy of the tiny model, converted with float32 weights."""

    @cache
    def get(family):
        folder = tmp_path_factory.mktemp("exact") / f"tiny-{family}"
        shutil.copytree(tiny_model(family), folder)
        convert_seq2seq(folder, folder / convert.CT2_FOLDER, None)
        return folder

    return get


@pytest.fixture(scope="module")
def quantised(tiny_model, tmp_path_factory):
    """`quantised(family)`: a copy of the tiny model, converted as `mekong models add` does."""

    @cache
    def get(family):
        folder = tmp_path_factory.mktemp("quantised") / f"tiny-{family}"
        shutil.copytree(tiny_model(family), folder)
        convert.to_ctranslate2(folder)
        return folder

    return get


@cache
def load_model(folder):
    """Of a folder that does not change any more."""
    model = AutoModelForSeq2SeqLM.from_pretrained(folder, dtype=torch.float32).eval()
    model.generation_config = GenerationConfig()  # its own forced end token would count as a stop
    return model


def search_of(folder, **changes):
    """Settings for a tiny model: greedy, and a forced token where the family has one."""
    config = json.loads((folder / "config.json").read_text())
    forced = 40 if config["model_type"] in ("m2m_100", "mbart") else None
    tokens = {name: config[f"{name}_token_id"] for name in ("decoder_start", "eos", "pad")}
    made = {"num_beams": 1, "length_penalty": 1.0, "forced": forced}
    return Search(start=tokens["decoder_start"], end=tokens["eos"], pad=tokens["pad"], **(made | changes))


def rows_of(folder, search, count=20, longest=40):
    """Rows of random tokens in lengths from 1 up, each closed by the end token."""
    size = json.loads((folder / "config.json").read_text())["vocab_size"]
    tokens = [token for token in range(size) if token not in (search.end, search.pad)]
    pick = random.Random(7)
    return [[*pick.choices(tokens, k=1 + number * longest // count), search.end] for number in range(count)]


def reference(model, search, rows, bound=BOUND):
    """What transformers generates for each row alone, with the search that CTranslate2 has: (tokens, log-probability)
    of everything after the forced token, the end token included."""
    first = len(search.prefix)
    settings = GenerationConfig(
        do_sample=False,
        num_beams=search.num_beams,
        length_penalty=search.length_penalty if search.num_beams > 1 else None,
        early_stopping=search.num_beams > 1,
        no_repeat_ngram_size=search.no_repeat_ngram_size or None,
        renormalize_logits=True,
        max_new_tokens=bound + first - 1,
        decoder_start_token_id=search.start,
        forced_bos_token_id=search.forced,
        eos_token_id=search.end,
        pad_token_id=search.pad,
        suppress_tokens=[search.pad],
    )
    found = []
    for row in rows:
        ids = torch.tensor([row])
        with torch.inference_mode():
            out = model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), generation_config=settings)
            logits = model(input_ids=ids, decoder_input_ids=out[:, :-1]).logits[0]
            logits[:, search.pad] = -torch.inf
        logs = logits.log_softmax(-1).gather(-1, out[0, 1:, None])[first - 1 :, 0]
        found.append((out[0, first:].tolist(), float(logs.mean())))
    return found


def with_end(output, search):
    return [*output.tokens, search.end] if output.ended == "stop" else list(output.tokens)


def compare(engine, search, rows, expected):
    outputs = engine.generate(rows, [BOUND] * len(rows))
    assert [with_end(output, search) for output in outputs] == [tokens for tokens, _ in expected]
    # Where n-grams are ruled out the probabilities that are left have grown.
    if not search.no_repeat_ngram_size:
        assert [output.logprob for output in outputs] == pytest.approx([mean for _, mean in expected], abs=1e-3)
    return outputs


@pytest.fixture
def load():
    """`load(folder, search)`: the engine in float32; ended after the test."""
    engines = []

    def get(folder, search, dtype="float32", threads=2):
        engines.append(load_ct2_seq2seq(folder, search, "cpu", dtype, threads))
        return engines[-1]

    yield get
    for engine in engines:
        engine.close()


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_greedy_search_gives_the_tokens_and_scores_of_transformers(exact, load, family):
    folder = exact(family)
    search = search_of(folder)
    rows = rows_of(folder, search)
    expected = reference(load_model(folder), search, rows)
    assert len({tuple(tokens) for tokens, _ in expected}) > 10
    outputs = compare(load(folder, search), search, rows, expected)
    assert {"stop", "length"} == {output.ended for output in outputs}


@pytest.mark.parametrize(
    ("family", "changes"),
    [
        ("marian", {"length_penalty": 0.4}),
        ("nllb", {"length_penalty": 2.0}),
        ("nllb", {"no_repeat_ngram_size": 2}),
        ("t5", {"length_penalty": 0.4}),
    ],
)
def test_beam_search_is_that_of_transformers_with_early_stopping(exact, load, family, changes):
    folder = exact(family)
    search = search_of(folder, num_beams=4, **changes)
    rows = rows_of(folder, search, count=12)
    compare(load(folder, search), search, rows, reference(load_model(folder), search, rows))


def test_greedy_search_repeats_no_ngram(exact, load):
    folder = exact("m2m100")
    search = search_of(folder, no_repeat_ngram_size=2)
    rows = rows_of(folder, search, count=12)
    compare(load(folder, search), search, rows, reference(load_model(folder), search, rows))


@pytest.mark.parametrize("beams", [1, 3])
def test_each_row_keeps_its_own_bound_whatever_its_neighbours(exact, load, beams):
    folder = exact("nllb")
    search = search_of(folder, num_beams=beams)
    engine, model = load(folder, search), load_model(folder)
    rows = rows_of(folder, search, count=12)
    bounds = [3, 17, 1, 7, 5, 2, 16, 40, 9, 4, 8, 33]
    outputs = engine.generate(rows, bounds)
    for row, bound, output in zip(rows, bounds, outputs, strict=True):
        if beams == 1:
            ((tokens, mean),) = reference(model, search, [row], bound)
            assert with_end(output, search) == tokens
            assert output.logprob == pytest.approx(mean, abs=1e-3)
        assert output.ended == "stop" or len(output.tokens) == bound
        assert len(with_end(output, search)) <= bound
        (alone,) = engine.generate([row], [bound])
        assert (alone.tokens, alone.ended) == (output.tokens, output.ended)


@pytest.mark.parametrize("family", ["marian", "mbart50"])
def test_output_stays_within_the_table_of_positions(exact, load, family):
    folder = exact(family)
    search = search_of(folder)
    outputs = load(folder, search).generate(rows_of(folder, search), [500] * 20)
    assert max(len(output.tokens) for output in outputs) == 128 - 1 - len(search.prefix)


def test_a_long_row_is_not_truncated(exact, load):
    folder = exact("t5")
    search = search_of(folder)
    start, *ends = (tokens[:-1] for tokens in rows_of(folder, search, count=8, longest=800)[-4:])
    rows = [[*start, *start, *end, search.end] for end in ends]
    assert min(map(len, rows)) > 1024
    expected = reference(load_model(folder), search, rows)
    assert len({tuple(tokens) for tokens, _ in expected}) > 1
    compare(load(folder, search), search, rows, expected)


def test_a_row_beyond_the_positions_is_an_error_and_not_cut(exact, load):
    folder = exact("marian")
    search = search_of(folder)
    with pytest.raises(EngineError, match="position"):
        load(folder, search).generate([[5] * 200 + [search.end]], [4])


@pytest.mark.parametrize(("family", "beams"), [("m2m100", 2), ("t5", 1)])
def test_int8_loses_no_row_and_keeps_their_order(quantised, load, family, beams):
    folder = quantised(family)
    search = search_of(folder, num_beams=beams)
    rows = rows_of(folder, search, count=30)
    random.Random(3).shuffle(rows)
    engine = load(folder, search, "int8")
    together = engine.generate(rows, [BOUND] * len(rows))
    alone = [engine.generate([row], [BOUND])[0] for row in rows]
    assert all(output.ended in ("stop", "length") and output.logprob < 0 for output in together)
    # A part of the batch with other padding adds up in another order, which int8 rounding can turn into another token.
    assert sum(a.tokens == b.tokens for a, b in zip(together, alone, strict=True)) >= 25
    assert len({output.tokens for output in together}) > 10


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_int8_weights_are_the_weights_rounded(quantised, load, family):
    folder = quantised(family)
    model = load_model.__wrapped__(folder)
    words = model.config.vocab_size
    modules = (m for m in model.modules() if isinstance(m, torch.nn.Linear) or getattr(m, "num_embeddings", 0) == words)
    with torch.no_grad():
        for matrix in {id(module.weight): module.weight for module in modules}.values():
            scale = 127 / matrix.abs().amax(1, keepdim=True)
            matrix.copy_((matrix * scale).round() / scale)
    search = search_of(folder)
    rows = rows_of(folder, search, count=8)
    compare(load(folder, search, "float32"), search, rows, reference(model, search, rows))


def test_an_older_t5_with_scaled_outputs_and_a_wider_attention(load, tmp_path):
    config = transformers.T5Config(
        vocab_size=60,
        d_model=32,
        d_kv=16,
        d_ff=48,
        num_layers=2,
        num_heads=4,
        feed_forward_proj="relu",
        decoder_start_token_id=0,
    )
    assert config.scale_decoder_outputs
    torch.manual_seed(2)
    model = transformers.T5ForConditionalGeneration(config)
    with torch.no_grad():
        for value in model.parameters():
            if value.ndim == 2:
                value.normal_(0, 0.5)
    model.save_pretrained(tmp_path)
    convert_seq2seq(tmp_path, tmp_path / convert.CT2_FOLDER, None)
    search = search_of(tmp_path)
    rows = rows_of(tmp_path, search)
    compare(load(tmp_path, search), search, rows, reference(load_model(tmp_path), search, rows))


def test_a_bias_of_the_output_is_kept(tiny_model, load, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(tiny_model("marian"), folder)
    weights = load_file(folder / "model.safetensors")
    size = json.loads((folder / "config.json").read_text())["vocab_size"]
    weights["final_logits_bias"] = torch.randn(1, size, generator=torch.Generator().manual_seed(1)) * 3
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    convert_seq2seq(folder, folder / convert.CT2_FOLDER, None)
    search = search_of(folder)
    rows = rows_of(folder, search, count=12)
    compare(load(folder, search), search, rows, reference(load_model(folder), search, rows))


def test_a_dead_worker_is_an_error_with_its_last_words(exact, load):
    folder = exact("marian")
    engine = load(folder, search_of(folder))
    assert isinstance(engine, CTranslate2Seq2Seq)
    engine._process.kill()
    with pytest.raises(EngineError, match="ended with code -9"):
        engine.generate([[3, 0]], [4])


def test_a_damaged_model_is_an_error(exact, load, tmp_path):
    folder = shutil.copytree(exact("marian"), tmp_path / "model")
    (folder / convert.CT2_FOLDER / "model.bin").write_bytes(b"nonsense")
    with pytest.raises(EngineError, match="ended with code 1"):
        load(folder, search_of(folder))


def test_weights_that_are_no_numbers_fail_the_row(tiny_model, load, tmp_path):
    folder = shutil.copytree(tiny_model("t5"), tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    weights["decoder.final_layer_norm.weight"][0] = torch.nan
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    convert_seq2seq(folder, folder / convert.CT2_FOLDER, None)
    for beams in (1, 2):
        outputs = load(folder, search_of(folder, num_beams=beams)).generate([[9, 1], [8, 7, 1]], [4, 4])
        assert [(output.tokens, output.logprob, output.ended) for output in outputs] == [((), None, "failed")] * 2


def test_no_rows(exact, load):
    assert load(exact("marian"), search_of(exact("marian"))).generate([], []) == []


def test_it_is_converted_on_demand_once_in_a_process_of_its_own(tiny_model, load, tmp_path):
    folder = shutil.copytree(tiny_model("t5"), tmp_path / "tiny-t5")
    (folder / f".{convert.CT2_FOLDER}.part").mkdir()  # as a kill leaves it
    with pytest.raises(ModelMissing, match="mekong models add tiny-t5"):
        load(folder, search_of(folder))
    said = []
    convert_now(folder, said.append)
    assert said == ["tiny-t5 is converted for CTranslate2, once", "writing int8 weights for CTranslate2"]
    assert [path.name for path in folder.glob(".*")] == []
    convert_now(folder, said.append)
    assert len(said) == 2
    assert load(folder, search_of(folder), "int8").generate([[9, 1]], [4])


def test_what_does_not_convert_leaves_nothing(tiny_model, tmp_path, monkeypatch):
    fork_children(monkeypatch, apart)
    folder = shutil.copytree(tiny_model("marian"), tmp_path / "model")
    weights = load_file(folder / "model.safetensors")
    del weights["model.decoder.layers.1.fc1.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 weights, .*fc1"):
        convert_now(folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"activation_function": "tanh"}))
    shutil.copy(tiny_model("marian") / "model.safetensors", folder)
    with pytest.raises(ModelError, match=r"cannot be converted for CTranslate2: .*tanh"):
        convert.to_ctranslate2(folder)
    assert not [path.name for path in folder.iterdir() if convert.CT2_FOLDER in path.name]


def test_pickled_weights_are_not_converted(tiny_model, tmp_path):
    folder = shutil.copytree(tiny_model("marian"), tmp_path / "model")
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(OSError, match="safetensors"):
        convert.to_ctranslate2(folder)


@pytest.mark.parametrize("changes", [{"n_best": 2}, {"early_stopping": "never"}])
def test_a_search_that_it_does_not_have_is_refused(exact, load, changes):
    with pytest.raises(UsageError, match="one hypothesis a row"):
        load(exact("marian"), search_of(exact("marian"), num_beams=2, **changes))


@pytest.mark.parametrize(
    ("bound", "limit", "power"), [(1, None, 1), (3, None, 4), (32, None, 32), (33, None, 64), (90, 125, 125)]
)
def test_bounds_are_rounded_up_within_the_limit(bound, limit, power):
    assert rounded(bound, limit) == power


def test_every_thread_gets_a_part_of_the_batch():
    rows = [[1] * 10] * 7
    assert share(rows, 2) == 40
    assert share(rows * 1000, 2) == seq2seq_worker.BATCH_TOKENS
    assert share([[1] * 5000], 2) == 5000


def test_only_rows_that_pass_their_bound_are_searched_again(monkeypatch):
    made = {1: [5, 6, 7, 9], 2: [5, 9]}
    calls = []

    def search(rows, bounds, options):
        calls.append((rows, bounds))
        return [{"tokens": made[row[0]][:bound], "logprob": -1.0} for row, bound in zip(rows, bounds, strict=True)]

    worker = SimpleNamespace(limit=None, penalty=1.0, _search=search)
    found = seq2seq_worker.Seq2SeqWorker.answer(worker, [[1], [2], [1]], [3, 3, 4], num_beams=1, no_repeat_ngram_size=0)
    assert [one["tokens"] for one in found] == [[5, 6, 7], [5, 9], [5, 6, 7, 9]]
    assert calls == [([[1], [2], [1]], [4, 4, 4]), ([[1]], [3])]


def test_the_worker_loads_neither_torch_nor_transformers():
    code = (
        "import sys, pipeline.engines.ct2.seq2seq_worker, pipeline.engines.ct2.seq2seq;"
        "print({'torch', 'transformers', 'ctranslate2'} & set(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
