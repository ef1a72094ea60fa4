"""Glossaries: the shipped files are in good form, and terms are found where they are words."""

import unicodedata
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.stages.translate.glossary import Glossary, folder, read_glossary
from pipeline.stages.translate.glossary import GlossaryEntry as Term


@pytest.fixture(scope="module")
def thai() -> Glossary:
    return Glossary.load("th")


@pytest.fixture(scope="module")
def vietnamese() -> Glossary:
    return Glossary.load("vi")


@pytest.mark.parametrize(("lang", "at_least"), [("th", 3000), ("vi", 1500)])
def test_shipped_files_are_in_good_form(lang: str, at_least: int) -> None:
    """`read_glossary` itself refuses wrong fields, unknown parts of speech, outer spaces, other than NFC, repeats."""
    entries = read_glossary(folder() / f"{lang}-en.tsv")
    assert len(entries) >= at_least
    assert [entry.term for entry in entries] == sorted(entry.term for entry in entries)
    for entry in entries:
        assert not set("()/;=|") & set(entry.english), entry
        assert "\u0e4d\u0e32" not in entry.term and "เเ" not in entry.term, entry
        assert not any(unicodedata.category(ch) in ("Cf", "Cc") for ch in entry.term + entry.english), entry
        assert not any("\u0e00" <= ch <= "\u0e7f" for ch in entry.english), entry
        if lang == "th":
            assert any("\u0e00" <= ch <= "\u0e7f" for ch in entry.term), entry


def english(glossary: Glossary, text: str, limit: int = 25) -> dict[str, str]:
    return {entry.term: entry.english for entry in glossary.hints(text, limit)}


def test_longest_term_wins_and_is_counted_once(thai: Glossary) -> None:
    found = english(thai, "รัฐมนตรีว่าการกระทรวงการต่างประเทศ เยือนประเทศไทย รัฐมนตรีว่าการกระทรวงการต่างประเทศ")
    assert found["รัฐมนตรีว่าการกระทรวงการต่างประเทศ"] == "Minister of Foreign Affairs"
    assert "กระทรวงการต่างประเทศ" not in found


def test_thai_terms_are_found_at_word_boundaries_only() -> None:
    glossary = Glossary("th", [Term("ลาว", "Laos", "PROPN"), Term("กาแฟ", "coffee", "NOUN")])
    assert english(glossary, "ประเทศลาว") == {"ลาว": "Laos"}
    assert english(glossary, "ข้าวกล้องกาวลาวัณย์") == {}


def test_vietnamese_common_words_match_any_case_and_names_only_their_own(vietnamese: Glossary) -> None:
    glossary = Glossary("vi", [Term("bên cạnh đó", "besides", "ADV"), Term("Hòa Bình", "Hoa Binh", "PROPN")])
    assert english(glossary, "Bên cạnh đó, tỉnh Hòa Bình") == {"bên cạnh đó": "besides", "Hòa Bình": "Hoa Binh"}
    assert english(glossary, "hòa bình") == {}
    assert english(vietnamese, "Tổng Bí thư Tô Lâm thăm Ca-dắc-xtan")["Tô Lâm"] == "To Lam"


def test_limit_keeps_names_and_order_of_appearance() -> None:
    entries = [
        Term("ประเทศ", "country", "NOUN"),
        Term("ฮานอย", "Hanoi", "PROPN"),
        Term("เมือง", "city", "NOUN"),
    ]
    glossary = Glossary("th", entries)
    assert [entry.english for entry in glossary.hints("ประเทศ เมือง ฮานอย", 3)] == ["country", "city", "Hanoi"]
    assert [entry.english for entry in glossary.hints("ประเทศ เมือง ฮานอย", 1)] == ["Hanoi"]


def test_user_file_wins_over_shipped_over_cldr(tmp_path: Path, thai: Glossary) -> None:
    path = tmp_path / "mine.tsv"
    path.write_text("คาซัคสถาน\tthe Kazakh land\tPROPN\r\n", encoding="utf-8")
    assert english(thai, "คาซัคสถาน") == {"คาซัคสถาน": "Kazakhstan"}
    assert english(Glossary.load("th", [path]), "คาซัคสถาน") == {"คาซัคสถาน": "the Kazakh land"}


def test_small_languages_are_hints_where_thai_says_that_they_are_languages(thai: Glossary) -> None:
    assert "Ga" not in english(thai, "ประธานาธิบดีโตกาเยฟกล่าว").values()
    assert not {"Vai", "Fang"} & set(english(thai, "รถไวมาก มีฟองอยู่").values())
    assert english(thai, "เขาพูดภาษาไวได้")["ภาษาไว"] == "Vai"
    assert not {"Ga", "Vai"} & set(english(thai, "ใช้ภาษาการทูต ภาษาไวยากรณ์").values())
    assert english(thai, "เขาพูดภาษาเยอรมัน")["ภาษาเยอรมัน"] == "German"
    assert english(thai, "เมืองเยอรมันแห่งหนึ่ง")["เยอรมัน"] == "German"


def test_cldr_names_and_months_are_there(thai: Glossary, vietnamese: Glossary) -> None:
    found = english(thai, "วันที่ 5 พฤษภาคม ที่อาเซอร์ไบจาน")
    assert (found["พฤษภาคม"], found["อาเซอร์ไบจาน"]) == ("May", "Azerbaijan")
    assert english(vietnamese, "ngày 5 tháng 12")["tháng 12"] == "December"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("คำ\tword", "2 fields"),
        ("คำ\tword\tTHING", "part of speech"),
        (" คำ\tword\tNOUN", "outer spaces"),
        ("cafe\u0301\tcoffee\tNOUN", "NFC"),
        ("คำ\tword\tNOUN\nคำ\tterm\tNOUN", "comes twice"),
    ],
)
def test_bad_lines_are_refused_with_their_place(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "bad.tsv"
    path.write_text(f"ดี\tgood\tADJ\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError, match=words) as caught:
        read_glossary(path)
    assert f"{path}:{line.count(chr(10)) + 2}" in str(caught.value)


def test_vietnamese_terms_are_found_in_both_placements_of_the_tone() -> None:
    glossary = Glossary("vi", [Term("Hòa Bình", "Hoa Binh", "PROPN"), Term("hoà bình", "peace", "NOUN")])
    assert [e.english for e in glossary.hints("Hoà Bình và hòa bình", 9)] == ["Hoa Binh", "peace"]


def test_a_country_inside_another_name_is_no_hint(vietnamese: Glossary) -> None:
    assert "Mỹ" not in english(vietnamese, "gia đình em Nguyễn Thị Mỹ Duyên mất trắng 6 công lúa")
    assert "Nhật" not in english(vietnamese, "diễn ra vào Chủ Nhật với Bolonia")
    found = english(vietnamese, "hàng bán sang Mỹ và Nhật")
    assert (found["Mỹ"], found["Nhật"]) == ("United States", "Japan")
