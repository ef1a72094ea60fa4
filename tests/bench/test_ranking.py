import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.bench.ranking import kendall_tau, rank, rank_files, resampled_means
from pipeline.errors import InputError, UsageError
from tests.support.encoders import LetterEncoder

NAMES = ["one", "two", "three"]


def scores(*shifts):
    noise = np.random.default_rng(1).normal(size=(len(shifts), 200))
    return noise + np.array(shifts)[:, None]


def test_a_clear_order_is_certain_and_an_even_one_is_not():
    clear = rank("m", "s", NAMES, scores(0, 2, 1), None, 200)
    assert [place.system for place in clear.places] == ["two", "three", "one"]
    assert clear.confidence == 1.0
    assert [place.better for place in clear.places] == [1.0, 1.0, None]
    close = rank("m", "s", NAMES[:2], scores(0, 0), None, 400)
    assert 0.3 < close.confidence < 1.0


def test_recorded_scores_are_compared_with_the_order():
    agreed = rank("m", "s", NAMES, scores(0, 2, 1), [10, 30, 20], 200)
    assert (agreed.tau, agreed.as_recorded) == (1.0, 1.0)
    reversed_ = rank("m", "s", NAMES, scores(0, 2, 1), [30, 10, 20], 200)
    assert (reversed_.tau, reversed_.as_recorded) == (-1.0, 0.0)
    assert [place.recorded for place in reversed_.places] == [10, 20, 30]


def test_equal_systems_are_never_better():
    same = np.tile(scores(0), (3, 1))
    found = rank("m", "s", NAMES, same, [1, 1, 1], 100)
    assert [place.better for place in found.places] == [0.0, 0.0, None]
    assert found.tau is None and found.as_recorded == 1.0


def test_all_systems_are_judged_on_the_same_draw():
    drawn = resampled_means(np.stack([scores(0)[0], scores(0)[0] + 0.001]), 50)
    assert np.allclose(drawn[:, 1] - drawn[:, 0], 0.001)
    assert np.array_equal(drawn, resampled_means(np.stack([scores(0)[0], scores(0)[0] + 0.001]), 50))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=7))
def test_tau_is_symmetric_bounded_and_turns_with_the_sign(pairs):
    left, right = zip(*pairs, strict=True)
    tau = kendall_tau(left, right)
    assert tau == kendall_tau(right, left)
    if tau is not None:
        assert -1 - 1e-9 <= tau <= 1 + 1e-9
        assert kendall_tau(left, [-one for one in right]) == pytest.approx(-tau)
        assert kendall_tau(left, left) == pytest.approx(1)


def test_tau_with_ties_is_tau_b():
    # Five concordant pairs of six, one tie on the left.
    assert kendall_tau([1, 2, 2, 3], [1, 3, 2, 4]) == pytest.approx(5 / np.sqrt(30))


@pytest.fixture
def files(tmp_path):
    def write(name, *lines):
        path = tmp_path / name
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return write


def test_files_are_ranked_by_every_measure_that_can_be_taken(files):
    good, fair, bad = files("a.en", "abc", "def"), files("b.en", "abd", "def"), files("c.en", "xyz", "uvw")
    for path, score in zip((good, fair, bad), (3, 2, 1), strict=True):
        path.with_name(path.name + ".other").write_text(f"{score}\n")
    found = rank_files(LetterEncoder("en", "th"), [good, fair, bad], None, files("ref", "abc", "def"), "other", 100)
    assert [one.measure for one in found] == ["SimPeers", "SimRef"]
    assert [place.system for place in found[1].places] == ["a.en", "b.en", "c.en"]
    assert "resamples:100" in found[0].signature and "letters" in found[0].signature
    two = rank_files(LetterEncoder("en", "th"), [good, bad], files("src", "ฝนตก", "น้ำท่วม"), None, None, 100)
    assert [one.measure for one in two] == ["SimSrc"]


def test_bad_files_are_refused(files):
    a, b = files("a.en", "abc", "def"), files("b.en", "abc")
    with pytest.raises(UsageError, match="three --hyp"):
        rank_files(LetterEncoder("en", "th"), [a, b], None, None, None, 100)
    with pytest.raises(InputError, match=r"b\.en has 1 lines"):
        rank_files(LetterEncoder("en", "th"), [a, b], None, a, None, 100)
    with pytest.raises(InputError, match=r"a\.en\.comet"):
        rank_files(LetterEncoder("en", "th"), [a, files("c.en", "x", "y")], None, a, "comet", 100)
    files("a.en.comet", "nan")
    with pytest.raises(InputError, match="finite"):
        rank_files(LetterEncoder("en", "th"), [a, files("c.en", "x", "y")], None, a, "comet", 100)
