"""What becomes of a pair does not hang on how its characters are stored."""

import tempfile
import unicodedata
from collections.abc import Mapping
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stages.read.pairs import Given, corpora
from pipeline.stages.score.base import Context
from pipeline.stages.score.scorers import all_scorers
from pipeline.stages.score.stage import score
from pipeline.text.language import detect
from pipeline.types import Pair, Reject

PAIRS = [
    ("th", "ราคายางพาราในสงขลาขึ้น 3 วันติดต่อกัน หลังน้ำท่วม", "Rubber prices in Songkhla rose 3 days running."),
    ("th", "ธนาคารโลกระบุว่าไทยโต 2.5% ในปี 2567", "The World Bank said Thailand's economy grew 2.5% in 2024."),
    (
        "vi",
        "Tháng 3/2024, xuất khẩu gạo đạt 1,12 triệu tấn.",
        "In March 2024 rice exports reached 1.12 million tonnes.",
    ),
    ("vi", "Bà Trần Thị Hồng, 45 tuổi, bán cà phê.", "Trần Thị Hồng, 45, of Quảng Trị province, sells coffee."),
]
NOTHING = st.text("\u00ad\u200b\u200c\u200d\u200e\u2060\ufeff", max_size=2)
SPACE = st.sampled_from(
    [" ", "\u00a0", "\u2009", "\u202f", "\u3000", "  ", "\n", "\n      ", "\u00a0\n", "\t", "\r\n", "\u2028"]
)


def read_back(lang: str, source: str, english: str) -> Pair | Reject:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pairs.jsonl"
        path.write_bytes(orjson.dumps({"id": "1", "src_lang": lang, "src": source, "tgt": english}))
        (row,) = corpora([path], "")[0].read(100_000)
        return row.pair if isinstance(row, Given) else row


@st.composite
def stored_otherwise(draw: st.DrawFn, text: str) -> str:
    text = unicodedata.normalize(draw(st.sampled_from(["NFC", "NFD"])), text)
    places = set(draw(st.lists(st.integers(0, len(text)), max_size=6)))
    parts = [draw(SPACE) if char == " " and draw(st.booleans()) else char for char in text]
    return "".join((draw(NOTHING) if i in places else "") + part for i, part in enumerate([*parts, ""]))


SCORERS = all_scorers()


def scores(pair: Pair) -> Mapping[str, float | None]:
    (scored,) = score([pair], SCORERS, Context())
    return scored.scores


@settings(max_examples=20)
@given(st.data())
def test_scores_and_texts_are_the_same_however_the_texts_are_stored(data):
    lang, source, english = data.draw(st.sampled_from(PAIRS))
    plain = read_back(lang, source, english)
    other = read_back(lang, data.draw(stored_otherwise(source)), data.draw(stored_otherwise(english)))
    assert isinstance(plain, Pair) and plain == other
    assert (plain.src_text, plain.tgt_text) == (source, english)
    assert scores(other) == scores(plain)


@given(st.data())
def test_the_language_is_the_same_however_the_text_is_stored(data):
    lang, source, english = data.draw(st.sampled_from(PAIRS))
    assert detect(data.draw(stored_otherwise(source))) == detect(source) == lang
    assert detect(data.draw(stored_otherwise(english))) == detect(english)


def test_a_headline_with_hard_spaces_is_english():
    assert detect("Exports\u00a0of\u00a0durian\u00a0rise\u00a0sharply") == detect("Exports of durian rise sharply")


@pytest.mark.parametrize("side", ["\u200b", "\u00a0\n\ufeff", "\u00ad"])
def test_a_side_of_which_nothing_is_left_is_empty(side):
    row = read_back("vi", "Chợ nổi", side)
    assert isinstance(row, Reject) and row.reason == "'tgt' is empty"
