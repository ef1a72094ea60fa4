"""Numbers of Vietnamese newsrooms: what agrees with its English and what does not, from tables."""

import pytest

from pipeline.text.numbers import agree
from tests.text.test_readings_th import rows


@pytest.mark.parametrize(("vietnamese", "english"), rows("readings_vi.tsv"))
def test_both_sides_state_the_same(vietnamese: str, english: str) -> None:
    assert agree(vietnamese, "vi", english) == ([], [])


@pytest.mark.parametrize(("vietnamese", "english"), rows("readings_wrong_vi.tsv"))
def test_another_day_month_year_or_amount_is_told_apart(vietnamese: str, english: str) -> None:
    assert agree(vietnamese, "vi", english) != ([], [])


@pytest.mark.parametrize(("vietnamese", "english"), rows("news_vi.tsv"))
def test_news_and_their_english_state_the_same(vietnamese: str, english: str) -> None:
    assert agree(vietnamese, "vi", english) == ([], [])


@pytest.mark.parametrize(
    "english", ["ran from December 5 to 12", "on December 5", "from the 5th to the 12th", "on 5 December"]
)
def test_a_form_with_two_readings_agrees_with_either(english: str) -> None:
    assert agree("ngày 5-12", "vi", english) == ([], [])


def test_a_minus_is_compared() -> None:
    assert agree("-5 độ C", "vi", "5 degrees Celsius") != ([], [])
    assert agree("âm 5 độ C", "vi", "minus 5 degrees Celsius") == ([], [])
