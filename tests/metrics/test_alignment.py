"""Scores of alignments on cases small enough to count by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.metrics.alignment import AlignmentScore, Gold, SpanPair

# Three true pairs, a source sentence without counterpart and a target sentence without one.
GOLD = Gold(
    "one two\nthree four",
    "ONE TWO THREE FIVE",
    ((0, 3), (4, 7), (8, 13), (14, 18)),
    ((0, 3), (4, 7), (8, 13), (14, 18)),
    (((0,), (0,)), ((1,), (1,)), ((2,), (2,)), ((3,), ()), ((), (3,))),
)
TRUE: list[SpanPair] = [
    ([(0, 3)], [(0, 3)]),
    ([(4, 7)], [(4, 7)]),
    ([(8, 13)], [(8, 13)]),
    ([(14, 18)], []),
    ([], [(14, 18)]),
]


def score(*beads: SpanPair, gold: Gold = GOLD) -> dict[str, Any]:
    found = AlignmentScore()
    found.add_spans(gold, beads)
    return found.figures()


def shares(found: dict[str, Any], name: str) -> tuple[float, float]:
    return found[name]["p"], found[name]["r"]


def test_the_gold_scores_one_whoever_has_the_spaces() -> None:
    spaced: list[SpanPair] = [([(0, 4)], [(0, 4)]), ([(4, 8)], [(3, 8)]), *TRUE[2:]]
    for beads in (TRUE, spaced):
        found = score(*beads)
        assert all(shares(found, name) == (1, 1) for name in ("strict", "lax", "exact", "boundary", "inner"))
        assert (found["gold_beads"], found["predicted_beads"], found["vanished"]) == (3, 5, 0)


def test_a_bead_of_two_pairs_is_right_in_the_lax_sense_only() -> None:
    found = score(([(0, 7)], [(0, 7)]), *TRUE[2:])
    assert shares(found, "strict") == (3 / 4, 1 / 3)
    assert shares(found, "lax") == (1, 1)
    assert shares(found, "exact") == (3 / 4, 1 / 3)
    # Of the cuts after one, after two (a line break) and after three, the first is lost.
    assert shares(found, "boundary") == (1, 2 / 3)
    assert shares(found, "inner") == (1, 1 / 2)
    assert found["shapes"]["1:1"] == {"gold": 3, "recall": 1 / 3, "instead": {"2:2": 2}}
    assert shares(score(([(0, 3), (4, 7)], [(0, 7)]), *TRUE[2:]), "boundary") == (1, 1)


def test_a_letter_too_few_is_strict_but_not_exact_and_its_fragment_vanishes() -> None:
    found = score(([(0, 2)], [(0, 3)]), ([(2, 3)], []), *TRUE[1:])
    assert shares(found, "strict") == (5 / 6, 1)
    assert shares(found, "lax") == (1, 1)
    assert shares(found, "exact") == (4 / 6, 2 / 3)
    assert found["vanished"] == 1


def test_of_two_equal_halves_the_first_owns_the_sentence() -> None:
    gold = Gold("abcd", "ABCD", ((0, 4),), ((0, 4),), (((0,), (0,)),))
    assert shares(score(([(0, 2)], [(0, 4)]), ([(2, 4)], []), gold=gold), "strict") == (1 / 2, 1)
    assert shares(score(([(0, 2)], []), ([(2, 4)], [(0, 4)]), gold=gold), "strict") == (0, 0)


def test_a_pair_taken_for_two_strangers_is_wrong_in_every_sense() -> None:
    found = score(([(0, 3)], []), ([], [(0, 3)]), *TRUE[1:])
    assert shares(found, "strict") == (4 / 6, 2 / 3)
    assert shares(found, "lax") == (4 / 6, 2 / 3)


def test_nothing_predicted_and_nothing_to_predict() -> None:
    found = score()
    assert all(found[name] == {"p": 0, "r": 0, "f1": 0} for name in ("strict", "lax", "exact"))
    assert found["shapes"]["1:1"]["instead"] == {"none": 3}
    assert score(([], []), gold=Gold("", "", (), (), ()))["predicted_beads"] == 0


def test_right_unaligned_beads_count_in_precision_only() -> None:
    links = AlignmentScore()
    links.add_links([((0,), (0,)), ((1,), ())], [((0,), (0,))])
    assert shares(links.figures(), "strict") == (1, 1)
    links = AlignmentScore()
    links.add_links([((0,), (0,)), ((1,), ())], [((1,), ())])
    assert shares(links.figures(), "strict") == (1, 0)
    assert "exact" not in links.figures()


def test_counts_of_cases_are_summed_before_they_are_divided() -> None:
    found = AlignmentScore()
    assert found.add_spans(GOLD, [*TRUE, ([], [])]) == [True] * 5 + [False]
    assert found.add_spans(GOLD, [([(0, 18)], [(0, 18)])]) == [False]
    assert shares(found.figures(), "strict") == (5 / 6, 3 / 6)
    assert found.figures()["cases"] == 2


@pytest.mark.parametrize("span", [(0, 19), (-1, 2), (3, 2)])
def test_spans_outside_their_text_are_refused(span: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="is not in its text of 18 characters"):
        score(([span], []))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(1, 9), max_size=12), st.lists(st.integers(1, 9), max_size=12), st.randoms())
def test_scores_are_shares_and_cutting_gold_sentences_never_changes_strict(
    src: list[int], tgt: list[int], chance: Any
) -> None:
    def spans(sizes: list[int]) -> tuple[tuple[int, int], ...]:
        return tuple((sum(sizes[:i]), sum(sizes[: i + 1])) for i in range(len(sizes)))

    links = []
    i = j = 0
    while i < len(src) or j < len(tgt):
        a, b = min(chance.randint(0, 2), len(src) - i), min(chance.randint(0, 2), len(tgt) - j)
        if a or b:
            links.append((tuple(range(i, i + a)), tuple(range(j, j + b))))
        i, j = i + a, j + b
    gold = Gold("x" * sum(src), "y" * sum(tgt), spans(src), spans(tgt), tuple(links))
    beads = [([gold.src_spans[k] for k in ours], [gold.tgt_spans[k] for k in theirs]) for ours, theirs in links]
    whole = score(*beads, gold=gold)
    assert shares(whole, "strict") == (float(bool(links)), float(any(all(link) for link in links)))
    halves = [
        ([half for s, e in ours for half in ((s, (s + e) // 2), ((s + e) // 2, e))], them) for ours, them in beads
    ]
    assert score(*halves, gold=gold)["strict"] == whole["strict"]
    assert score(*halves, gold=gold)["exact"] == whole["exact"]
    other = score(*beads[::2], gold=replace(gold, links=tuple(links[::-1])))
    assert all(0 <= other[name][key] <= 1 for name in ("strict", "lax", "exact", "inner") for key in ("p", "r", "f1"))
