import json
import os
import subprocess
import sys

import pytest
import yaml
from typer.testing import CliRunner

from pipeline.cli.model_add import add
from pipeline.cli.models import app
from pipeline.errors import ConfigError, ModelError, ModelMissing, ModelRefused, StoreError, UsageError
from pipeline.files.store import file_sha256
from pipeline.registry import models
from tests.support.small import ENTRY, quiet, renew, write_entry


def test_shipped_entries_are_sound(store):
    shipped = models.entries()
    assert {"qwen2.5-coder-1.5b", "use-multilingual-v3", "labse", "opus-mt-th-en", "nllb-200-distilled-600M"} <= set(
        shipped
    )
    for one in shipped.values():
        assert one.url.startswith("https://")
        assert one.citation
        if one.kind == "translator":
            assert set(one.languages) <= {"th", "vi", "en"}
        if "NC" in one.licence or "not stated" in one.licence:
            assert not one.commercial, one.name
    assert not shipped["nllb-200-3.3B"].commercial
    assert "vi" not in shipped["use-multilingual-v3"].languages
    assert shipped["qwen2.5-coder-1.5b"].sources[0].startswith("package:")


def test_an_unknown_name_names_the_nearest(store):
    with pytest.raises(UsageError, match=r"'opus-mt-th-em'(.|\n)*'opus-mt-th-en'"):
        models.entry("opus-mt-th-em")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"license": "MIT"}, "did you mean 'licence'"),
        ({"name": "../evil"}, "name"),
        ({"sources": []}, "sources"),
        ({"sources": ["https://example.org/model"]}, "not of the form"),
        ({"sources": ["package:numpy"]}, "not of the form"),
        ({"languages": {}}, "languages"),
        ({"family": "chat"}, "prompt"),
        ({"family": "nllb"}, "target"),
        ({"format": "gguf"}, "SHA-256"),
        ({"sha256": {"a": "abc"}}, "sha256"),
        ({"engine": {"cpu": "marian"}}, "engine"),
        ({"family": "bert", "engine": {"cpu": "mekong"}}, "not for models of family bert"),
        ({"max_source_tokens": 0}, "max_source_tokens"),
        ({"family": "chat", "prompt": {"system": "", "user": "{language}", "end_tokens": []}}, "text"),
        ({"family": "chat", "prompt": {"system": "", "user": "{text} {name}", "end_tokens": []}}, "placeholder"),
    ],
)
def test_a_wrong_entry_is_refused(store, changes, message):
    path = store / "entries" / "small.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(yaml.safe_dump(ENTRY | changes))
    with pytest.raises(ConfigError, match=message):
        models.entries()


def test_a_name_is_the_files_and_there_once(store):
    write_entry(store, ENTRY | {"name": "labse"})
    with pytest.raises(ConfigError, match="labse"):
        models.entries()
    (store / "entries" / "labse.yaml").rename(store / "entries" / "other.yaml")
    with pytest.raises(ConfigError, match=r"other\.yaml"):
        models.entries()


def test_a_missing_model_names_the_command(small):
    with pytest.raises(ModelMissing, match="mekong models add small"):
        models.locate(models.entry("small"))


def test_a_changed_byte_or_size_is_found_before_anything_is_loaded(small):
    add("small", quiet)
    one = models.entry("small")
    weights = small / "model.safetensors"
    weights.write_bytes(b"w3ights" + weights.read_bytes()[7:])
    with pytest.raises(
        ModelRefused, match=r"(?s)has changed since .*mekong models check small.*mekong models add small"
    ):
        models.locate(one)
    result = CliRunner().invoke(app, ["list", "--json"])
    assert {row["name"]: row for row in json.loads(result.stdout)}["small"]["state"] == "changed"
    assert [(f.file, "SHA-256" in f.problem) for f in models.check(one)] == [("model.safetensors", True)]
    weights.write_bytes(b"short")
    (small / "config.json").unlink()
    with pytest.raises(ModelMissing, match=r"(?s)incomplete.*mekong models add small"):
        models.locate(one)
    assert {f.file for f in models.check(one)} == {"model.safetensors", "config.json"}
    add("small", quiet)
    assert models.check(one) == []
    weights.write_bytes(b"w3ights" + weights.read_bytes()[7:])
    add("small", quiet)
    assert models.check(one) == [], "what has changed is got again"


