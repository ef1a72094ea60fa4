from dataclasses import replace

import pytest

from pipeline.stages.score.evidence import AlignmentCost, Displacement, Guard, LogProbability, Margin, MiningMargin
from pipeline.stages.score.language import Language, ScriptShare
from pipeline.stages.score.name_agreement import NameAgreement, UrlAgreement
from pipeline.stages.score.names import kept_names
from pipeline.stages.score.numbers import NumberAgreement, NumberChanged, UnconvertedYear
from pipeline.stages.score.similarity import Similarity
from tests.stages.score.build import column, context, one, pair, translation
from tests.support.encoders import LetterEncoder

THAI = "นายกรัฐมนตรีกล่าวว่ารัฐบาลจะเร่งช่วยเหลือเกษตรกรที่ได้รับผลกระทบจากน้ำท่วมในภาคเหนือ"
ENGLISH = "The prime minister said the government would speed up help for farmers hit by floods in the north."


class TestLanguage:
    def test_both_sides(self):
        assert one(Language("source"), THAI, ENGLISH) == 1
        assert one(Language("target"), THAI, ENGLISH) == 1

    def test_wrong_languages(self):
        vietnamese = "Thủ tướng cho biết chính phủ sẽ đẩy nhanh việc hỗ trợ nông dân bị lũ lụt ở miền Bắc."
        assert one(Language("source"), vietnamese, ENGLISH, "th") == 0
        assert one(Language("target"), THAI, vietnamese) == 0
        assert one(Language("target"), THAI, THAI) == 0

    def test_short_texts_are_left_alone(self):
        assert one(Language("target"), "สมชาย", "Somchai") is None

    def test_names(self):
        assert (Language("source").name, Language("target").name) == ("source_language", "target_language")


class TestNumbers:
    def test_value_not_digits(self):
        source = "มูลค่าการค้า 148,620 ล้านบาท เพิ่มขึ้น 25%"
        assert one(NumberAgreement(), source, "Trade was worth 148.62 billion baht, up 25 percent.") == 1
        assert one(NumberAgreement(), source, "Trade was worth 148.62 billion baht.") == 0.5

    def test_no_numbers(self):
        assert one(NumberAgreement(), THAI, ENGLISH) is None
        assert one(NumberChanged(), THAI, ENGLISH) is None

    def test_changed_number(self):
        source = "Có 25 người bị thương."
        assert one(NumberChanged(), source, "25 people were injured.", "vi") == 0
        assert one(NumberChanged(), source, "52 people were injured.", "vi") == 1
        assert one(NumberChanged(), source, "Many people were injured.", "vi") == 0

    def test_years(self):
        source = "ในปี พ.ศ. 2568 การส่งออกขยายตัว"
        assert one(UnconvertedYear(), source, "Exports grew in 2568.") == 1
        assert one(UnconvertedYear(), source, "Exports grew in 2025.") == 0
        assert one(UnconvertedYear(), source, "Exports grew.") == 0
        assert one(UnconvertedYear(), THAI, ENGLISH) is None

    def test_an_unconverted_year_in_another_number_does_not_count(self):
        assert one(UnconvertedYear(), "ในปี พ.ศ. 2568 การส่งออกขยายตัว", "Exports grew to 125,680 and 25689 tons.") == 0


class TestNames:
    def test_thai_keeps_latin_words(self):
        names = kept_names("ทีม GOP ของ Geoff Diehl ใช้ F-16 ที่ www.example.org ระยะ 5 km", "th")
        assert names == ["www.example.org", "GOP", "Geoff", "Diehl", "F-16"]

    def test_vietnamese_keeps_foreign_words_and_family_names(self):
        names = kept_names("Ông Nguyễn Văn An gặp Warren ở Hà Nội về mạng 5G, UBND nói với email 20kg", "vi")
        assert names == ["Nguyễn Văn An", "Warren", "5G"]

    @pytest.mark.parametrize(
        ("english", "score"),
        [
            ("Mr Nguyen Van An met Warren over 5G.", 1),
            ("Mr. Nguyễn Văn An met Warren's team over a 5G network.", 1),
            ("Mr Nguyen Van An met Waren over 5G.", 1),
            ("Mr An met Smith over networks.", 0),
        ],
    )
    def test_share(self, english, score):
        assert one(NameAgreement(), "Ông Nguyễn Văn An gặp Warren về mạng 5G", english, "vi") == score

    def test_another_ending(self):
        source = "Mexico và Brazil thắng"
        assert one(NameAgreement(), source, "The Mexicans and the Brazilians win", "vi") == 1

    def test_one_name_says_too_little(self):
        assert one(NameAgreement(), "Khán giả Oscar", "The Academy Awards audience", "vi") is None


