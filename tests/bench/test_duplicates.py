"""The pairs that the duplicate search is measured on, and its figures."""

import pytest

from pipeline.bench.duplicates import KINDS, look_up
from pipeline.stages.filter.duplicates import Kept, Texts
from pipeline.stages.filter.shingles import comparable


@pytest.mark.parametrize("kind", KINDS)
def test_pairs_are_the_same_whenever_they_are_made_and_copies_are_as_near_as_they_say(kind: str) -> None:
    pairs = list(KINDS[kind](400))
    assert list(KINDS[kind](200)) == pairs[:200]
    copies = [pair for pair in pairs if pair.copy_of >= 0 and pairs[pair.copy_of].copy_of < 0 and pair.alike < 1]
    assert copies
    for pair in copies:
        kept = Kept(0.5)
        first, again = (
            Texts(name, "vi", comparable(one.source), comparable(one.english))
            for name, one in (("original", pairs[pair.copy_of]), ("copy", pair))
        )
        assert kept.find(first) is None
        kept.add(first)
        found = kept.find(again)
        expected = f"near-duplicate of original ({pair.alike:.2f})" if pair.alike >= 0.5 else None
        assert (found and found.text) == expected


def test_figures_count_what_was_planted_and_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.bench.duplicates.WARM_UP", 10)
    figures = look_up("formulaic", 600)
    assert 560 < figures.kept < 600
    assert sum(found for _, found in figures.copies.values()) == sum(made for made, _ in figures.copies.values()) > 2
    assert figures.seconds > 0
