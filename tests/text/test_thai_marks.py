"""Thai marks come out in one order, also from the pieces that programs make of a PDF."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.thai_marks import LEADING, MACINTOSH_GLYPHS, MARK_ORDER, TONES, WINDOWS_GLYPHS
from pipeline.text.unicode import normalise


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("เเม่", "แม่"),
        ("ท\u0e4dา", "ทำ"),
        ("น\u0e4d\u0e49า", "น้ำ"),
        ("น\u0e49\u0e4dา", "น้ำ"),
        ("ท\u0e4dาา", "ทำ"),
        ("ทำา", "ทำ"),
        ("มาา", "มา"),
        ("มา่", "ม่า"),
        ("ก่ิน", "กิ่น"),
        ("สิทธ์ิ", "สิทธิ์"),
        ("ก่่า", "ก่า"),
        ("ก้่า", "ก่า"),
        ("สํำคัญ", "สำคัญ"),
        ("เปลีี่ยน", "เปลี่ยน"),
        ("ท่ี", "ที่"),
        ("นำ้", "น้ำ"),
        ("่กา", "กา"),
        ("เ่กา", "เก่า"),
        ("◌่", "◌่"),
        ("ฤาษี", "ฤๅษี"),
        ("มๅ", "มา"),
        ("ต่าง ๆ ใน", "ต่างๆ ใน"),
        ("ฯ ล ฯ", "ฯลฯ"),
        ("เกาะ เพราะ", "เกาะ เพราะ"),
        ("ปัญหา พันธุ์ ผู้ ที่ เก็บ", "ปัญหา พันธุ์ ผู้ ที่ เก็บ"),
    ],
)
def test_marks_are_stored_in_one_way(written, stored):
    assert normalise(written, "th").text == stored


@pytest.mark.parametrize(
    ("extracted", "stored"),
    [
        ("ท ี่", "ที่"),
        ("ท ี ่", "ที่"),
        ("ท่ ี", "ที่"),
        ("ผ ู้ว่าฯ", "ผู้ว่าฯ"),
        ("เป ็น", "เป็น"),
        ("เป ็ น", "เป็น"),
        ("ก ็มี", "ก็มี"),
        ("ก ็ มี", "ก็ มี"),
        ("ค ื อ ถ ึ ง ว ั น", "คือ ถึง วัน"),
        ("ข ่าว แล ้ว", "ข่าว แล้ว"),
        ("ส ิทธ ิ์", "สิทธิ์"),
        ("ท ี่ประชุมคร ั้งท ี่ 3", "ที่ประชุมครั้งที่ 3"),
        ("ที่นี ้ ประชุม", "ที่นี้ ประชุม"),
        ("ก ำ ลัง จ ำ เป็น", "กำลัง จำเป็น"),
        ("สํ านักงาน ทํ าให้", "สำนักงาน ทำให้"),
        ("ส ําคัญ ส ํ า คัญ", "สำคัญ สำคัญ"),
        ("น ้ำ นํ ้า น ้ํา น้ ํา", "น้ำ น้ำ น้ำ น้ำ"),
        ("เ ป็น แ ละ ไ ทย", "เป็น และ ไทย"),
        ("ผ\u200b ู้ ผ\u00a0ู้", "ผู้ ผู้"),
        ("พ.ศ.\u200b๒๕๖๘", "พ.ศ.๒๕๖๘"),
    ],
)
def test_spaces_that_part_a_syllable_go(extracted, stored):
    assert normalise(extracted, "th").text == stored


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("ไม้ ๊", "ไม้"),
        ("ที่ ี่", "ที่"),
        ("สระ า ใน", "สระ า ใน"),
        ("อนุญาต ฺBSD", "อนุญาต BSD"),
        ("ที่ ประชุม กำ ลัง", "ที่ ประชุม กำ ลัง"),
        ("5 ่", "5"),
    ],
)
def test_a_mark_without_a_consonant_that_could_carry_it_joins_nothing(written, stored):
    assert normalise(written, "th").text == stored


def test_glyphs_of_private_use_are_letters():
    assert normalise("ท\uf702\uf70a น\uf70bำ ป\uf702ก\uf713อน", "th").text == "ที่ น้ำ ปีก่อน"
    assert normalise("กตัญ\uf70f\uf719 \uf700าน ก\uf88aอน", "th").text == "กตัญญู ฐาน ก่อน"
    assert normalise("\uf702", "en").text == "\uf702"


@pytest.mark.parametrize("glyphs", [WINDOWS_GLYPHS, MACINTOSH_GLYPHS])
def test_both_tables_have_every_mark_that_is_moved(glyphs):
    assert len(glyphs) == 27
    assert set(glyphs) == set(MARK_ORDER) - {"๎"} | {"ฐ", "ญ"}
    assert {tone: glyphs.count(tone) for tone in TONES} == dict.fromkeys(TONES, 3)


def test_every_glyph_is_the_mark_of_its_code_point():
    # Spot checks of both tables by the names of the characters.
    names = {0xF701: "SARA I", 0xF70A: "MAI EK", 0xF711: "NIKHAHIT", 0xF71A: "PHINTHU"}
    names |= {0xF884: "MAI HAN-AKAT", 0xF88C: "MAI EK", 0xF899: "NIKHAHIT", 0xF89D: "PHINTHU"}
    for code, name in names.items():
        mark = normalise("ก" + chr(code), "th").text[1]
        assert unicodedata.name(mark) == f"THAI CHARACTER {name}"


SYLLABLES = st.builds(
    "".join,
    st.tuples(
        st.sampled_from(["", *LEADING]),
        st.sampled_from("กขคงนมรวส"),
        st.sampled_from(["", "\u0e34", "\u0e35", "\u0e39"]),
        st.sampled_from(["", *TONES]),
        st.sampled_from("กงนมว"),
    ),
)


@given(st.lists(SYLLABLES, min_size=1, max_size=6).map("".join), st.data())
def test_a_space_before_any_mark_changes_nothing_and_maps_back(text, data):
    places = [i for i, char in enumerate(text) if char in MARK_ORDER]
    apart = set(data.draw(st.lists(st.sampled_from(places), unique=True))) if places else set()
    extracted = "".join(f" {char}" if i in apart else char for i, char in enumerate(text))
    mended = normalise(extracted, "th")
    assert mended.text == text
    assert [extracted[offset] for offset in mended.offsets[:-1]] == list(text)


@pytest.mark.parametrize(
    "headline",
    ["กระทรวงพาณิชย์", "ข่าวด่วน", "ประเทศไทย", "เชียงใหม่", "สำนักนายกรัฐมนตรี", "แถลงการณ์", "ราชกิจจานุเบกษา", "ไทยรัฐ", "โควิด"],
)
def test_letters_that_a_headline_spaces_out_are_a_word(headline):
    for apart in (" ".join(headline), " ".join(re.findall(f"[^{MARK_ORDER}][{MARK_ORDER}]*", headline))):
        spaced = f"{apart}  วันที่ 5"
        cleaned = normalise(spaced, "th")
        assert cleaned.text == f"{headline} วันที่ 5"
        assert [spaced[place] for place in cleaned.offsets[:-1]] == list(cleaned.text)


@pytest.mark.parametrize("listed", ["พยัญชนะ ก ข ค ง จ ฉ", "สระ เ แ โ ไ ใ", "ช่อง ก ข และ ค", "แม่ มี ที่ นา", "ปี ก็ มี"])
def test_letters_of_a_list_and_short_words_stay_apart(listed):
    assert normalise(listed, "th").text == listed
