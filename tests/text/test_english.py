import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.sentences import sentences


# | stands for the space between two sentences
@pytest.mark.parametrize(
    "text",
    [
        "He came. |She left.",
        "Mr. Smith met Gen. Brown and Dr. J. K. Rowling.|They talked.",
        "The U.S. Senate voted.|It was close.",
        "He lives in the U.S.|The rest of the family does not.",
        "It opens at 9 a.m. Monday.|The doors close at 5 p.m.|It is free.",
        "Acme Inc. Chairman Bob Lee resigned.",
        "Growth was 8.02 percent.|Exports hit US$1.5 billion.",
        "“We won,” he said.|“It was hard.”|She agreed.",
        '"Did you see it?" he asked.|"No."|That was all.',
        "See No. 5 in the list.|He said no.|It was late.",
        "On Jan. 5 it rained.|It ended in Jan.|The sun came.",
        "Wait...|Then it came.",
        "Wait ... then it came.",
        "The ceremony ended./.|More news follows.",
        "1. Open the box.|2. Take it out.",
        "(It was over.)|He left.",
        "The film (see p. 4) is long.",
        "Visit www.example.com for more.|It is free.",
        "What?!|No.",
        "He met Lt. Gen. Tran Van A. Nguyen there.",
    ],
)
def test_sentences(text):
    text = text.replace(". |", ".|")
    assert [text.replace("|", " ")[a:b] for a, b in sentences(text.replace("|", " "), "en")] == text.split("|")


MIXED = st.one_of(
    st.text(max_size=80),
    st.lists(
        st.sampled_from(
            [
                "Mr.",
                "U.S.",
                "Hà",
                "ông",
                ".",
                "?",
                "!",
                "...",
                "”",
                "“",
                '"',
                " ",
                "\n",
                "(",
                ")",
                "5",
                "8.02",
                "./.",
                "A.",
                "said",
                "The",
                "TP.",
                "v.v.",
                "\xa0",
                "\u3000",
            ]
        ),
        max_size=40,
    ).map("".join),
)


@given(MIXED, st.sampled_from(["en", "vi"]))
def test_sentences_cover_every_visible_character_once(text, lang):
    spans = sentences(text, lang)
    ends = 0
    for start, end in spans:
        assert ends <= start < end <= len(text)
        assert not text[ends:start].strip()
        assert text[start:end] == text[start:end].strip()
        assert "\n" not in text[start:end]
        ends = end
    assert not text[ends:].strip()
