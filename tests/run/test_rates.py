"""How fast the last run was: what is kept, what a short run may not replace, and what it is kept for."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from pipeline.config.settings import Config, SegmentSettings, TranslateSettings
from pipeline.engines.devices import Memory
from pipeline.engines.load import Plan
from pipeline.run import forecast
from pipeline.run.amounts import SAMPLE, Amount
from pipeline.run.rates import Conditions, keep_rate, last_rate
from pipeline.run.resources import Resources
from pipeline.types import Document, Source

HERE = Conditions("small", "mekong on cpu", "greedy", "a processor")


@pytest.mark.usefixtures("store")
def test_the_last_rate_is_kept_unless_it_is_short() -> None:
    assert last_rate(HERE) is None
    keep_rate(HERE, 0, 5.0)
    assert last_rate(HERE) is None
    for tokens, seconds, kept in ((10, 1.0, 10), (400, 40.0, 400), (30, 3.0, 400), (250, 20.0, 250)):
        keep_rate(HERE, tokens, seconds)
        found = last_rate(HERE)
        assert found is not None and found.tokens == kept
    assert found.per_second == pytest.approx(12.5)
    assert str(found).startswith("12.5 tokens/s, measured on 2")
    assert last_rate(Conditions("small", "mekong on cpu", "4 beams", "a processor")) is None


@pytest.mark.usefixtures("store")
def test_a_damaged_rate_is_told_and_counts_as_none(caplog: pytest.LogCaptureFixture) -> None:
    keep_rate(HERE, 10, 1.0)
    HERE.path.write_text("{}")
    with caplog.at_level(logging.WARNING):
        assert last_rate(HERE) is None
    assert "cannot be read" in caplog.text


def test_a_rate_holds_for_one_search_and_one_engine(tiny_store) -> None:
    entry = tiny_store("marian")
    asked = (
        {},
        {"num_beams": 4},
        {"shortlist": True},
        {"engine": "reference"},
        {"dtype": "float32", "workers": 5},
        {"batch_rows": 7},
    )
    settings = [TranslateSettings(**({"device": "cpu", "workers": 1} | changes)) for changes in asked]
    assert len({Conditions.of(entry, one) for one in settings}) == len(asked) - 1  # rows a batch make no other one


def test_a_rate_that_cannot_be_written_ends_no_run(tiny_store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    entry = tiny_store("marian")
    monkeypatch.setattr(Conditions, "path", tmp_path / "file" / "rate.json")
    (tmp_path / "file").write_text("")
    said: list[str] = []
    resources = Resources(Config(translate=TranslateSettings(model=entry.name, device="cpu")))
    resources.keep_rate(10, 1.0, said.append)
    assert len(said) == 1 and "not kept" in said[0]


def documents(lang: str, line: str, copies: int, count: int) -> list[Document]:
    return [Document(str(n), lang, "\n".join([line] * copies), Source("x")) for n in range(count)]


def test_what_is_not_cut_is_reckoned_from_what_is() -> None:
    line = "Thủ tướng Chính phủ đã đến Hà Nội ngày 5 tháng 5 năm 2025."
    count = lambda texts: sum(len(text.split()) for text in texts)  # noqa: E731
    small, large = Amount(), Amount()
    for document in documents("vi", line, 10, 2):
        small.add(document, SegmentSettings(), count)
    assert (small.documents, small.segments, small.exact) == (2, 20, True)
    assert small.tokens == count([line] * 20)
    copies = SAMPLE // len(line) + 1
    for document in documents("vi", line, copies, 3):
        large.add(document, SegmentSettings(), count)
    assert not large.exact and large.sampled < large.characters
    assert large.segments == 3 * copies
    assert large.tokens == count([line] * 3 * copies)


def test_without_a_tokenizer_no_tokens_are_made_up() -> None:
    foreign, english = Amount(), Amount()
    foreign.add(documents("vi", "Xin chào Việt Nam.", 1, 1)[0], SegmentSettings(), None)
    english.add(documents("en", "Good morning, Vietnam.", 1, 1)[0], SegmentSettings(), len)
    assert foreign.tokens is None and english.tokens is None
    assert foreign.segments == english.segments == 1


@pytest.mark.parametrize(("engine", "free"), [("mekong", 10), ("transformers", 40)])
def test_several_cards_hold_a_copy_each_or_one_model_together(monkeypatch, engine, free) -> None:
    monkeypatch.setattr(forecast, "gpu_memory", lambda: [Memory(30, 80), Memory(10, 80)])
    assert forecast._memory_for(Plan(engine, "cuda", "bfloat16", 2, 1)).free == free
