"""Signs of parts that are gone: by the vectors of runs of parts, and by the lexicon."""

import pytest

from pipeline.stages.score.damage.features import signs_of
from pipeline.stages.score.pair_facts import PairFacts
from tests.stages.score.build import pair
from tests.support.encoders import WordEncoder

WORDS = ["amber", "birch", "cedar", "daisy", "elder", "fern", "ginger", "hazel", "iris", "jasmine", "kale", "lotus"]
WHOLE, ENGLISH = " ".join(WORDS), " ".join(word.upper() for word in WORDS)
VIETNAMESE = "Chính phủ tăng giá gạo, xuất khẩu giảm mạnh, nông dân lo lắng về mùa màng năm tới."
TOLD = "The government raised rice prices, exports fell sharply, and farmers worry about next year's harvest."


def windows(source: str) -> dict[str, float]:
    (signs,) = signs_of([PairFacts(pair(source, ENGLISH, "th"))], WordEncoder())
    return {name.removeprefix("window_"): value for name, value in signs.items() if name.startswith("window_")}


@pytest.mark.parametrize(("cut", "here", "there"), [(WORDS[4:], "front", "end"), (WORDS[:8], "end", "front")])
def test_the_side_that_is_whole_is_liker_without_the_part_that_the_other_lacks(cut, here, there) -> None:
    found = windows(" ".join(cut))
    assert found[f"target_{here}_gain"] > 0.05 > found[f"target_{there}_gain"]
    assert found[f"target_{here}_third"] < -0.3 < 0 < found[f"target_{there}_third"]
    assert found["target_least_third"] < found["source_least_third"]
    assert max(found["source_front_gain"], found["source_end_gain"]) < 0


def test_a_whole_pair_gains_nothing_by_leaving_out_any_part() -> None:
    found = windows(WHOLE)
    gains = [value for name, value in found.items() if "gain" in name]
    assert len(gains) == 12 and max(gains) < 0
    assert found["source_front_place"] < 0.3 and found["source_end_place"] > 0.7


def test_words_that_the_other_side_lacks_are_a_lack_where_they_stand() -> None:
    def signs(source: str, english: str) -> dict[str, float]:
        return signs_of([PairFacts(pair(source, english, "vi"))], None)[0]

    good = signs(VIETNAMESE, TOLD)
    front = signs(
        VIETNAMESE, "Mountains sleep under pale clouds while exports fell sharply and farmers worry about harvest."
    )
    end = signs(VIETNAMESE, "The government raised rice prices, exports fell, while mountains sleep under pale clouds.")
    assert front["target_front_lack"] > max(good["target_front_lack"], front["target_end_lack"])
    assert end["target_end_lack"] > max(good["target_end_lack"], end["target_front_lack"])
    assert end["target_after_found"] > good["target_after_found"]
    assert min(front["target_run_lack"], end["target_run_lack"]) > good["target_run_lack"]


@pytest.mark.parametrize("text", ["a", "…", "ก", "12", "x " * 400])
def test_texts_of_any_length_have_all_signs(text: str) -> None:
    whole = signs_of([PairFacts(pair(WHOLE, ENGLISH, "th"))], WordEncoder())[0]
    assert signs_of([PairFacts(pair(text, text, "th"))], WordEncoder())[0].keys() == whole.keys()
