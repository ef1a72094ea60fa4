import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from pipeline.config.settings import TranslateSettings
from pipeline.engines.base import Request, Translator
from pipeline.engines.codecs.seq2seq import load_codec
from pipeline.engines.hf.seq2seq import load_reference
from pipeline.engines.load import choose
from pipeline.errors import EngineError, ModelError, ModelRefused, UsageError
from pipeline.registry.models import Entry, locate
from tests.support import tiny

REQUESTS = [
    Request(tiny.sentence(lang, words, seed), lang)
    for seed, (lang, words) in enumerate([("th", 4), ("vi", 20), ("th", 1), ("vi", 7), ("th", 12), ("vi", 2)])
]
BOUNDS = (1.0, 12)


def load_seq2seq(folder, entry, device, dtype, beams):
    codec = load_codec(folder, entry)
    return codec, load_reference(folder, codec.search(folder, beams, 1.0), device, dtype)


@pytest.fixture
def load(tiny_store):
    def get(family: str, beams: int = 1, folder=None, **changes):
        entry = tiny_store(family).model_copy(update=changes)
        codec, engine = load_seq2seq(folder or locate(entry), entry, "cpu", "float32", beams)
        return Translator(entry.name, "", codec, engine, entry.max_source_tokens, BOUNDS)

    return get


@pytest.fixture
def copy(tiny_store, tmp_path):
    """A copy of a tiny model to spoil."""

    def get(family: str):
        return shutil.copytree(locate(tiny_store(family)), tmp_path / family)

    return get


def greedy(model, row, start, forced, end, pad, new):
    """Greedy search one token at a time without a cache: tokens after the forced one, and their log-probabilities."""
    out, logs = [start] + ([] if forced is None else [forced]), []
    for _ in range(new):
        logits = model(input_ids=torch.tensor([row]), decoder_input_ids=torch.tensor([out])).logits[0, -1]
        logits[pad] = -torch.inf
        best = logits.log_softmax(-1).max(-1)
        out.append(int(best.indices))
        logs.append(float(best.values))
        if out[-1] == end:
            break
    return out[1 if forced is None else 2 :], logs


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_a_batch_is_what_its_rows_are_alone(load, family):
    """With beams; a greedy batch is held against single rows below."""
    translator = load(family, 3)
    together = translator.translate(REQUESTS)
    assert len({hypothesis.text for hypothesis in together}) >= 4
    for request, one in zip(REQUESTS, together, strict=True):
        (alone,) = translator.translate([request])
        assert (alone.text, alone.ended, alone.out_tokens) == (one.text, one.ended, one.out_tokens)
        assert alone.logprob == pytest.approx(one.logprob, abs=1e-4)
        assert one.src_tokens == translator.count(request.text)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_greedy_search_is_the_definition(load, family):
    translator = load(family)
    engine, codec = translator.engine, translator.codec
    rows = [codec.encode(request) for request in REQUESTS]
    outputs = engine.generate(rows, [9] * len(rows))
    for row, output in zip(rows, outputs, strict=True):
        search = engine.search
        with torch.inference_mode():
            tokens, logs = greedy(engine.model, row, search.start, search.forced, search.end, search.pad, 9)
        stopped = tokens[-1] == search.end
        assert list(output.tokens) == (tokens[:-1] if stopped else tokens)
        assert output.ended == ("stop" if stopped else "length")
        assert output.logprob == pytest.approx(sum(logs) / len(logs), abs=1e-4)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_input_is_laid_out_as_the_tokenizer_class_does(load, family):
    codec = load(family).codec
    for request in REQUESTS:
        text = request.text
        if family == "m2m100":
            codec.tokenizer.src_lang = request.lang
        elif family in ("nllb", "mbart50"):
            codec.tokenizer.src_lang = tiny.LANGUAGES[family][0][request.lang]
        elif family == "t5":
            text = f"<2en> {text}"
        row = codec.encode(request)
        assert row == codec.tokenizer(text).input_ids
        assert codec.tokenizer.unk_token_id not in row
        assert len(row) == codec.count(request.text) + (1 if family == "marian" else 2)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_control_tokens_spelled_out_in_a_text_are_not_obeyed(load, family):
    codec = load(family).codec
    tokenizer = codec.tokenizer
    spelled = ["</s>", "<pad>", "<s>", *filter(None, tiny.LANGUAGES[family][0].values()), tiny.LANGUAGES[family][1]]
    row = codec.encode(Request("Việt " + " ".join(spelled) + " Nam", "vi"))
    start = codec.encode(Request("", "vi"))[:-1]
    assert row[: len(start)] == start
    assert row[-1] == tokenizer.eos_token_id
    assert not set(row[len(start) : -1]) & {tokenizer.eos_token_id, tokenizer.pad_token_id, codec.target}
    assert {"Việt", "Nam"} <= set(codec.decode(row).split())


