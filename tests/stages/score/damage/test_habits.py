"""What pairs lack by habit is no sign of damage; what one pair among others lacks is."""

import pytest

from pipeline.stages.score.damage.classifier import Damage
from pipeline.stages.score.damage.forced import Readings
from tests.stages.score.build import columns, pair

PAIRS = (
    ("Giá gạo tăng 12 phần trăm trong tháng này", "Rice prices rose 12 percent this month"),
    ("Cửa hàng mở cửa lúc 8 giờ sáng và đóng cửa vào buổi tối", "The shop opens at 8 a.m. and closes in the evening"),
    (
        "Học sinh được nghỉ học vì mưa lớn gây ngập nhiều tuyến đường",
        "Pupils stayed at home as heavy rain flooded roads",
    ),
    ("Công ty đã tuyển thêm 30 kỹ sư cho nhà máy mới", "The company has hired 30 more engineers for its new factory"),
    ("Chính phủ cho biết xuất khẩu sang Pháp giảm mạnh", "The government said exports to France fell sharply"),
    ("Người dân xếp hàng mua vé tàu về quê", "People queued to buy train tickets to go home"),
)
LIMITS = {"omission": 0.7, "addition": 0.4}


def damaged(pairs: list[tuple[str, str]]) -> list[int]:
    """Places of the pairs that one of the two scores would reject."""
    found = columns(Damage(None, Readings(None)), [pair(*texts, "vi") for texts in pairs])
    return sorted({i for kind, limit in LIMITS.items() for i, value in enumerate(found[kind]) if value > limit})


@pytest.mark.parametrize("source_end", ["", ".", ";", " (TTXVN)", "./."])
@pytest.mark.parametrize("english_end", ["", "."])
def test_endings_alone_decide_nothing(source_end: str, english_end: str) -> None:
    assert damaged([(source + source_end, english + english_end) for source, english in PAIRS] * 2) == []


def test_lower_case_alone_decides_nothing() -> None:
    assert damaged([(source + ".", english.lower() + ".") for source, english in PAIRS] * 2) == []


def test_tokenised_english_is_no_damage() -> None:
    assert damaged([(source + ".", english + " .") for source, english in PAIRS] * 2) == []


def test_one_cut_pair_among_whole_ones_is_told() -> None:
    source = "Hôm thứ Ba, chính phủ cho biết giá gạo đã tăng 12 phần trăm, trong khi xuất khẩu sang Pháp giảm mạnh"
    english = "On Tuesday the government said rice prices had risen 12 percent, while exports to France fell sharply"
    whole = [(ours + ".", theirs + ".") for ours, theirs in PAIRS]
    words = english.split()
    cut = (source + ".", " ".join(words[: len(words) * 2 // 3]))
    assert damaged([*whole, *whole, cut]) == [2 * len(whole)]
