import os
import random
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.settings import FilterSettings
from pipeline.errors import ConfigError
from pipeline.stages.filter import buckets, duplicates, shingle_kernel
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


def filled_in(draw, numbers=None):
    """One form with five numbers: two of them have .6 to .75 of their shingles in common."""
    a, b, c, d, e = numbers or [draw.randrange(1000, 10000) for _ in range(5)]
    source = (
        f"Giá vàng miếng sáng nay niêm yết {a} đồng mua vào và {b} đồng bán ra, vàng thế giới {c}, dầu {d}, euro {e}."
    )
    english = (
        f"Gold bars were quoted at {a} dong for buying and {b} dong for selling, world gold {c}, oil {d}, euro {e}."
    )
    return source, english


@pytest.fixture
def small_buckets(monkeypatch):
    """Few pairs fill a bucket, and few pairs the tables."""
    monkeypatch.setattr(buckets, "BUCKET", 4)
    monkeypatch.setattr(buckets, "COMPARED", 8)
    monkeypatch.setattr(buckets, "FIRST_SLOTS", 64)


def test_copies_are_found_where_buckets_are_full(small_buckets):
    draw = random.Random(5)
    drawn = [[draw.randrange(1000, 10000) for _ in range(5)] for _ in range(600)]
    copied = draw.sample(range(600), 60)
    edited = [[*drawn[place][:4], draw.randrange(1000, 10000)] for place in copied]
    rows = [filled_in(draw, numbers) for numbers in drawn + edited]
    verdicts = decide(rows, 0.8, lang="vi")
    assert sum(alike(rows[0], row) >= 0.8 for row in rows[1:100]) == 0
    assert all(verdict.keep for verdict in verdicts[:600])
    found = [verdict for verdict in verdicts[600:] if not verdict.keep]
    assert len(found) >= 55
    named = {
        f"near-duplicate of p{place} ({alike(rows[place], filled_in(draw, numbers)):.2f})"
        for place, numbers in zip(copied, edited, strict=True)
    }
    assert {text for verdict in found for text in verdict.texts} <= named


def test_a_pair_is_compared_with_few_however_many_there_are(small_buckets, monkeypatch):
    compared = []
    original = shingle_kernel.similarities

    def counted(records, ends, *others):
        compared.append(len(ends))
        return original(records, ends, *others)

    monkeypatch.setattr(shingle_kernel, "similarities", counted)
    draw = random.Random(6)
    decide([filled_in(draw) for _ in range(300)], 0.8, lang="vi")
    assert max(compared) == 8


def test_exact_copies_are_found_after_the_tables_have_grown(small_buckets):
    draw = random.Random(8)
    rows = [filled_in(draw) for _ in range(200)]
    for threshold in (None, 0.8):
        verdicts = decide([*rows, *rows], threshold, lang="vi")
        assert [verdict.texts for verdict in verdicts[200:]] == [(f"duplicate of p{number}",) for number in range(200)]


@pytest.mark.parametrize("threshold", [0.5, 0.65, 0.8, 0.9, 1.0])
def test_bands_keep_the_chance_of_a_miss(threshold):
    assert (1 - threshold**ROWS) ** bands(threshold) <= MISSED


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.text(max_size=12), st.text(st.characters(exclude_categories=["Cs"]), max_size=30), st.sampled_from([0.5, 0.8])
)
def test_hashed_shingles_are_as_many_and_as_alike_as_the_texts(one, other, threshold):
    """Whatever the characters: of one to four bytes, and texts shorter than a shingle."""
    one = letters(one.encode(errors="ignore").decode())
    other = letters(one[: len(one) // 2] + other)
    ours, theirs = (duplicates._hashed(text, text) for text in (one, other))
    assert [len(side) for side in (*ours, *theirs)] == [len(shingles(one))] * 2 + [len(shingles(other))] * 2
    sizes = len(theirs[0]), len(theirs[1])
    record = duplicates._record(bytes(16), duplicates.Texts("p0", "vi", "", ""), sizes, other, other)
    ends = np.array([len(record)])
    (found,) = shingle_kernel.similarities(duplicates._bytes(record), ends, *ours, threshold, True)
    expected = jaccard(shingles(one), shingles(other))
    assert found == (expected if expected >= threshold else 0)


def test_thresholds_that_would_compare_everything_are_refused():
    from pipeline.config.load import parse_settings

    with pytest.raises(ConfigError, match="near_duplicates"):
        parse_settings(FilterSettings, {"near_duplicates": 0.2}, "here")


def shuffled():
    """What is said of pairs that share words."""
    draw = random.Random(3)
    words = ["".join(draw.choices("abcdefก", k=5)) for _ in range(14)]
    rows = [(" ".join(words[: draw.randrange(5, 14)]), " ".join(words[draw.randrange(4) :])) for _ in range(90)]
    return [verdict.texts for verdict in decide(rows, 0.5)]


def test_signatures_do_not_depend_on_the_process():
    program = "from tests.stages.filter.test_duplicates import shuffled; print(shuffled())"
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    elsewhere = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert elsewhere == f"{shuffled()}\n"
    assert "near-duplicate" in elsewhere
