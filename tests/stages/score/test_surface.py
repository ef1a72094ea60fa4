from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.score.base import Context
from pipeline.stages.score.scorers import all_scorers, score_names
from pipeline.stages.score.stage import signatures
from pipeline.stages.score.surface import (
    Copy,
    EmojiAgreement,
    Ending,
    LengthRatio,
    QuoteAgreement,
    RepeatedPhrase,
    Repetition,
    Untranslated,
)
from tests.stages.score.build import columns, one, pair, translation
from tests.support.encoders import LetterEncoder

DATA = Path(__file__).resolve().parents[2] / "data"
THAI = "นายกรัฐมนตรีกล่าวว่ารัฐบาลจะเร่งช่วยเหลือเกษตรกรที่ได้รับผลกระทบจากน้ำท่วมในภาคเหนือ"
ENGLISH = "The prime minister said the government would speed up help for farmers hit by floods in the north."


def news(lang):
    """Pairs of news; of those that say the same with another date the first."""
    lines = [line for line in (DATA / f"news_{lang}.tsv").read_text("utf-8").splitlines() if "\t" in line]
    return list({english[:20]: (source, english) for source, english in (line.split("\t") for line in lines)}.values())


class TestLengthRatio:
    def test_usual_lengths_are_near_one(self):
        assert one(LengthRatio(), THAI, ENGLISH) < 1.2

    def test_spaces_do_not_count(self):
        assert one(LengthRatio(), " ".join(THAI), ENGLISH) == one(LengthRatio(), THAI, ENGLISH)

    @given(st.integers(1, 300), st.integers(1, 300))
    def test_is_symmetric(self, a, b):
        plain = LengthRatio(smoothing=5)
        long_source = one(plain, "x" * a, "x" * b, lang="en")
        assert long_source == pytest.approx(one(plain, "x" * b, "x" * a, lang="en"))
        assert long_source >= 1

    def test_empty_english_is_far_off_but_finite(self):
        assert 5 < one(LengthRatio(), THAI, "") < 1000

    def test_settings_are_in_the_signature(self):
        assert "smooth:add5" in LengthRatio().signature
        assert LengthRatio(smoothing=9).signature != LengthRatio().signature
        assert LengthRatio().signature.endswith("|version:1")


class TestEnding:
    @pytest.mark.parametrize("end", [".", '."', "?", "!”", "...", ".)"])
    def test_final_marks(self, end):
        assert one(Ending(), THAI, ENGLISH[:-1] + end) == 1

    @pytest.mark.parametrize(
        "text", ["The minister said the", "He came to Bangkok, ", "Prices rose because", "It is ("]
    )
    def test_broken_off(self, text):
        assert one(Ending(), THAI, text) == 0

    def test_a_short_headline_is_whole(self):
        assert one(Ending(), "ข้าวไทยราคาพุ่งสูงสุดในรอบสิบปี", "Thai rice prices hit ten-year high") == 1

    def test_a_title_may_end_in_a_capitalised_small_word(self):
        assert one(Ending(), "ชีวิตที่เราอยู่", "The Life We Are In") == 1

    def test_a_long_text_that_is_too_short_and_has_no_mark(self):
        cut = "The prime minister said the government would speed up help for farmers"
        assert one(Ending(), THAI * 2, cut) == 0
        assert one(Ending(), THAI, ENGLISH.rstrip(".")) == 1

    def test_vietnamese_marks_are_compared(self):
        source = "Thủ tướng nói rằng chính phủ sẽ đẩy nhanh hỗ trợ nông dân."
        assert one(Ending(), source, "The prime minister said", "vi") == 0
        assert one(Ending(), source.rstrip("."), "The prime minister said", "vi") == 1

    def test_nothing_to_judge(self):
        assert one(Ending(), THAI, "") is None
        assert one(Ending(), THAI, "...") is None


class TestCopy:
    def test_the_source_handed_back(self):
        assert one(Copy(), THAI, THAI) == 1
        assert one(Copy(), "Đà Nẵng họp báo", "da nang hop bao", "vi") == 1

    def test_a_translation(self):
        assert one(Copy(), THAI, ENGLISH) < 0.1


class TestUntranslated:
    def test_thai_letters_left(self):
        assert one(Untranslated(), THAI, ENGLISH) == 0
        assert one(Untranslated(), THAI, "The กขค") == 0.5

    @pytest.mark.parametrize(
        ("english", "share"),
        [
            ("Prime Minister Phạm Minh Chính", 0),
            ("Squad — Goalkeepers: Nguyễn Filip, Trần Trung Kiên.", 0),
            ("The café in Curaçao", 0),
            ("He sells bánh mì in Huế", 2 / 6),
            ("Thủ tướng said prices would rise in Huế", 1 / 8),
        ],
    )
    def test_vietnamese_names_in_english_are_no_remains(self, english, share):
        assert one(Untranslated(), "Thủ tướng Phạm Minh Chính", english, "vi") == pytest.approx(share)

    @pytest.mark.parametrize("text", ["Bà Trần Thị Hồng nói với Joe Biden", "HÀ NỘI MƯA TO", "Ảnh: Nguyễn Khánh"])
    def test_the_source_handed_back_has_names_only_where_there_is_english(self, text):
        assert one(Untranslated(), text, text, "vi") >= 0.5

    def test_nothing_to_judge(self):
        assert one(Untranslated(), THAI, "25") is None
        assert one(Untranslated(), "hai", "", "vi") is None


