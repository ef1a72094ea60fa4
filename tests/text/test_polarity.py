"""Verbs that turn a sentence about: found where they are lost, and not where the English says them otherwise."""

from pathlib import Path

import pytest

from pipeline.files.plain_yaml import load_yaml
from pipeline.text import polarity
from pipeline.text.languages import source_languages
from pipeline.text.polarity import BESIDES, LostWord, lost_negation, lost_verbs

LOST = [
    ("th", "ทหารเฝ้าระวังพื้นที่ที่มีการลักลอบขนยาเสพติด", "Soldiers will smuggle drugs in the area.", "prevention"),
    ("th", "ตำรวจสกัดจับแก๊งค้ายา", "Police joined the drug gang.", "prevention"),
    ("th", "ห้ามนำขวดเข้างาน", "Bring bottles to the event.", "prohibition"),
    ("th", "นายกฯ ปฏิเสธข่าวปรับ ครม.", "The prime minister announced a cabinet reshuffle.", "denial"),
    (
        "vi",
        "Lực lượng chức năng ngăn chặn buôn lậu qua biên giới.",
        "The forces smuggle across the border.",
        "prevention",
    ),
    ("vi", "Hà Nội cấm xe máy trong Vành đai 1.", "Hanoi has motorbikes in Ring Road 1.", "prohibition"),
    ("vi", "Bộ Y tế phủ nhận thông tin này.", "The Ministry of Health confirmed the report.", "denial"),
]
KEPT = [
    ("th", "ทหารเฝ้าระวังพื้นที่ที่มีการลักลอบขนยาเสพติด", "Soldiers are watching an area where drugs are smuggled."),
    ("th", "ห้ามนำขวดเข้างาน", "Bottles are not allowed in."),
    ("th", "เด็กหนึ่งในห้ามีบัญชีลับ", "One in five children have a secret account."),
    ("th", "เขาเปิดโรงเรียนสอนศิลปะป้องกันตัว", "He opened a martial arts school."),
    ("vi", "Cầu thủ ngã trong vòng cấm.", "The player fell in the box."),
    ("vi", "Trung tâm Phòng chống Bão dự báo mưa.", "The hurricane centre forecasts rain."),
    ("vi", "Cấm hút thuốc.", "Don't smoke."),
    ("vi", "Công an thu giữ 200 kg hàng cấm.", "Police seized 200 kg of contraband."),
    ("vi", "Du khách thăm Tử Cấm Thành.", "Tourists visit the Palace Museum."),
    ("vi", "Cuộc chiến phòng chống ma túy.", "The war on drugs."),
    ("th", "นักมวยไทยป้องกันแชมป์โลกสำเร็จ", "The Thai boxer retained his world title."),
    ("th", "ตำรวจสกัดจับรถขนยาบ้า", "Police seized a truck carrying meth pills."),
    ("th", "ไม่อาจปฏิเสธได้ว่าเศรษฐกิจชะลอตัว", "The economy has undeniably slowed."),
    ("th", "โฆษกปฏิเสธข่าวปรับ ครม.", "The spokesman said reports of a reshuffle were untrue."),
]


@pytest.mark.parametrize(("lang", "source", "english", "kind"), LOST)
def test_a_lost_verb_is_found_and_named(lang: str, source: str, english: str, kind: str) -> None:
    (found,) = lost_verbs(source, lang, english)
    assert found.kind == kind and found.word in source


