import pytest

from pipeline.stages.segment.layout import kinds

BODY = "The ministry said on Monday that exports had grown for the ninth month in a row. " * 3


def kind_of(line):
    """The kind of `line` in the middle of an article."""
    return kinds([BODY, line, BODY])[1]


@pytest.mark.parametrize(
    "line",
    [
        "(Photo: VNA)",
        "Ảnh: TTXVN",
        "ภาพ: VNA",
        "A ceremony in Hanoi. (Photo: VNA)",
        "Chế biến tôm ở Cà Mau. Ảnh: TTXVN",
        "คนงานคัดแยกทุเรียน (ภาพ: สำนักข่าว)",
        "Claire Marchal beside the statue. VNA/VNS Photo",
        "Photo courtesy of the museum",
        "Bài và ảnh: Minh Anh",
        "Một góc phố cổ. (Ảnh minh hoạ: TTXVN)",
        "Protesters in Bangkok (AFP/Getty)",
    ],
)
def test_captions(line):
    assert kind_of(line) == "caption"


@pytest.mark.parametrize(
    "line",
    [
        "August 15, 2025, 16:40",
        "Thứ Hai, 06/10/2025 | 17:05",
        "Thứ Tư, 12/3/2025 | 09:15 GMT+7",
        "BANGKOK, Dec 18, 2025",
        "วันพฤหัสบดีที่ 18 กันยายน พ.ศ. 2568",
        "16 ธันวาคม 2568 เวลา 21.45 น.",
        "เผยแพร่: 5 พ.ค. 2568 18:05",
        "./.",
        "* * *",
        "Nguồn: https://news.example/vi/a-1.html",
        "https://news.example/a",
        "ที่มา vovworld.vn",
        "Source: VNA",
        "VNA",
        "By Nguyen Van A",
        "Theo TTXVN",
        "โดย ผู้จัดการออนไลน์",
        "0 ความคิดเห็น",
        "3 bình luận",
        "การแสดงความคิดเห็น (0)",
        "Chia sẻ",
        "Related: Bridge repairs to finish in May",
        "Tin liên quan: Giá cá tra tăng",
        "อ่านเพิ่มเติม: ข่าวอื่นในวันนี้",
        "#covid #vietnam",
        "Tags: kinh tế, xã hội",
        "Từ khoá: kinh tế",
        "Từ khóa: kinh tế",
        "© 2025 News",
    ],
)
def test_boilerplate(line):
    assert kind_of(line) == "boilerplate"


@pytest.mark.parametrize(
    "line",
    [
        "Theo ông Nam, giá đã tăng mạnh trong tháng qua.",
        "By the river, the men said nothing.",
        "The images are great.",
        "ภาพยนตร์เรื่องนี้ได้รับรางวัลใหญ่ที่สุดในเทศกาลและจะเข้าฉายในประเทศไทยปลายปีนี้ตามกำหนดเดิมที่ประกาศไว้",
        "On May 5, 2025 the bridge was opened.",
        "Ngày 5/5/2025, cầu được khánh thành.",
        "“It is late,” he said.",
    ],
)
def test_body(line):
    assert kind_of(line) == "body"


def test_the_first_short_line_is_the_headline():
    assert kinds(["Exports grow again", "May 5, 2025", BODY]) == ["headline", "boilerplate", "body"]
    assert kinds(["May 5, 2025", "Will exports grow?", BODY]) == ["boilerplate", "headline", "body"]


def test_an_article_that_begins_with_its_text_has_no_headline():
    assert kinds([BODY, BODY]) == ["body", "body"]
    assert kinds(["Exports grow again"]) == ["body"]


def test_links_after_the_end_are_headlines_and_links_under_a_label_are_boilerplate():
    tail = ["Source: VNA", "Bridge opens in Pakse", "Rice prices fall", "0 comments"]
    assert kinds([BODY, *tail]) == ["body", "boilerplate", "headline", "headline", "boilerplate"]
    tail = ["Related news", "Bridge opens in Pakse", "Rice prices fall"]
    assert kinds([BODY, *tail]) == ["body", "boilerplate", "boilerplate", "boilerplate"]


def test_a_label_inside_an_article_does_not_swallow_what_follows():
    assert kinds([BODY, "Read more: Rice prices fall", BODY, BODY]) == ["body", "boilerplate", "body", "body"]


def test_nothing_in_nothing_out():
    assert kinds([]) == []
