import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.text.vietnamese import is_syllable, sentences, strip_marks, tone_placement


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
    ],
)
def test_tone_placement(old, new):
    assert tone_placement(old, "new") == new
    assert tone_placement(new, "old") == old
    assert tone_placement(old, "old") == old
    assert tone_placement(new, "new") == new


def test_a_misplaced_tone_after_qu_is_put_right():
    assert tone_placement("qúy", "old") == "quý"


@given(st.text(max_size=60))
def test_tone_placement_keeps_the_letters(text):
    assert strip_marks(tone_placement(text, "new")) == strip_marks(text)


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
    assert [text.replace("|", " ")[a:b] for a, b in sentences(text.replace("|", " "))] == text.split("|")