@pytest.mark.parametrize("family", ["m2m100", "nllb", "mbart50"])
def test_the_target_language_is_forced_and_not_in_the_text(load, family):
    translator = load(family)
    code = tiny.LANGUAGES[family][1]
    seen = []
    whole = translator.engine.model.generate
    translator.engine.model.generate = lambda **kwargs: seen.append(whole(**kwargs)) or seen[-1]
    hypotheses = translator.translate(REQUESTS)
    assert translator.codec.tokenizer.convert_ids_to_tokens(seen[0][:, 1].tolist()) == [code] * len(REQUESTS)
    assert all(code not in hypothesis.text for hypothesis in hypotheses)
    assert code not in translator.codec.decode([translator.codec.target])


def test_each_row_ends_at_its_own_bound(load):
    for beams in (1, 2):
        translator = load("m2m100", beams)
        rows = [translator.codec.encode(request) for request in REQUESTS]
        bounds = [3, 11, 1, 7, 5, 2]
        outputs = translator.engine.generate(rows, bounds)
        for row, bound, output in zip(rows, bounds, outputs, strict=True):
            assert len(output.tokens) <= bound
            assert output.ended == "stop" or len(output.tokens) == bound
            assert translator.engine.generate([row], [bound])[0].tokens == output.tokens


def test_output_stays_within_the_table_of_positions(load):
    translator = load("mbart50")
    outputs = translator.engine.generate([translator.codec.encode(request) for request in REQUESTS], [500] * 6)
    assert all(output.ended in ("stop", "length") and len(output.tokens) < 128 for output in outputs)


def test_beam_search_finds_what_is_at_least_as_likely(load):
    greedy_sum, beam_sum = (
        sum(h.logprob * h.out_tokens for h in load("nllb", beams).translate(REQUESTS)) for beams in (1, 4)
    )
    assert beam_sum > greedy_sum


def test_the_checkpoints_own_generation_settings_have_no_say(load, copy):
    folder = copy("mbart50")
    (folder / "generation_config.json").write_text(
        '{"max_length": 4, "num_beams": 5, "forced_eos_token_id": 2, "decoder_start_token_id": 2, "eos_token_id": 2,'
        ' "pad_token_id": 1, "no_repeat_ngram_size": 1, "forced_bos_token_id": 7}'
    )
    assert load("mbart50", folder=folder).translate(REQUESTS) == load("mbart50").translate(REQUESTS)


def test_nothing_is_truncated(load):
    translator = load("marian", max_source_tokens=40)
    text = tiny.sentence("vi", 30, 1)
    limit = translator.count(text)
    assert len(load("marian", max_source_tokens=limit).codec.encode(Request(text, "vi"))) == limit + 1
    with pytest.raises(EngineError, match=rf"{limit} tokens .* takes {limit - 1}"):
        load("marian", max_source_tokens=limit - 1).codec.encode(Request(text, "vi"))


def test_a_foreign_language_is_refused(load):
    with pytest.raises(UsageError, match="'en'"):
        load("nllb").codec.encode(Request("hello", "en"))


@pytest.mark.parametrize("changes", [{"languages": {"th": "tha_Thay"}}, {"target": "eng"}])
def test_an_unknown_language_code_is_no_unk(load, changes):
    with pytest.raises(ModelError, match=r"language code '(tha_Thay|eng)'"):
        load("nllb", **changes)


