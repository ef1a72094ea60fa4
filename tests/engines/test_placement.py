"""Models that are larger than a device: where their layers go, and that they say the same from there."""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

from pipeline.config.settings import TranslateSettings
from pipeline.engines.base import Request
from pipeline.engines.hf import placement
from pipeline.engines.hf.causal import CausalEngine
from pipeline.engines.hf.placement import DISK, MemoryShare, load_placed, place, spread
from pipeline.engines.load import load
from pipeline.engines.weights import count_weights
from pipeline.errors import ModelError, ModelRefused
from pipeline.registry.models import locate
from tests.support import tiny

TEXTS = [Request(tiny.sentence(lang, 2 + 5 * seed, seed), lang) for seed in range(2) for lang in ("th", "vi")]
KINDS = {"qwen2": AutoModelForCausalLM} | dict.fromkeys(tiny.FAMILIES, AutoModelForSeq2SeqLM)


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch):
    """`room(share)`: the processor's memory takes so much of a model's weights in float32."""

    def set_to(folder: Path, share: float) -> None:
        size = int(share * 4 * count_weights(folder))
        monkeypatch.setattr(placement, "shares", lambda device: [MemoryShare("cpu", size)])

    return set_to


@pytest.mark.parametrize("family", ["nllb", "t5", "qwen2"])
def test_layers_on_disk_say_what_they_say_in_memory(tiny_store, room, caplog, tmp_path, monkeypatch, family):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    entry = tiny_store(family)
    settings = TranslateSettings(device="cpu", engine="transformers", dtype="float32", threads=1, num_beams=2)
    said = []
    for share in (1.0, 0.9):
        room(locate(entry), share)
        with caplog.at_level(logging.WARNING), load(entry, settings) as translator:
            said.append([(h.text, h.ended, h.logprob) for h in translator.translate(TEXTS)])
            assert translator.engine.about["device"] == ("cpu" if share == 1.0 else "cpu + disk")
            assert len(list(tmp_path.glob("mekong-offload-*"))) == (0 if share == 1.0 else 1)
        ours = [record.getMessage() for record in caplog.records if record.name == "mekong"]
        assert len(ours) == (0 if share == 1.0 else 1)
    assert said[0] == said[1]
    assert "on disk are fetched anew at every step, which is slow" in ours[0]
    assert not list(tmp_path.glob("mekong-offload-*"))


@pytest.mark.parametrize("family", [*tiny.FAMILIES, "qwen2"])
def test_every_tensor_has_one_place_and_only_layers_leave_the_first(tiny_store, family):
    folder = locate(tiny_store(family))
    size = 4 * count_weights(folder)
    layout = place(
        KINDS[family],
        folder,
        "float32",
        [MemoryShare(0, int(0.95 * size)), MemoryShare(1, size), MemoryShare("cpu", size)],
    )
    assert set(layout.values()) == {0, 1}
    away = [name for name, where in layout.items() if where == 1]
    assert away and all(name.rpartition(".")[2].isdigit() for name in away)
    model = KINDS[family].from_pretrained(folder)
    tensors = [*model.state_dict(), *dict(model.named_buffers())]
    for tensor in tensors:
        assert any(tensor == name or tensor.startswith(f"{name}.") for name in layout), tensor


def test_what_fits_is_not_taken_apart(tiny_store):
    folder = locate(tiny_store("marian"))
    size = count_weights(folder)
    assert place(AutoModelForSeq2SeqLM, folder, "float32", [MemoryShare(0, 4 * size), MemoryShare("cpu", 0)]) == {"": 0}
    assert place(AutoModelForSeq2SeqLM, folder, "bfloat16", [MemoryShare("cpu", 2 * size)]) == {"": "cpu"}


def test_cards_share_layers_by_their_rooms():
    layers = [10] * 12
    even = spread(layers, 20, [MemoryShare(0, 100), MemoryShare(1, 100), MemoryShare("cpu", 0)])
    assert even == [0] * 5 + [1] * 7  # 80 and 100 are free for 120
    assert spread(layers, 20, [MemoryShare(0, 60), MemoryShare(1, 100), MemoryShare("cpu", 0)]) == [0] * 3 + [1] * 9
    tight = spread(layers, 20, [MemoryShare(0, 70), MemoryShare(1, 75), MemoryShare("cpu", 0)])
    assert tight == [0] * 5 + [1] * 7


def test_layers_overflow_to_main_memory_and_then_to_disk():
    layers = [10] * 12
    there = [MemoryShare(0, 60), MemoryShare(1, 40), MemoryShare("cpu", 25)]
    # The first card keeps room for one layer that comes from elsewhere.
    assert spread(layers, 20, there) == [0] * 3 + [1] * 4 + ["cpu"] * 2 + [DISK] * 3
    assert spread(layers, 20, [MemoryShare("cpu", 55)]) == ["cpu"] * 2 + [DISK] * 10
    assert spread(layers, 51, there) is None


def test_a_model_that_fits_nowhere_is_an_error_with_its_size(tiny_store, room):
    entry = tiny_store("nllb")
    room(locate(entry), 0.1)
    with pytest.raises(ModelError, match="does not fit: beside its layers"):
        load_placed(AutoModelForSeq2SeqLM, locate(entry), "cpu", "float32")


def test_a_chat_model_without_safetensors_is_refused(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(ModelRefused, match="no weights in safetensors"):
        load_placed(AutoModelForCausalLM, tmp_path, "cpu", "float32")


def test_a_damaged_chat_model_is_named(tiny_store, tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"no tensors")
    with pytest.raises(ModelError, match="does not load"):
        load_placed(AutoModelForCausalLM, tmp_path, "cpu", "float32")


@pytest.mark.gpu
@pytest.mark.parametrize("family", ["qwen2", "nllb", "t5"])
def test_layers_in_main_memory_and_on_disk_serve_a_gpu(tiny_store, monkeypatch, family):
    """Where there are two cards, some layers lie on the second."""
    entry = tiny_store(family)
    size = 4 * count_weights(locate(entry))
    settings = TranslateSettings(device="cuda", engine="transformers", dtype="float32")
    said = []
    others = [MemoryShare(n, size // 8) for n in range(1, torch.cuda.device_count())]
    for there in ([MemoryShare(0, size)], [MemoryShare(0, int(0.9 * size)), *others, MemoryShare("cpu", size // 16)]):
        monkeypatch.setattr(placement, "shares", lambda device, there=there: there)
        with load(entry, settings) as translator:
            said.append([h.text for h in translator.translate(TEXTS)])
    assert said[0] == said[1]


def test_the_engine_for_chats_tells_where_it_is(tiny_store):
    engine = CausalEngine(locate(tiny_store("qwen2")), "cpu", "bfloat16", ["<|im_end|>"])
    assert (engine.about["device"], engine.about["dtype"]) == ("cpu", "bfloat16")
    engine.close()
