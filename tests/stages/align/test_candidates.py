from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from pipeline.stages.align.candidates import Profile, candidates, one_to_one, windowed


def vectors(*rows: list[float]) -> np.ndarray:
    found = np.array(rows, dtype=np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def test_the_order_of_what_is_said_counts() -> None:
    lengths = np.full(4, 50.0)
    rising = windowed(vectors([1, 0], [1, 0], [0, 1], [0, 1]), lengths)
    falling = windowed(vectors([0, 1], [0, 1], [1, 0], [1, 0]), lengths)
    finer = windowed(vectors([1, 0], [0, 1]), np.array([100.0, 100.0]))
    assert rising is not None and falling is not None and finer is not None
    assert np.linalg.norm(rising) == pytest.approx(1, abs=1e-5)
    assert rising @ finer > 0.9 > rising @ falling


def test_a_document_of_one_sentence_has_a_vector_and_an_empty_one_none() -> None:
    one = windowed(vectors([3, 4]), np.array([10.0]))
    assert one is not None and np.isfinite(one).all()
    assert windowed(np.zeros((0, 2), dtype=np.float32), np.zeros(0)) is None


def profile(x: float, y: float, *names: str) -> Profile:
    return Profile(windowed(vectors([x, y]), np.array([1.0])), Counter(names))


def test_best_candidates_first_and_no_more_than_asked_for() -> None:
    targets = [profile(0, 1, "rice"), profile(1, 0.2, "tuna"), profile(1, 0.2, "rice"), profile(1, 0.2, "tuna")]
    found = candidates([profile(1, 0, "rice")], targets, 3)[0]
    assert [candidate.target for candidate in found] == [2, 1, 3]
    assert found[0].similarity > found[1].similarity == found[2].similarity > 0


def test_without_a_vector_anchors_decide_and_common_ones_tell_less() -> None:
    source = Profile(None, Counter({"hanoi": 1, "7.85": 1}))
    targets = [profile(1, 0, "hanoi"), profile(0, 1, "7.85"), profile(0, 1, "hanoi"), profile(0, 1, "lyon")]
    found = candidates([source], targets, 5)[0]
    assert [candidate.target for candidate in found] == [1, 0, 2, 3]
    assert found[0].similarity > found[1].similarity > found[3].similarity == 0
    assert candidates([source], [], 5) == [[]]


def test_a_single_pair_of_documents_is_told_from_strangers() -> None:
    source = Profile(None, Counter({"hanoi": 1, "7.85": 1}))
    assert candidates([source], [profile(1, 0, "hanoi", "7.85")], 5)[0][0].similarity > 0.9
    assert candidates([source], [profile(1, 0, "lyon", "3")], 5)[0][0].similarity == 0


def test_one_to_one_takes_the_best_first() -> None:
    pairs = [("a", "x", 0.8), ("b", "x", 0.9), ("a", "y", 0.5), ("b", "y", 0.7)]
    assert one_to_one(pairs) == {("b", "x"), ("a", "y")}
    assert one_to_one([("b", "x", 0.5), ("a", "x", 0.5)]) == {("a", "x")}
