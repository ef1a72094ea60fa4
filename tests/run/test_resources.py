"""Models are opened when they are first used, once, and let go."""

from __future__ import annotations

import hashlib

import pytest

from pipeline.config.settings import AlignSettings, Config, FilterSettings, TranslateSettings
from pipeline.engines import devices
from pipeline.engines.encoders import load
from pipeline.errors import InputError, ModelMissing, UsageError
from pipeline.registry.models import Entry, locate
from pipeline.run.resources import Resources
from tests.support.encoders import LetterEncoder


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The encoders that were loaded."""
    names: list[str] = []

    def load_encoder(entry: Entry, device: str, **_: int) -> LetterEncoder:
        names.append(f"{entry.name} on {device}")
        return LetterEncoder("vi", "en")

    monkeypatch.setattr(load, "load_encoder", load_encoder)
    return names


def test_an_encoder_is_loaded_once_and_again_only_after_it_was_let_go(opened: list[str]) -> None:
    resources = Resources(Config(translate=TranslateSettings(device="cpu")))
    assert opened == []
    assert resources.encoder is resources.encoder
    signatures = resources.signatures
    assert opened == ["use-multilingual-v3 on cpu"]
    resources.close()
    assert resources.signatures == signatures and opened == ["use-multilingual-v3 on cpu"]
    assert resources.scorers and len(opened) == 2


def test_a_corpus_filter_needs_no_translation_model(store: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.registry.models.locate", lambda entry: None)
    resources = Resources(Config(translate=TranslateSettings(model="unheard-of")))
    resources.check(translation=False)
    with pytest.raises(UsageError, match="unheard-of"):
        resources.check(translation=True)


def test_the_device_of_an_encoder_is_in_its_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.registry.models.fingerprint", lambda entry: entry.name)
    monkeypatch.setattr(devices, "gpus", lambda: 1)
    config = Config(align=AlignSettings(encoder="labse"))
    on_gpu = Resources(config).aligner_digests()
    on_cpu = Resources(config.model_copy(update={"translate": TranslateSettings(device="cpu")})).aligner_digests()
    assert on_gpu[0] == on_cpu[0] == "labse" and on_gpu[1] == "cuda" and on_gpu[2:] == on_cpu[1:]
    assert "cuda" not in Resources(Config()).aligner_digests()  # the built-in one knows no GPU


@pytest.mark.usefixtures("store")
def test_what_is_not_in_the_store_is_told_before_any_work() -> None:
    with pytest.raises(ModelMissing, match="use-multilingual-v3"):
        Resources(Config()).check(translation=False)
    wrong = Config(filter=FilterSettings(model="use-multilingual-v3"), align=AlignSettings(encoder="nobody"))
    with pytest.raises(UsageError, match="nobody"):
        Resources(wrong).check(translation=False)


def test_the_hashes_of_a_model_are_those_of_its_files(run_entry: Entry) -> None:
    translation, encoder = Resources(Config(translate=TranslateSettings(model=run_entry.name))).model_facts()
    folder = locate(run_entry)
    assert "model.safetensors" in translation.files and encoder.files
    for name, stated in translation.files.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == stated
    assert translation.general and not encoder.general


def test_a_glossary_that_is_not_there_is_named() -> None:
    settings = TranslateSettings(glossary=("gone.tsv",))
    with pytest.raises(InputError, match=r"gone\.tsv does not exist"):
        Resources(Config(translate=settings)).glossary_digests()
    without = settings.model_copy(update={"use_glossary": False})
    assert Resources(Config(translate=without)).glossary_digests() == []
