import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.unicode import _begins, fold, normalise, same

PIECES = st.sampled_from(
    list("กขดนมรวสหอฤเแโใไะาำิีุู็่้๊๋์ํๅๆฯ๎") + list("abĐðêệ 0.,\"'“”\n\t") + ["\u0e4d\u0e32", "\u0e49\u0e4d\u0e32"]
    + ["e\u0302\u0323", "o\u031b\u0301", "\u0301", "\u200b", "\u00ad", "\ufeff", "\u00a0", "\u2028", "\u0085", "\x00"]
    + ["\u1100\u1161\u11a8", "\u0958", "  ", "ต่างๆ", "ฯ ล ฯ", "\uf702", "\uf71a", "\U000e0041", "👩\u200d👧"]
)  # fmt: skip
THAI_MARKS = "ะัาำิีึืฺุูๅ็่้๊๋์ํ๎"
BROKEN_THAI = st.tuples(st.sampled_from("กนรฤเแๆ \u200b\uf70f"), st.text(THAI_MARKS + "\u200b ", max_size=5)).map(
    "".join
)
BROKEN_VIETNAMESE = st.tuples(
    st.sampled_from("aAeoOuiydđáếờ"),
    st.text("\u0300\u0301\u0303\u0309\u0323\u0302\u0306\u031b\u200b\u0340\u0341", max_size=4),
).map("".join)
BROKEN = st.lists(st.one_of(BROKEN_THAI, BROKEN_VIETNAMESE, PIECES), max_size=20).map("".join)
MIXED = st.one_of(BROKEN, st.lists(PIECES, max_size=40).map("".join), st.text(max_size=60))
LANGS = st.sampled_from(["th", "vi", "en", "xx"])


@given(MIXED, LANGS)
def test_normalising_twice_changes_nothing_more(text, lang):
    once = normalise(text, lang).text
    twice = normalise(once, lang)
    assert twice.text == once
    assert twice.offsets == tuple(range(len(once) + 1))
    assert twice.breaks == ()


@given(MIXED, LANGS)
def test_offsets_rise_within_the_original_and_end_at_its_end(text, lang):
    found = normalise(text, lang)
    assert len(found.offsets) == len(found.text) + 1
    assert found.offsets[-1] == len(text)
    assert list(found.offsets) == sorted(found.offsets)
    assert all(0 <= offset < max(1, len(text)) for offset in found.offsets[:-1])


@given(MIXED, LANGS)
def test_line_feeds_stay_and_nothing_odd_is_left(text, lang):
    found = normalise(text, lang)
    assert found.text.count("\n") == text.count("\n")
    assert unicodedata.is_normalized("NFC", found.text)
    assert not any(unicodedata.category(char) == "Cc" for char in found.text.replace("\n", ""))
    assert "  " not in found.text
    assert all(line == line.strip(" ") for line in found.text.split("\n"))
    for i, char in enumerate(found.text):
        if char == "\n":
            assert text[found.offsets[i]] == "\n"


@given(MIXED, LANGS, st.data())
def test_spans_map_to_the_original_and_back(text, lang, data):
    found = normalise(text, lang)
    start = data.draw(st.integers(0, len(found.text)))
    end = data.draw(st.integers(start, len(found.text)))
    original = found.span(start, end)
    assert 0 <= original[0] <= original[1] <= len(text)
    back = found.inverse(*original)
    assert found.offsets[back[0]] <= original[0]
    assert found.offsets[back[1]] >= original[1] or back[1] == len(found.text)


@given(MIXED, LANGS)
def test_every_place_of_the_original_maps_in_order_to_what_was_made_of_it(text, lang):
    found = normalise(text, lang)
    spans = [found.inverse(p, p + 1) for p in range(len(text))]
    assert spans == sorted(spans)
    for p, (start, end) in enumerate(spans):
        assert 0 <= start <= end <= len(found.text)
        assert found.offsets[start] <= p or start == 0
        assert p < found.offsets[end] or end == len(found.text)
    for i, offset in enumerate(found.offsets[:-1]):
        assert spans[offset][0] <= i


