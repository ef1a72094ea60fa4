from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.report.marks import marked, runs, word_differences

SRC = "ปี 2568 มีผู้โดยสาร 40 คน ใช้ Galaxy กับ Robinson"


def of(found, kind):
    return [run["text"] for run in found if run["kind"] == kind]


def test_numbers_and_names_that_differ_are_marked_on_both_sides():
    src, tgt = marked(SRC, "th", "In 2025 there were 45 passengers with a Galaxy.")
    assert of(src, "missing") == ["40", "Robinson"]
    assert of(tgt, "added") == ["45"]
    assert of(src, "calendar") == of(tgt, "calendar") == []


def test_a_buddhist_year_left_as_it_was_is_marked_on_both_sides():
    src, tgt = marked("ปี 2568 มีผู้โดยสาร 40 คน", "th", "In 2568 there were 40 passengers.")
    assert of(src, "calendar") == of(tgt, "calendar") == ["2568"]


def test_remains_of_the_source_are_marked():
    assert of(marked("แมวดำ", "th", "The black แมว sat.")[1], "untranslated") == ["แมว"]
    assert of(marked("con mèo đen", "vi", "The mèo sat.")[1], "untranslated") == ["mèo"]


def test_a_code_that_is_spelled_out_in_thai_is_no_addition():
    assert of(marked("โควิด-19 ระบาด", "th", "COVID-19 spread.")[1], "added") == []
    assert of(marked("Máy bay rơi", "vi", "An F-16 crashed.")[1], "added") == ["F-16"]


texts = st.text(alphabet="ab12ก๓5 -.,2568F16@đè\n", max_size=60)


@given(texts, texts, st.sampled_from(["th", "vi"]))
@settings(deadline=None)
def test_runs_join_to_the_texts(src, tgt, lang):
    for found, text in zip(marked(src, lang, tgt), (src, tgt), strict=True):
        assert "".join(run["text"] for run in found) == text
    for found, text in zip(word_differences(src, tgt), (src, tgt), strict=True):
        assert "".join(run["text"] for run in found) == text


def test_words_are_compared_without_case_and_marks():
    left, right = word_differences("The minister, said trade grew.", "Trade grew, the Minister said.")
    assert of(left, "") == ["The minister, said "] and of(right, "differs") == ["Trade grew,"]
    assert word_differences("Same, words", "same words")[0] == [{"text": "Same, words", "kind": ""}]


def test_the_last_of_two_spans_holds():
    assert runs("abcd", [(0, 3, "x"), (1, 2, "y")]) == [
        {"text": "a", "kind": "x"},
        {"text": "b", "kind": "y"},
        {"text": "c", "kind": "x"},
        {"text": "d", "kind": ""},
    ]
