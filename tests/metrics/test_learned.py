import io
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from pipeline.cli import model_add
from pipeline.cli.model_add import add
from pipeline.engines.convert import conversions as convert
from pipeline.errors import EngineError, ModelError, ModelMissing, ModelRefused, UsageError
from pipeline.files.progress import Progress
from pipeline.metrics import environment, learned
from pipeline.metrics.learned import LearnedMetric, ScorerProcess, checkpoint_digest, scorer, scorers
from pipeline.registry import models
from tests.support.small import ENTRY, quiet, write_entry

FAKE = Path(__file__).with_name("fake_scorer.py")
SOURCES, OURS, REFERENCE = ["ก", "ข", "ก"], ["one", "three", "one"], ["uno", "dos", "tres"]


def entry_of(store, **metric):
    usual = {"name": "fake", "title": "Fake", "reference": "optional", "higher_better": True, "batch_rows": 2}
    data = ENTRY | {"name": "fake-model", "kind": "scorer", "family": "comet", "metric": usual | metric}
    write_entry(store, data | {"sources": ["path:/nowhere"], "tokenizer": "path:/nowhere"})
    return models.entry("fake-model")


@pytest.fixture
def published(tmp_path):
    """A checkpoint of COMET as it would be published, with its tokenizer beside it."""
    import torch

    folder = tmp_path / "published"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "tokenizer").mkdir()
    (folder / "tokenizer" / "config.json").write_text("{}")
    (folder / "hparams.yaml").write_text("class_identifier: regression_metric\npretrained_model: maker/encoder\n")
    weight = torch.arange(6.0)
    held = {"state_dict": {"a": weight, "b": weight[:3]}, "hyper_parameters": {"layer": "mix", "sizes": [3, 1]}}
    torch.save(held, folder / "checkpoints" / "model.ckpt")
    return folder


@pytest.fixture
def there(store, monkeypatch):
    """The environment is there, and its worker is the fake one."""
    monkeypatch.setattr(environment, "make", lambda say: None)
    monkeypatch.setattr(environment, "python", lambda: Path(sys.executable))
    monkeypatch.setattr(learned, "WORKER", FAKE)


@pytest.fixture
def put(store):
    """A scorer in the store, without files that the fake worker would not read."""

    def build(**metric):
        one = entry_of(store, **metric)
        models.folder(one).mkdir(parents=True)
        record = {"size": 1, "sha256": "ab" * 32}
        lock = models.Lock(
            name=one.name, source="path:x", version="", licence="MIT", published={"model.ckpt": record}, files={}
        )
        (models.folder(one) / models.LOCK).write_text(lock.model_dump_json())
        return one

    return build


def asked(wrong, rows=2):
    process = ScorerProcess([sys.executable, "-I", str(FAKE)], "comet", Path("/nowhere") / wrong)
    try:
        return process.score([{"src": "a", "mt": "b" * number} for number in range(1, rows + 1)])
    finally:
        process.close()


def test_scores_come_back_in_order_and_every_distinct_row_is_scored_once(there, put):
    metric = LearnedMetric(put(), Progress(quiet=True))
    found = metric.statistics(OURS, [], SOURCES)
    assert found.tolist() == [[3, 1], [5, 1], [3, 1]]
    assert metric.aggregate(found.sum(axis=0)) == pytest.approx(11 / 3)
    assert metric.aggregate(np.stack([found.sum(axis=0), found[1]])).tolist() == pytest.approx([11 / 3, 5])
    assert metric.statistics(OURS, [REFERENCE], SOURCES)[:, 0].tolist() == [103, 105, 103]
    metric.close()


def test_the_signature_says_checkpoint_digest_package_precision_and_batch(there, put):
    metric = LearnedMetric(put(), Progress(quiet=True))
    metric.statistics(OURS, [REFERENCE], SOURCES)
    assert metric.signature == (
        "nrefs:1|checkpoint:fake-model|sha256:abababababab|package:fake-1.0|precision:fp32|batch:2|version:1"
    )
    metric.statistics(OURS, [], SOURCES)
    assert metric.signature.startswith("nrefs:0|")
    metric.close()


def test_what_the_metric_reads_must_be_there(there, put):
    metric = LearnedMetric(put(reference="needed"))
    with pytest.raises(UsageError, match="--src"):
        metric.statistics(OURS, [REFERENCE], None)
    with pytest.raises(UsageError, match="--ref"):
        metric.statistics(OURS, [], SOURCES)
    with pytest.raises(UsageError, match="one reference, 2"):
        metric.statistics(OURS, [REFERENCE, REFERENCE], SOURCES)


def test_a_metric_without_references_does_not_read_those_that_are_there(there, put):
    metric = LearnedMetric(put(reference="unused"), Progress(quiet=True))
    assert metric.statistics(OURS, [REFERENCE, REFERENCE], SOURCES)[:, 0].tolist() == [3, 5, 3]
    metric.close()


