from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.numbers import agree, numbers, western

# text, language, and what is found: "value kind" of each number, years with their era
STATED = [
    ("85 ล้านบาท", "th", "85000000 money"),
    ("85ล้านบาท", "th", "85000000 money"),
    ("148,620 ล้านบาท", "th", "148620000000 money"),
    ("1.5 แสนล้าน", "th", "150000000000 number"),
    ("2 ล้านล้านบาท", "th", "2000000000000 money"),
    ("3 หมื่นคน", "th", "30000 number"),
    ("5 พันล้านดอลลาร์", "th", "5000000000 money"),
    ("1 ล้าน 2 แสนบาท", "th", "1200000 money"),
    ("1.5 แสนล้าน 3 หมื่น", "th", "150000000000 number, 30000 number"),
    ("๑๒,๕๐๐ คน", "th", "12500 number"),
    ("5 พันธุ์", "th", "5 number"),
    ("อาณาจักร 2 ล้านนา", "th", "2 number"),
    ("3 ล้านนาที", "th", "3000000 number"),
    ("สองร้อยห้าสิบล้านบาท", "th", "250000000 money"),
    ("ยี่สิบเอ็ดคน", "th", "21 number"),
    ("สามารถทำได้", "th", ""),
    ("ร้อยละ 14.6", "th", "14.6 percent"),
    ("8.02 %", "th", "8.02 percent"),
    ("16 เปอร์เซ็นต์", "th", "16 percent"),
    ("พ.ศ. 2535", "th", "1992 year BE"),
    ("พ.ศ.2535", "th", "1992 year BE"),
    ("พุทธศักราช ๒๕๖๐", "th", "2017 year BE"),
    ("ปี 2568", "th", "2025 year BE"),
    ("ปีงบประมาณ 2569", "th", "2026 year BE"),
    ("ปี พ.ศ. 2573 (ค.ศ. 2030)", "th", "2030 year BE, 2030 year CE"),
    ("ปี 2564-2568", "th", "2021 year BE, 2025 year BE"),
    ("ปี 2568/69", "th", "2025 year BE, 2026 year BE"),
    ("ปี 68", "th", "2025 year BE"),
    ("68 ปี", "th", "68 number"),
    ("5 ปี 20 วัน", "th", "5 number, 20 number"),
    ("ปีที่ 34", "th", "34 ordinal"),
    ("2568 คน", "th", "2568 number"),
    ("2,568 บาท", "th", "2568 money"),
    ("ปี 2023", "th", "2023 year CE"),
    ("มิถุนายน 1994", "th", "6 month, 1994 year CE"),
    ("วันที่ 5 พฤษภาคม 2568", "th", "5 day, 5 month, 2025 year BE"),
    ("5-12 พ.ค. 68", "th", "5 day, 12 day, 5 month, 2025 year BE"),
    ("วันที่ 5 ถึง 12 พฤษภาคม พ.ศ. 2568", "th", "5 day, 12 day, 5 month, 2025 year BE"),
    ("16/12/2568", "th", "16 day, 12 month, 2025 year BE"),
    ("15 มกราคม 2475", "th", "15 day, 1 month, 1933 year BE"),
    ("15 เมษายน 2475", "th", "15 day, 4 month, 1932 year BE"),
    ("วันที่ 1 มกราคม 49 ปีก่อน", "th", "1 day, 1 month, 49 number"),
    ("ครั้งที่ 1/2568", "th", "1 ordinal, 2025 year BE"),
    ("เวลา 18.00 น.", "th", "18 time"),
    ("18.00-20.30 น.", "th", "18 time, 20.3 time"),
    ("2 ทุ่ม", "th", "20 time"),
    ("บ่าย 3 โมง", "th", "15 time"),
    ("ครั้งที่ 36", "th", "36 ordinal"),
    ("โควิด-19", "th", "19 number"),
    ("https://a.example/2568/10 ปี", "th", ""),
    ("1.250.000 tấn", "vi", "1250000 number"),
    ("8,02 %", "vi", "8.02 percent"),
    ("7,85 tỷ USD", "vi", "7850000000 money"),
    ("2 nghìn tỷ đồng", "vi", "2000000000000 money"),
    ("1 tỷ 200 triệu đồng", "vi", "1200000000 money"),
    ("2 triệu rưỡi", "vi", "2500000 number"),
    ("450.000 đồng", "vi", "450000 money"),
    ("1,000 người", "vi", "1000 number"),
    ("2.5 triệu", "vi", "2500000 number"),
    ("0.125", "vi", "0.125 number"),
    ("5 tỷ phú", "vi", "5 number"),
    ("16 phần trăm", "vi", "16 percent"),
    ("ngày 6/10", "vi", "6 day, 10 month"),
    ("06/10/2025", "vi", "6 day, 10 month, 2025 year CE"),
    ("30-5-2025", "vi", "30 day, 5 month, 2025 year CE"),
    ("5-12/5", "vi", "5 day, 12 day, 5 month"),
    ("ngày 6 tháng 10 năm 2025", "vi", "6 day, 10 month, 2025 year CE"),
    ("Tháng 9 năm 2025", "vi", "9 month, 2025 year CE"),
    ("tháng 9/2025", "vi", "9 month, 2025 year CE"),
    ("tháng 10 và 11", "vi", "10 month, 11 month"),
    ("9 tháng", "vi", "9 number"),
    ("2/3 số phiếu", "vi", "2 number, 3 number"),
    ("ngày 2/3", "vi", "2 day, 3 month"),
    ("lúc 7h30", "vi", "7.3 time"),
    ("19 giờ 30", "vi", "19.3 time"),
    ("2 giờ 31 phút 47 giây", "vi", "2 number, 31 number, 47 number"),
    ("mạng 3G", "vi", ""),
    ("hai mươi lăm người", "vi", "25 number"),
    ("ba trăm nghìn", "vi", "300000 number"),
    ("thứ Hai", "vi", ""),
    ("năm 1975", "vi", "1975 year CE"),
    ("US$2 billion", "en", "2000000000 money"),
    ("148.62 billion baht", "en", "148620000000 money"),
    ("$25bn", "en", "25000000000 money"),
    ("8.02 percent", "en", "8.02 percent"),
    ("9.3 per cent", "en", "9.3 percent"),
    ("two hundred and fifty thousand", "en", "250000 number"),
    ("half a million", "en", "500000 number"),
    ("two dozen", "en", "24 number"),
    ("the 36th meeting", "en", "36 ordinal"),
    ("the twenty-first", "en", "21 ordinal"),
    ("nineteen forty-eight", "en", "1948 year CE"),
    ("May 5, 2025", "en", "5 month, 5 day, 2025 year CE"),
    ("5-12 May", "en", "5 day, 12 day, 5 month"),
    ("2025-26", "en", "2025 year CE, 2026 year CE"),
    ("the 1990s", "en", "1990 year CE"),
    ("2568 BE", "en", "2025 year BE"),
    ("7.30am to 5pm", "en", "7.3 time, 17 time"),
    ("10 p.m.", "en", "22 time"),
    ("G20, MH370", "en", ""),
    ("5,10,15", "en", "5 number, 10 number, 15 number"),
    ("2025-12-15", "en", "2025 year CE, 12 month, 15 day"),
    ("2000 people", "en", "2000 number"),
    ("ต้นเดือนมีนาคม", "th", "3 month"),
    ("ม.ค.-มี.ค. 2568", "th", "1 month, 3 month, 2025 year BE"),
    ("สำนักงาน ก.พ. แถลง", "th", ""),
    ("พ.ศ. 60", "th", "2017 year BE"),
    ("พ.ศ. 98", "th", "1955 year BE"),
    ("10 โมง", "th", "10 time"),
    ("ตี 3", "th", "3 time"),
    ("ตี 3 ครั้ง", "th", "3 number"),
    ("2 ล้านครึ่ง", "th", "2500000 number"),
    ("ครึ่งล้านบาท", "th", "500000 money"),
    ("ร้อยละห้า", "th", "5 percent"),
    ("tháng Mười Hai năm 2025", "vi", "12 month, 2025 year CE"),
    ("tháng Giêng 2024", "vi", "1 month, 2024 year CE"),
    ("ngày 5 tháng Tư", "vi", "5 day, 4 month"),
    ("mỗi tháng một lần", "vi", ""),
    ("mùng 5", "vi", "5 day"),
    ("6 giờ chiều", "vi", "18 time"),
    ("mười năm", "vi", "10 number"),
    ("mười lăm", "vi", "15 number"),
    ("năm trăm năm mươi", "vi", "550 number"),
    ("một trăm linh năm", "vi", "105 number"),
    ("một triệu rưỡi", "vi", "1500000 number"),
    ("nửa triệu", "vi", "500000 number"),
    ("in May", "en", "5 month"),
    ("you may march", "en", ""),
    ("March 2025, and last September", "en", "3 month, 2025 year CE, 9 month"),
    ("JULY 2, 2025", "en", "7 month, 2 day, 2025 year CE"),
    ("12/31/2025", "en", "2025 year CE"),
    ("twenty-five million", "en", "25000000 number"),
    ("half a dozen", "en", "6 number"),
    ("two and a half million", "en", "2500000 number"),
    ("a million and a half", "en", "1500000 number"),
    ("three and a half", "en", "3.5 number"),
]


