import os
import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.settings import FilterSettings
from pipeline.errors import ConfigError
from pipeline.stages.filter.duplicates import MISSED, ROWS, bands
from pipeline.stages.filter.shingles import comparable, jaccard, letters, shingles
from pipeline.stages.filter.stage import filter_pairs
from pipeline.types import Scored
from tests.stages.score.build import pair

NEWS = "รัฐมนตรีว่าการกระทรวงคมนาคมแถลงเมื่อเช้าวันจันทร์ว่าสะพานแห่งใหม่จะเปิดใช้ในเดือนหน้า"
ENGLISH = "The transport minister told reporters on Monday morning that the new bridge will open next month."


def decide(texts, threshold=0.8, lang="th"):
    rows = (Scored(pair(source, english, lang=lang, name=f"p{i}"), {}) for i, (source, english) in enumerate(texts))
    return list(filter_pairs(rows, FilterSettings(near_duplicates=threshold)))


def sides(text):
    return shingles(letters(comparable(text)))


def alike(one, other):
    return min(jaccard(sides(a), sides(b)) for a, b in zip(one, other, strict=True))


def test_a_pair_that_is_near_on_both_sides_is_rejected_and_the_first_is_named():
    first, again = decide([(NEWS, ENGLISH), (f"{NEWS}ครับ", ENGLISH.replace("told reporters", "told the reporters"))])
    assert first.keep
    expected = alike((NEWS, ENGLISH), (f"{NEWS}ครับ", ENGLISH.replace("told reporters", "told the reporters")))
    assert again.texts == (f"near-duplicate of p0 ({expected:.2f})",)
    assert again.kinds == {"near-duplicate"}


def test_another_english_of_one_source_is_kept_and_another_source_of_one_english():
    other = "According to the minister of transport, traffic will cross a new bridge within a month."
    assert all(verdict.keep for verdict in decide([(NEWS, ENGLISH), (NEWS, other), ("สะพานใหม่เปิดเดือนหน้า", ENGLISH)]))


@pytest.mark.parametrize(
    "source, english",
    [
        (NEWS.replace("แถลง", " แถลง "), ENGLISH),
        (NEWS, "the transport minister told reporters on monday morning , that the new bridge will open next month !"),
    ],
)
def test_spacing_punctuation_and_case_do_not_count(source, english):
    assert decide([(NEWS, ENGLISH), (source, english)])[1].texts == ("near-duplicate of p0 (1.00)",)


def test_english_by_people_is_never_rejected_for_a_machines():
    edited = ENGLISH.replace("told reporters", "told the reporters")
    rows = [
        Scored(pair(NEWS, english, name=name, origin=origin), {})
        for name, english, origin in (
            ("machine", ENGLISH, "translated"),
            ("people", edited, "aligned"),
            ("found again", edited + "!", "mined"),
            ("machine again", edited + "?", "translated"),
            ("same", ENGLISH, "aligned"),
        )
    ]
    verdicts = list(filter_pairs(rows, FilterSettings()))
    assert [verdict.keep for verdict in verdicts] == [True, True, False, False, False]
    assert verdicts[2].texts == ("near-duplicate of people (1.00)",)
    assert verdicts[4].texts == ("duplicate of machine",)


def test_numbers_are_text():
    """A long template with one changed number is a copy, one with every field changed is not."""
    rows = [
        ("Chỉ số chứng khoán chốt phiên chiều thứ Hai ở mức 1.204 điểm.", f"{ENGLISH} It fell by 12 points."),
        ("Chỉ số chứng khoán chốt phiên chiều thứ Hai ở mức 1.204 điểm.", f"{ENGLISH} It fell by 13 points."),
        ("Chỉ số chứng khoán chốt phiên sáng thứ Bảy ở mức 998 điểm.", "It fell by 14 points on a quiet Saturday."),
    ]
    assert [verdict.keep for verdict in decide(rows, lang="vi")] == [True, False, True]


def test_only_exact_copies_when_near_ones_are_allowed():
    verdicts = decide([(NEWS, ENGLISH), (NEWS, ENGLISH + "!"), (NEWS, ENGLISH.upper())], threshold=None)
    assert [verdict.texts for verdict in verdicts] == [(), (), ("duplicate of p0",)]


def test_texts_without_letters_are_compared_exactly_only():
    assert [verdict.keep for verdict in decide([("...", "..."), ("!", "!"), ("...", "...")])] == [True, True, False]


def test_a_pair_that_was_rejected_shadows_nothing():
    """p1 is near p0, and p2 near p1 but not p0: chains do not spread."""
    words = [f"word{chr(97 + i)}{chr(109 - i)}" for i in range(12)]
    rows = [(" ".join(words[i : i + 9]), " ".join(words[i : i + 9])) for i in range(3)]
    assert alike(rows[0], rows[1]) >= 0.7 > alike(rows[0], rows[2])
    assert [verdict.keep for verdict in decide(rows, threshold=0.7)] == [True, False, True]


WORDS = st.lists(
    st.sampled_from(
        ["ผู้ว่าการ", "ธนาคาร", "แถลง", "ดอกเบี้ย", "central bank", "said", "rates", "lãi suất", "tăng", "4", "5"]
    ),
    max_size=9,
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.tuples(WORDS, WORDS), max_size=12), st.sampled_from([0.5, 0.7, 0.8, 0.95, 1.0]))
def test_kept_pairs_are_not_near_an_earlier_one_and_rejected_ones_are(drawn, threshold):
    rows = [(" ".join(source), " ".join(english)) for source, english in drawn]
    verdicts = decide(rows, threshold)
    kept = []
    for row, verdict in zip(rows, verdicts, strict=True):
        same = [other for other in kept if [*map(comparable, row)] == [*map(comparable, other)]]
        near = [other for other in kept if alike(row, other) >= threshold]
        assert verdict.keep == (not same and not near)
        if verdict.keep:
            kept.append(row)


def test_no_pair_is_missed_among_many_variants():
    draw = random.Random(7)
    base = ["".join(draw.choices("กขคงจฉชซabcdefgh", k=90)) for _ in range(30)]
    edited = [text[:cut] + "x" + text[cut + 1 :] for text in base for cut in (10, 40, 80)]
    verdicts = decide([(text, text) for text in base + edited])
    assert [verdict.keep for verdict in verdicts] == [True] * len(base) + [False] * len(edited)


@pytest.mark.parametrize("threshold", [0.5, 0.65, 0.8, 0.9, 1.0])
def test_bands_keep_the_chance_of_a_miss(threshold):
    assert (1 - threshold**ROWS) ** bands(threshold) <= MISSED


def test_thresholds_that_would_compare_everything_are_refused():
    from pipeline.config.load import parse_settings

    with pytest.raises(ConfigError, match="near_duplicates"):
        parse_settings(FilterSettings, {"near_duplicates": 0.2}, "here")


def test_signatures_do_not_depend_on_the_process():
    program = (
        "from tests.stages.filter.test_duplicates import *;"
        "import random; draw = random.Random(3);"
        "words = [''.join(draw.choices('abcdefก', k=5)) for _ in range(14)];"
        "rows = [(' '.join(words[: draw.randrange(5, 14)]), ' '.join(words[draw.randrange(4) :])) for _ in range(90)];"
        "print([v.texts for v in decide(rows, 0.5)])"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1
    assert b"near-duplicate" in printed.pop()
