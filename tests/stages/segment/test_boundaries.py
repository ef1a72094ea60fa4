import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import ModelMissing, ModelRefused
from pipeline.stages.segment import boundaries
from pipeline.stages.segment.boundary_model import BoundaryModel

HEADLINE = "Harbour board approves second ferry pier"
REST = "The harbour board approved plans for a second pier on Friday. Work starts in May."
TIN = "Hội đồng cảng thông qua kế hoạch xây bến phà thứ hai"
TIEP = "Hội đồng cảng hôm thứ Sáu đã thông qua kế hoạch xây thêm một bến phà. Công việc bắt đầu vào tháng Năm."
SURE = "เทศบาลประกาศปิดถนนเลียบแม่น้ำทั้งสายเพื่อซ่อมสะพานแล้ว"
NEXT = "นอกจากนี้เจ้าหน้าที่ยังขอให้ประชาชนหลีกเลี่ยงเส้นทางดังกล่าวจนถึงสิ้นเดือน"
PIECES = {
    "th": ["การ", "และ", "นอกจากนี้", "18.00", "น.", "นาย", "Putin", "“", "”", "(", "ๆ", "ฯ", "คนเดินทางมา", " ", "\n"],
    "en": ["The ", "said", "U.S.", " 5", "“", '"', ")", "Ferry ", "pier. ", ":", "-", "a", " ", "\n", "\u0e01"],
    "vi": ["Ông ", "nói", "TP.HCM", " 5", "“", '"', ")", "Bến ", "phà. ", ":", "-", "là", " ", "\n"],
}  # fmt: skip
TEXTS = st.sampled_from(["th", "en", "vi"]).flatmap(
    lambda lang: st.tuples(st.just(lang), st.lists(st.sampled_from(PIECES[lang]), max_size=60).map("".join))
)


def odds_before(text, word, lang):
    return dict(boundaries.load(lang).log_odds(text))[text.index(word)]


@settings(deadline=None)
@given(TEXTS)
def test_candidates_are_the_words_after_spaces_inside_lines(case):
    lang, text = case
    found = boundaries.load(lang).log_odds(text)
    words = [at for at in range(1, len(text)) if text[at - 1].isspace() and not text[at].isspace()]
    lines = text.split("\n")
    heads, offset = set(), 0
    for line in lines:
        heads.add(offset + len(line) - len(line.lstrip()))
        offset += len(line) + 1
    assert [at for at, _ in found] == [at for at in words if at not in heads]
    assert all(np.isfinite(odds) for _, odds in found)
    assert found == boundaries.load(lang).log_odds(text)


@settings(deadline=None)
@given(TEXTS, st.integers(1, 120))
def test_segments_hold_every_visible_character_once_within_the_budget(case, max_chars):
    lang, text = case
    found = boundaries.load(lang).segments(text, max_chars)
    assert "".join("".join(text[start:end].split()) for start, end in found) == "".join(text.split())
    done = 0
    for start, end in found:
        assert done <= start < end
        assert text[start:end] == text[start:end].strip() and "\n" not in text[start:end]
        assert end - start <= max_chars or len(text[start:end].split()) == 1
        done = end


@pytest.mark.parametrize(
    ("lang", "text", "clear", "inside"),
    [
        ("en", f"{HEADLINE} {REST}", "The harbour", "second"),
        ("vi", f"{TIN} {TIEP}", "Hội đồng cảng hôm", "kế hoạch"),
        ("en", f"{HEADLINE}\n{REST}", "Work", "Friday"),
        ("vi", f"{TIN}\n{TIEP}", "Công việc", "Sáu đã"),
        ("th", f"{SURE} {NEXT} ๆ เวลา 18.00 น.", NEXT, "18.00"),
    ],
)
def test_a_sentence_begins_more_likely_after_a_headline_or_a_mark_than_inside_a_phrase(lang, text, clear, inside):
    assert odds_before(text, clear, lang) > odds_before(text, inside, lang) + 2


def test_clear_thai_sentences_are_segments():
    text = f"{SURE} {NEXT}"
    assert boundaries.load("th").segments(text, 220) == [(0, len(SURE)), (len(SURE) + 1, len(text))]


def test_a_title_is_no_sentence():
    text = "The report was signed by Dr. Vance on Monday. It is public."
    assert odds_before(text, "It is", "en") > 0 > odds_before(text, "Vance", "en")


def model(weights=(0.0, 0.0), lang="en", deviation=0.5):
    return BoundaryModel(lang, np.array(weights, dtype=np.float32), -1.0, (4.6, deviation), 1.0, 0.0)


@pytest.mark.parametrize(
    "wrong", [{"lang": "de"}, {"weights": ()}, {"weights": (0.0,) * 3}, {"weights": (0.0, np.nan)}, {"deviation": 0.0}]
)
def test_numbers_that_are_no_model_are_refused(wrong):
    with pytest.raises(ModelRefused, match="boundary model"):
        model(**wrong)


def test_a_budget_of_nothing_is_refused():
    with pytest.raises(ValueError, match="max_chars is 0"):
        model().segments("a b", 0)


def test_a_model_survives_its_file_and_the_bytes_are_the_same(tmp_path):
    saved = model((0.5, -2.0))
    for name in ("a", "b"):
        boundaries.write(saved, tmp_path / name)
    read = boundaries.read(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert read.log_odds("One two. Three") == saved.log_odds("One two. Three")


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_a_damaged_file_is_refused(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("model") / "en.safetensors"
    boundaries.write(model(), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(ModelRefused, match=r"en\.safetensors"):
        boundaries.read(path)


def test_a_language_without_a_model_is_refused():
    with pytest.raises(ModelMissing, match="'de'"):
        boundaries.load("de")