def _shown(text, lang):
    found = numbers(text, lang)
    return ", ".join(f"{n.value.normalize():f} {n.kind}{' ' + n.era if n.era else ''}" for n in found)


@pytest.mark.parametrize(("text", "lang", "wanted"), STATED)
def test_what_is_stated(text, lang, wanted):
    assert _shown(text, lang) == wanted


@pytest.mark.parametrize(
    ("text", "lang", "wanted"),
    [
        ("พ.ศ. 2535", "th", "1992"),
        ("ปี พ.ศ. 2573 (ค.ศ. 2030)", "th", "ปี 2030 (ค.ศ. 2030)"),
        ("ในปี 2568 มี 2568 คน ใช้ 2,568 บาท", "th", "ในปี 2025 มี 2568 คน ใช้ 2,568 บาท"),
        ("๕ พฤษภาคม ๒๕๖๘", "th", "5 พฤษภาคม 2025"),
        ("ปี 68", "th", "ปี 2025"),
        ("148,620 ล้านบาท", "th", "148.62 billion บาท"),
        ("85 ล้านบาท", "th", "85 million บาท"),
        ("85ล้านบาท", "th", "85 million บาท"),
        ("1.5 แสนล้าน", "th", "150 billion"),
        ("3 หมื่น", "th", "30,000"),
        ("1,234.567 ล้านบาท", "th", "1,234.567 million บาท"),
        ("สองร้อยล้านบาท", "th", "200 million บาท"),
        ("เวลา 18.00 น.", "th", "เวลา 18.00 น."),
        ("349.2 ล้านบาท (2563) จำนวน (2563 คน)", "th", "349.2 million บาท (2020) จำนวน (2563 คน)"),
        ("2,5 tỷ USD", "vi", "2.5 billion USD"),
        ("1.250.000 tấn", "vi", "1,250,000 tấn"),
        ("8,02 %", "vi", "8.02 %"),
        ("8,20 %", "vi", "8.20 %"),
        ("ngày 6/10, lúc 7h30", "vi", "ngày 6/10, lúc 7h30"),
        ("450 nghìn đồng", "vi", "450,000 đồng"),
        ("1,000,000 đồng", "vi", "1,000,000 đồng"),
        ("2568 BE, 1,250", "en", "2568 BE, 1,250"),
    ],
)
def test_western(text, lang, wanted):
    assert western(text, lang) == wanted