class TestSimilarity:
    def test_without_an_encoder(self):
        assert column(Similarity(None), [pair(THAI, ENGLISH)]) == [None]
        assert Similarity(None).signatures == {"similarity": "encoder:none|version:2"}

    def test_source_language_known_to_the_encoder(self):
        scorer = Similarity(LetterEncoder("th", "en"))
        same, other = column(scorer, [pair("abc", "abc"), pair("abc", "xyz")])
        assert same == pytest.approx(1, abs=1e-5)
        assert other < 0.01

    def test_encoder_and_weights_are_in_the_signature(self):
        assert Similarity(LetterEncoder("th")).signatures == {"similarity": "encoder:letters|weights:0|version:2"}

    def test_aligned_vietnamese_goes_through_the_translation(self):
        encoder = LetterEncoder("th", "en")
        found = context(translation("d:0", "abc"), translation("d:1", "def"))
        pairs = [pair("không", "abc def", "vi", segments=("d:0", "d:1")), pair("không", "xyz", "vi", segments=("d:0",))]
        same, other = column(Similarity(encoder), pairs, found)
        assert same == pytest.approx(1, abs=1e-5)
        assert other < 0.01

    def test_a_translation_is_not_compared_with_itself(self):
        found = context(translation("d:0", "abc"))
        assert column(Similarity(LetterEncoder("en")), [pair("không", "abc", "vi", "translated")], found) == [None]

    def test_missing_translation_or_text(self):
        encoder = LetterEncoder("th", "en")
        pairs = [pair("không", "abc", "vi"), pair(" ", "abc"), pair("abc", "")]
        assert column(Similarity(encoder), pairs) == [None, None, None]
        assert encoder.calls == []


class TestEngine:
    def test_guard(self):
        good, bad = translation("d:0"), translation("d:1", ended="length")
        both = pair(THAI, ENGLISH, origin="translated", segments=("d:0", "d:1"))
        first = pair(THAI, ENGLISH, origin="translated")
        assert column(Guard(), [first, both], context(good, bad)) == [1, 0]
        assert column(Guard(), [first]) == [0]
        assert column(Guard(), [pair(THAI, ENGLISH)], context(bad)) == [None]

    def test_log_probability_is_a_mean_over_tokens(self):
        found = context(translation("d:0", logprob=-1.0, tokens=30), translation("d:1", logprob=-2.0, tokens=10))
        both = pair(THAI, ENGLISH, origin="translated", segments=("d:0", "d:1"))
        assert column(LogProbability(), [both], found) == [-1.25]
        assert column(LogProbability(), [both], context(translation("d:0"))) == [None]
        assert column(LogProbability(), [pair(THAI, ENGLISH)], found) == [None]

    def test_margins_of_aligned_and_mined_pairs_are_kept_apart(self):
        pairs = [replace(pair("x", "y", origin=o), margin=1.5) for o in ("aligned", "mined", "translated")]
        assert column(Margin(), pairs) == [1.5, None, None]
        assert column(MiningMargin(), pairs) == [None, 1.5, None]
        assert column(AlignmentCost(), pairs[1:]) == [None, None]
        assert column(Displacement(), [replace(pairs[0], displacement=0.25), pairs[2]]) == [0.25, None]

    def test_alignment_cost(self):
        pairs = [pair(THAI, ENGLISH, cost=0.4), pair(THAI, ENGLISH, origin="translated")]
        assert column(AlignmentCost(), pairs) == [0.4, None]


class TestScripts:
    def test_shares_of_letters(self):
        assert one(ScriptShare("source"), "ทม ABC", "The team", "th") == pytest.approx(2 / 5)
        assert one(ScriptShare("source"), "đội ABC", "The team", "vi") == 1
        assert one(ScriptShare("target"), "ทม", "The ทม", "th") == pytest.approx(3 / 5)
        assert one(ScriptShare("target"), "ทีม", "Группа", "th") == 0
        assert one(ScriptShare("target"), "5", "5", "th") is None


def test_addresses_are_compared_without_scheme_and_end():
    source = "ดูที่ https://www.example.org/a และ me@example.org"
    assert one(UrlAgreement(), source, "See example.org/a.") == 0
    assert one(UrlAgreement(), source, "See http://example.org/a, or write.") == 0.5
    assert one(UrlAgreement(), source, "See www.Example.org/a or me@example.org.") == 1
    assert one(UrlAgreement(), "ไม่มี", "None at www.example.org.") is None


def test_a_buddhist_year_for_a_common_one_of_the_source():
    assert one(UnconvertedYear(), "ในปี ค.ศ. 2019 ข้าวแพง", "In 2562 rice was dear.") == 1
    assert one(UnconvertedYear(), "Năm 2019 gạo đắt.", "In 2562 rice was dear.", "vi") == 1
    assert one(UnconvertedYear(), "Năm 2019 gạo đắt.", "In 2019 rice was dear.", "vi") == 0
