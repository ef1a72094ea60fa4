from dataclasses import replace

import pytest

import pipeline
from pipeline.stages.score import pair_facts, source_text
from pipeline.stages.score.base import Context
from pipeline.stages.score.pair_facts import PairFacts, solid_length
from pipeline.stages.score.scorers import all_scorers
from pipeline.stages.score.source_text import weighed_lexicon
from pipeline.stages.score.stage import score
from pipeline.text.numbers import agreement
from tests.stages.score.build import pair
from tests.support.encoders import LetterEncoder

PAIRS = [
    pair("นายเคลเลอร์พบรัฐมนตรีฝรั่งเศสเมื่อวันที่ 5 พ.ค. 2568 (Reuters)", "Then Keller met the French minister on May 5, 2568."),
    pair("Ông Keller gặp 25 người ở Pháp, tốn 5 USD.", "Then Mr Vandermeer met 52 people in Japan for $5.", "vi"),
    pair("Trời mưa.", "It rains.", "vi"),
]


@pytest.fixture(autouse=True)
def forget():
    """Forget the texts of other tests."""
    remembered = [value for value in vars(pair_facts).values() if hasattr(value, "cache_clear")]
    for cached in remembered:
        cached.cache_clear()
    return lambda: [cached.cache_clear() for cached in remembered]


def counted(monkeypatch, module, name):
    """The arguments of all calls of a function of a module, from now on."""
    calls, real = [], getattr(module, name)

    def counting(*arguments):
        calls.append(arguments)
        return real(*arguments)

    monkeypatch.setattr(module, name, counting)
    return calls


def test_numbers_are_read_once_a_side_by_all_scorers_together(monkeypatch):
    calls = counted(monkeypatch, agreement, "numbers")
    list(score(PAIRS, all_scorers(), Context()))
    sides = [side for each in PAIRS for side in ((each.src_text, each.src_lang), (each.tgt_text, "en"))]
    assert sorted(calls) == sorted(sides)


@pytest.mark.parametrize("name", ["kept_names", "placed_names", "mentions", "SourceText", "StatedNumbers"])
def test_no_text_is_searched_twice_for_the_same(monkeypatch, forget, name):
    calls = counted(monkeypatch, pair_facts, name)
    others = [replace(one, tgt_text="It rains.") for one in PAIRS]
    together = [row.scores for row in score([*PAIRS, *others], all_scorers(), Context())]
    assert len(calls) == len(set(calls)) > 0
    forget()
    assert together == [row.scores for one in (*PAIRS, *others) for row in score([one], all_scorers(), Context())]


def test_scores_do_not_depend_on_which_list_holds_the_facts():
    encoder = LetterEncoder("th", "en")
    (*rows,) = score(PAIRS, all_scorers(encoder), Context())
    facts = list(map(PairFacts, PAIRS))
    copied = {}
    for scorer in all_scorers(encoder):
        copied |= scorer.score(list(facts), Context())
    assert [row.scores for row in rows] == [
        {name: column[i] for name, column in copied.items()} for i in range(len(PAIRS))
    ]


def test_facts_do_not_depend_on_the_order_they_are_asked_in():
    first, again = PairFacts(PAIRS[0]), PairFacts(PAIRS[0])
    assert (first.lost_names, first.added_countries) == (0, 0)
    assert (again.added_countries, again.lost_names) == (0, 0)
    assert [number.kind for number in first.source_numbers.asked] == ["day", "month", "year"]
    assert [number.value for number in first.numbers_apart[0]] == [2025]


def test_names_and_countries_of_one_side_alone():
    changed = PairFacts(PAIRS[1])
    assert changed.english_names == [["Vandermeer"], ["Japan"]]
    assert min(changed.unsupported_names) > 0.5
    assert changed.lost_names == 2  # Keller and France
    assert changed.added_countries == 1


def test_solid_length_counts_no_space_of_any_kind():
    assert solid_length(" a\u00a0b\u2003\n c\u200b") == 4


def vietnamese(source: str, english: str) -> PairFacts:
    return PairFacts(pipeline.make_pair(source, english, "vi"))


def test_what_english_writes_otherwise_is_no_lost_name():
    facts = vietnamese(
        "TAND tỉnh tuyên án trong khóa XV, tranh của Lê Phổ được bán ngày 18.6.",
        "The provincial court gave its verdict in the 15th term; a painting by Lê Phổ was sold on June 18.",
    )
    assert facts.lost_names == 0
    assert facts.english_names == [["Phổ"]]  # a month is a number
    assert vietnamese("FPT và TAND lên tiếng.", "Vandermeer and the court spoke.").lost_names == 1


def test_english_may_say_where_a_paper_writes_from_but_not_in_place_of_another_country():
    assert vietnamese("Miền Bắc chuyển rét.", "It turns cold in northern Vietnam.").unsupported_names == [0.0]
    assert vietnamese("Miền Bắc chuyển rét.", "It turns cold in northern Vietnam.").added_countries == 0
    swapped = vietnamese("Tuyết rơi ở Nhật Bản.", "It snows in Vietnam.")
    assert (swapped.lost_names, swapped.added_countries) == (1, 1)
    assert swapped.unsupported_names == [1.0]


def test_a_source_without_marks_has_the_senses_of_all_that_is_written_so():
    bare = vietnamese("Hoc sinh duoc nghi hoc vi mua lon", "Pupils stay at home")
    assert bare.source.expected["student"] > 0.2
    assert vietnamese("Hoc sinh", "Pupils").source.lexicon is weighed_lexicon("vi")  # too short to tell


def test_a_word_is_looked_for_in_a_text_once(monkeypatch):
    calls = counted(monkeypatch, source_text, "log_odds")
    facts = PairFacts(pair("นายสมชายพบนักเรียน", "He saw Somchai, Vandermeer, Somchai and Vandermeer again."))
    assert len(facts.unsupported_names) == 4
    assert len(calls) == len(set(calls)) == 2
