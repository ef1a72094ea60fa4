"""What a language model thinks of a pair."""

import numpy as np
import pytest

from pipeline.engines.forced.decoder import BOTH_ORDERS, Reading, Sides
from pipeline.stages.score.base import Context
from pipeline.stages.score.damage.classifier import Damage
from pipeline.stages.score.damage.forced import Readings, ReadingScores, reading_signs
from pipeline.stages.score.pair_facts import PairFacts
from pipeline.stages.score.scorers import all_scorers
from tests.stages.score.build import columns, pair

ENGLISH = "Yesterday the minister met Anna Lee in Oslo."


class WordReader:
    """Tokens are words. After the other side each has -1, without it -3, but those in `odd` have -9 both times; line
    ends have -2, those after the words of `unfinished` -9."""

    def __init__(self, *odd, unfinished=(), name="words"):
        self.name, self.fingerprint, self.odd, self.unfinished, self.calls = name, "0", odd, unfinished, []

    def read(self, pairs):
        self.calls.append([one.english for one in pairs])
        return [None if one.english == "too long" else self._reading(one) for one in pairs]

    def _reading(self, one):
        source_given, source_alone, _ = self._text(one.source)
        return Reading(*self._text(one.english), source_given if one.lang in BOTH_ORDERS else None, source_alone)

    def _text(self, text):
        words = text.split()
        starts = np.cumsum([0, *(len(word) + 1 for word in words[:-1]), len(words[-1])])
        starts[1:-1] -= 1
        odd = [word.strip(".") in self.odd for word in words]
        stop = -9.0 if words[-1].strip(".") in self.unfinished else -2.0
        given = np.array([*np.where(odd, -9.0, -1.0), stop], np.float32)
        alone = np.array([*np.where(odd, -9.0, -3.0), -2.0], np.float32)
        return given, alone, starts


def signs(english, *odd, source="x"):
    reader = WordReader(*odd)
    one = pair(source, english)
    (reading,) = reader.read([Sides(one.src_text, one.src_lang, one.tgt_text)])
    return reading_signs(one, reading)


def test_scores_are_means_over_the_tokens_and_the_line_end():
    readings = Readings(WordReader())
    pairs = [pair("x", "one two three", "vi")]
    found = columns(ReadingScores(readings), pairs)
    assert found["forced_log_probability"] == [pytest.approx(-5 / 4)]
    assert found["information"] == [pytest.approx(6 / 4)]


def test_what_both_sides_tell_of_each_other_counts_where_both_were_read():
    readings = Readings(WordReader())
    pairs = [pair("x y", "one two three", "th")]
    found = columns(ReadingScores(readings), pairs)
    assert found["information"] == [pytest.approx((6 + 4) / 2 / 4)]
    assert found["forced_log_probability"] == [pytest.approx(-5 / 4)]


def test_what_is_not_read_has_no_score():
    reader = WordReader()
    readings = Readings(reader)
    pairs = [
        pair("x", "ours", origin="translated"),
        pair("x", " "),
        pair(" ", "y"),
        pair("x", "too long"),
        pair("x", "z"),
    ]
    scores = columns(ReadingScores(readings), pairs)["information"]
    assert scores[:4] == [None] * 4
    assert scores[4] is not None
    assert reader.calls == [["too long", "z"]]


def test_a_batch_is_read_once_for_all_scores():
    # Of the name that the trees know, so that damage and the readings' own scores share what was read.
    reader = WordReader(name="qwen2.5-coder-1.5b")
    facts = [PairFacts(pair("x", "one two")), PairFacts(pair("x", "three"))]
    for scorer in all_scorers(None, reader):
        scorer.score(list(facts), Context())
    assert reader.calls == [["one two", "three"]]


def test_equal_pairs_that_are_not_the_same_are_read_anew():
    reader = WordReader()
    scorer = ReadingScores(Readings(reader))
    assert columns(scorer, [pair("x", "one two")]) == columns(scorer, [pair("x", "one two")])
    assert len(reader.calls) == 2


