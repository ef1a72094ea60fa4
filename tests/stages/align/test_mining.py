from __future__ import annotations

import numpy as np

from pipeline.stages.align.mining import mine, ratio_margins


def vectors(*angles: float) -> np.ndarray:
    return np.array([(np.cos(angle), np.sin(angle)) for angle in np.radians(angles)], dtype=np.float32)


def test_the_margin_is_the_cosine_over_the_mean_of_the_neighbours_of_both_sides() -> None:
    cosines = np.array([[0.9, 0.1, 0.2, 0.3, 0.4, 0.0], [0.3, 0.8, 0.2, 0.1, 0.1, 0.1]])
    margins = ratio_margins(cosines)
    assert np.isclose(margins[0, 0], 0.9 / ((0.9 + 0.4 + 0.3 + 0.2) / 4 / 2 + (0.9 + 0.3) / 2 / 2))


def test_each_sentence_is_in_one_pair_and_the_clearest_goes_first() -> None:
    src, tgt = vectors(0, 40, 90), vectors(1, 88, 200, 250)
    found = mine(src, tgt, 1.0)
    assert len({pair.src for pair in found}) == len({pair.tgt for pair in found}) == len(found) > 1
    margins = ratio_margins((src @ tgt.T).astype(np.float64))
    greatest = np.unravel_index(margins.argmax(), (3, 4))
    assert greatest in [(pair.src, pair.tgt) for pair in found]
    assert all(pair.margin == margins[pair.src, pair.tgt] for pair in found)
    assert mine(src, tgt, 99.0) == []


def test_a_single_sentence_on_each_side_proves_nothing() -> None:
    assert mine(vectors(0), vectors(0), 1.05) == []


def test_nothing_is_mined_from_nothing_and_opposites_do_not_divide_by_zero() -> None:
    assert mine(vectors(), vectors(1), 1.0) == mine(np.zeros((0, 2), np.float32), vectors(1), 1.0) == []
    assert not ratio_margins(np.array([[-0.5, -0.2], [0.0, 0.0]])).any()
