import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythainlp.tokenize import word_tokenize
from pythainlp.util import Trie

from pipeline.text.thai import boundary_scores, phrases
from pipeline.text.thai_trees import WordsByHead
from pipeline.text.thai_words import thai_cutter

DATA = Path(__file__).resolve().parents[1] / "data"


# | stands for a space where a cut may be made
@pytest.mark.parametrize(
    "line",
    [
        "เวลา 18.00 น.|เจ้าหน้าที่ตำรวจเข้าตรวจสอบ",
        "ความเสียหายกว่า 85 ล้านบาท|บริษัทประเมินแล้ว",
        "เมื่อวันที่ 5 พฤษภาคม 2568|ทั้งสองฝ่ายลงนาม",
        "สถาปนาความสัมพันธ์เมื่อเดือนมิถุนายน พ.ศ. 2535|และพัฒนาต่อมา",
        "พล.อ. ประยุทธ์กล่าวว่าสถานการณ์ดีขึ้น",
        "ดร. สมชายเป็นผู้วิจัยคนแรกของสถาบัน",
        "นายเล มินห์กล่าวว่าการค้าเติบโตต่อเนื่อง",
        "ประธานาธิบดีพบกับ Vladimir Putin|และกลับประเทศ",
        "พลเอก สมเกียรติ จันทร์เพ็ญแสง|แถลงข่าว",
        "พลเอกสมเกียรติ จันทร์เพ็ญแสง|แถลงข่าว",
        "ศาสตราจารย์ กิตติศักดิ์ ประเสริฐวงศ์|อธิบายว่า",
        "น.ส. พิมพ์ลดาวรรณ เจริญรุ่งเรือง|แถลงข่าว",
        "ประชุมในวันพฤหัสบดี ที่ 5 พฤษภาคม|เวลา 10.00 น.|ที่ทำเนียบ",
        "ป้ายเขียนว่า|‘ห้าม เข้า เด็ดขาด’|ติดอยู่หน้าประตู",
        "เขาบอกว่า|“เรา มา แล้ว ครับ”|ก่อนเดินจากไปอย่างเงียบ",
        "สหภาพเศรษฐกิจยูเรเซีย|(EAEU หรือ สหภาพ)|ตกลงกันแล้ว",
        'ผู้ว่าฯ ตอบว่า|"ยัง ไม่ รู้"|แล้วเดินขึ้นรถไป',
    ],
)
def test_phrases_end_only_where_a_sentence_might(line):
    text = line.replace("|", " ")
    starts = {i for i, char in enumerate(line.replace("|", "\0")) if char == "\0"}
    assert {start - 1 for start, _ in phrases(text)[1:]} <= starts


@pytest.mark.parametrize("text", ["เวลา 18.00 น. เจ้าหน้าที่ตำรวจเข้าตรวจสอบ", "นายกรัฐมนตรี แถลงผลการประชุมคณะรัฐมนตรี"])
def test_a_unit_or_an_office_is_no_title(text):
    assert len(phrases(text)) == 2


def test_a_plain_space_between_clauses_may_be_cut():
    text = "รัฐบาลประกาศมาตรการใหม่เพื่อช่วยเกษตรกร อย่างไรก็ตาม นักวิชาการยังมีข้อสงสัยหลายประการ"
    assert len(phrases(text)) >= 2


def test_openers_speak_for_a_boundary_and_joiners_against_it():
    left = "รัฐบาลประกาศมาตรการใหม่เพื่อช่วยเกษตรกรทั่วประเทศ"
    opener = left + " นอกจากนี้กระทรวงยังขยายเวลาชำระหนี้ออกไปอีกหกเดือน"
    joiner = left + " ซึ่งกระทรวงยังขยายเวลาชำระหนี้ออกไปอีกหกเดือนด้วย"
    scores = [boundary_scores(text, phrases(text)) for text in (opener, joiner)]
    assert [len(found) for found in scores] == [1, 1]
    assert scores[0][0] > 0.4 > 0.1 > scores[1][0]


WORDS = st.sampled_from(
    [
        "การ",
        "และ",
        "ซึ่ง",
        "นอกจากนี้",
        "18.00",
        "น.",
        "พ.ศ.",
        "2568",
        "5",
        "นาย",
        "สมชาย",
        "Putin",
        "Vladimir",
        "“",
        "”",
        '"',
        "(",
        ")",
        "กล่าว",
        "แล้ว",
        "ๆ",
        "ฯ",
        "คนจำนวนมากเดินทางมา",
    ]
)
LINES = st.lists(st.tuples(WORDS, st.sampled_from(["", " "])), min_size=1, max_size=60).map(
    lambda parts: "".join(word + gap for word, gap in parts).strip()
)


@given(LINES)
def test_phrases_cover_the_line_once(text):
    spans = phrases(text)
    assert "".join(text[start:end] for start, end in spans).replace(" ", "") == text.replace(" ", "")
    assert all(start < end and text[start:end] == text[start:end].strip() for start, end in spans)


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\n"), max_size=60))
def test_any_line_can_be_cut(text):
    boundary_scores(text, phrases(text))


def test_words_are_cut_where_pythainlp_cuts_them() -> None:
    for text in (row.split("\t")[0] for row in (DATA / "news_th.tsv").read_text("utf-8").splitlines()):
        for stretch in re.findall("[\u0e00-\u0e7f]+", text):
            assert thai_cutter().cut(stretch) == word_tokenize(stretch, engine="newmm")


@pytest.mark.parametrize("rime", ["เ{}ียน", "เ{}ี่ยว", "เ{}ือน", "เ{}ียร์", "{}ัว", "เ{}าะ", "แ{}็น", "{}่อน", "{}ำ", "เ{}อร์"])
def test_syllables_of_no_word_are_cut_where_pythainlp_cuts_them(rime: str) -> None:
    for onset in ("หง", "ตว", "กร", "ซว", "บ", "ฟ", "ทร", "หล", "งว", "ดง"):
        text = f"นาย{rime.format(onset)}ไป"
        assert thai_cutter().cut(text) == word_tokenize(text, engine="newmm")


def test_latin_words_are_cut_whatever_sign_stands_before_them() -> None:
    cut = thai_cutter().cut("วุฒิสภา(Senate)กล่าวถึง“Nielsen-Lee” 1,250 คน")
    assert cut == ["วุฒิสภา", "(", "Senate", ")", "กล่าวถึง", "“", "Nielsen-Lee", "”", " ", "1,250", " ", "คน"]


@given(st.text(st.one_of(st.sampled_from("กเาิ์ๆฯ๑ .-ะ"), st.characters(codec="utf-8")), max_size=80))
def test_what_is_cut_is_the_text(text: str) -> None:
    assert "".join(thai_cutter().cut(text)) == text


def test_words_by_head_are_those_of_the_tree() -> None:
    words = ["กา", "การ", "การเมือง", "ก", "ณ", " เมือง ", "a b", "การเ"]
    tree, found = Trie(words), WordsByHead(words)
    for text in ("การเมืองกา", "ณการ", "เมือง", "a b", "x", ""):
        assert [found.prefixes(text, at) for at in range(len(text) + 1)] == [
            tree.prefixes(text, at) for at in range(len(text) + 1)
        ]
    assert len(found) == len(tree) and sorted(tree) == list(found)
    assert "การ" in found and "กาก" not in found
