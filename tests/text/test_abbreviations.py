"""Ranks, degrees and other abbreviations before names do not end a sentence; at its end they do."""

from pathlib import Path

import pytest

from pipeline.text.sentences import sentences

DATA = Path(__file__).parents[1] / "data"


def lines(name: str) -> list[str]:
    return (DATA / f"{name}.txt").read_text("utf-8").splitlines()


def cut(text: str, lang: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text, lang)]


@pytest.mark.parametrize("form", lines("english_abbreviations"))
def test_english_abbreviations_end_no_sentence(form):
    text = f"{form} Torsak told reporters on Friday"
    assert cut(text, "en") == [text]


@pytest.mark.parametrize("form", lines("vietnamese_abbreviations"))
def test_vietnamese_abbreviations_end_no_sentence(form):
    text = f"Theo {form} Trần Lan, mọi việc đã xong"
    assert cut(text, "vi") == [text]


@pytest.mark.parametrize("lang", ["english", "vietnamese"])
def test_sentences_with_titles_are_not_cut(lang):
    code = {"english": "en", "vietnamese": "vi"}[lang]
    for text in lines(f"{lang}_titles"):
        assert cut(text, code) == [text]


# | stands for the space between two sentences
@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("He is an Assoc. Prof.|The university hired him.", "en"),
        ("He was made a Pol. Gen.|They met in May.", "en"),
        ("She met the Lt. Gov.|When it rained, they left.", "en"),
        ("They live in St. Louis, Mo.|The rest moved.", "en"),
        ("It opened on Sukhumvit Rd.|It was late.", "en"),
        ("He went to Chiang Mai Univ.|She did not.", "en"),
        ("The wall is 6 ft.|The rest is fence.", "en"),
        ("Prof. He Jiankui spoke.|She left.", "en"),
        ("Col. So Min said so.|It rained.", "en"),
        ("Mr. The came.|Viet Cong.|John stayed.", "en"),
        ("Ông là PGS.|Theo ông, giá tăng.", "vi"),
        ("Anh học ThS.|Sau đó, anh về quê.", "vi"),
        ("Chị làm ở BV.|Ông ấy cũng vậy.", "vi"),
        ("Ông từng là HLV.|Anh ghi 2 bàn.", "vi"),
        ("TS. Anh Tuấn nói.|Bà cười.", "vi"),
        ("ThS. Hai nói.|Ông cười.", "vi"),
    ],
)
def test_a_sentence_may_end_with_an_abbreviation(text, lang):
    assert cut(text.replace("|", " "), lang) == text.split("|")