def test_signatures_name_the_reader():
    assert ReadingScores(Readings(None)).signatures == {
        "forced_log_probability": "reader:none|version:1",
        "information": "reader:none|version:2",
    }
    assert "reader:words|weights:0|" in ReadingScores(Readings(WordReader())).signatures["information"]


def test_without_a_reader_there_is_no_score():
    assert columns(ReadingScores(Readings(None)), [pair("x", "one")])["information"] == [None]


def test_an_unlikely_name_shows_in_the_signs_of_names():
    likely, unlikely = signs(ENGLISH), signs(ENGLISH, "Lee")
    assert likely["read_name_given"] == -2.0  # Anna Lee, two tokens
    assert unlikely["read_name_given"] == -10.0
    assert unlikely["read_name_given_start"] == likely["read_name_given_start"] == -1.0
    assert unlikely["read_word_given"] == -9.0


def test_an_unlikely_common_word_is_no_unlikely_name():
    assert signs(ENGLISH, "minister")["read_name_given"] == signs(ENGLISH)["read_name_given"]


def test_words_of_which_the_source_tells_nothing():
    front, end = signs(ENGLISH, "Yesterday", "the"), signs(ENGLISH, "in", "Oslo")
    assert front["read_english_gain_front"] < front["read_english_gain_end"]
    assert end["read_english_gain_end"] < end["read_english_gain_front"]
    assert end["read_english_gain_third"] == 0.0
    assert signs(ENGLISH)["read_english_gain_third"] == 2.0
    assert end["read_silent"] == pytest.approx(2 / 8)


def test_words_of_the_source_of_which_the_english_tells_nothing():
    source = "hôm qua bộ trưởng gặp Anna ở Oslo"
    usual, end = signs(ENGLISH, source=source), signs(ENGLISH, "ở", "Oslo", source=source)
    assert usual["read_source_gain_third"] == 2.0
    assert end["read_source_gain_third"] == end["read_source_gain_end"] == 0.0
    assert end["read_source_gain_front"] == 2.0
    assert end["read_source_given_few"] == pytest.approx((-1 - 9 - 9) / 3)


def test_signs_of_the_shortest_text_are_numbers():
    assert all(np.isfinite(list(signs("Yes").values())))


def damage(reader, source="Hôm qua bộ trưởng gặp Anna Lee ở Oslo.", lang="vi"):
    scorer = Damage(None, Readings(reader))
    found = columns(scorer, [pair(source, ENGLISH, lang)])
    return {kind: value for kind, (value,) in found.items()}, scorer


def test_only_the_model_of_the_weights_is_used():
    reader = WordReader("Lee")
    found, scorer = damage(reader)
    assert found == damage(None)[0]
    assert reader.calls == []
    assert "reader:none" in scorer.signatures["omission"]


def test_a_name_that_the_model_finds_unlikely_is_likelier_an_error():
    usual, scorer = damage(WordReader(name="qwen2.5-coder-1.5b"))
    odd, _ = damage(WordReader("Anna", "Lee", name="qwen2.5-coder-1.5b"))
    assert odd["name_error"] > usual["name_error"]
    assert odd["unrelated"] == usual["unrelated"] == damage(None)[0]["unrelated"]
    assert "reader:qwen2.5-coder-1.5b|weights:0" in scorer.signatures["omission"]


def test_a_line_end_that_is_unlikely_after_one_side_shows_which_is_cut():
    source = "เมื่อวาน รัฐมนตรี พบ แอนนา ลี"
    found = {
        cut: damage(WordReader(unfinished=(cut,), name="qwen2.5-coder-1.5b"), source, "th")[0]
        for cut in ("", "ลี", "Oslo")
    }
    assert found["ลี"]["addition"] > found[""]["addition"]
    assert found["Oslo"]["omission"] > found[""]["omission"]
    assert found["Oslo"]["addition"] == found[""]["addition"]
