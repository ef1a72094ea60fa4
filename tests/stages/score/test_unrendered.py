import pytest

from pipeline.stages.score.pair_facts import PairFacts
from pipeline.stages.score.source_text import SourceText
from pipeline.stages.score.unrendered import strange_stretches
from tests.stages.score.build import pair


def lost(source: str, english: str, lang: str) -> list[float]:
    return PairFacts(pair(source, english, lang)).unrendered_names


class TestStretches:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("เมื่อคาวานอห์ว่าที่ผู้พิพากษา", "คาวานอห์"),
            ("ตำแหน่งไลน์แบคเกอร์ของทีม", "แบคเกอร์"),
            ("สเติร์นไลบ์ประธานกล่าว", "สเติร์นไลบ์"),
        ],
    )
    def test_a_foreign_name_is_in_one_whole(self, text, name):
        (stretch,) = strange_stretches(text)
        assert name in stretch

    @pytest.mark.parametrize(
        "text", ["เด็กๆ ในหมู่บ้านช่วยกันปลูกต้นไม้", "ประชุมเมื่อวันที่ 5 มกราคม", "สถานีบีบีซี รายงาน", "Nvidia แถลง", ""]
    )
    def test_words_repeated_words_letters_and_latin_are_none(self, text):
        assert list(strange_stretches(text)) == []


class TestLost:
    @pytest.mark.parametrize(
        ("source", "right", "wrong", "lang"),
        [
            ("ชูลแมนเขียนลงบล็อกเมื่อวันจันทร์", "Schulman wrote in a blog on Monday.", "Oswald wrote in a blog.", "th"),
            ("เธอบอกกับบีบีซีเมื่อวาน", "She told the BBC yesterday.", "She told Dorset yesterday.", "th"),
            ("เขาบินไปปักกิ่งเมื่อวาน", "He flew to Beijing yesterday.", "He flew to Madrid yesterday.", "th"),
            ("Ông bay đến Bắc Kinh hôm qua.", "He flew to Beijing yesterday.", "He flew to Madrid yesterday.", "vi"),
            ("Tàu đi qua Ba Lan.", "The train crosses Poland.", "The train crosses Portugal.", "vi"),
        ],
    )
    def test_a_name_that_the_english_lacks(self, source, right, wrong, lang):
        assert max(lost(source, right, lang), default=0.0) < 0.5
        assert max(lost(source, wrong, lang), default=0.0) > 0.5

    def test_letters_that_the_english_spells_out_are_there(self):
        source = "ซีอีโอลาออกแล้ว"
        assert lost(source, "The chief executive officer has resigned.", "th") == []
        assert lost(source, "The baker has resigned.", "th") == [1.0]

    def test_an_adjective_of_a_country_names_it(self):
        assert lost("บริษัทจีนลงทุน", "A Chinese company invests.", "th") == []


class TestSupport:
    def test_a_short_term_counts_as_a_whole_word_only(self):
        assert SourceText("เขาไปวัดเก่า", "th").support("Temple") == 1
        assert SourceText("ประกาศในจังหวัดนี้", "th").support("Temple") < 0.1

    @pytest.mark.parametrize("text", ["ป.ป.ช.ชี้มูลอดีตนายก", "ศปถ. สรุป 7 วันอันตราย"])
    def test_an_acronym_may_stand_for_an_abbreviation(self, text):
        assert SourceText(text, "th").support("XQW") == 0.5
        assert SourceText(text, "th").support("Wexford") < 0.1

    @pytest.mark.parametrize("text", ["เมื่อวันที่ 3 ม.ค. 2567", "นพ. ธีระ กล่าว", "ระยะทาง 5 กม."])
    def test_and_not_for_a_month_a_title_or_a_unit(self, text):
        assert SourceText(text, "th").support("XQW") < 0.5

    def test_the_animals_of_years(self):
        assert SourceText("ตรุษจีนปีมะเส็ง", "th").support("Snake") == 1
        assert SourceText("Tết Giáp Thìn 2024", "vi").support("Dragon") == 1
