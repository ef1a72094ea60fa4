"""Hypotheses cut as their reference is cut: the true cuts come back, and no text is lost."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.metrics.realign import BeadCounts, Realigner
from tests.support.encoders import WordEncoder

REFERENCE = [
    "The cabinet approved the budget for schools on Tuesday.",
    "Floods have hit twelve provinces in the north since May.",
    "Two neighbouring countries will open a new border crossing.",
    "Exports of durian rose by a third last year, growers said.",
    "A court fined the airline for late flights.",
]
HYPOTHESIS = [
    "Cabinet has approved a budget for schools on Tuesday.",
    "Floods struck twelve northern provinces since May.",
    "Two neighbouring countries open a new crossing at the border.",
    "Durian exports rose by a third last year, say growers.",
    "The court has fined an airline for its late flights.",
]
REALIGNERS = {"words": Realigner(), "vectors": Realigner(WordEncoder())}


@pytest.fixture(params=REALIGNERS)
def realigner(request):
    return REALIGNERS[request.param]


def joined(lines):
    return " ".join(lines).split()


def test_equal_cuts_stay(realigner):
    found = realigner.realign(HYPOTHESIS, REFERENCE)
    assert found.segments == tuple(HYPOTHESIS)
    assert found.counts == BeadCounts(5, 5, 0, 0)


def test_joined_and_split_lines_are_cut_again(realigner):
    first, second, third, fourth, fifth = HYPOTHESIS
    words = fourth.split()
    lines = [f"{first} {second}", third, " ".join(words[:4]), " ".join(words[4:]), fifth]
    found = realigner.realign(lines, REFERENCE)
    assert found.segments == tuple(HYPOTHESIS)
    # 1 line for 2 segments, 2 lines for 1, and two as they were.
    assert found.counts == BeadCounts(4, 2, 0, 0)


def test_a_document_on_one_line(realigner):
    found = realigner.realign([" ".join(HYPOTHESIS)], REFERENCE)
    assert found.segments == tuple(HYPOTHESIS)
    assert found.counts == BeadCounts(1, 0, 0, 0)


def test_an_omission_has_no_hypothesis(realigner):
    found = realigner.realign([*HYPOTHESIS[:2], *HYPOTHESIS[3:]], REFERENCE)
    assert found.segments == (*HYPOTHESIS[:2], "", *HYPOTHESIS[3:])
    assert found.counts == BeadCounts(5, 4, 1, 0)


def test_an_insertion_is_counted_and_kept():
    extra = "Subscribe here for weekly letters about gardens and cooking."
    found = REALIGNERS["vectors"].realign([*HYPOTHESIS[:2], extra, *HYPOTHESIS[2:]], REFERENCE)
    assert found.segments == (HYPOTHESIS[0], f"{HYPOTHESIS[1]} {extra}", *HYPOTHESIS[2:])
    assert found.counts == BeadCounts(6, 5, 0, 1)


def test_lines_without_sentence_ends_are_divided_by_words():
    """Nothing in the text says where a sentence might begin: the aligner can only join the reference segments."""
    plain = [line.lower().rstrip(".").replace(",", "") for line in HYPOTHESIS[:3]]
    found = REALIGNERS["vectors"].realign([" ".join(plain)], REFERENCE[:3])
    assert found.segments == tuple(plain)


def test_no_hypothesis_at_all(realigner):
    found = realigner.realign([], REFERENCE)
    assert found.segments == ("",) * 5
    assert found.counts == BeadCounts(5, 0, 5, 0)


def test_signatures_say_how(realigner):
    assert realigner.items in ({"realign": "words-v1"}, {"realign": "mekong-v1", "encoder": WordEncoder().name})


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(sorted(REALIGNERS)))
def test_no_word_is_lost_whatever_the_texts(seed, name):
    choose = random.Random(seed)
    words = [*joined(REFERENCE + HYPOTHESIS), "–", "…", "2,500", "\u00a0x"]

    def lines():
        return [" ".join(choose.choices(words, k=choose.randint(1, 12))) for _ in range(choose.randint(1, 6))]

    hypothesis, reference = lines(), lines()
    found = REALIGNERS[name].realign(hypothesis, reference)
    assert len(found.segments) == len(reference)
    assert joined(found.segments) == joined(hypothesis)
    counts = found.counts
    assert counts.omissions <= len(reference)
    assert counts.one_to_one + counts.omissions + counts.insertions <= counts.beads
