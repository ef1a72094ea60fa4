import hashlib
import json
import os
import pickle
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

from pipeline.engines.convert import conversions as convert
from pipeline.engines.convert.__main__ import main
from pipeline.engines.convert.apart import REFUSED
from pipeline.errors import ModelError, ModelRefused
from tests.support import tiny

pytest.importorskip("gguf")


@pytest.fixture(scope="module")
def gguf_path(tmp_path_factory):
    path = tmp_path_factory.mktemp("gguf") / "model.gguf"
    tiny.gguf(path)
    return path


@pytest.fixture(scope="module")
def checkpoint(gguf_path, tmp_path_factory):
    """The tiny GGUF file converted, from three parts that cut through its tensors."""
    folder = tmp_path_factory.mktemp("checkpoint")
    data = gguf_path.read_bytes()
    cuts = [0, 12345, 200_001, len(data)]
    parts = [folder.parent / f"part{number}" for number in range(3)]
    for part, start, end in zip(parts, cuts, cuts[1:], strict=False):
        part.write_bytes(data[start:end])
    convert.from_gguf(folder, hashlib.sha256(data).hexdigest(), parts)
    return folder


def test_gguf_weights_are_bit_for_bit_those_of_transformers(gguf_path, checkpoint):
    from transformers import AutoModelForCausalLM
    from transformers.utils.quantization_config import GgufConfig

    reference = AutoModelForCausalLM.from_pretrained(
        gguf_path.parent,
        gguf_file=gguf_path.name,
        dtype=torch.bfloat16,
        quantization_config=GgufConfig(dequantize=True),
    )
    ours, loading = AutoModelForCausalLM.from_pretrained(checkpoint, dtype=torch.bfloat16, output_loading_info=True)
    assert not loading["missing_keys"] and not loading["unexpected_keys"]
    expected = reference.state_dict()
    weights = load_file(checkpoint / "model.safetensors")
    assert weights.keys() == expected.keys()
    for name, tensor in weights.items():
        assert torch.equal(tensor.view(torch.int16), expected[name].view(torch.int16)), name
    ids = torch.tensor([[3, 1, 4, 1, 5, 9, 2, 6]])
    assert torch.equal(ours(ids).logits, reference(ids).logits)


def test_gguf_tokenizer_is_that_of_transformers(gguf_path, checkpoint):
    from transformers import AutoTokenizer

    reference = AutoTokenizer.from_pretrained(gguf_path.parent, gguf_file=gguf_path.name)
    ours = AutoTokenizer.from_pretrained(checkpoint, local_files_only=True)
    talk = [{"role": "user", "content": tiny.sentence("th", 5, 1)}]
    assert ours.apply_chat_template(talk, tokenize=False) == reference.apply_chat_template(talk, tokenize=False)
    for text in [tiny.sentence(lang, 9, 2) for lang in tiny.WORDS] + ["<|im_start|>a<tool>b<|im_end|> 2567"]:
        ids = ours.encode(text)
        assert ids == reference.encode(text)
        for skip in (True, False):
            assert ours.decode(ids, skip_special_tokens=skip) == reference.decode(ids, skip_special_tokens=skip)
    assert (
        (ours.eos_token, ours.pad_token)
        == (reference.eos_token, reference.pad_token)
        == ("<|im_end|>", "<|endoftext|>")
    )


def test_another_file_than_the_pinned_one_is_refused_before_it_is_parsed(gguf_path, tmp_path):
    with pytest.raises(ModelRefused, match="SHA-256"):
        convert.from_gguf(tmp_path, "0" * 64, [gguf_path])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [0, 3, 40, 5000, -1])
def test_a_cut_gguf_file_is_an_error_of_ours(gguf_path, tmp_path, size):
    from pipeline.engines.convert.gguf import parse, write_checkpoint

    with pytest.raises(ModelError):
        write_checkpoint(parse(memoryview(gguf_path.read_bytes()[:size])), tmp_path)


def test_another_architecture_is_not_guessed_at(gguf_path, tmp_path):
    from pipeline.engines.convert.gguf import parse, write_checkpoint

    file = parse(memoryview(gguf_path.read_bytes()))
    file.metadata["general.architecture"] = "llama"
    with pytest.raises(ModelError, match="'llama'"):
        write_checkpoint(file, tmp_path)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("token_embd.weight", "model.embed_tokens.weight"),
        ("blk.27.attn_q.bias", "model.layers.27.self_attn.q_proj.bias"),
        ("blk.0.ffn_norm.weight", "model.layers.0.post_attention_layernorm.weight"),
    ],
)
def test_tensor_names(name, expected):
    from pipeline.engines.convert.gguf import qwen2_name

    assert qwen2_name(name) == expected


