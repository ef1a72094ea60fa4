import pytest

from pipeline.stages.score.name_support import NameChanged, NameSupport
from pipeline.stages.score.names import english_names
from pipeline.text.transliteration import log_odds, spoken, stretch_log_odds, unspoken
from tests.stages.score.build import one


class TestTransliteration:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            ("washington", "เขาเดินทางถึงกรุงวอชิงตันเมื่อเช้านี้"),
            ("robert", "นายโรเบิร์ตกล่าวว่าจะไม่ลาออก"),
            ("netflix", "บริษัทเน็ตฟลิกซ์ประกาศขึ้นราคา"),
        ],
    )
    def test_a_name_is_found_where_it_stands_and_not_elsewhere(self, name, text):
        elsewhere = "ชาวบ้านในหมู่บ้านริมแม่น้ำช่วยกันปลูกต้นไม้ในวันหยุด"
        assert log_odds(name, text) > 6 > log_odds(name, elsewhere)

    def test_a_text_without_thai_says_nothing(self):
        assert log_odds("robert", "Robert 5") == 0

    def test_stretches_are_compared_apart(self):
        texts = ["กรุงวอชิงตัน", "Robert 5", "นายโรเบิร์ต", "วอชิง", "ตัน"]
        for name in ("washington", "robert"):
            assert stretch_log_odds(name, texts) == pytest.approx([log_odds(name, text) for text in texts])
        assert stretch_log_odds("robert", []) == []

    def test_letters_are_spoken(self):
        assert spoken("CNN") == "ซีเอ็นเอ็น"
        assert unspoken("ซีเอ็นเอ็น") == "cnn"


class TestNames:
    def test_runs_inside_sentences_without_titles_and_endings(self):
        text = "Officials told Mrs Anna Keller's aide that Brussels and the NGO agreed. Nobody knew Tom."
        assert list(english_names(text)) == [["Anna", "Keller"], ["Brussels"], ["NGO"], ["Tom"]]

    def test_a_text_in_capitals_has_no_names(self):
        assert list(english_names("he wrote GREAT DAY FOR KELLER today")) == []

    @pytest.mark.parametrize(
        ("source", "english", "lang"),
        [
            ("Ông Keller gặp Schneider ở Berlin hôm qua.", "On Monday Mr Keller met Schneider in Berlin.", "vi"),
            ("นายเคลเลอร์พบชไนเดอร์ที่กรุงเบอร์ลิน", "Yesterday Keller met Schneider in Berlin.", "th"),
            ("Mỹ và Đức ký thỏa thuận với NATO.", "Both America and Germany signed a deal with NATO.", "vi"),
        ],
    )
    def test_names_of_a_translation_have_support(self, source, english, lang):
        assert one(NameSupport(), source, english, lang) > 0.5
        assert one(NameChanged(), source, english, lang) == 0

    def test_a_name_from_nowhere_has_none(self):
        assert one(NameSupport(), "Ông Keller gặp Schneider.", "Then Keller met Vandermeer.", "vi") < 0.5
        assert one(NameSupport(), "นายเคลเลอร์พบชไนเดอร์", "Then Keller met Vandermoor.", "th") < 0.5

    def test_no_names_no_score(self):
        assert one(NameSupport(), "Trời mưa.", "It rains.", "vi") is None

    def test_one_lost_and_one_added_is_a_change(self):
        assert one(NameChanged(), "Ông Keller gặp Schneider.", "Then Keller met Vandermeer.", "vi") == 1
        assert one(NameChanged(), "Đài BBC đưa tin.", "The news came from CNN.", "vi") == 1
        assert one(NameChanged(), "Quân đội Mỹ rút lui.", "The army of Japan withdrew.", "vi") == 1

    def test_one_of_the_two_alone_is_none(self):
        assert one(NameChanged(), "Ông Keller gặp Schneider.", "Then Keller met him.", "vi") == 0
        assert one(NameChanged(), "Ông ấy gặp Schneider.", "Then Vandermeer met Schneider.", "vi") == 0

    def test_glosses_and_currencies_are_no_names(self):
        assert one(NameChanged(), "Hội Bạn Đọc (Readers United) họp.", "Then the Friends of Reading met.", "vi") == 0
        assert one(NameChanged(), "Giá là 5 USD ở Lyon.", "The price in Lyon is $5.", "vi") == 0
