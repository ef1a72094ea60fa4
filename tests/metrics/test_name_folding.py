"""One spelling of Vietnamese names, and nothing else changed."""

import pytest

from pipeline.metrics.name_folding import fold_names


@pytest.mark.parametrize(
    "name", ["Việt Nam", "Viet Nam", "Viet-Nam", "VietNam", "Vietnam", "Viet\u00a0Nam", "Viet nam"]
)
def test_spellings_of_one_name(name):
    assert fold_names(f"In {name}'s north") == "In Vietnam's north"


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("VIỆT NAM", "VIETNAM"),
        ("Tô Lâm, Đỗ Mười", "To Lam, Do Muoi"),
        ("Viet Namese rice from Hà Nội and Sài Gòn", "Vietnamese rice from Hanoi and Saigon"),
        ("Viet Nametag, soviet Nam, viet nam", "Viet Nametag, soviet Nam, viet nam"),
        ("Ha long ago; a da nang", "Halong ago; a da nang"),
        ("Ho Chi Minh City, 5 °C, 20 % – “x”", "Ho Chi Minh City, 5 °C, 20 % – “x”"),
        ("", ""),
    ],
)
def test_what_changes_and_what_stays(text, folded):
    assert fold_names(text) == folded


def test_folding_twice_is_folding_once():
    text = "Đà Nẵng – Da Nang – DANANG, Mê Công, Mekong"
    assert fold_names(fold_names(text)) == fold_names(text)
