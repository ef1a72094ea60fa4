from __future__ import annotations

import numpy as np

from pipeline.stages.align.span_vectors import overlap_vectors, span_vectors, summed_spans
from tests.support.encoders import WordEncoder


def test_overlaps_are_laid_out_by_the_unit_they_end_with() -> None:
    encoder = WordEncoder()
    vectors = span_vectors(encoder, [["a", "b"], ["c", "d"]], 3)
    assert vectors.shape == (3, 4, 64)
    np.testing.assert_allclose(vectors[1, 2], encoder.encode(["b c"])[0])
    np.testing.assert_allclose(vectors[2, 3], encoder.encode(["b c d"])[0])
    assert not vectors[1, 0].any() and not vectors[2, :2].any()
    np.testing.assert_array_equal(overlap_vectors(encoder, ["a", "b", "c", "d"], 3), vectors)


def test_fewer_units_than_the_width() -> None:
    assert span_vectors(WordEncoder(), [["a"]], 3).shape == (3, 1, 64)
    assert not summed_spans(np.ones((1, 2)), 3)[1:].any()


def test_sums_are_scaled_and_nothing_stays_nothing() -> None:
    rows = np.array([[3.0, 0], [0, 4], [0, 0]])
    spans = summed_spans(rows, 2)
    np.testing.assert_allclose(spans[1, 1], [0.6, 0.8], atol=1e-6)
    np.testing.assert_allclose(spans[1, 2], [0, 1])
    assert not spans[0, 2].any()
    np.testing.assert_allclose(summed_spans(np.array([[16.0, 9]]), 1, root=True)[0, 0], [0.8, 0.6], atol=1e-6)
