import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.score.damage.classifier import KINDS, Damage, trees_of
from pipeline.stages.score.damage.features import signs_of
from pipeline.stages.score.damage.forced import Readings
from pipeline.stages.score.pair_facts import PairFacts
from pipeline.stages.score.scorers import all_scorers
from pipeline.stages.score.stage import signatures
from tests.stages.score.build import columns, pair
from tests.support.encoders import LetterEncoder

SOURCE = "Hôm thứ Ba, chính phủ cho biết giá gạo đã tăng 12 phần trăm, trong khi xuất khẩu sang Pháp giảm mạnh."
ENGLISH = "On Tuesday the government said rice prices had risen 12 percent, while exports to France fell sharply."
OTHER = "She opened the window and looked at the children, who were playing football behind the old school."
THAI = "เมื่อวันอังคาร รัฐบาลกล่าวว่าราคาข้าวสูงขึ้นร้อยละ 12 ขณะที่การส่งออกไปฝรั่งเศสลดลงอย่างมาก"


def scores(source, english, lang="vi", encoder=None):
    found = columns(Damage(encoder, Readings(None)), [pair(source, english, lang)])
    return {kind: value for kind, (value,) in found.items()}


@pytest.mark.parametrize(("source", "lang"), [(SOURCE, "vi"), (THAI, "th")])
def test_a_good_pair_is_none_of_them(source, lang):
    assert max(scores(source, ENGLISH, lang).values()) < 0.5


def test_each_kind_is_told():
    words, ours = ENGLISH.split(), SOURCE.split()
    assert scores(SOURCE, OTHER)["unrelated"] > 0.5
    assert scores(SOURCE, " ".join(words[: len(words) * 2 // 3]))["omission"] > 0.5
    assert scores(SOURCE, " ".join(words[len(words) // 3 :]))["omission"] > 0.5
    assert scores(" ".join(ours[: len(ours) * 2 // 3]), ENGLISH)["addition"] > 0.5


def test_an_empty_side_has_no_score():
    assert set(scores(SOURCE, " ").values()) == {None}


def test_signs_are_those_of_the_batch_at_hand():
    scorer = Damage(None, Readings(None))
    (good,) = columns(scorer, [pair(SOURCE, ENGLISH, "vi")])["unrelated"]
    (bad,) = columns(scorer, [pair(SOURCE, OTHER, "vi")])["unrelated"]
    assert good < bad
    assert columns(scorer, [pair(SOURCE, ENGLISH, "vi")])["unrelated"] == [good]


def test_only_the_encoder_of_the_weights_is_used():
    other = LetterEncoder("th", "en")
    assert scores(THAI, ENGLISH, "th", other) == scores(THAI, ENGLISH, "th")
    assert other.calls == []
    assert "encoder:none" in Damage(other, Readings(None)).signatures["omission"]


def test_vectors_are_signs_for_languages_that_the_encoder_knows():
    thai, vietnamese = signs_of(
        [PairFacts(pair(THAI, ENGLISH)), PairFacts(pair(SOURCE, ENGLISH, "vi"))], LetterEncoder("th", "en")
    )
    assert thai["cosine"] != 0
    assert "cosine" not in vietnamese
    assert vietnamese.keys() < thai.keys()


def test_the_scores_are_among_all():
    assert set(KINDS) <= signatures(all_scorers()).keys()


# First tree: sign 0 up to .5 is -1; over it, sign 1 up to 2 is .25 and more is 3. Second tree: a leaf alone.
DATA = {
    "bias": -0.5,
    "roots": [0, 5],
    "sign": [0, -1, 1, -1, -1, -1],
    "number": [0.5, -1.0, 2.0, 0.25, 3.0, 10.0],
    "skip": [2, 0, 2, 0, 0, 0],
}


@pytest.mark.parametrize(
    ("signs", "odds"),
    [((0.5, 9.0), 8.5), ((0.6, 2.0), 9.75), ((0.6, 2.1), 12.5)],
    ids=["a sign equal to the number goes left", "right, then left", "right twice"],
)
def test_every_tree_says_its_leaf(signs, odds):
    assert trees_of(DATA).log_odds(np.array([signs])) == pytest.approx([odds])


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-3, 3)), min_size=1, max_size=6))
def test_rows_do_not_depend_on_their_neighbours(rows):
    trees = trees_of(DATA)
    together = trees.log_odds(np.array(rows))
    assert together.tolist() == [trees.log_odds(np.array([row]))[0] for row in rows]


def test_no_rows_are_no_odds():
    assert trees_of(DATA).log_odds(np.zeros((0, 2))).shape == (0,)
