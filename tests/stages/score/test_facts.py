import pytest

from pipeline.stages.score.facts import Paragraph, facts
from pipeline.text.countries import english_name, mentions


def codes(text, lang):
    return [sorted(mention.codes) for mention in mentions(text, lang)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("สาธารณรัฐคาซัคสถาน", ["KZ"]),
        ("ประธานาธิบดีสหรัฐฯ พบผู้นำรัสเซีย", ["US", "RU"]),
        ("สาธารณรัฐเกาหลีและเกาหลีเหนือ", ["KR", "KP"]),
        ("คาบสมุทรเกาหลี", ["KO"]),
        ("ชาวไทยและคนลาว", ["TH", "LA"]),
        ("พริกไทยและขนมจีน", []),
        ("ชาวอัสซีเรีย", []),
        ("เวลาผ่านไป ดอกมาลีบาน", []),
        ("ราคา 30 ดอลลาร์สหรัฐฯ", []),
        ("ละตินอเมริกาและมหาสมุทรอินเดีย", []),
        ("สาธารณรัฐมาลี", ["ML"]),
        ("ตำรวจในบริติชโคลัมเบียและมหาวิทยาลัยโคลัมเบีย", []),
        ("ประธานาธิบดีของโคลัมเบีย", ["CO"]),
        ("ปาปัวนิวกินี", ["PG"]),
        ("ทีมของ Bolivia", ["BO"]),
    ],
)
def test_thai_names(text, expected):
    assert codes(text, "th") == [[code] for code in expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tổng thống Mỹ gặp Tổng thống Nga Vladimir Putin", ["US", "RU"]),
        ("Người Mỹ và người Hàn Quốc", ["US", "KR"]),
        ("Bà Nguyễn Thị Nga và ông Trần Minh Đức", []),
        ("Anh nói rằng Anh và Pháp đồng ý", ["GB", "FR"]),
        ("Ý kiến của tỉnh Lào Cai về Ấn Độ Dương", []),
        ("Ấn Độ và CHDCND Lào", ["IN", "LA"]),
        ("5 triệu đô la Mỹ", []),
        ("Thuỵ Sĩ, Thụy Điển", ["CH", "SE"]),
        ("Bắc Mỹ, Nam Mỹ và châu Mỹ", []),
        ("bán đảo Triều Tiên", ["KO"]),
        ("Ukraine và Ukraina", ["UA", "UA"]),
    ],
)
def test_vietnamese_names(text, expected):
    assert codes(text, "vi") == [[code] for code in expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Viet Nam, Việt Nam, the Vietnamese", [["VN"], ["VN"], ["VN"]]),
        ("the U.S., Americans and us", [["US"], ["US"]]),
        ("RUSSIA and the Russians", [["RU"], ["RU"]]),
        ("North Korea", [["KO", "KP"]]),
        ("Congo", [["CD", "CG"]]),
        ("South Sudan and Guinea-Bissau", [["SS"], ["GW"]]),
        ("Nigeria, Norway's king, Türkiye, Côte d’Ivoire", [["NG"], ["NO"], ["TR"], ["CI"]]),
        ("turkey and china plates in the New Mexico desert", []),
    ],
)
def test_english_names(text, expected):
    assert codes(text, "en") == expected


def test_english_name():
    assert (english_name("KZ"), english_name("KO")) == ("Kazakhstan", "Korea")


def check(source, translation, lang="th"):
    found = facts([Paragraph("d", "d:0", lang, source, translation)])
    return {kind.name: (kind.expected, kind.found, [miss.expected for miss in kind.misses]) for kind in found.kinds}


def test_facts_of_a_paragraph():
    source = "คาซัคสถานและรัสเซียลงนามเมื่อวันที่ 5 พฤษภาคม 2568 มูลค่า 349.2 ล้านบาท คาซัคสถานยินดี"
    assert check(source, "Kazakhstan and the Russians signed on May 5, 2025 for 349.2 million baht.") == {
        "countries": (2, 2, []),
        "years": (1, 1, []),
        "numbers": (3, 3, []),
    }
    assert check(source, "Astana signed on May 5, 2568.") == {
        "countries": (2, 0, ["คาซัคสถาน (Kazakhstan)", "รัสเซีย (Russia)"]),
        "years": (1, 0, ["2568 (2025)"]),
        "numbers": (3, 2, ["349.2 ล้าน"]),
    }


def test_either_korea_answers_for_korea():
    assert check("วงดนตรีเกาหลี", "A South Korean band")["countries"] == (1, 1, [])
    assert check("Nhạc Hàn Quốc", "Korean music", "vi")["countries"] == (1, 1, [])


def test_the_misses_name_their_place():
    found = facts([Paragraph("d", "d:3", "vi", "Năm 2024 Lào thắng", "They won")])
    (miss,) = found["years"].misses
    assert (miss.doc_id, miss.segment_id, miss.expected, miss.translation) == ("d", "d:3", "2024", "They won")
    assert found["years"].rate == 0
    assert found["countries"].rate == 0
    assert found["numbers"].rate is None


def test_nothing_at_all():
    assert [(kind.expected, kind.rate) for kind in facts([]).kinds] == [(0, None)] * 3
