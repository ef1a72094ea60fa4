import json
from collections import Counter

import pytest

from pipeline.bench.filtering import Outcome, Remembering, by_kind, caught, joined, kept, measure, read_pairs
from pipeline.bench.filtering_table import goals
from pipeline.bench.injection import INJECTORS, REPORT_ONLY, Good, inject
from pipeline.config.settings import FilterSettings, Rule
from pipeline.errors import InputError
from tests.support.encoders import LetterEncoder

VI = [
    Good(source, english, "vi", document)
    for source, english, document in (
        ("Năm 2019, ông Keller không đến Lyon vì 5 lý do.", "In 2019 Mr Keller did not go to Lyon for 5 reasons.", "a"),
        ("Mưa lớn làm ngập các con đường ở trung tâm.", "Heavy rain flooded the streets of the city centre.", "a"),
        ("Bà Schneider để lại nhà hàng ở Berlin cho con.", "Later Mrs Schneider left a son her shop in Berlin.", "b"),
    )
]
TH = [
    Good("ในปี พ.ศ. 2562 ชาวนาในภาคเหนือปลูกข้าวได้น้อยลง", "In 2019 farmers of the north grew less rice.", "th"),
    Good("ฝนตกหนักทำให้น้ำท่วมถนนหลายสายในตัวเมือง", "Heavy rain flooded several streets of the town.", "th"),
]


AMOUNTS = [
    Good(
        "Dự án trị giá 300 triệu đồng, tăng 5%, dài 12 km, thêm 40 USD, có từ tháng 8/2022.",
        "The project is worth 300 million dong, up 5 percent, 12 km long, got US$40 and began in August 2022.",
        "vi",
        "c",
    )
]


def made(pairs, kind, variant=None):
    return [bad for bad in inject(pairs) if bad.kind == kind and variant in (None, bad.variant)]


def test_every_kind_finds_something_and_changes_it():
    pairs = VI + TH + AMOUNTS
    damaged = list(inject(pairs))
    assert {(bad.kind, bad.variant) for bad in damaged} == set(INJECTORS)
    for bad in damaged:
        good = pairs[bad.place]
        assert (bad.src_text, bad.tgt_text) != (good.src_text, good.tgt_text)
        assert bad.src_text
        assert bad.tgt_text


def test_the_same_seed_makes_the_same_damage_and_another_does_not():
    assert list(inject(VI)) == list(inject(VI))
    assert list(inject(VI)) != list(inject(VI, seed=2))


def test_a_pair_is_damaged_alike_whatever_stands_after_it():
    few = {(b.kind, b.variant): b for b in inject(VI[:2]) if b.place == 0 and b.kind == "number changed"}
    many = {(b.kind, b.variant): b for b in inject(VI) if b.place == 0 and b.kind == "number changed"}
    assert few == many


def test_pairs_with_nothing_to_damage_are_skipped():
    assert [bad.place for bad in made(VI, "number changed")] == [0]
    assert [bad.place for bad in made(VI, "negation dropped")] == [0]
    assert made(VI, "Buddhist year") == []


def test_what_is_done():
    (year,) = made(TH, "Buddhist year")
    assert year.tgt_text == "In 2562 farmers of the north grew less rice."
    (negation,) = made(VI, "negation dropped")
    assert negation.tgt_text == "In 2019 Mr Keller go to Lyon for 5 reasons."
    cut = made(VI, "truncated", "English end")[1]
    assert VI[1].tgt_text.startswith(cut.tgt_text)
    assert len(cut.tgt_text.split()) == 6
    front = made(TH, "truncated", "source front")[1]
    assert TH[1].src_text.endswith(front.src_text)
    for bad in made(VI, "phrase repeated", "once more"):
        assert len(bad.tgt_text.split()) > len(VI[bad.place].tgt_text.split())
    for bad in made(VI, "name swapped"):
        assert Counter(bad.tgt_text.split()) != Counter(VI[bad.place].tgt_text.split())


def test_units_and_added_numbers():
    texts = {variant: [bad.tgt_text for bad in made(AMOUNTS, kind, variant)] for kind, variant in INJECTORS}
    assert "300 million yuan" in texts["currency"][0]
    assert "12 miles long" in texts["measure"][0]
    assert "€40" in texts["sign of a currency"][0]
    assert "5 per mille" in texts["per mille"][0]
    assert texts["day"][0] != AMOUNTS[0].tgt_text and "August 2022" not in texts["day"][0]
    assert texts["percentage"][0].endswith("percent.")
    assert not made(TH, "unit changed")