@pytest.mark.parametrize(
    ("src", "lang", "tgt"),
    [
        ("148,620 ล้านบาท", "th", "148.62 billion baht"),
        ("ปี 2568 ขยายตัวร้อยละ 3", "th", "It grew 3% in 2025."),
        ("การเลือกตั้ง 2566", "th", "the 2023 election"),
        ("วันที่ 5 พฤษภาคม 2568 เวลา 18.00 น.", "th", "at 6 p.m. on May 5, 2025"),
        ("2-3 ล้านคน", "th", "2 million to 3 million people"),
        ("มี 2 คน", "th", "There were two of them."),
        ("ครั้งที่ 36", "th", "the 36th"),
        ("แชมป์เจ็ดสมัย", "th", "champion 7 times"),
        ("2 tỷ USD", "vi", "US$2 billion"),
        ("8,02 %", "vi", "8.02 percent"),
        ("1,000 người", "vi", "1,000 people"),
        ("tháng 10 và ngày 6/11", "vi", "October and November 6"),
        ("thế kỷ XIX", "vi", "the 19th century"),
        ("họp vào thứ 5", "vi", "met on Thursday"),
        ("thập niên 90", "vi", "the 1990s"),
        ("lớp 11", "vi", "the eleventh grade"),
        ("1/3 số phiếu", "vi", "a third of the votes"),
        ("635 triệu bảng", "vi", "£635 m"),
        ("กรกฎาคม 2568", "th", "July 2025"),
        ("hồi tháng Chạp", "vi", "last December"),
        ("ngày 2/9", "vi", "on September 2"),
        ("รุ่นปี 68", "th", "the class of 1968"),
        ("ปี 68", "th", "in 2025"),
    ],
)
def test_texts_that_agree(src, lang, tgt):
    assert agree(src, lang, tgt) == ([], [])


