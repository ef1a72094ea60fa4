import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.settings import SegmentSettings
from pipeline.stages.segment.stage import segment, split
from pipeline.text.unicode import normalise
from pipeline.types import Document, Source

EN = "The ministry said on Monday that exports had grown for the ninth month in a row."


def cut(text, lang, max_chars=220):
    return list(segment([Document("d", lang, text, Source("d.txt"))], SegmentSettings(max_chars=max_chars)))


def test_sentences_of_an_article_with_their_kinds_paragraphs_and_places():
    text = f"Exports grow\n\n{EN} \u200b Imports fell.  \n(Photo: VNA)\n"
    found = cut(text, "en")
    assert [(s.id, s.index, s.paragraph, s.kind, s.text) for s in found] == [
        ("d:0000", 0, 0, "headline", "Exports grow"),
        ("d:0001", 1, 1, "body", EN),
        ("d:0002", 2, 1, "body", "Imports fell."),
        ("d:0003", 3, 2, "caption", "(Photo: VNA)"),
    ]
    assert [text[s.start : s.end] for s in found] == ["Exports grow", f"{EN} \u200b", "Imports fell.", "(Photo: VNA)"]


def test_every_document_counts_for_itself():
    documents = [Document(name, "en", EN, Source(name)) for name in ("a", "b")]
    assert [s.id for s in segment(documents, SegmentSettings())] == ["a:0000", "b:0000"]


def test_documents_are_taken_one_at_a_time():
    def endless():
        while True:
            yield Document("d", "en", EN, Source("d"))

    assert next(segment(endless(), SegmentSettings())).text == EN


def test_lines_without_anything_visible_are_no_paragraphs():
    found = cut(f"\u200b\n \t \n{EN}\n\ufeff\n\x00\n{EN}", "en")
    assert [s.paragraph for s in found] == [0, 1]
    assert cut(" \n\u200b\n", "en") == []


def test_thai_is_normalised_and_the_places_are_those_of_the_original():
    text = "รัฐบาลท\u0e4dางานร่วมกับ\u0e40\u0e40ม่ค้าและต่าง ๆ แล้ว"
    (found,) = cut(text, "th")
    assert found.text == "รัฐบาลทำงานร่วมกับแม่ค้าและต่างๆ แล้ว"
    assert (found.start, found.end) == (0, len(text))


def test_a_long_sentence_is_cut_at_clause_marks_and_never_inside_a_number():
    text = "Exports of rice, which reached 1,250,000 tonnes, rose; " * 8 + "that is all."
    found = cut(text, "en", 60)
    assert len(found) > 4
    assert all(len(s.text) <= 120 for s in found)
    assert all(s.text[-1] in ",;." for s in found)
    assert "".join(s.text for s in found).count("1,250,000") == 8


def test_a_long_sentence_without_marks_is_cut_at_spaces_but_not_between_digits():
    text = "giá 1 250 000 " * 40
    found = cut(text.strip(), "vi", 60)
    assert all(len(s.text) <= 120 for s in found)
    assert all(s.text.count("250") == s.text.count("1 250 000") for s in found)


def test_thai_without_spaces_is_cut_between_words():
    from pythainlp.tokenize import word_tokenize

    text = "กระทรวงพาณิชย์รายงานมูลค่าการส่งออกผลไม้ของประเทศไทย" * 200
    found = cut(text, "th")
    ends, at = set(), 0
    for word in word_tokenize(text, engine="newmm-safe"):
        at += len(word)
        ends.add(at)
    assert all(len(s.text) <= 440 for s in found)
    assert sum(s.end in ends for s in found) > 0.9 * len(found)
    assert "".join(s.text for s in found) == text


def test_thai_without_spaces_is_cut_where_the_author_marked_word_ends():
    text = ("กขคงจฉช" * 3 + "\u200b") * 40
    found = cut(text, "th", 60)
    assert len(found) > 2
    assert all(len(s.text) % 21 == 0 for s in found)


def test_what_cannot_be_cut_well_is_cut_all_the_same():
    for text in ("x" * 5000, "1" * 5000, "e\u0301" * 3000, "เ" * 5000):
        for lang in ("en", "vi", "th"):
            found = split(text, lang, 100)
            assert all(end - start <= 200 for start, end in found)


def test_the_sign_off_of_an_agency_stays_with_its_sentence():
    assert [s.text for s in cut(f"{EN} It ended well. — VNS", "en")] == [EN, "It ended well. — VNS"]


def test_a_caption_is_one_segment():
    (_, caption, _) = cut(f"{EN}\nA man. A boat. (Photo: VNA)\n{EN}", "en")
    assert (caption.kind, caption.text) == ("caption", "A man. A boat. (Photo: VNA)")


@pytest.mark.parametrize("lang", ["th", "vi", "en"])
def test_a_very_long_line(lang):
    text = {"th": "การประชุม ครั้งที่ 5 และ", "vi": "Ông nói, bà nghe. ", "en": "He said, she heard. "}[lang] * (
        2_000 if lang == "th" else 20_000
    )
    found = cut(text, lang)
    assert max(len(s.text) for s in found) <= 440
    assert "".join(s.text for s in found).replace(" ", "") == normalise(text, lang).text.replace(" ", "")


WORDS = ["Mr. ", "U.S. ", "18.00 น.", "พ.ศ. 2568", "1.250.000", "นอกจากนี้", "กล่าวว่า ", "(Photo: VNA)", "\u0e4d\u0e32"]
LINES = ["Tin liên quan: ", "https://a.example/b ", "e\u0301", "./.", "— VNS"]
PIECES = st.sampled_from([*'aB.!?,;:"“”()5%—ếđกาำ่ๆฯ\n\n  \r\u200b\u00a0', *WORDS, *LINES])


@settings(max_examples=200)
@given(st.lists(PIECES, max_size=80).map("".join), st.sampled_from(["th", "vi", "en"]), st.integers(40, 120))
def test_every_visible_character_is_in_exactly_one_segment(text, lang, max_chars):
    found = cut(text, lang, max_chars)
    at = 0
    for s in found:
        assert at <= s.start < s.end
        assert not normalise(re.sub(r"\s", "", text[at : s.start]), lang).text
        assert s.text and s.text == s.text.strip()
        assert len(s.text) <= 2 * max_chars
        assert "\n" not in text[s.start : s.end]
        at = s.end
    assert not normalise(re.sub(r"\s", "", text[at:]), lang).text
    assert [s.index for s in found] == list(range(len(found)))
    whole = "".join(normalise(line, lang).text for line in text.split("\n"))
    assert "".join(s.text for s in found).replace(" ", "") == whole.replace(" ", "")
    kinds = {(s.paragraph, s.kind) for s in found}
    assert len(kinds) == len({paragraph for paragraph, _ in kinds})


@given(st.text(max_size=100), st.sampled_from(["th", "vi", "en"]))
def test_any_text_can_be_segmented(text, lang):
    for s in cut(text, lang, 40):
        assert 0 <= s.start < s.end <= len(text)