class TestRepetition:
    def test_ordinary_text(self):
        assert one(Repetition(), THAI, ENGLISH) < 0.3

    @pytest.mark.parametrize("loop", ["and the people of ", "no ", "go on then. And so we "])
    def test_loops(self, loop):
        assert one(Repetition(), THAI, loop * 20) > 0.9

    def test_rhetoric_is_no_loop(self):
        assert one(Repetition(), THAI, '"No, no, no, no, no."') < 0.3

    def test_empty(self):
        assert one(Repetition(), THAI, "") is None

    @pytest.mark.parametrize("sentences", [1, 4, 10, 50, 200])
    @pytest.mark.parametrize("lang", ["th", "vi"])
    def test_paragraphs_and_articles_are_no_loops(self, lang, sentences):
        rows = news(lang)
        for start in range(0, len(rows), sentences):
            source, english = (" ".join(row[side] for row in rows[start : start + sentences]) for side in (0, 1))
            assert one(Repetition(), source, english, lang=lang) <= 0.5

    @pytest.mark.parametrize("sentences", [2, 20, 200])
    def test_a_loop_inside_an_article(self, sentences):
        rows = news("vi")
        english = [row[1] for row in rows[:sentences]]
        english.insert(sentences // 2, "the number of people who said that the government " * 5)
        assert one(Repetition(), " ".join(row[0] for row in rows[:sentences]), " ".join(english), lang="vi") > 0.5


@given(
    st.text(max_size=60),
    st.text(max_size=60),
    st.sampled_from(["th", "vi"]),
    st.sampled_from(["translated", "aligned"]),
)
def test_every_score_is_finite_or_none(source, english, lang, origin):
    context = Context({"d:0": translation(text=english, logprob=-1.0)})
    for scorer in all_scorers(LetterEncoder("th", "en")):
        for name, (value,) in columns(scorer, [pair(source, english, lang, origin)], context).items():
            assert value is None or (isinstance(value, float) and -100 < value < 1000), name


def test_names_and_signatures():
    scorers = all_scorers()
    assert [name for scorer in scorers for name in scorer.signatures] == list(score_names())
    assert len(set(score_names())) == len(score_names())
    for signature in signatures(scorers).values():
        parts = [part.split(":") for part in signature.split("|")]
        assert all(len(part) == 2 and all(part) for part in parts), signature
        assert parts[-1][0] == "version"


class TestRepeatedPhrase:
    @pytest.mark.parametrize(
        ("english", "words"),
        [
            ("The minister said the minister said prices rose.", 3),
            ("It was a very very long day.", 1),
            ("Prices rose in May.", 0),
            ("He praised the old town. The old town is small.", 0),
        ],
    )
    def test_words_of_the_longest_repetition(self, english, words):
        assert one(RepeatedPhrase(), THAI, english) == words

    @given(st.lists(st.sampled_from("ab"), min_size=1, max_size=14))
    def test_no_phrase_is_missed(self, words):
        sizes = [
            size
            for size in range(1, len(words))
            for at in range(len(words))
            if words[at : at + size] == words[at + size : at + 2 * size] and at + 2 * size <= len(words)
        ]
        assert one(RepeatedPhrase(), THAI, " ".join(words)) == max(sizes, default=0)

    def test_nothing_to_repeat(self):
        assert one(RepeatedPhrase(), THAI, " ") is None


def test_quotation_marks_are_counted_on_both_sides():
    assert one(QuoteAgreement(), "เขาพูดว่า “ไป”", 'He said "go".') == 1
    assert one(QuoteAgreement(), "เขาพูดว่า “ไป”", "He said it's time to go.") == 0
    assert one(QuoteAgreement(), "เขาไป", "He's gone.") is None


class TestEmoji:
    @pytest.mark.parametrize(
        ("source", "english", "share"),
        [
            ("ขอบคุณ 🙏🙏❤️", "Thank you 🙏❤", 1),
            ("ขอบคุณ 🙏❤️", "Thank you ❤️", 0.5),
            ("ไทย 🇹🇭 ลาว 🇱🇦", "Thailand 🇹🇭 Laos", 0.5),
            ("👍🏽 ดี", "Good 👍", 1),
            ("👩‍👧 บ้าน", "Home 👩👧", 1),
            ("ข่าวดี 🎉", "Good news", 0),
        ],
    )
    def test_the_share_that_is_kept(self, source, english, share):
        assert one(EmojiAgreement(), source, english) == share

    @pytest.mark.parametrize("text", ["ไม่มี", "★ ✔ → © ™ • 5", "1️⃣ ก"])
    def test_without_emoji_it_does_not_apply(self, text):
        assert one(EmojiAgreement(), text, "None 🎉") is None