def test_pairs_of_a_document_are_joined():
    (first, second, thai) = joined(VI + TH, 2)[0], joined(VI + TH, 2)[1], joined(VI + TH, 9)[-1]
    assert first.tgt_text == f"{VI[0].tgt_text} {VI[1].tgt_text}" and first.document == "a"
    assert second == VI[2]
    assert thai.src_text == " ".join(pair.src_text for pair in TH)
    assert joined(VI, 1) == VI


def test_shares_and_goals():
    one = Outcome("f", "vi")
    for rejected in (False, False, False, True):
        one.add(("gold", ""), ["copy"] if rejected else [])
    for variant, rejected in (("English end", True), ("English front", True), ("source end", False)):
        one.add(("truncated", variant), ["omission"] if rejected else [])
    one.add(("copied", "source as English"), ["copy"])
    one.add(("negation dropped", "first"), [])
    assert kept([one]) == 0.75
    assert by_kind([one])["truncated"] == pytest.approx((3 / 4, 2 / 3))
    assert caught([one]) == pytest.approx((3 / 4 * 2 / 3 + 1) / (3 / 4 + 1))
    assert "negation dropped" in REPORT_ONLY
    assert "DO NOT HOLD" in goals([one])[0]


def test_rules_are_judged():
    (outcome,) = measure({"f": VI}, {"copy": Rule(max=0.9)}, LetterEncoder("en"))
    assert outcome.rejected[("gold", "")] == 0
    assert outcome.share(("copied", "source as English")) == 1
    assert outcome.rules[("copied", "source as English")] == Counter(copy=3)


def test_balanced_keeps_the_good_and_catches_the_broken():
    th, vi = measure({"f": VI + TH}, FilterSettings(preset="balanced").rules, None)
    for one in (th, vi):
        assert one.rejected[("gold", "")] == 0
        for key in INJECTORS:
            if key[0] in ("copied", "wrong language", "phrase repeated", "number changed", "Buddhist year"):
                assert one.rejected[key] == one.pairs[key], key


class Recorder:
    """Reads nothing, and remembers what it was given."""

    name, fingerprint = "recorder", "0"

    def __init__(self):
        self.given = []

    def read(self, pairs):
        self.given += [(one.source, one.english) for one in pairs]
        return [None] * len(pairs)


def test_the_reader_is_given_what_the_other_rules_leave():
    rules = {"information": Rule(min=0.1), "copy": Rule(max=0.9)}
    reader = Recorder()
    (outcome,) = measure({"f": VI}, rules, LetterEncoder("en"), reader)
    assert outcome.share(("copied", "source as English")) == 1
    assert {(one.src_text, one.tgt_text) for one in VI} <= set(reader.given)
    assert all(source != english for source, english in reader.given)


def test_a_reader_is_not_asked_without_a_rule_for_it():
    reader = Recorder()
    measure({"f": VI}, {"copy": Rule(max=0.9)}, LetterEncoder("en"), reader)
    assert reader.given == []


def test_files(tmp_path):
    tsv = tmp_path / "pairs.tsv"
    tsv.write_text("".join(f"{one.src_text}\t{one.tgt_text}\n" for one in VI), "utf-8")
    assert [(one.src_text, one.src_lang) for one in read_pairs(tsv)] == [(one.src_text, "vi") for one in VI]
    case = {"id": "a", "src_text": "Trời mưa to.\nAnh ấy về nhà.", "tgt_text": "It rains.\nHe goes home."}
    case |= {"links": [[[0], [0]], [[1], [1]]]}
    case |= {"src_spans": [[0, 12], [13, 27]], "tgt_spans": [[0, 9], [10, 23]]}
    jsonl = tmp_path / "cases.jsonl"
    jsonl.write_text(json.dumps(case), "utf-8")
    assert read_pairs(jsonl)[1] == Good("Anh ấy về nhà.", "He goes home.", "vi", "a")


@pytest.mark.parametrize("text", ["only one field\n", "\t\n", "Das ist ein deutscher Satz.\tThis is one.\n"])
def test_files_that_are_none(tmp_path, text):
    path = tmp_path / "pairs.tsv"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError, match="pairs"):
        read_pairs(path)


def test_equal_texts_are_encoded_once():
    encoder = LetterEncoder("en")
    remembering = Remembering(encoder)
    remembering.encode(["a", "b", "a"])
    remembering.encode(["b", "c"])
    assert encoder.calls == [["a", "b"], ["c"]]
