from __future__ import annotations

from pipeline.stages.align.units import LINE_BREAK, WEAKEST, cut_units, whole_units

THAI = "นายกฯ เดินทางถึงกรุงฮานอย เมื่อวันที่ 12 กันยายน\n\nผู้คนต่าง ๆ มาต้อนรับ เขากล่าวขอบคุณ"


def texts_at(text: str, spans: tuple[tuple[int, int], ...]) -> list[str]:
    return [text[start:end] for start, end in spans]


def test_thai_is_cut_at_spaces_but_not_before_a_repetition_mark() -> None:
    units = cut_units(THAI, "th", [(0, len(THAI))])
    assert " ".join(texts_at(THAI, units.spans)) == THAI.replace("\n\n", " ")
    assert "เมื่อวันที่ 12 กันยายน" in units.texts
    assert units.texts[units.lines.index(2)].startswith("ผู้คนต่างๆ")
    assert set(units.lines) == {0, 2}
    assert " ".join(units.by_line()[1]) == "ผู้คนต่างๆ มาต้อนรับ เขากล่าวขอบคุณ"
    assert units.cuts[0] == units.cuts[units.lines.index(2)] == units.cuts[-1] == LINE_BREAK
    assert all(chance > WEAKEST for chance in units.odds)


def test_a_headline_without_a_final_mark_can_be_told_from_the_sentence_after_it() -> None:
    text = "Storm closes harbour for a day Ferries were cancelled on Monday. They sail again."
    units = cut_units(text, "en", [(0, len(text))])
    starts = [start for start, _ in units.spans]
    assert {0, text.index("Ferries"), text.index("They")} <= set(starts)
    likely = [text[units.spans[start][0] :] for start, _ in units.sentences()]
    assert text[text.index("They") :] in likely
    assert [place for first, past in units.sentences() for place in range(first, past)] == list(range(len(starts)))


def test_neighbouring_stretches_are_read_as_one_line() -> None:
    """A cut between segments is no more likely to be a boundary than any other space."""
    text = "The minister of trade said on Monday that prices would fall. They did."
    whole = cut_units(text, "en", [(0, len(text))])
    first, second = text.index(" of"), text.index(" prices")
    assert cut_units(text, "en", [(0, first), (first + 1, second), (second + 1, len(text))]) == whole
    assert not {first + 1, second + 1} & {start for start, _ in whole.spans}


def test_decomposed_text_keeps_its_offsets() -> None:
    text = "การนํา\u200bเข้า และ\u00a0ทําการค้า"
    units = cut_units(text, "th", [(0, len(text))])
    assert texts_at(text, units.spans)[0].startswith("การนํา\u200bเข้า")
    assert texts_at(text, units.spans)[-1].endswith("ทําการค้า")
    assert " ".join(units.texts) == "การนำเข้า และ ทำการค้า"


def test_sentences_only_within_the_stretches() -> None:
    text = "First. Second one.\nBy AB\nThird."
    units = cut_units(text, "en", [(0, 18), (25, 31)])
    assert texts_at(text, units.spans) == ["First.", "Second one.", "Third."]
    assert list(units.cuts)[::2] == [LINE_BREAK, LINE_BREAK] and units.cuts[1] > 0
    assert list(units.lengths) == [6, 10, 6]


def test_what_normalises_to_nothing_is_no_unit() -> None:
    text = "a \u200b b"
    assert whole_units(text, "vi", [(0, 1), (2, 3), (4, 5)]).spans == ((0, 1), (4, 5))
    assert cut_units(" \n\u200b", "th", [(0, 3)]).spans == ()
