"""CTranslate2 in its own process, against transformers on the same tiny model."""

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from pipeline.config.settings import TranslateSettings
from pipeline.engines.base import Request, Translator
from pipeline.engines.batching import shared_start
from pipeline.engines.ct2.causal import CTranslate2Engine
from pipeline.engines.load import choose, load
from pipeline.errors import EngineError, UsageError
from pipeline.registry.models import Entry
from tests.support.forks import popen
from tests.support.processes import is_alive, wait_until

TEXTS = ["abc", "the meeting in Hanoi", "a b c d e f g h", "x", "one two three four five six seven"]
REQUESTS = [Request(text, "th", (("x", "ex"),)) for text in TEXTS]


@pytest.fixture
def entry(tiny_store: Callable[[str], Entry]) -> Entry:
    pytest.importorskip("ctranslate2")
    return tiny_store("qwen2")


@pytest.fixture
def translator(entry: Entry) -> Iterator[Translator]:
    with load(entry, TranslateSettings(engine="ctranslate2", device="cpu", threads=1)) as loaded:
        yield loaded


def test_rows_come_back_in_order_and_do_not_depend_on_the_batch(translator: Translator) -> None:
    together = translator.translate(REQUESTS)
    assert [row.src_tokens for row in together] == [translator.count(text) for text in TEXTS]
    assert all(row.out_tokens and row.logprob is not None and row.logprob <= 0 for row in together)
    assert together == translator.translate(REQUESTS)
    assert len({row.text for row in together}) > 1
    backwards = translator.translate(REQUESTS[::-1])[::-1]
    assert [row.text for row in backwards] == [row.text for row in together]


def test_output_is_bounded_and_says_so(translator: Translator) -> None:
    rows = [translator.codec.encode(request) for request in REQUESTS]
    outputs = translator.engine.generate(rows, [4] * len(rows))
    assert all(len(out.tokens) <= 4 for out in outputs)
    assert {out.ended for out in outputs if len(out.tokens) == 4} <= {"length"}


def test_empty_batch_asks_nothing(translator: Translator) -> None:
    assert translator.engine.generate([], []) == []


def test_a_dead_worker_is_an_error_with_its_last_words(translator: Translator) -> None:
    engine = translator.engine
    assert isinstance(engine, CTranslate2Engine)
    engine._process.kill()
    with pytest.raises(EngineError, match="ended with code -9"):
        translator.translate(REQUESTS)


def test_the_worker_dies_with_its_parent(entry: Entry) -> None:
    program = (
        "import time; from pipeline.registry.models import entry; from pipeline.engines.load import load;"
        "from pipeline.config.settings import TranslateSettings as S;"
        f"t = load(entry({entry.name!r}), S(engine='ctranslate2', device='cpu', threads=1));"
        "print(t.engine._process.pid, flush=True); time.sleep(60)"
    )
    with popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        worker = int(parent.stdout.readline())
        assert is_alive(worker)
        parent.kill()
    wait_until(lambda: not is_alive(worker))


def test_transformers_runs_the_same_entry(entry: Entry) -> None:
    settings = TranslateSettings(engine="transformers", device="cpu", threads=1)
    with load(entry, settings) as loaded:
        # What the prompts have in common is run once for a batch, and not for a row alone.
        assert shared_start([loaded.codec.encode(request) for request in REQUESTS]) > 0
        together = loaded.translate(REQUESTS)
        alone = [loaded.translate([request])[0] for request in REQUESTS]
    assert [row.text for row in together] == [row.text for row in alone]
    assert [row.logprob for row in together] == pytest.approx([row.logprob for row in alone], abs=1e-4)


@pytest.mark.gpu
def test_cuda_runs_the_same_entry(entry: Entry) -> None:
    with load(entry, TranslateSettings(device="cuda")) as loaded:
        assert all(row.ended in ("stop", "length") for row in loaded.translate(REQUESTS))


def test_what_is_not_there_is_refused_not_replaced(entry: Entry, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="no usable GPU"):
        choose(entry, TranslateSettings(device="cuda"))
    with pytest.raises(UsageError, match="cannot run in float32"):
        choose(entry, TranslateSettings(engine="ctranslate2", dtype="float32"))
    with pytest.raises(UsageError, match="cannot run in int8"):
        choose(entry, TranslateSettings(engine="transformers", dtype="int8"))