@given(MIXED, LANGS)
def test_what_no_rule_touches_keeps_its_place(text, lang):
    found = normalise(text, lang)
    plain = set(".0123456789\"'")
    assert [found.offsets[i] for i, c in enumerate(found.text) if c in plain] == [
        p for p, c in enumerate(text) if c in plain
    ]


@given(MIXED, LANGS)
def test_texts_compare_the_same_however_they_are_stored(text, lang):
    assert same(normalise(text, lang).text, lang) == same(text, lang)


@given(MIXED)
def test_folding_twice_changes_nothing_more(text):
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=30), st.text(max_size=30))
def test_composing_by_clusters_equals_composing_at_once(one, other):
    text = one + other
    starts = [i for i, char in enumerate(text) if i == 0 or _begins(char)] + [len(text)]
    parts = [unicodedata.normalize("NFC", text[a:b]) for a, b in pairwise(starts)]
    assert "".join(parts) == unicodedata.normalize("NFC", text)


def test_characters_that_compose_across_clusters():
    for code in range(0x110000):
        char = chr(code)
        first = unicodedata.normalize("NFD", char)[0] if not 0xD800 <= code < 0xE000 else char
        for base in "aก\u1100\uac00\u0928":
            if len(unicodedata.normalize("NFC", base + char)) < len(unicodedata.normalize("NFC", base)) + 1:
                assert not _begins(char), (hex(code), hex(ord(first)))


@pytest.mark.parametrize(
    ("given_text", "lang", "wanted", "offsets"),
    [
        ("a  b", "en", "a b", (0, 1, 3, 4)),
        ("\u200ba\u200b b", "en", "a b", (1, 3, 4, 5)),
        ("e\u0323\u0302x", "vi", "ệx", (0, 3, 4)),
        ("เเม่", "th", "แม่", (0, 2, 3, 4)),
        ("น\u0e4d\u0e49\u0e32", "th", "น้ำ", (0, 1, 2, 4)),
        (" a \n b ", "en", "a\nb", (1, 3, 5, 7)),
        ("a\u2028b\x0bc\x85d", "en", "a b c d", (0, 1, 2, 3, 4, 5, 6, 7)),
        ("\ufeffa\u00a0\u3000b", "en", "a b", (1, 2, 4, 5)),
        ("Ðà Nẵng", "vi", "Đà Nẵng", tuple(range(8))),
        ("Ðà Nẵng", "en", "Ðà Nẵng", tuple(range(8))),
        ("ca\u0301\u0302p", "vi", "cấp", (0, 1, 4, 5)),
        ("ca\u0301\u0306t", "vi", "cắt", (0, 1, 4, 5)),
        ("cá\u0302p", "en", "cá\u0302p", (0, 1, 2, 3, 4)),
        ("“a” – b", "en", "“a” – b", tuple(range(8))),
    ],
)
def test_normalise_by_example(given_text, lang, wanted, offsets):
    found = normalise(given_text, lang)
    assert (found.text, found.offsets) == (wanted, offsets)


def test_zero_width_spaces_are_remembered_as_breaks():
    assert normalise("\u200bกิน\u200bข้าว \u200bแล้ว\u200b", "th").breaks == (3,)


def test_sara_am_is_never_taken_apart():
    assert normalise("น้ำทำคำ", "th").text == "น้ำทำคำ"


def test_piles_of_marks_are_cut_short():
    assert len(normalise("a" + "\u0301\u0323" * 5000, "en").text) < 30


def test_fold_for_comparison():
    assert fold("Việt Nam") == "viet nam"
    assert fold("ĐÀ NẴNG – “phở”…") == 'da nang - "pho"...'
    assert fold("น้ำ") == "น้ำ"
    assert fold("Straße") == "strasse"
    assert fold("๒๕๖๘") == "2568"


def test_one_form_for_telling_whether_two_texts_are_the_same():
    assert same("“Hòa  BÌNH” – 5", "vi") == same('"hoà bình" - 5', "vi")
    assert same("ปี ๒๕๖๘", "th") == same("ปี 2568", "th")
    assert same("má", "vi") != same("mà", "vi")