def test_segments_that_lost_their_end_are_told(there, put):
    said = io.StringIO()
    metric = LearnedMetric(put(), Progress(said))
    metric._folder = Path("cuts")
    metric.statistics(OURS, [], SOURCES)
    metric.close()
    assert "1 segment without its end" in said.getvalue()
    assert "2 segments in" in said.getvalue()  # of the three, two are the same


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("no-start", "ended with code 1: there is no model here"),
        ("dies", "ended with code 1: the memory is used up"),
        ("too-few", "with 1 scores"),
        ("not-finite", "a score that is nan"),
        ("another", "answered question 2"),
        ("nonsense", "answered nonsense"),
    ],
)
def test_a_worker_that_fails_is_an_error(wrong, message):
    with pytest.raises(EngineError, match=message):
        asked(wrong)


def test_a_missing_checkpoint_or_environment_names_the_command(store, put):
    with pytest.raises(ModelMissing, match=r"mekong models add --scorer comet"):
        LearnedMetric(scorer("comet"))
    with pytest.raises(ModelMissing, match=r"environment .* not made\n.*mekong models add --scorer comet"):
        LearnedMetric(put())


def test_an_environment_of_other_pins_is_not_used(store):
    python = environment.folder() / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    (environment.folder() / environment.DONE).write_text("0" * 64)
    with pytest.raises(ModelMissing, match="another version"):
        environment.python()


def test_an_environment_that_cannot_be_made_says_why(store, monkeypatch):
    store.mkdir()
    monkeypatch.setattr(environment, "_interpreter", lambda: "/bin/false")
    with pytest.raises(ModelError, match="cannot be made"):
        environment.make(quiet)
    monkeypatch.setattr(environment, "_interpreter", lambda: sys.executable)
    assert not (environment.folder() / environment.DONE).exists()


def test_a_newer_python_looks_for_one_that_fits(monkeypatch):
    assert environment._interpreter()
    monkeypatch.setattr(environment, "PYTHONS", ((2, 0),))
    with pytest.raises(ModelError, match=r"python3\.11"):
        environment._interpreter()


def test_a_checkpoint_becomes_safetensors_and_its_digest_is_kept(there, store, published, monkeypatch):
    import hashlib

    from safetensors.numpy import load_file

    monkeypatch.setattr(model_add, "run_apart", lambda say, command, folder: convert.from_checkpoint(folder))
    one = entry_of(store)
    digest = hashlib.sha256((published / "checkpoints" / "model.ckpt").read_bytes()).hexdigest()
    folder = add(one.name, quiet, published)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert names == {
        "hparams.yaml", "hyper_parameters.json", "model.safetensors", "tokenizer/config.json", "lock.json"
    }  # fmt: skip
    assert {name: value.tolist() for name, value in load_file(folder / "model.safetensors").items()} == {
        "a": [0, 1, 2, 3, 4, 5],
        "b": [0, 1, 2],
    }
    assert yaml.safe_load((folder / "hyper_parameters.json").read_text()) == {"layer": "mix", "sizes": [3, 1]}
    lock = models.read_lock(one)
    assert lock.converted_from == "pickle" and lock.tokenizer == f"path:{published}/tokenizer"
    assert checkpoint_digest(lock) == digest
    assert models.check(one) == []


def test_code_in_a_checkpoint_is_refused(tmp_path):
    import pickle

    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "model.ckpt").write_bytes(pickle.dumps(Path("/tmp"), protocol=2))
    with pytest.raises(ModelRefused, match="not a plain file of tensors"):
        convert.from_checkpoint(tmp_path)


def test_a_checkpoint_on_another_encoder_than_the_registry_says_is_refused(there, store, published):
    one = entry_of(store)
    write_entry(
        store,
        one.model_dump(mode="json", exclude_defaults=True)
        | {"sources": [f"path:{published}"], "tokenizer": "hub:maker/other"},
    )
    with pytest.raises(ModelRefused, match="built on maker/encoder"):
        add(one.name, quiet)


def test_the_shipped_scorers_are_the_four(store):
    assert set(scorers()) == {"comet", "cometkiwi", "xcomet", "metricx"}
    assert not scorer("metricx").metric.higher_better
    assert scorer("XCOMET-XL") == scorer("xcomet") and not scorer("xcomet").commercial
    with pytest.raises(UsageError, match="cometkiwi"):
        scorer("bleurt")


def test_several_files_of_weights_have_one_digest():
    def lock(*hashes):
        files = {f"{number}.bin": {"size": 1, "sha256": one * 64} for number, one in enumerate(hashes)}
        return models.Lock(name="x", source="", version="", licence="", published=files, files={})

    assert checkpoint_digest(lock("a")) == "a" * 64
    assert checkpoint_digest(lock("a", "b")) != checkpoint_digest(lock("a", "c"))