NEGATION_LOST = [
    ("th", "กระทรวงยังไม่ยืนยันรายงานดังกล่าว", "The ministry has confirmed the report."),
    ("th", "ผู้นำทั้งสองมิได้หารือเรื่องพรมแดน", "The two leaders discussed the border."),
    ("th", "รัฐบาลจะไม่ขึ้นภาษีในปีหน้า", "The government will raise taxes next year."),
    ("th", "ไม้สักเหล่านี้ไม่ได้มาจากป่าสงวน", "This teak comes from the reserved forest."),
    ("vi", "Bộ Tài chính không tăng thuế năm nay.", "The Ministry of Finance raises taxes this year."),
    ("vi", "Dự án chưa được phê duyệt.", "The project has been approved."),
    ("vi", "Hàng không Việt Nam không mở đường bay này.", "Vietnam's airlines open this route."),
    ("vi", "Ngân hàng không tăng lãi suất.", "The bank raised interest rates."),
    ("vi", "Văn phòng không trả lời.", "The office answered."),
    ("vi", "Đa số không ủng hộ.", "The Secretary of the UN, Disney and quite a majority support it."),
    ("vi", "Đoàn chưa đến Hà Nội.", "The delegation arrived in Hanoi."),
    ("th", "ประชาชนไม่แน่ใจในมาตรการ", "People are sure of the measures."),
    ("th", "ห้องประชุมไม่ว่างในวันนั้น", "The meeting room is available on that day."),
    ("th", "ไม่ควรเดินทางช่วงพายุ", "People should travel during the storm."),
    ("vi", "Chúng tôi chẳng biết tin ấy.", "We know the news under discussion."),
]
NEGATION_KEPT = [
    ("th", "กระทรวงยังไม่ยืนยันรายงานดังกล่าว", "The ministry has yet to confirm the report."),
    ("th", "กระทรวงยังไม่ยืนยันรายงานดังกล่าว", "The report is unconfirmed, the ministry said."),
    ("th", "ผลิตภัณฑ์ที่ไม่มีน้ำตาล", "Sugar-free products"),
    ("th", "ผู้ประสบภัยไม่มีที่อยู่อาศัย", "The victims are homeless."),
    ("th", "ไม่ว่าใครจะชนะ การเจรจาจะเดินหน้าต่อ", "Whoever wins, the talks go on."),
    ("th", "มีผู้เสียชีวิตไม่น้อยกว่า 12 ราย", "At least 12 people died."),
    ("th", "เขาจะลงสมัครหรือไม่", "Will he run?"),
    ("th", "โรงงานไม้แปรรูปเปิดใหม่", "A new sawmill opens."),
    ("vi", "Ông có tham dự hội nghị không?", "Will you attend the conference?"),
    ("vi", "Hãng hàng không mở đường bay mới.", "The airline opens a new route."),
    ("vi", "Chất lượng không khí được cải thiện.", "Air quality has improved."),
    ("vi", "Không chỉ Hà Nội, Huế cũng mưa.", "It rained in Hanoi and in Hue too."),
    ("vi", "Công ty không đồng ý với đề nghị này.", "The company disagrees with the proposal."),
    ("vi", "Họ chưa đến nơi.", "They haven't arrived."),
    ("vi", "Chưa đầy 100 người tham gia.", "Under 100 people took part."),
    ("vi", "Hệ thống phòng không được nâng cấp.", "The air defence system was upgraded."),
    ("vi", "Ông có thể xác nhận tin này không, phóng viên hỏi.", "Could you confirm this, the reporter asked."),
    ("th", "ผู้ก่อความไม่สงบวางระเบิด", "Insurgents planted a bomb."),
    ("th", "พรรคฝ่ายค้านยื่นอภิปรายไม่ไว้วางใจ", "The opposition filed a censure motion."),
]


@pytest.mark.parametrize(("lang", "source", "english"), NEGATION_LOST)
def test_a_lost_negation_is_found(lang: str, source: str, english: str) -> None:
    assert lost_negation(source, lang, english)
    assert not lost_verbs(source, lang, english)


@pytest.mark.parametrize(("lang", "source", "english"), NEGATION_KEPT)
def test_a_negation_that_the_english_says_otherwise_or_that_is_none_is_not_lost(lang, source, english) -> None:
    assert lost_negation(source, lang, english) == ""


@pytest.mark.parametrize(("lang", "source", "english"), KEPT)
def test_what_the_english_says_otherwise_is_not_lost(lang: str, source: str, english: str) -> None:
    assert lost_verbs(source, lang, english) == []


def test_each_kind_has_words_in_every_source_language() -> None:
    table = load_yaml(Path(polarity.__file__).parent / "data" / "polarity.yaml")
    for kind, forms in table.items():
        assert set(source_languages()) <= set(forms) and (kind == BESIDES or forms["en"])
        assert all(isinstance(form, str) for words in forms.values() for form in words), kind


def test_a_language_of_its_own_has_none() -> None:
    assert lost_verbs("ngăn chặn", "th", "") == []
    assert lost_verbs("ngăn chặn", "vi", "") == [LostWord("prevention", "ngăn chặn")]
