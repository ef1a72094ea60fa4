"""The gazetteers are sound, and names in Thai letters find their English."""

import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.registry.models import shipped
from pipeline.stages.translate.gazetteer import FILES, names_in_thai, names_in_vietnamese, read_names, shipped_names
from pipeline.stages.translate.glossary import Glossary
from pipeline.stages.translate.spelling import candidates, vietnamese_names

DATA = Path(__file__).resolve().parents[2] / "data"


def plain(name: str) -> str:
    return name.casefold().replace("-", "").replace("'", "").replace(" ", "")


@pytest.fixture(scope="module")
def thai() -> Glossary:
    return Glossary.load("th")


class TestFiles:
    @pytest.mark.parametrize("file", FILES)
    def test_a_shipped_file_is_sound_and_sorted(self, file: str) -> None:
        found = read_names(shipped() / "names" / file)
        assert [name.english for name in found] == sorted(name.english for name in found)
        for name in found:
            assert len(set(name.thai)) == len(name.thai)
            assert all(unicodedata.is_normalized("NFC", spelling) for spelling in name.thai)

    def test_there_are_enough(self) -> None:
        assert len(shipped_names()) >= 2500
        assert Counter(name.country for name in shipped_names())["VN"] >= 1000

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("Hanoi\tHà Nội\tVN", "3 fields"),
            ("Hà Nội\t\tVN\tฮานอย", "not in ASCII"),
            ("Hanoi\t\tVietnam\tฮานอย", "no country"),
            ("Hanoi\t\tVN\t", "no name"),
            ("Hanoi\t\tVN\tฮานอย | ", "no name"),
            ("Hanoi\t Hà Nội\tVN\tฮานอย", "no name"),
            ("Hanoi\t\tVN\tฮานอย\nHanoi\t\tVN\tฮานอย", "twice"),
        ],
    )
    def test_a_wrong_line_is_named(self, tmp_path: Path, line: str, message: str) -> None:
        path = tmp_path / "names.tsv"
        path.write_text(line + "\n", encoding="utf-8")
        with pytest.raises(InputError, match=message):
            read_names(path)


class TestGlossary:
    def test_a_name_that_is_a_common_word_needs_its_kind_before_it(self, thai: Glossary) -> None:
        assert "Loei" in {entry.english for entry in thai.hints("เดินทางไปเมืองเลย", 25)}
        assert not {"Loei", "Tak", "Phrae"} & {entry.english for entry in thai.hints("ไม่รู้เลยว่าจะตากผ้าที่ไหน แพร่ข่าว", 25)}

    @pytest.mark.parametrize("before", ["", "นาย", "ประธานาธิบดี", "พลเอก "])
    def test_a_title_may_stand_before_a_name(self, thai: Glossary, before: str) -> None:
        hints = thai.hints(f"{before}เหงียน ซวน ฟุก กล่าวว่า", 25)
        assert "Nguyen Xuan Phuc" in {entry.english for entry in hints}

    def test_vietnamese_has_the_names_that_it_does_not_leave_as_they_are(self) -> None:
        found = {term: english for term, english, _ in names_in_vietnamese()}
        assert found["Tập Cận Bình"] == "Xi Jinping" and found["Bắc Kinh"] == "Beijing"
        assert "Nguyễn Xuân Phúc" not in found

    def test_a_name_with_two_english_spellings_is_not_asked_for(self, thai: Glossary) -> None:
        (hint,) = [h for h in thai.hints("เดินทางถึงดอนบัสแล้ว", 25) if h.term == "ดอนบัส"]
        assert hint.english.startswith("Donbas") and not hint.is_name

    def test_no_name_of_a_person_is_a_common_word(self) -> None:
        assert {"เลย", "ตาก", "แพร่", "เรียว"}.isdisjoint(term for term, _, _ in names_in_thai())

    def test_a_vietnamese_name_that_nobody_listed_is_a_hint_that_is_not_asked_for(self, thai: Glossary) -> None:
        (hint,) = [h for h in thai.hints("นายเหงียน ฮวี บิ่ญกล่าวว่า", 25) if "Nguyen" in h.english]
        assert hint.english == "Nguyen Huy Binh" and not hint.is_name


class TestVietnameseNames:
    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("นายฟาม มินห์ จินห์ กล่าวว่า", ["Pham Minh Chinh"]),
            ("รัฐมนตรี เจิ่น ห่ง มิญแถลงข่าวเมื่อวานนี้", ["Tran Hong Minh"]),
            ("นายบุ่ย แทงห์ เซิน ต้อนรับแขก และนางเหงียน ถิ กิม เงิน (ซ้าย)", ["Bui Thanh Son", "Nguyen Thi Kim Ngan"]),
            ("เขาไป มา ดี แล้ว ก็ เล ดู", []),
            ("ตลาดหุ้นไทย ปิด บวก 5 จุด", []),
            ("", []),
        ],
    )
    def test_names_in_running_text(self, text: str, names: list[str]) -> None:
        found = list(vietnamese_names(text))
        assert [english for _, _, english in found] == names
        assert all(text[start : start + len(written)] == written for start, written, _ in found)

    def test_in_thai_news_they_are_all_found_and_nothing_else(self) -> None:
        rows = [row.split("\t")[0] for row in (DATA / "news_th.tsv").read_text("utf-8").splitlines()]
        assert [english for row in rows for _, _, english in vietnamese_names(row)] == [
            "Nguyen Van Hung",
            "Pham Minh Chinh",
            "Nguyen Thi Thu",
            "Luong Cuong",
            "Tran Quang Minh",
            "Pham Viet Hung",
        ]


def test_first_candidates_are_right() -> None:
    rows = [row.split("\t") for row in (DATA / "thai_spellings.tsv").read_text("utf-8").splitlines()]
    right = {(thai, kind): plain(candidates(thai)[0]) == plain(english) for thai, english, kind in rows}
    vietnamese = [found for (_, kind), found in right.items() if kind == "vietnamese"]
    assert sum(vietnamese) >= 0.9 * len(vietnamese)
    assert sum(right.values()) >= 0.85 * len(right)


def test_a_name_that_nobody_knows_is_romanised() -> None:
    assert candidates("สมชาย ใจดี") == ["Somchai Chaidi"]
