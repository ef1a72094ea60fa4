"""Verbs that turn a sentence about: found where they are lost, and not where the English says them otherwise."""

from pathlib import Path

import pytest

from pipeline.files.plain_yaml import load_yaml
from pipeline.text import polarity
from pipeline.text.languages import source_languages
from pipeline.text.polarity import BESIDES, LostVerb, lost_verbs

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
    assert lost_verbs("ngăn chặn", "vi", "") == [LostVerb("prevention", "ngăn chặn")]
