import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.sentences import sentences
from pipeline.text.vietnamese import is_syllable, strip_marks, tone_placement


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("hòa", "hoà"),
        ("HÒA", "HOÀ"),
        ("khỏe", "khoẻ"),
        ("Thủy", "Thuỷ"),
        ("quý", "quý"),
        ("loại", "loại"),
        ("hoàn", "hoàn"),
        ("già", "già"),
        ("òa", "oà"),
        ("hòa bình, thủy thủ", "hoà bình, thuỷ thủ"),
        ("Goa", "Goa"),
        ("Tòatòa", "Tòatòa"),
        ("loa ngoài khuỷu tay", "loa ngoài khuỷu tay"),
        ("gì giá giếng giũa", "gì giá giếng giũa"),
        ("quả quốc thuở nghĩa", "quả quốc thuở nghĩa"),
    ],
)
def test_tone_placement(old, new):
    assert tone_placement(old, "new") == new
    assert tone_placement(new, "old") == old
    assert tone_placement(old, "old") == old
    assert tone_placement(new, "new") == new


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("qúy", "quý"), ("qủa", "quả"), ("gìa", "già"), ("hòan", "hoàn"), ("thúyên", "thuyến"), ("tóan", "toán")],
)
def test_a_tone_on_the_wrong_vowel_is_put_right_in_both_styles(wrong, right):
    assert tone_placement(wrong, "old") == tone_placement(wrong, "new") == right


SYLLABLES = st.builds(
    lambda onset, vowels, tone, coda: unicodedata.normalize("NFC", f"{onset}{vowels}{tone}{coda}"),
    st.sampled_from(["", "h", "qu", "gi", "ngh", "Th", "đ"]),
    st.sampled_from(["a", "oa", "oe", "uy", "oai", "uyê", "ươ", "iê", "ua", "ai"]),
    st.sampled_from(["", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"]),
    st.sampled_from(["", "n", "ng", "t"]),
)
WORDS = st.one_of(st.lists(SYLLABLES, max_size=5).map(" ".join), st.text(max_size=60))


@given(WORDS, st.sampled_from(["old", "new"]))
def test_tone_placement_keeps_letters_and_length_and_is_stable(text, style):
    text = unicodedata.normalize("NFC", text)
    placed = tone_placement(text, style)
    assert strip_marks(placed) == strip_marks(text)
    assert len(placed) == len(text)
    assert tone_placement(placed, style) == placed
    assert tone_placement(tone_placement(text, "old"), style) == placed


def test_strip_marks():
    assert strip_marks("Đà Nẵng, Thừa Thiên Huế, đường") == "Da Nang, Thua Thien Hue, duong"


def test_syllables():
    assert all(
        map(is_syllable, ["nguyen", "thuong", "quynh", "yeu", "gi", "quoc", "khuyu", "a", "oanh", "ngoeo", "xoong"])
    )
    assert not any(map(is_syllable, ["brexit", "school", "world", "flow", "jazz", "strong", "rs", "thò"]))


# | stands for the space between two sentences
@pytest.mark.parametrize(
    "text",
    [
        "Ông đến sáng nay.|Bà về chiều qua.",
        "TP. Hồ Chí Minh có 9 triệu dân.|Hà Nội ít hơn.",
        "GS. Nguyễn Văn A nói.|PGS.TS. Trần B đồng ý.",
        "ThS. Lê C trình bày với TS. Phạm D.",
        "Có lúa, ngô, khoai v.v.|Các loại này dễ trồng.",
        "Có lúa, ngô v.v. và sắn.",
        "Kim ngạch tăng 8,02 %.|Sản lượng đạt 1.250.000 tấn.",
        "“Tôi rất vui.”|Ông nói thêm.",
        '"Tôi rất vui." ông nói.',
        "Ông hỏi: “Ai đấy?”|Không ai trả lời.",
        "Việc đã xong./.|Tin mới đến.",
        "1. Mở đầu cho bài này.|2. Kết luận.",
        "Chờ đã...|Anh ấy đến rồi.",
        "Chờ đã... rồi anh ấy đến.",
        "Thật tuyệt!|Chúng tôi thắng.",
        "Số điện thoại: 0123.|Địa chỉ ở Hà Nội.",
        'Đây là nơi ở lại. "|Tác giả viết tiếp.',
    ],
)
def test_sentences(text):
    assert [text.replace("|", " ")[a:b] for a, b in sentences(text.replace("|", " "), "vi")] == text.split("|")
