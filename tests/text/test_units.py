"""A number keeps its unit: no other currency, area, mass or length in English."""

import unicodedata
from pathlib import Path

import pytest

from pipeline.files.plain_yaml import load_yaml
from pipeline.text.numbers import StatedNumbers, units
from pipeline.text.numbers.units import changed_units, unit_of


def changed(lang: str, source: str, english: str) -> list[tuple[str, str]]:
    found = changed_units(StatedNumbers(source, lang), StatedNumbers(english, "en"))
    return [(one.unit.name, one.other.name) for one in found]


@pytest.mark.parametrize(
    ("lang", "source", "english", "units"),
    [
        ("vi", "Dự án trị giá 300 triệu đồng.", "The project is worth 300 million yuan.", ("dong", "yuan")),
        ("vi", "Dự án trị giá 300 triệu USD.", "The project is worth 300 million dong.", ("US dollar", "dong")),
        ("vi", "Quỹ hỗ trợ 5 triệu euro.", "The fund gave $5 million.", ("euro", "dollar")),
        ("vi", "Giá 2,5 tỷ yên.", "It cost 2.5 billion won.", ("yen", "won")),
        ("vi", "Diện tích 6 công đất.", "An area of 6 acres.", ("cong", "acre")),
        ("vi", "Rừng rộng 40 ha.", "A forest of 40 acres.", ("hectare", "acre")),
        ("vi", "Cầu dài 2,4 km.", "The bridge is 2.4 miles long.", ("kilometre", "mile")),
        ("vi", "Tàu cách bờ 12 hải lý.", "The ship is 12 miles off the coast.", ("nautical mile", "mile")),
        ("vi", "Xuất khẩu 500 tấn gạo.", "It exported 500 kg of rice.", ("tonne", "kilogram")),
        ("vi", "Bể chứa 900 m3 nước.", "The tank holds 900 litres of water.", ("cubic metre", "litre")),
        ("th", "เสียหาย 4 ไร่", "4 hectares were damaged.", ("rai", "hectare")),
        ("th", "ที่ดิน 80 ตารางวา", "A plot of 80 square metres.", ("square wa", "square metre")),
        ("th", "งบประมาณ 300 ล้านบาท", "A budget of 300 million dollars.", ("baht", "dollar")),
        ("th", "งบประมาณ 300 ล้านดอลลาร์สิงคโปร์", "A budget of US$300 million.", ("Singapore dollar", "US dollar")),
        ("th", "มูลค่า 50 ล้านหยวน", "It is worth 50 million baht.", ("yuan", "baht")),
        ("th", "คลื่นสูง 20 เมตร", "The waves were 20 feet high.", ("metre", "foot")),
        ("th", "ข้าว 12 ตัน", "12 kilograms of rice", ("tonne", "kilogram")),
        ("th", "โรงไฟฟ้า 600 เมกะวัตต์", "A 600-kilowatt power plant", ("megawatt", "kilowatt")),
    ],
)
def test_another_unit_is_told(lang: str, source: str, english: str, units: tuple[str, str]) -> None:
    assert changed(lang, source, english) == [units]


@pytest.mark.parametrize(
    ("lang", "source", "english"),
    [
        ("vi", "Dự án trị giá 300 triệu USD.", "The project is worth US$300 million."),
        ("vi", "Dự án trị giá 300 triệu đô la.", "The project is worth 300 million US dollars."),
        ("vi", "Dự án trị giá 300 triệu đồng.", "The project is worth VND300 million."),
        ("vi", "Dự án trị giá 300 triệu đồng (12.000 USD).", "The project is worth VND300 million ($12,000)."),
        ("vi", "Thu 5 tạ lúa.", "They harvested 500 kg of rice."),
        ("vi", "Rừng rộng 40 ha.", "The forest of 40 was lost."),
        ("vi", "Rừng rộng 40 ha.", "A 40-hectare forest."),
        ("vi", "Có 40 người ở 40 km bờ biển.", "There are 40 people along 40 km of coast."),
        ("th", "เสียหาย 4 ไร่", "4 rai were damaged."),
        ("th", "เสียหาย 100 ไร่", "16 hectares were damaged."),
        ("th", "งบประมาณ 300 ล้านดอลลาร์สหรัฐฯ", "A budget of $300 million."),
        ("th", "ราคา 35 บาทต่อดอลลาร์", "The price is 35 baht to the dollar."),
        ("th", "ระยะทาง 12 กม.", "A 12-kilometre stretch."),
        ("th", "12 คน ได้ 12 บาท", "12 people got 12 baht."),
    ],
)
def test_the_same_unit_or_none_passes(lang: str, source: str, english: str) -> None:
    assert changed(lang, source, english) == []


def test_the_longest_unit_counts() -> None:
    text = "300 ล้านดอลลาร์ฮ่องกง"
    (number,) = StatedNumbers(text, "th").numbers
    unit = unit_of(text, number, "th")
    assert unit and unit.name == "Hong Kong dollar"


@pytest.mark.parametrize("lang", ["th", "vi", "en"])
def test_a_form_is_of_one_unit(lang: str) -> None:
    table = load_yaml(Path(units.__file__).parents[1] / "data" / "units.yaml")
    named: dict[str, str] = {}
    for dimension in table.values():
        for unit, forms in dimension.items():
            for form in dict.fromkeys(map(str.lower, (*forms.get(lang, ()), *forms.get("signs", ())))):
                assert form == unicodedata.normalize("NFC", form).strip()
                assert named.setdefault(form, unit) == unit, form