def test_a_tokenizer_of_a_few_tokens_is_noticed(load, copy):
    folder = copy("nllb")
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError):
        load("nllb", folder=folder)


def test_madlads_embedding_goes_to_the_encoder_and_not_its_output_matrix(load):
    """transformers 5.0 to 5.16 put `lm_head` there (huggingface/transformers#48154), and out came noise."""
    model = load("t5").engine.model
    assert torch.equal(model.encoder.embed_tokens.weight, model.decoder.embed_tokens.weight)
    assert not torch.equal(model.lm_head.weight, model.decoder.embed_tokens.weight)
    assert not model.config.scale_decoder_outputs


def test_missing_weights_are_not_filled_with_noise(load, copy):
    folder = copy("t5")
    weights = load_file(folder / "model.safetensors")
    del weights["decoder.final_layer_norm.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks 1 weights, decoder\.final"):
        load("t5", folder=folder)


def test_damaged_weights_are_a_model_error(load, copy):
    folder = copy("t5")
    (folder / "model.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0nonsense")
    with pytest.raises(ModelError, match="does not load"):
        load("t5", folder=folder)


def test_pickled_weights_are_never_loaded(load, copy):
    folder = copy("marian")
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelRefused, match="safetensors"):
        load("marian", folder=folder)


def test_t5_is_not_run_in_float16(tiny_store):
    entry: Entry = tiny_store("t5")
    with pytest.raises(UsageError, match="overflows in float16"):
        choose(entry, TranslateSettings(engine="transformers", dtype="float16", device="cpu"))


def test_bfloat16_runs(tiny_store):
    entry = tiny_store("t5")
    codec, engine = load_seq2seq(locate(entry), entry, "cpu", "bfloat16", 1)
    assert engine.about["dtype"] == "bfloat16"
    assert all(output.logprob < 0 for output in engine.generate([codec.encode(r) for r in REQUESTS], [5] * 6))


@pytest.mark.parametrize("beams", [1, 2])
def test_a_score_that_is_no_number_fails_the_row(load, beams):
    translator = load("m2m100", beams)
    with torch.no_grad():
        translator.engine.model.model.encoder.layer_norm.weight[0] = torch.nan
    assert {hypothesis.ended for hypothesis in translator.translate(REQUESTS)} == {"failed"}


def test_out_of_memory_halves_the_batch_and_keeps_the_order(load, monkeypatch):
    translator = load("m2m100")
    expected = translator.translate(REQUESTS)
    whole, sizes = translator.engine._generate, []

    def short_of_memory(search, rows, bounds):
        sizes.append(len(rows))
        if len(rows) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(search, rows, bounds)

    monkeypatch.setattr(translator.engine, "_generate", short_of_memory)
    assert [h.text for h in translator.translate(REQUESTS)] == [h.text for h in expected]
    assert sizes == [6, 3, 1, 2, 3, 1, 2]


def test_a_row_that_does_not_fit_alone_fails_alone(load, monkeypatch):
    translator = load("m2m100")
    whole = translator.engine._generate

    def short_of_memory(search, rows, bounds):
        if any(len(row) > 15 for row in rows):
            raise torch.OutOfMemoryError("CUDA out of memory")
        return whole(search, rows, bounds)

    monkeypatch.setattr(translator.engine, "_generate", short_of_memory)
    assert [h.ended == "failed" for h in translator.translate(REQUESTS)] == [False, True, *[False] * 4]


def test_no_rows(load):
    assert load("marian").engine.generate([], []) == []


@pytest.mark.gpu
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_cuda_gives_the_tokens_of_the_cpu(tiny_store, family):
    entry = tiny_store(family)
    outputs = []
    for device in ("cpu", "cuda"):
        codec, engine = load_seq2seq(locate(entry), entry, device, "float32", 1)
        outputs.append([o.tokens for o in engine.generate([codec.encode(r) for r in REQUESTS], [12] * 6)])
    assert outputs[0] == outputs[1]
