from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.engines import devices
from pipeline.engines.encoders import load as loading
from pipeline.engines.encoders.base import checked, distinct
from pipeline.engines.encoders.hf import TransformersEncoder
from pipeline.errors import EngineError, ModelError, ModelMissing, UsageError
from pipeline.registry import models
from tests.support.encoders import use

SENTENCE = "the minister said on monday that rice exports fell while prices rose again in bangkok and hanoi"
WORDS = SENTENCE.split()


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("bert")
    vocabulary = {word: i for i, word in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", pair=None, special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(folder)
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48,
        max_position_embeddings=64, initializer_range=0.5,
    )  # fmt: skip
    BertModel(config).eval().save_pretrained(folder, safe_serialization=True)
    return folder


def load(folder: Path, **options: Any) -> TransformersEncoder:
    options = {"batch_rows": 3, "max_tokens": 32, **options}
    return TransformersEncoder(folder, name="tiny", fingerprint="f", languages=["en", "th"], **options)


TEXTS = [
    "the minister said",
    "rice exports fell while prices rose again in bangkok and hanoi",
    "prices",
    "the minister said",
    "in hanoi on monday",
]


@pytest.mark.parametrize("pooling", ["pooler", "mean"])
def test_bert_vectors_do_not_depend_on_the_batch(bert: Path, pooling: Any) -> None:
    encoder = load(bert, pooling=pooling)
    together = encoder.encode(TEXTS)
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    assert together.shape == (5, 32) and together.dtype == np.float32
    np.testing.assert_allclose(together, alone, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    assert (together[0] == together[3]).all()
    assert abs(together[0] @ together[1]) < 0.999


def test_bert_mean_leaves_padding_out_and_pooler_is_the_pooler(bert: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(bert), AutoModel.from_pretrained(bert)
    with torch.inference_mode():
        output = model(**tokenizer(TEXTS[2], return_tensors="pt"))
    for pooling, expected in (("pooler", output.pooler_output[0]), ("mean", output.last_hidden_state[0].mean(0))):
        found = load(bert, pooling=pooling).encode(TEXTS)[2]
        np.testing.assert_allclose(found, (expected / expected.norm()).numpy(), atol=1e-5)


def test_a_long_text_is_cut_and_pooling_changes_the_fingerprint(bert: Path) -> None:
    encoder = load(bert)
    long = " ".join(WORDS * 20)
    np.testing.assert_allclose(encoder.encode([long]), encoder.encode([" ".join((WORDS * 20)[:40])]), atol=1e-5)
    assert encoder.fingerprint != load(bert, pooling="mean").fingerprint
    assert encoder.languages == {"en", "th"}
    assert encoder.encode([]).shape == (0, 32)


def test_only_safetensors_are_loaded(bert: Path, tmp_path: Path) -> None:
    for file in bert.iterdir():
        if file.suffix != ".safetensors":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(ModelMissing, match="safetensors"):
        load(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"\x00" * 20)
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(tmp_path)


def test_use_gives_unit_vectors_that_cross_languages() -> None:
    encoder = use()
    texts = ["ราคาข้าวเพิ่มขึ้น", "Rice prices are rising.", "The match ended in a draw.", "Rice prices are rising."]
    vectors = encoder.encode(texts)
    assert vectors.shape == (4, 512) and vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert vectors[0] @ vectors[1] > 0.6 > 0.4 > vectors[0] @ vectors[2]
    assert (vectors[1] == vectors[3]).all()
    assert {"th", "en"} <= encoder.languages and "vi" not in encoder.languages
    assert encoder.encode([]).shape == (0, 512)


@pytest.mark.parametrize(
    "answer",
    [
        np.ones((2, 4)),
        np.ones(3),
        np.ones((3, 0)),
        np.array([[1.0, 0], [np.nan, 1], [1, 1]]),
        np.array([[1.0, 0], [np.inf, 1], [1, 1]]),
        np.array([[1.0, 0], [0, 0], [1, 1]]),
    ],
)
def test_nonsense_from_an_encoder_is_an_error(answer: Any) -> None:
    with pytest.raises(EngineError, match="broken"):
        checked(answer, 3, "broken")


def test_distinct_keeps_order_and_leads_back() -> None:
    texts = ["b", "a", "b", "c", "a"]
    strings, inverse = distinct(texts)
    assert strings == ["b", "a", "c"]
    assert [strings[i] for i in inverse] == texts


@pytest.mark.parametrize(
    ("name", "wanted", "there", "got"),
    [
        ("labse", "auto", True, "cuda"),
        ("labse", "auto", False, "cpu"),
        ("labse", "cuda", True, "cuda"),
        ("labse", "cpu", True, "cpu"),
        ("use-multilingual-v3", "cuda", True, "cpu"),
    ],
)
def test_an_encoder_runs_on_the_device_that_is_there(
    monkeypatch: pytest.MonkeyPatch, name: str, wanted: str, there: bool, got: str
) -> None:
    made: list[str] = []
    monkeypatch.setattr(devices, "gpus", lambda: int(there))
    monkeypatch.setattr(loading, "locate", lambda entry: Path(entry.name))
    monkeypatch.setattr(loading, "fingerprint", lambda entry: entry.name)
    monkeypatch.setattr(loading, "TransformersEncoder", lambda *_, device, **__: made.append(device))
    monkeypatch.setattr(loading, "UseEncoder", lambda threads: made.append("cpu"))
    loading.load_encoder(models.entry(name), wanted)
    assert made == [got] == [loading.encoder_device(models.entry(name), wanted)]


def test_a_gpu_that_is_asked_for_and_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "gpus", lambda: 0)
    with pytest.raises(UsageError, match="there is no usable GPU"):
        loading.encoder_device(models.entry("labse"), "cuda")
