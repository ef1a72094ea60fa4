"""Memory a model asks for, and tokens counted without transformers."""

from __future__ import annotations

import shutil

import pytest
import torch
import transformers

from pipeline.bench.shapes import SHAPES
from pipeline.config.settings import TranslateSettings
from pipeline.engines import needs
from pipeline.engines.codecs.seq2seq import load_codec
from pipeline.engines.load import Plan, choose
from pipeline.engines.mekong.checkpoint import read_checkpoint
from pipeline.engines.mekong.cpu.model import CpuDecoder, CpuModel
from pipeline.engines.mekong.engine import CPU_ROWS, CUDA_ROWS
from pipeline.engines.needs import SENTENCE, need
from pipeline.engines.token_counts import token_counter
from pipeline.engines.weights import count_weights
from pipeline.errors import ModelError
from pipeline.registry.models import entry, locate
from tests.support import tiny

CPU = TranslateSettings(device="cpu", workers=3, threads=1, dtype="float32")
LINES = [tiny.sentence(lang, words, words) for lang in ("th", "vi") for words in (1, 4, 9)]


@pytest.mark.parametrize("family", ["marian", "t5"])
def test_weights_are_counted_and_weighed_by_precision(tiny_store, family):
    model = tiny_store(family)
    folder = locate(model)
    loaded = transformers.AutoModelForSeq2SeqLM.from_pretrained(folder)
    # Positions that are computed do not lie in the files; Marian's output bias, which is no parameter, does.
    exact = sum(weight.numel() for name, weight in loaded.named_parameters() if "embed_positions" not in name)
    assert count_weights(folder) == pytest.approx(exact, rel=0.05)
    sizes = {
        dtype: need(model, folder, Plan("reference", "cpu", dtype, 1, 1), 1).weights
        for dtype in ("float32", "bfloat16", "int8")
    }
    count = count_weights(folder)
    assert sizes == {"float32": 4 * count, "bfloat16": 2 * count, "int8": count}


@pytest.mark.parametrize(("family", "beams"), [("nllb", 1), ("t5", 4)])
def test_slots_are_what_the_decoder_keeps(tiny_store, family, beams):
    model = tiny_store(family)
    folder = locate(model)
    wanted = need(model, folder, choose(model, CPU), beams)
    assert wanted.sentences == 3 * (CPU_ROWS // beams)
    decoder = CpuDecoder(CpuModel(read_checkpoint(folder), torch.float32), 1, beams)
    of_a_position = sum(array[0].nbytes for pair in decoder.source for array in pair)
    assert wanted.slots == wanted.sentences * SENTENCE * of_a_position * (1 + beams)
    assert wanted.total == wanted.weights + wanted.slots


def test_on_a_gpu_there_are_as_many_slots_as_fit(tiny_store):
    model = tiny_store("marian")
    wanted = need(model, locate(model), Plan("mekong", "cuda", "bfloat16", 1, 1), 4)
    assert wanted.slots is None and wanted.sentences == CUDA_ROWS // 4
    assert wanted.total == wanted.weights


def test_the_size_of_a_model_that_is_not_there_is_that_of_its_entry():
    plan = Plan("mekong", "cpu", "int8", 1, 1)
    assert need(entry("nllb-200-3.3B"), None, plan, 1) == needs.Need(3_345_000_000, None, 0)
    unsaid = entry("nllb-200-3.3B").model_copy(update={"parameters": None})
    assert need(unsaid, None, plan, 1).total is None


@pytest.mark.parametrize(
    ("name", "shape"),
    [("nllb-200-distilled-600M", "nllb-600m"), ("nllb-200-3.3B", "nllb-3.3b"), ("madlad400-3b-mt", "madlad-3b")],
)
def test_the_sizes_in_the_registry_are_those_of_the_published_shapes(name, shape):
    of = SHAPES[shape]
    attention = 4 * of.width * of.heads * of.head_width
    feed = (3 if of.family == "t5" else 2) * of.width * of.feed
    tables = 2 if of.family == "t5" else 1
    count = of.layers * (3 * attention + 2 * feed) + tables * of.vocabulary * of.width
    assert entry(name).parameters == pytest.approx(count / 1e6, rel=0.01)


def test_a_damaged_file_is_named(tiny_store, tmp_path):
    folder = shutil.copytree(locate(tiny_store("marian")), tmp_path / "broken")
    (folder / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ModelError, match=r"model\.safetensors does not load"):
        count_weights(folder)
    (folder / "source.spm").write_bytes(b"no pieces")
    with pytest.raises(ModelError, match="tokenizer of broken does not load"):
        token_counter(folder)
    (folder / "source.spm").unlink()
    assert token_counter(folder) is None


@pytest.mark.parametrize("family", [*tiny.FAMILIES, "qwen2"])
def test_tokens_are_counted_as_the_codec_counts_them(tiny_store, family):
    model = tiny_store(family)
    folder = locate(model)
    count = token_counter(folder)
    if family == "qwen2":
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
        exact = sum(len(tokenizer.encode(line, add_special_tokens=False)) for line in LINES)
    else:
        codec = load_codec(folder, model)
        exact = sum(codec.count(line) for line in LINES)
    assert count is not None and count(LINES) == exact > 0
