"""Vietnamese names in Thai letters, read by syllables alone."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.vietnamese import is_syllable
from pipeline.text.vietnamese_in_thai import readings

DATA = Path(__file__).resolve().parents[1] / "data"


def plain(name: str) -> str:
    return name.casefold().replace("-", " ").replace(" ", "")


def names() -> list[tuple[str, str]]:
    rows = (row.split("\t") for row in (DATA / "thai_spellings.tsv").read_text("utf-8").splitlines())
    return [(thai, english) for thai, english, kind in rows if kind == "vietnamese"]


def test_nine_in_ten_first_readings_are_right_without_a_gazetteer() -> None:
    right = [plain(readings(thai)[0]) == plain(english) for thai, english in names() if readings(thai)]
    assert len(names()) == 110
    assert sum(right) >= 0.9 * len(names())


def test_nearly_all_names_are_among_the_readings() -> None:
    found = [plain(english) in map(plain, readings(thai)) for thai, english in names()]
    assert sum(found) >= 0.97 * len(names())


@pytest.mark.parametrize(
    "spellings",
    [
        ("เหงียน มินห์", "เหงวียนมิญ", "เหงียน มิงห์", "เงวียน มิง"),
        ("เจิ่น ดึ๊ก", "ตรัน ดึ๊ก", "เจิ่นดึ้ก"),
        ("ฝั่ม เฮือง", "ฟาม เฮือง", "ฝ่าม เฮือง"),
    ],
)
def test_old_and_new_rules_and_loose_spellings_give_one_name(spellings: tuple[str, ...]) -> None:
    assert len({readings(spelling)[0] for spelling in spellings}) == 1


@pytest.mark.parametrize("thai", ["", " ", "กรุงเทพมหานคร", "สหประชาชาติ", "อักษรศาสตร์", "Hanoi"])
def test_what_no_syllables_make_up_has_no_reading(thai: str) -> None:
    assert readings(thai) == []


@given(st.text(st.sampled_from("เแโไกงจดตนบมยรลวสหอาิีึืุู็่้์ั "), max_size=30))
def test_a_reading_is_made_of_vietnamese_syllables(thai: str) -> None:
    for name in readings(thai):
        assert all(is_syllable(syllable.lower()) for syllable in name.split())
