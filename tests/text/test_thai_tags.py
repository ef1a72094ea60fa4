"""Parts of speech are PyThaiNLP's, whoever makes the sums."""

from __future__ import annotations

import random

import pytest
from pythainlp.tag import orchid, pos_tag

from pipeline.text.thai_tags import TOGETHER, OrchidTagger, universal_tags

SENTENCE = """นายก รัฐมนตรี กล่าว ว่า จะ ไม่ มี การ ขึ้น ภาษี ใน ปี 2567 และ ความ ร่วมมือ กับ ASEAN 3,400 ล้าน บาท COVID-19 -x (
) " . , : ๆ ฯ เด็ก วิ่ง เร็ว มาก ของ ที่ เป็น ให้ ได้ แล้ว ทาง ครั้ง สาม ๑๒ ก็ หรือ น่า รัก วลาดิเมียร์ x"""
WORDS = SENTENCE.split()


def _rows(longest: int, count: int) -> list[list[str]]:
    chance = random.Random(7)
    return [chance.choices([*WORDS, " "], k=chance.randint(1, longest)) for _ in range(count)]


@pytest.mark.parametrize("words", [*_rows(30, 40), *_rows(1, 3), WORDS * (2 * TOGETHER // len(WORDS)), []])
def test_tags_are_those_of_pythainlp(words: list[str]) -> None:
    assert universal_tags(words) == pos_tag(words, corpus="orchid_ud")


def test_pythainlp_decides_between_tags_with_one_sum() -> None:
    tagger = OrchidTagger()
    tagger._rows[:] = 0
    words = orchid.pre_process(WORDS)
    assert orchid.post_process(tagger.tag(words)) == pos_tag(WORDS, corpus="orchid")
