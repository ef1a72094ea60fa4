import numpy as np
import pytest

from pipeline.errors import InputError, UsageError
from pipeline.metrics.embedding import SimRef, SimSrc, cosines, peer_similarity, text_vectors
from tests.support.encoders import LetterEncoder

ENGLISH = ["the cat sat", "rain is here"]
THAI = ["วันนี้ฝนตกหนักมาก", "ตลาดเปิดตอนเช้า"]


def test_the_metric_is_the_mean_cosine_and_its_statistics_add_up():
    metric = SimRef(LetterEncoder("en", "th"))
    found = metric.statistics(["aa", "ab"], [["aa", "a"]])
    assert found.shape == (2, 2)
    assert metric.aggregate(found.sum(axis=0)) == pytest.approx((1 + np.sqrt(0.5)) / 2, abs=1e-4)
    assert metric.aggregate(found[[1, 1]].sum(axis=0)) == pytest.approx(np.sqrt(0.5), abs=1e-4)


def test_of_several_references_the_closest_counts_in_each_segment():
    found = SimRef(LetterEncoder("en", "th")).statistics(["aa", "bb"], [["aa", "zz"], ["zz", "bb"]])
    assert found[:, 0] == pytest.approx([1, 1], abs=1e-4)


def test_a_blank_hypothesis_scores_nothing_and_counts():
    metric = SimRef(LetterEncoder("en", "th"))
    sums = metric.statistics(["the cat sat", " "], [ENGLISH]).sum(axis=0)
    assert metric.aggregate(sums) == pytest.approx(0.5, abs=1e-4)
    with pytest.raises(InputError, match="blank"):
        text_vectors(LetterEncoder("en", "th"), ["", " "])


def test_signatures_name_encoder_weights_and_what_was_compared():
    metric = SimRef(LetterEncoder("en", "th"))
    metric.statistics(ENGLISH, [ENGLISH, ENGLISH])
    assert metric.signature == "nrefs:2|against:closest-reference|encoder:letters|weights:0|version:1"
    assert SimSrc(LetterEncoder("en", "th")).signature == "against:source|encoder:letters|weights:0|version:1"


def test_what_is_missing_is_named():
    with pytest.raises(UsageError, match="--ref"):
        SimRef(LetterEncoder("en", "th")).statistics(ENGLISH, [])
    with pytest.raises(UsageError, match="--src"):
        SimSrc(LetterEncoder("en", "th")).statistics(ENGLISH, [], None)
    with pytest.raises(InputError, match="2 segments"):
        SimSrc(LetterEncoder("en", "th")).statistics(ENGLISH, [], THAI[:1])


def test_a_language_that_the_encoder_does_not_know_is_refused():
    assert SimSrc(LetterEncoder("en", "th")).statistics(ENGLISH, [], THAI).shape == (2, 2)
    with pytest.raises(UsageError, match="letters does not know the language of the source, 'th'"):
        SimSrc(LetterEncoder("en")).statistics(ENGLISH, [], THAI)
    with pytest.raises(UsageError, match="does not know English"):
        SimRef(LetterEncoder("th"))


def test_peers_leave_out_the_system_itself():
    systems = [LetterEncoder("en", "th").encode(texts) for texts in (["aa", "b"], ["aa", "c"], ["bb", "b"])]
    expected = [np.mean([cosines(own, other) for other in systems if other is not own], axis=0) for own in systems]
    assert peer_similarity(systems) == pytest.approx(np.array(expected), abs=1e-6)
    with pytest.raises(UsageError, match="three or more"):
        peer_similarity(systems[:2])


def test_a_named_encoder_is_part_of_the_name():
    assert [SimRef(LetterEncoder("en")).name, SimSrc(LetterEncoder("en"), "-labse").name] == ["SimRef", "SimSrc-labse"]
