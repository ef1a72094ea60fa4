"""Names that a document spells itself: found behind their Thai or hyphened form, given to the model, asked for."""

import pytest

from pipeline.stages.translate.glossary import Glossary
from pipeline.stages.translate.glossary import GlossaryEntry as Term
from pipeline.stages.translate.spelled_out import names_spelled_out

SPELLED = [
    ("th", "นายมุคธาร์ ติเลอูเบอร์ดี (Mukhtar Tileuberdi) รองนายกรัฐมนตรี", "มุคธาร์ ติเลอูเบอร์ดี", "Mukhtar Tileuberdi"),
    ("th", "ประธานาธิบดีคัสซึม-โยมาร์ต โตกาเยฟ (Kassym-Jomart Tokayev) เยือน", "โตกาเยฟ", "Tokayev"),
    ("th", "รัฐมนตรีต่างประเทศ โซฟี วิลแมส (Sophie Wilmes) แถลง", "โซฟี วิลแมส", "Sophie Wilmes"),
    ("th", "นายเหงียน วัน เทา (Nguyen Van Thao) รองปลัดกระทรวง", "เหงียน วัน เทา", "Nguyen Van Thao"),
    ("th", "บริษัท วินกรุ๊ป(Vingroup) เปิดโรงงาน", "วินกรุ๊ป", "Vingroup"),
    ("th", "โซฟี วิลแมส (Sophie Wilmès) แถลง", "วิลแมส", "Wilmès"),
    ("th", "“มุคธาร์ ติเลอูเบอร์ดี” ( Mr. Mukhtar Tileuberdi, 50 ปี)", "ติเลอูเบอร์ดี", "Tileuberdi"),
    ("th", "เมืองเอคิบาสตุซ (Ekibastuz) ทางเหนือ", "เอคิบาสตุซ", "Ekibastuz"),
    ("vi", "Thủ đô A-xta-na (Astana) đón khách.", "A-xta-na", "Astana"),
    ("vi", "Tổng thống C. Tô-ca-ép (Kassym-Jomart Tokayev) đến Hà Nội.", "Tô-ca-ép", "Tokayev"),
    ("vi", "ông Đô-nan Trăm (Donald Trump) phát biểu", "Đô-nan Trăm", "Donald Trump"),
    ("vi", "Tổng thống Pháp Ma-crông (Macron) thăm Mát-xcơ-va (Moscow)", "Mát-xcơ-va", "Moscow"),
]
NOTHING = [
    ("th", "สหประชาชาติ (UN) และองค์การอนามัยโลก (WHO)"),
    ("th", "ธนาคารพัฒนาเอเชีย (Asian Development Bank) อนุมัติเงินกู้"),
    ("th", "เขื่อนสามผา (Three Gorges Dam) เปิดประตูระบายน้ำ"),
    ("th", "กล่าวที่กรุงเทพฯ (Reuters)"),
    ("th", "นายสมชาย ใจดี (อายุ 54 ปี) และบริษัท (มหาชน)"),
    ("th", "ก" + " " * 61 + "(Abcdef)"),
    ("th", "เชื้อไวรัส (Virus) โดรน (Drone) แท็กซี่ (Taxi)"),
    ("vi", "I-ta-li-a (Milan), Ca-na-đa (Nevada), U-crai-na (Crimea), An-giê-ri (Nigeria)"),
    ("vi", "Bà Rịa-Vũng Tàu (Vung Tau), Ghi-nê Xích Đạo (Equatorial Guinea)"),
    ("vi", "Thừa Thiên-Huế (Việt Nam) và Bà Rịa-Vũng Tàu (PV Gas)"),
    ("vi", "Ngân hàng Phát triển châu Á (ADB), Tổ chức Y tế Thế giới (World Health Organization)"),
]


@pytest.mark.parametrize(("lang", "text", "name", "latin"), SPELLED)
def test_a_name_in_brackets_spells_what_sounds_like_it(lang: str, text: str, name: str, latin: str) -> None:
    assert names_spelled_out(text, lang)[name] == latin


@pytest.mark.parametrize(("lang", "text"), NOTHING)
def test_other_brackets_spell_nothing(lang: str, text: str) -> None:
    assert names_spelled_out(text, lang) == {}


def test_the_first_spelling_of_a_document_counts_and_common_words_are_no_parts() -> None:
    text = "ซัมซุง อิเล็กทรอนิกส์ (Samsung Electronics) แถลง ซัมซุง อิเล็กทรอนิกส์ (Sumsung Electronics) กล่าว"
    assert names_spelled_out(text, "th") == {"ซัมซุง อิเล็กทรอนิกส์": "Samsung Electronics", "ซัมซุง": "Samsung"}


def test_a_documents_spelling_goes_before_the_gazetteer_and_after_the_users() -> None:
    entries = [Term("ติเลอูเบอร์ดี", "Tleuberdi", "PROPN"), Term("รองนายก", "deputy", "NOUN")]
    spelled = {"มุคธาร์ ติเลอูเบอร์ดี": "Mukhtar Tileuberdi", "ติเลอูเบอร์ดี": "Tileuberdi"}
    text = "รองนายก มุคธาร์ ติเลอูเบอร์ดี กล่าว"
    found = [(hint.english, hint.is_name) for hint in Glossary("th", entries).hints(text, 9, spelled)]
    assert found == [("deputy", False), ("Mukhtar Tileuberdi", True)]
    alone = Glossary("th", entries).hints("ติเลอูเบอร์ดี กล่าว", 9, spelled)
    assert [hint.english for hint in alone] == ["Tileuberdi"]
    own = Glossary("th", entries, own=[Term("ติเลอูเบอร์ดี", "Tleuberdy", "PROPN")])
    assert [hint.english for hint in own.hints("ติเลอูเบอร์ดี กล่าว", 9, spelled)] == ["Tleuberdy"]


def test_a_name_inside_a_longer_term_or_word_or_one_of_the_users_is_not_spelled() -> None:
    glossary = Glossary("th", [Term("ทรัมป์ทาวเวอร์", "Trump Tower", "PROPN")])
    assert [hint.english for hint in glossary.hints("ทรัมป์ทาวเวอร์เปิด", 9, {"ทรัมป์": "Trump"})] == ["Trump Tower"]
    vietnamese = Glossary("vi", [])
    assert vietnamese.hints("Pu-tin-xki nói", 9, {"Pu-tin": "Putin"}) == []
    assert [hint.english for hint in vietnamese.hints("ông Pu-tin nói", 9, {"Pu-tin": "Putin"})] == ["Putin"]
    assert len(vietnamese.hints("ông Xoà-ri nói", 9, {"Xòa-ri": "Soari"})) == 1
    own = Glossary("th", [], own=[Term("ติเลอูเบอร์ดี", "Tleuberdy", "PROPN")])
    found = own.hints("มุคธาร์ ติเลอูเบอร์ดี กล่าว", 9, {"มุคธาร์ ติเลอูเบอร์ดี": "Mukhtar Tileuberdi"})
    assert [hint.english for hint in found] == ["Tleuberdy"]
