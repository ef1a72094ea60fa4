from pipeline.stages.score.base import Context
from pipeline.stages.score.damage.classifier import KINDS, Damage
from pipeline.stages.score.damage.forced import Readings
from pipeline.stages.score.scorers import all_scorers, score_names
from pipeline.stages.score.similarity import Similarity
from pipeline.stages.score.stage import BATCH, score, signatures
from pipeline.stages.score.surface import LengthRatio
from tests.stages.score.build import pair
from tests.support.encoders import LetterEncoder


def test_order_and_values_do_not_depend_on_batches():
    pairs = [pair("ab" * (i % 40 + 1), "a" * (i % 13 + 1), name=str(i)) for i in range(BATCH + 5)]
    encoder = LetterEncoder("th", "en")
    scored = list(score(iter(pairs), [LengthRatio(), Similarity(encoder)], Context()))
    assert [row.pair for row in scored] == pairs
    assert len(encoder.calls) == 2
    (alone,) = score(pairs[-1:], [LengthRatio(), Similarity(encoder)], Context())
    assert alone == scored[-1]


def test_every_pair_has_every_score():
    (row,) = score([pair("สวัสดี", "Hello", origin="translated")], all_scorers(), Context())
    assert list(row.scores) == list(score_names())
    assert row.scores["similarity"] is None
    assert row.scores["guard"] == 0


def test_is_lazy():
    def endless():
        while True:
            yield pair("ก", "a")

    assert next(score(endless(), [LengthRatio()], Context())).scores["length_ratio"] >= 1


def test_signatures_by_name():
    assert signatures([LengthRatio(), Similarity(None)]) == {
        "length_ratio": LengthRatio().signature,
        "similarity": "encoder:none|version:2",
    }


def test_a_scorer_of_several_scores_gives_a_column_for_each():
    damage = Damage(None, Readings(None))
    (row,) = score([pair("สวัสดี", "Hello")], [damage], Context())
    (among_all,) = score([pair("สวัสดี", "Hello")], all_scorers(), Context())
    assert list(row.scores) == list(KINDS) == list(signatures([damage]))
    assert row.scores.items() <= among_all.scores.items()


def test_no_pairs():
    assert list(score([], all_scorers(), Context())) == []
