from __future__ import annotations

from pipeline.aligners.units import BETWEEN_SENTENCES, INSIDE_PHRASE, LINE_BREAK, cut_units, whole_units

THAI = "นายกฯ เดินทางถึงกรุงฮานอย เมื่อวันที่ 12 กันยายน\n\nผู้คนต่าง ๆ มาต้อนรับ เขากล่าวขอบคุณ"


def texts_at(text: str, spans: tuple[tuple[int, int], ...]) -> list[str]:
    return [text[start:end] for start, end in spans]


def test_thai_is_cut_at_every_space_but_not_before_a_repetition_mark() -> None:
    units = cut_units(THAI, "th", [(0, len(THAI))])
    assert texts_at(THAI, units.spans) == [
        "นายกฯ", "เดินทางถึงกรุงฮานอย", "เมื่อวันที่", "12", "กันยายน", "ผู้คนต่าง ๆ", "มาต้อนรับ", "เขากล่าวขอบคุณ"
    ]  # fmt: skip
    assert units.texts[5] == "ผู้คนต่างๆ"
    assert units.lines == (0,) * 5 + (2,) * 3
    assert units.by_line()[1] == ["ผู้คนต่างๆ", "มาต้อนรับ", "เขากล่าวขอบคุณ"]


def test_a_date_is_a_less_likely_boundary_than_a_new_subject() -> None:
    cuts = cut_units(THAI, "th", [(0, len(THAI))]).cuts
    assert cuts[0] == cuts[5] == cuts[8] == LINE_BREAK
    assert cuts[3] == cuts[4] == INSIDE_PHRASE
    assert INSIDE_PHRASE < cuts[7] < LINE_BREAK


def test_decomposed_text_keeps_its_offsets() -> None:
    text = "การนํา\u200bเข้า และ\u00a0ทําการค้า"
    units = cut_units(text, "th", [(0, len(text))])
    assert texts_at(text, units.spans) == ["การนํา\u200bเข้า", "และ", "ทําการค้า"]
    assert units.texts == ("การนำเข้า", "และ", "ทำการค้า")


def test_sentences_only_within_the_stretches() -> None:
    text = "First. Second one.\nBy AB\nThird."
    units = cut_units(text, "en", [(0, 18), (25, 31)])
    assert texts_at(text, units.spans) == ["First.", "Second one.", "Third."]
    assert list(units.cuts) == [LINE_BREAK, BETWEEN_SENTENCES, LINE_BREAK, LINE_BREAK]
    assert list(units.lengths) == [6, 10, 6]


def test_what_normalises_to_nothing_is_no_unit() -> None:
    text = "a \u200b b"
    assert whole_units(text, "vi", [(0, 1), (2, 3), (4, 5)]).spans == ((0, 1), (4, 5))
    assert cut_units(" \n\u200b", "th", [(0, 3)]).spans == ()
