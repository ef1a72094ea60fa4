from pathlib import Path

import pytest

from pipeline.text.language import detect, is_wordless

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("นายกรัฐมนตรีกล่าวว่าการประชุมเป็นไปด้วยดี", "th"),
        ("บริษัท Apple Inc. เปิดตัว iPhone 17 Pro ใน New York", "th"),
        ("Thủ tướng nói kinh tế sẽ tăng trưởng 8 % trong năm nay.", "vi"),
        ("THỦ TƯỚNG THĂM NHÀ MÁY MỚI Ở HẢI PHÒNG", "vi"),
        ("Thu tuong noi kinh te se tang truong manh trong nam nay.", "vi"),
        ("Chung toi da den day tu sang som va cho ca ngay.", "vi"),
        ("The prime minister said the economy would grow by eight percent this year.", "en"),
        ("General Secretary To Lam and Prime Minister Pham Minh Chinh met Tran Thanh Man in Ha Noi.", "en"),
        ("HÀ NỘI — Foreign Minister Lê Hoài Trung on Sunday met his Thai counterpart in Bangkok.", "en"),
        ("He told me to go on so I may not be in the hot sun long.", "en"),
        ("Le président a déclaré que la réunion avait été très utile pour les deux pays.", "fr"),
        ("Der Minister war in Berlin und hat mit den Abgeordneten über das Gesetz gesprochen.", "de"),
        ("De premier was in Brussel om over de begroting te praten, maar we weten niet of het is gelukt.", "nl"),
        ("国家主席今天宣布新的经济政策", "zh"),
        ("ປະທານປະເທດ ກ່າວວ່າ ລັດຖະບານ ຈະສ້າງທາງໃໝ່", "lo"),
        ("", "und"),
        ("12.5 % — 2025", "und"),
        ("\n\n", "und"),
    ],
)
def test_detect(text, lang):
    assert detect(text) == lang


def test_line_feeds_and_zero_width_marks_do_not_matter():
    assert detect("Thủ tướng\nnói kinh tế\u200b sẽ\ntăng trưởng mạnh") == "vi"


def test_decomposed_marks_are_read():
    import unicodedata

    assert detect(unicodedata.normalize("NFD", "Thủ tướng nói kinh tế sẽ tăng trưởng mạnh")) == "vi"


def test_a_long_text_is_judged_by_its_beginning():
    assert detect("การประชุมเป็นไปด้วยดี " * 3000 + "the end " * 20000) == "th"


@pytest.mark.parametrize("text", (DATA / "english_with_vietnamese_names.txt").read_text("utf-8").splitlines())
def test_english_keeps_its_language_among_vietnamese_names(text):
    assert detect(text) == "en"


@pytest.mark.parametrize("text", (DATA / "vietnamese_headlines.txt").read_text("utf-8").splitlines())
def test_short_vietnamese_keeps_its_language_among_foreign_names(text):
    assert detect(text) == "vi"


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("Trần Đức Lương et Nguyễn Tấn Dũng ont visité Hanoï.", "fr"),
        ("Vĩnh Hoàn Company in Đồng Tháp exports tra fish to Europe.", "en"),
        ("Photo: Nguyễn Khánh", "en"),
        ("Ảnh: Mai Đức Chung", "vi"),
        ("Ông Nguyễn đã ký với Phan Ray Jackson", "vi"),
        ("Hà Nội - Hải Phòng 120 km", "vi"),
        ("MANCHESTER UNITED THUA TOTTENHAM 0-1 TRÊN SÂN OLD TRAFFORD", "vi"),
        ("Tải về: https://example.org/the/one/and/only/that/you/should/get", "vi"),
    ],
)
def test_names_and_addresses_do_not_tell_the_language(text, lang):
    assert detect(text) == lang


@pytest.mark.parametrize(
    "text",
    [
        "Nguyễn Văn An, Trần Thị Bình, Lê Quang Hải",
        "1. Phạm Minh Chính\n2. Võ Văn Thưởng (45)\n3. Nguyễn Thị Kim Ngân",
        "12.30 - 45 %",
    ],
)
def test_of_names_alone_nothing_is_told(text):
    assert detect(text) == "und"
    assert is_wordless(text)


@pytest.mark.parametrize(
    "text", ["THỦ TƯỚNG PHẠM MINH CHÍNH THĂM LÀO", "Ông Nguyễn Văn An", "Chủ Tịch Nước Tiếp Đại Sứ Lào"]
)
def test_capitals_are_no_names_alone(text):
    assert not is_wordless(text)
    assert detect(text) == "vi"