@pytest.mark.parametrize("name", ["rope_freqs.weight", "blk.0.attn_q.scale", "attn.q", "a.b.c.output.weight"])
def test_unknown_tensors_are_refused(name):
    from pipeline.engines.convert.gguf import qwen2_name

    with pytest.raises(ModelError, match="not part of a Qwen2"):
        qwen2_name(name)


@pytest.mark.parametrize("tied", [False, True])
def test_int8_model_is_byte_for_byte_that_of_ctranslate2(checkpoint, tmp_path, tied):
    ctranslate2 = pytest.importorskip("ctranslate2")

    folder = tmp_path / "model"
    folder.mkdir()
    for file in checkpoint.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    weights = load_file(checkpoint / "model.safetensors")
    weights["model.layers.0.mlp.up_proj.weight"][3] = 0
    if tied:
        del weights["lm_head.weight"]
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | {"tie_word_embeddings": True}))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})

    convert.to_ctranslate2(folder)
    reference = ctranslate2.converters.TransformersConverter(str(folder)).convert(
        str(tmp_path / "reference"), quantization="int8"
    )
    ours = folder / convert.CT2_FOLDER
    names = ["config.json", "vocabulary.json"] + ([] if tied else ["model.bin"])
    for name in names:
        assert (ours / name).read_bytes() == (tmp_path / "reference" / name).read_bytes(), name
    generators = [ctranslate2.Generator(str(path), compute_type="int8") for path in (ours, reference)]
    prompts = [["<|im_start|>", "a", "n"], ["t", "h"]]
    outputs = [g.generate_batch(prompts, max_length=8, sampling_topk=1, return_scores=True) for g in generators]
    for mine, theirs in zip(*outputs, strict=True):
        assert mine.sequences_ids == theirs.sequences_ids
        assert mine.scores == theirs.scores


def test_only_plain_qwen2_goes_to_ctranslate2(checkpoint, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    with pytest.raises(ModelError, match="'llama'"):
        convert.to_ctranslate2(tmp_path)


def test_tied_and_sliced_tensors_of_a_pickle(tmp_path):
    matrix = torch.arange(12.0).reshape(3, 4)
    torch.save(
        {"shared": matrix, "tied": matrix, "part": matrix[1], "turned": matrix.T}, tmp_path / "pytorch_model.bin"
    )
    convert.from_pickles(tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    assert state.keys() == {"shared", "part", "turned"}
    assert torch.equal(state["shared"], matrix)
    assert torch.equal(state["part"], matrix[1])
    assert torch.equal(state["turned"], matrix.T)
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


def test_pickled_shards_get_an_index(tmp_path):
    (tmp_path / "2_Dense").mkdir()
    torch.save({"linear.weight": torch.ones(2, 2)}, tmp_path / "2_Dense" / "pytorch_model.bin")
    for number in (1, 2):
        torch.save({f"w{number}": torch.full((2,), number)}, tmp_path / f"pytorch_model-0000{number}-of-00002.bin")
    (tmp_path / "pytorch_model.bin.index.json").write_text("{}")
    convert.from_pickles(tmp_path)
    index = json.loads((tmp_path / "model.safetensors.index.json").read_text())
    assert index["weight_map"] == {
        "w1": "model-00001-of-00002.safetensors",
        "w2": "model-00002-of-00002.safetensors",
    }
    assert not (tmp_path / "pytorch_model.bin.index.json").exists()
    assert load_file(tmp_path / "2_Dense" / "model.safetensors").keys() == {"linear.weight"}


class Attack:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_pickle_that_runs_code_is_refused_and_does_not_run(tmp_path, legacy):
    marker = tmp_path / "ran"
    path = tmp_path / "pytorch_model.bin"
    torch.save({"w": Attack(marker)}, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(ModelRefused, match=r"pytorch_model\.bin"):
        convert.from_pickles(tmp_path)
    assert not marker.exists()
    assert not list(tmp_path.glob("*.safetensors"))


@pytest.mark.parametrize("data", [b"", b"hello", pickle.dumps({"w": [1, 2]}, 2), pickle.dumps([1], 2)])
def test_what_holds_no_tensors_is_refused(tmp_path, data):
    (tmp_path / "pytorch_model.bin").write_bytes(data)
    with pytest.raises(ModelRefused):
        convert.from_pickles(tmp_path)


def test_exit_codes_tell_refused_from_failed(tmp_path, capsys):
    (tmp_path / "pytorch_model.bin").write_bytes(b"hello")
    assert main(["pickle", str(tmp_path)]) == REFUSED
    assert "pytorch_model.bin" in capsys.readouterr().err
    assert main(["gguf", str(tmp_path), "0" * 64, str(tmp_path / "none")]) == 1
    assert "none" in capsys.readouterr().err


def test_importing_the_command_loads_no_framework():
    # The parent process imports it for its constants.
    import subprocess

    heavy = {"torch", "transformers", "gguf"}
    code = f"import sys, pipeline.engines.convert.apart; print({heavy!r} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
