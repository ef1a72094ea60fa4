"""Which engine, device, precision and workers are taken, and every seq2seq family from the registry to English."""

from __future__ import annotations

import pytest
import torch

from pipeline.config.settings import TranslateSettings
from pipeline.engines import devices, mekong
from pipeline.engines import load as loading
from pipeline.engines.base import Request
from pipeline.engines.convert import apart
from pipeline.engines.convert import conversions as convert
from pipeline.engines.load import choose, identity, load
from pipeline.engines.mekong.cpu import matrices
from pipeline.errors import UsageError
from pipeline.registry.models import locate
from tests.support import tiny
from tests.support.fake_gpu import FakeGpu
from tests.support.forks import fork_children

TEXTS = [Request(tiny.sentence(lang, 2 + 5 * seed, seed), lang) for seed in range(3) for lang in ("th", "vi")]


def settings(**changes: object) -> TranslateSettings:
    return TranslateSettings(**({"device": "cpu", "workers": 1, "threads": 1} | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_every_family_is_translated_by_each_engine(tiny_store, monkeypatch, family):
    entry = tiny_store(family)
    if family == "t5":  # that one is converted when it is first asked for
        fork_children(monkeypatch, apart)
    else:
        convert.to_ctranslate2(locate(entry))
    said = {}
    for engine, dtype in (("auto", "float32"), ("reference", "auto"), ("ctranslate2", "auto"), ("auto", "auto")):
        with load(entry, settings(engine=engine, dtype=dtype)) as translator:
            hypotheses = translator.translate(TEXTS)
            assert all(h.ended in ("stop", "length") and h.logprob < 0 for h in hypotheses)
            said[translator.engine.about["engine"].split()[0].strip(","), dtype] = [h.text for h in hypotheses]
    assert set(said) == {("mekong", "float32"), ("transformers", "auto"), ("ctranslate2", "auto"), ("mekong", "auto")}
    assert said["mekong", "float32"] == said["transformers", "auto"]
    assert len(set(said["mekong", "float32"])) > 4


def test_auto_takes_the_precision_that_the_processor_has_instructions_for(tiny_store, monkeypatch):
    entry = tiny_store("nllb")
    for has, expected in (((True, True), "int8"), ((False, True), "bfloat16"), ((False, False), "float32")):
        monkeypatch.setattr(matrices, "has_int8_products", lambda has=has: has[0])
        monkeypatch.setattr(matrices, "has_bfloat16_products", lambda has=has: has[1])
        plan = choose(entry, settings())
        assert plan.dtype == expected
        assert str(plan) == f"mekong on cpu, 1 workers x 1 threads, {expected}"


@pytest.mark.parametrize(
    ("family", "asked", "new", "old"),
    [
        ("nllb", {}, "bfloat16", "float16"),
        ("nllb", {"dtype": "bfloat16"}, "bfloat16", "bfloat16"),
        ("nllb", {"engine": "reference"}, "float32", "float32"),
        ("nllb", {"engine": "ctranslate2"}, "float16", "float16"),
        ("t5", {}, "bfloat16", "float32"),
        ("t5", {"engine": "transformers"}, "bfloat16", "float32"),
        ("t5", {"engine": "ctranslate2"}, "bfloat16", "int8"),
        ("qwen2", {}, "bfloat16", "float16"),
    ],
)
def test_bfloat16_is_for_gpus_that_have_it_and_float16_for_models_that_bear_it(
    tiny_store, monkeypatch, family, asked, new, old
):
    entry = tiny_store(family)
    monkeypatch.setattr(devices, "gpus", lambda: 2)

    def taken(first, second):
        found = {"cuda:0": FakeGpu(has_bfloat16=first), "cuda:1": FakeGpu(has_bfloat16=second)}
        monkeypatch.setattr(devices, "gpu", found.__getitem__)
        return choose(entry, TranslateSettings(device="cuda", **asked)).dtype

    assert (taken(True, True), taken(False, False)) == (new, old)
    # Of several, all have to have it; but only our engine is on several.
    several = family != "qwen2" and asked.get("engine", "mekong") == "mekong"
    assert taken(True, False) == (old if several else new)


@pytest.mark.parametrize(
    ("asked", "got"),
    [({}, (6, 1)), ({"threads": 2}, (3, 2)), ({"workers": 2}, (2, 3)), ({"workers": 4, "threads": 5}, (4, 5))],
)
def test_cores_are_shared_out(tiny_store, monkeypatch, asked, got):
    monkeypatch.setattr(loading, "cores", lambda: 6)
    entry = tiny_store("marian")
    plan = choose(entry, TranslateSettings(device="cpu", **asked))
    assert (plan.workers, plan.threads) == got
    reference = choose(entry, TranslateSettings(device="cpu", engine="reference"))
    assert (reference.workers, reference.threads, reference.dtype) == (1, 6, "float32")


@pytest.mark.parametrize(
    ("family", "asked", "message"),
    [
        ("qwen2", {"engine": "mekong"}, "chat model"),
        ("nllb", {"engine": "reference", "dtype": "bfloat16"}, "reference cannot run in bfloat16"),
        ("nllb", {"dtype": "float16"}, "mekong cannot run in float16 on cpu"),
        ("nllb", {"engine": "ctranslate2", "dtype": "float32"}, "ctranslate2 cannot run in float32"),
        ("t5", {"engine": "transformers", "dtype": "float16"}, "overflows"),
    ],
)
def test_what_is_not_there_is_refused(tiny_store, family, asked, message):
    with pytest.raises(UsageError, match=message):
        choose(tiny_store(family), settings(**asked))


def test_the_identity_names_what_changes_outputs_and_nothing_else(tiny_store, monkeypatch):
    entry = tiny_store("t5")
    monkeypatch.setattr(matrices, "has_int8_products", lambda: True)
    same = {identity(entry, settings(**changes)) for changes in ({}, {"workers": 7}, {"threads": 3}, {"batch_rows": 9})}
    assert len(same) == 1
    other = (
        {"num_beams": 2},
        {"dtype": "float32"},
        {"dtype": "bfloat16"},
        {"engine": "reference"},
        {"shortlist": True},
    )
    assert len({identity(entry, settings(**changes)) for changes in other} | same) == 6


@pytest.mark.parametrize(
    ("engine", "dtype", "where", "name", "value"),
    [
        ("mekong", "float32", mekong, "VERSION", 99),
        ("mekong", "float32", torch, "__version__", "9.9"),
        ("mekong", "int8", matrices, "weight_limit", lambda: 63),
        ("reference", "float32", torch, "__version__", "9.9"),
        ("transformers", "bfloat16", loading, "version", lambda name: f"another {name}"),
        ("ctranslate2", "int8", loading, "version", lambda name: f"another {name}"),
    ],
)
def test_the_identity_is_that_of_an_engine_that_computes_the_same(
    tiny_store, monkeypatch, engine, dtype, where, name, value
):
    monkeypatch.setattr(matrices, "weight_limit", lambda: 127)
    entry, asked = tiny_store("nllb"), settings(engine=engine, dtype=dtype)
    before = identity(entry, asked)
    assert identity(entry, asked) == before
    monkeypatch.setattr(where, name, value)
    assert identity(entry, asked) != before


def test_the_largest_int8_weight_matters_to_int8_alone(tiny_store, monkeypatch):
    entry = tiny_store("nllb")
    found = []
    for limit in (127, 63):
        monkeypatch.setattr(matrices, "weight_limit", lambda limit=limit: limit)
        found.append(identity(entry, settings(dtype="bfloat16")))
    assert found[0] == found[1]


@pytest.mark.parametrize("family", ["nllb", "t5"])
def test_a_shortlist_leaves_no_thai_and_changes_no_row_that_had_none(tiny_store, family):
    entry = tiny_store(family)
    found = {}
    for shortlist in (False, True):
        for dtype in ("float32", "int8"):
            with load(entry, settings(dtype=dtype, shortlist=shortlist)) as translator:
                codec = translator.codec
                rows = [codec.encode(request) for request in TEXTS * 4]
                found[shortlist, dtype] = translator.engine.generate(rows, [1 + n % 9 for n in range(len(rows))])
    allowed = set(codec.english())
    assert not any("\u0e00" <= character <= "\u0e7f" for character in codec.decode(sorted(allowed)))
    for dtype in ("float32", "int8"):
        whole, short = found[False, dtype], found[True, dtype]
        assert all(set(output.tokens) <= allowed for output in short)
        free = [n for n, output in enumerate(whole) if set(output.tokens) <= allowed]
        assert 0 < len(free) < len(whole)
        assert [short[n].tokens for n in free] == [whole[n].tokens for n in free]


def test_only_the_engine_of_ours_has_a_shortlist(tiny_store):
    with pytest.raises(UsageError, match="reference knows no shortlist"):
        choose(tiny_store("nllb"), settings(engine="reference", shortlist=True))