def test_a_file_with_another_time_is_hashed_once(small, monkeypatch):
    add("small", quiet)
    one = models.entry("small")
    lock, weights = small / "lock.json", small / "model.safetensors"
    hashed = []
    monkeypatch.setattr(models, "_hash", lambda path, *about: hashed.append(path.name) or file_sha256(path))
    before = models.fingerprint(one)
    models.locate(one)
    assert hashed == []
    os.utime(weights, ns=(1, 1))
    for _ in range(2):
        models.locate(one)
    assert hashed == ["model.safetensors"] and models.fingerprint(one) == before
    written = json.loads(lock.read_bytes())
    for record in written["files"].values():  # as an earlier version left it
        del record["mtime_ns"]
    lock.write_text(json.dumps(written))
    for _ in range(2):
        models.locate(one)
    assert len(hashed) == 1 + len(written["files"])
    os.utime(weights, ns=(2, 2))
    monkeypatch.setattr(models, "write_bytes", refuse)
    models.locate(one)


def refuse(path, data):
    raise StoreError(f"cannot write {path}")


def test_a_damaged_lock_says_what_to_do(small):
    add("small", quiet)
    (small / "lock.json").write_text("{")
    with pytest.raises(ModelError, match=r"Delete .*small, then mekong models add small"):
        models.locate(models.entry("small"))


def test_the_fingerprint_follows_weights_and_settings_but_not_the_source(small, store, published):
    add("small", quiet)
    first = models.fingerprint(models.entry("small"))
    renew(store, sources=["path:/elsewhere"], url="https://example.org/2")
    assert models.fingerprint(models.entry("small")) == first
    renew(store, vietnamese_tones="new")
    assert models.fingerprint(models.entry("small")) != first
    renew(store, max_source_tokens=11)
    assert models.fingerprint(models.entry("small")) != first
    renew(store, sources=[f"path:{published}"])
    (published / "model.safetensors").write_bytes(b"others!" * 1000)
    (small / "lock.json").unlink()
    add("small", quiet)
    assert models.fingerprint(models.entry("small")) != first


def test_offline_is_what_the_libraries_read():
    code = (
        "from pipeline.registry.models import offline; offline()\n"
        "from huggingface_hub import constants; print(constants.HF_HUB_OFFLINE)"
    )
    plain = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "TRANSFORMERS_"))}
    out = subprocess.run(
        [sys.executable, "-c", code],
        env=plain | {"PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        check=True,
    )
    assert out.stdout.strip() == "True"


def test_list_shows_every_model_and_its_state(small):
    run = CliRunner()
    rows = {row["name"]: row for row in json.loads(run.invoke(app, ["list", "--json"]).stdout)}
    assert rows["small"]["state"] == "no"
    assert rows["nllb-200-3.3B"]["commercial"] is False
    add("small", quiet)
    (small / "config.json").unlink()
    rows = {row["name"]: row for row in json.loads(run.invoke(app, ["list", "--json"]).stdout)}
    assert rows["small"]["state"] == "incomplete"
    table = run.invoke(app, ["list"], env={"COLUMNS": "160"}).stdout
    assert all(name in table for name in rows)


def test_check_says_which_file_and_exits_with_1(small):
    run = CliRunner()
    result = run.invoke(app, ["check"])
    assert result.exit_code == 0
    assert "no model" in result.stdout
    add("small", quiet)
    assert run.invoke(app, ["check"]).stdout.startswith("small: as it was (4 files)")
    (small / "tokenizer.json").write_text('{"a": 2}')
    result = run.invoke(app, ["check", "small", "--json"])
    assert result.exit_code == 1
    (row,) = json.loads(result.stdout)
    assert row["problems"][0].startswith("tokenizer.json has SHA-256")


def test_add_prints_the_folder_alone_on_standard_output(small):
    result = CliRunner().invoke(app, ["add", "small"])
    assert result.exit_code == 0
    assert result.stdout == f"{small}\n"
    assert "hashing" in result.stderr