@pytest.mark.parametrize(
    ("src", "lang", "tgt", "missing", "extra"),
    [
        ("ปี 2568", "th", "in 2568", [2025], [2568]),
        ("พ.ศ. 2535", "th", "in 1993", [1992], [1993]),
        ("148,620 ล้านบาท", "th", "148,620 billion baht", [148_620_000_000], [148_620_000_000_000]),
        ("มีผู้เสียชีวิต 25 ราย", "th", "People died.", [25], []),
        ("มีผู้เสียชีวิต", "th", "25 people died.", [], [25]),
        ("8,02 %", "vi", "802 percent", [Decimal("8.02")], [802]),
        ("ngày 15/5", "vi", "May 5", [15], [5]),
        ("2,5 triệu", "vi", "2.5 billion", [2_500_000], [2_500_000_000]),
        ("lúc 7h30", "vi", "at 8.30 am", [Decimal("7.3")], [Decimal("8.3")]),
        ("เดือนกรกฎาคม", "th", "in June", [7], [6]),
        ("tháng 7", "vi", "in June", [7], [6]),
        ("tháng 5", "vi", "5 people", [5], [5]),
    ],
)
def test_texts_that_do_not_agree(src, lang, tgt, missing, extra):
    found = agree(src, lang, tgt)
    assert [[number.value for number in part] for part in found] == [missing, extra]


@pytest.mark.parametrize("text", ["ปี 68", "5 ธ.ค. 68", "พ.ศ. 68", "16/12/68"])
def test_a_year_of_two_digits_is_ambiguous(text):
    (year,) = (n for n in numbers(text, "th") if n.kind == "year")
    assert (year.value, year.ambiguous) == (2025, True)
    assert not any(n.ambiguous for n in numbers("พ.ศ. 2568 ปี 2568/69 68 ปี", "th"))


PARTS = st.sampled_from(
    [
        "5",
        "12",
        "2568",
        "1.250",
        "8,02",
        "๒๕",
        " ",
        "ล้าน",
        "พ.ศ. ",
        "ปี ",
        "/",
        "-",
        ".",
        ":",
        "น.",
        "tỷ",
        "năm ",
        "ngày ",
        "%",
        "พฤษภาคม ",
        "ก.พ.",
        "ครึ่ง",
        "May ",
        "in ",
        "tháng ",
        "Mười Hai ",
        "rưỡi ",
        " and a half ",
        "half ",
        "two ",
        "hundred ",
        "บาท",
        "th",
        "giờ ",
        "hai mươi ",
        "และ",
        "99999999999999999999999999999999999",
    ]
)


@given(st.lists(PARTS, max_size=12).map("".join), st.sampled_from(["th", "vi", "en"]))
def test_numbers_are_in_order_and_apart_and_nothing_breaks(text, lang):
    found = numbers(text, lang)
    assert all(0 <= n.start < n.end <= len(text) for n in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    agree(text, lang, text)
    western(text, lang)


@given(st.text(max_size=80), st.sampled_from(["th", "vi", "en"]))
def test_any_text_can_be_read(text, lang):
    numbers(text, lang)
    western(text, lang)


@given(st.lists(PARTS, max_size=12).map("".join), st.sampled_from(["th", "vi", "en"]))
def test_a_text_agrees_with_itself(text, lang):
    assert agree(text, lang, text, lang) == ([], [])
