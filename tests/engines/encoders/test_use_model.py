from __future__ import annotations

import numpy as np

from pipeline.engines.encoders import use_model as tokenmodel
from pipeline.stages.align.span_vectors import span_vectors
from tests.support.encoders import use

THAI = "นายกรัฐมนตรีเดินทางถึงกรุงฮานอย เมื่อวันจันทร์ เพื่อหารือ เรื่องการค้า และการลงทุน ระหว่างสองประเทศ"


def test_one_unit_a_line_is_the_packages_own_encoding() -> None:
    texts = ["Rice prices are rising.", "นายกรัฐมนตรีกล่าวว่าเศรษฐกิจดีขึ้น", "2568", "a"]
    spans = use().encode_spans([[text] for text in texts], 1)
    np.testing.assert_allclose(spans[0], use().encode(texts), atol=1e-5)


def test_spans_are_close_to_the_encodings_of_their_strings() -> None:
    units = THAI.split()
    spans = use().encode_spans([units], 4)
    assert spans.shape == (4, len(units), 512)
    for size in (3, 4):
        assert not spans[size - 1, : size - 1].any()
        texts = [" ".join(units[end + 1 - size : end + 1]) for end in range(size - 1, len(units))]
        own = use().encode(texts)
        assert (np.sum(spans[size - 1, size - 1 :] * own, axis=1) > 0.9).all()


def test_lines_do_not_leak_into_each_other_but_spans_may_cross_them() -> None:
    one, other = ["a ship left", "the port"], ["it was late"]
    both = use().encode_spans([one, other], 3)
    np.testing.assert_allclose(both[:2, :2], use().encode_spans([one], 2), atol=1e-5)
    assert abs(np.linalg.norm(both[2, 2]) - 1) < 1e-5


def test_a_very_long_line_is_read_in_stretches(monkeypatch) -> None:
    units = THAI.split() * 3
    whole = use().encode_spans([units], 2)
    monkeypatch.setattr(tokenmodel, "MAX_LINE_TOKENS", 12)
    stretched = use().encode_spans([units], 2)
    assert (np.sum(whole[0] * stretched[0], axis=1) > 0.8).all()
    assert np.isfinite(stretched).all() and (np.linalg.norm(stretched[1, 1:], axis=1) > 0.99).all()


SENTENCES = [
    "The harbour at the mouth of the river was closed for three days after the storm.",
    "Fishermen stayed at home, and the price of squid doubled on the morning market.",
    "Am Donnerstag liefen die ersten Boote wieder aus, begleitet von zwei Schiffen der Marine.",
    "ชาวประมงบอกว่าคลื่นยังสูงอยู่มากในตอนเช้า แต่ลมเริ่มสงบลงแล้ว",
    "Nobody was hurt when the old pier gave way under the weight of the waves.",
]


def test_overlaps_of_sentences_are_the_encodings_of_their_strings() -> None:
    found = use().encode_overlaps(SENTENCES, 3)
    assert found.shape == (3, 5, 512)
    for size in (1, 2, 3):
        own = use().encode([" ".join(SENTENCES[end + 1 - size : end + 1]) for end in range(size - 1, 5)])
        np.testing.assert_allclose(found[size - 1, size - 1 :], own, atol=1e-3)
        assert not found[size - 1, : size - 1].any()


def test_overlaps_of_very_short_units_are_close_to_their_strings() -> None:
    units = ["1", "No.", "a", "Yes, at once!", "2568"]
    found = use().encode_overlaps(units, 4)
    np.testing.assert_allclose(found[0], use().encode(units), atol=1e-4)
    own = use().encode([" ".join(units[end - 3 : end + 1]) for end in (3, 4)])
    assert (np.sum(found[3, 3:] * own, axis=1) > 0.9).all()


def test_nothing_in_nothing_out() -> None:
    assert use().encode_overlaps([], 3).shape == (3, 0, 512)
    assert span_vectors(use(), [], 3).shape == (3, 0, 512)
    assert span_vectors(use(), [["one"]], 3).shape == (3, 1, 512)
