import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys

import pytest

from pipeline.cli import model_add
from pipeline.cli.model_add import add
from pipeline.errors import ModelError, ModelRefused
from pipeline.registry import models
from tests.support.small import quiet, renew, write_entry


def test_add_takes_configuration_and_safetensors_and_nothing_else(small, published):
    assert add("small", quiet) == small == models.locate(models.entry("small"))
    files = {path.relative_to(small).as_posix() for path in small.rglob("*") if path.is_file()}
    assert files == {"config.json", "tokenizer.json", "model.safetensors", "2_Dense/model.safetensors", "lock.json"}
    lock = json.loads((small / "lock.json").read_text())
    assert lock["source"] == f"path:{published}"
    assert lock["licence"] == "MIT"
    assert set(lock["files"]) == files - {"lock.json"}
    dense = lock["files"]["2_Dense/model.safetensors"]
    assert (dense["size"], dense["sha256"]) == (5, hashlib.sha256(b"dense").hexdigest())
    assert models.check(models.entry("small")) == []
    assert not list(small.parent.glob("*.part")) and not list(small.parent.glob(".*.part"))


def test_a_model_that_is_there_is_left_alone(small, published):
    add("small", quiet)
    before = (small / "lock.json").stat().st_mtime_ns
    (published / "config.json").write_text('{"new": 1}')
    add("small", quiet)
    assert (small / "lock.json").stat().st_mtime_ns == before


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "2_Dense/config.json"])
def test_a_checkpoint_with_code_of_its_own_is_refused(small, published, name):
    (published / name).write_text('{"auto_map": {"AutoModel": "modeling_own.Own"}}')
    with pytest.raises(ModelRefused, match="auto_map"):
        add("small", quiet)
    assert not small.exists()


def test_a_pinned_hash_must_fit(small, store, published):
    expected = hashlib.sha256((published / "model.safetensors").read_bytes()).hexdigest()
    renew(store, sources=[f"path:{published}"], sha256={"model.safetensors": "0" * 64})
    with pytest.raises(ModelRefused, match=expected):
        add("small", quiet)
    assert not small.exists()
    renew(store, sources=[f"path:{published}"], sha256={"model.safetensors": expected})
    add("small", quiet)


def test_a_folder_without_weights_is_no_model(small, published):
    (published / "model.safetensors").unlink()
    (published / "pytorch_model.bin").unlink()
    with pytest.raises(ModelError, match="no weights"):
        add("small", quiet)


def test_a_malicious_pickle_is_refused_and_does_not_run(small, published, tmp_path):
    class Attack:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "ran"),)

    import torch

    (published / "model.safetensors").unlink()
    torch.save({"w": Attack()}, published / "pytorch_model.bin")
    with pytest.raises(ModelRefused, match=r"pytorch_model\.bin"):
        add("small", quiet)
    assert not (tmp_path / "ran").exists()
    assert not small.exists()


def test_pickled_weights_are_converted_and_load_as_the_same_model(store, tiny_model, tmp_path):
    import torch
    from transformers import AutoModelForSeq2SeqLM

    from tests.support import tiny

    model = AutoModelForSeq2SeqLM.from_pretrained(tiny_model("marian"))
    folder = tmp_path / "pickled"
    folder.mkdir()
    for path in tiny_model("marian").iterdir():
        if path.suffix != ".safetensors":
            (folder / path.name).write_bytes(path.read_bytes())
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    write_entry(store, tiny.entry("marian", folder))
    added = add("tiny-marian", quiet)
    assert not list(added.glob("*.bin"))
    assert models.read_lock(models.entry("tiny-marian")).converted_from == "pickle"
    again, loading = AutoModelForSeq2SeqLM.from_pretrained(added, output_loading_info=True)
    assert not loading["missing_keys"]
    ids = torch.tensor([[5, 9, 7, 0]])
    assert torch.equal(
        model(input_ids=ids, decoder_input_ids=ids).logits, again(input_ids=ids, decoder_input_ids=ids).logits
    )


def test_the_first_source_that_has_it_is_taken(small, store, published):
    renew(store, sources=["package:mekong-no-such-package==1.0#*", "path:/nowhere/at/all", f"path:{published}"])
    said = []
    add("small", said.append)
    assert models.read_lock(models.entry("small")).source == f"path:{published}"
    assert any("mekong-no-such-package is not installed" in line for line in said)


def test_when_no_source_has_it_all_reasons_are_given(small, store):
    renew(store, sources=["package:mekong-no-such-package==1.0#*", "path:/nowhere/at/all"])
    with pytest.raises(ModelError, match=r"(?s)pip install mekong-no-such-package==1\.0.*no folder /nowhere/at/all"):
        add("small", quiet)
    assert not small.exists()


KILLED = """
import os, signal, sys
from pipeline.cli.model_add import add
add("small", lambda text: os.kill(os.getpid(), signal.SIGKILL) if text == "hashing" else None)
"""


def test_a_kill_leaves_no_model_and_the_next_add_clears_up(small):
    ended = subprocess.run([sys.executable, "-c", KILLED], env=os.environ | {"PYTHONPATH": os.getcwd()}, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert not small.exists()
    assert len(list(small.parent.glob(".small.*.part"))) == 1
    add("small", quiet)
    assert models.check(models.entry("small")) == []
    assert not list(small.parent.glob(".small.*.part"))


def test_an_interrupt_leaves_nothing(small):
    def interrupt(text):
        if text == "hashing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        add("small", interrupt)
    assert not small.exists() and not list(small.parent.glob(".small.*.part"))


def test_two_processes_do_not_add_one_model(small):
    small.parent.mkdir(exist_ok=True)
    with (small.parent / ".small.claim").open("w") as rival:
        fcntl.flock(rival, fcntl.LOCK_EX)
        with pytest.raises(ModelError, match="another process"):
            add("small", quiet)
    add("small", quiet)


def test_an_int8_model_is_added_later_when_ctranslate2_is_there_by_then(store, tiny_model, monkeypatch):
    pytest.importorskip("ctranslate2")
    from tests.support import tiny

    write_entry(store, tiny.entry("qwen2", tiny_model("qwen2")))
    with monkeypatch.context() as without:
        without.setattr(model_add.importlib.util, "find_spec", lambda name: None)
        folder = add("tiny-qwen2", quiet)
    assert not (folder / model_add.CT2_FOLDER).exists()
    add("tiny-qwen2", quiet)
    assert (folder / model_add.CT2_FOLDER / "model.bin").is_file()
    assert models.check(models.entry("tiny-qwen2")) == []
