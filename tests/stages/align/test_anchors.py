from __future__ import annotations

import numpy as np
import pytest

from pipeline.stages.align.anchors import anchors, shared_rows


@pytest.mark.parametrize(
    ("src", "lang", "tgt"),
    [
        ("Việt Nam đạt 1.250.000 tấn, tăng 8,02 %", "vi", "Vietnam produced 1,250,000 tonnes, up 8.02%"),
        ("ประธานาธิบดี Tokayev ในปี พ.ศ. 2573", "th", "President Tokayev, by 2030"),
        ("มูลค่า 148,620 ล้านบาท", "th", "worth 148.62 billion baht"),
        ("Hà Nội, theo https://vnanet.vn/vi/1.", "vi", "HANOI (https://vnanet.vn/vi/1)"),
    ],
)
def test_what_both_texts_state_is_shared(src: str, lang: str, tgt: str) -> None:
    ours, theirs = anchors(src, lang), anchors(tgt, "en")
    kinds = {key.split()[0] for key in ours}
    assert kinds == {key.split()[0] for key in ours.keys() & theirs.keys()}


def test_small_words_and_months_are_no_names() -> None:
    found = anchors("the minister met Lê Đức Anh", "en")
    assert set(found) == {"name le", "name duc", "name anh", "name leduc", "name ducanh"}
    assert not anchors("ข่าวทั่วไป", "th")


def test_rows_hold_only_what_both_sides_have_and_rare_ones_weigh_more() -> None:
    src = [anchors("Lyon 21", "en"), anchors("Lyon 35", "en"), anchors("Paris", "en")]
    tgt = [anchors("Lyon 21", "en"), anchors("Rome", "en")]
    ours, theirs = shared_rows(src, tgt)
    assert ours.shape == (3, 2) and theirs.shape == (2, 2)
    name, number = ours[0]
    assert number > name > 0
    assert not ours[2].any() and not theirs[1].any()
    assert shared_rows([anchors("a", "en")], [])[1].shape == (0, 1)
    assert np.isfinite(ours).all()
