"""Numbers of Thai newsrooms: what is read, what agrees with its English and what does not, from tables."""

from pathlib import Path

import pytest

from pipeline.text.numbers import agree, numbers, western

DATA = Path(__file__).resolve().parents[1] / "data"


def rows(name: str) -> list[tuple[str, str]]:
    """The lines of a table with two columns; `#` begins a comment line."""
    lines = (DATA / name).read_text("utf-8").splitlines()
    return [(left, right) for left, _, right in (line.partition("\t") for line in lines if not line.startswith("#"))]


def facts(text: str) -> set[str]:
    """What `text` states, each value once; ranks and quarters are numbers as others are."""
    stated = numbers(text, "th")
    return {f"{'number' if n.kind == 'ordinal' else n.kind}={n.value.normalize():f}" for n in stated}


@pytest.mark.parametrize(("text", "wanted"), rows("readings_th.tsv"))
def test_exactly_these_facts_are_read(text: str, wanted: str) -> None:
    assert facts(text) == set(wanted.split())


@pytest.mark.parametrize(("thai", "english"), rows("news_th.tsv") + rows("phrases_th.tsv"))
def test_news_and_their_english_state_the_same(thai: str, english: str) -> None:
    assert agree(thai, "th", english) == ([], [])


@pytest.mark.parametrize(("thai", "english"), rows("readings_wrong_th.tsv"))
def test_another_day_month_year_or_amount_is_told_apart(thai: str, english: str) -> None:
    assert agree(thai, "th", english) != ([], [])


@pytest.mark.parametrize(
    ("thai", "prompt"),
    [
        ("หนี้สาธารณะ 12 ล้านๆ บาท", "หนี้สาธารณะ 12 trillion บาท"),
        ("สองล้าน ๆ บาท", "2 trillion บาท"),
        ("5 แสนๆ บาท", "500,000 บาท"),
        ("2 หมื่น 5 พันล้านบาท", "25 billion บาท"),
        ("1.3 หมื่นนาย", "13,000นาย"),
        ("กระแสเงินสดติดลบ 2 ล้านบาท", "กระแสเงินสดติดลบ 2 million บาท"),
        ("กำไร 3Q67", "กำไร 3Q2024"),
        ("ไตรมาส 3/67", "ไตรมาส 3/2024"),
        ("วันที่ 5 ธค. 2567", "วันที่ 5 ธันวาคม 2024"),
        ("6 ตุลาฯ 2519", "6 ตุลาคม 1976"),
        ("5 ธ.ค. 2567", "5 ธ.ค. 2024"),
        ("พ.ศ 2567", "2024"),
        ("ร.ศ. 112", "1893"),
        ("ปี ’68", "ปี 2025"),
        ("รัฐธรรมนูญ 2560", "รัฐธรรมนูญ 2017"),
        ("คำสั่งหัวหน้า คสช. ที่ 3/2558", "คำสั่งหัวหน้า คสช. ที่ 3/2558"),
        ("2 ชั่วโมงครึ่ง จ่าย 12 บาท 50 สตางค์", "2 ชั่วโมงครึ่ง จ่าย 12 บาท 50 สตางค์"),
        ("เริ่ม 2 ทุ่มครึ่ง", "เริ่ม 2 ทุ่มครึ่ง"),
    ],
)
def test_the_prompt_has_them_as_english_writes_them(thai: str, prompt: str) -> None:
    assert western(thai, "th") == prompt


def test_a_year_that_only_its_place_marks_is_ambiguous() -> None:
    marked, placed = (numbers(text, "th")[0] for text in ("ซีเกมส์ 2568", "ไทยแลนด์มาสเตอร์ 2568"))
    assert (marked.value, marked.ambiguous) == (placed.value, False) == (2025, False)
    assert placed.ambiguous
