"""How amounts are said to change: every row of the table, and the table of words itself."""

from itertools import combinations
from pathlib import Path

import pytest

from pipeline.files.plain_yaml import load_yaml
from pipeline.text.languages import source_languages
from pipeline.text.numbers import StatedNumbers, changes
from pipeline.text.numbers.changes import AmountChange, Bound, change_of, other_changes

TABLE = Path(__file__).parents[1] / "data" / "changes.tsv"
ROWS = [line.split("\t") for line in TABLE.read_text("utf-8").splitlines() if not line.startswith("#")]


@pytest.mark.parametrize(("lang", "source", "english", "number"), ROWS)
def test_what_changes_otherwise_is_found_and_nothing_else(lang: str, source: str, english: str, number: str):
    assert len(other_changes(StatedNumbers(source, lang), StatedNumbers(english, "en"))) == int(number)


def test_a_change_is_said_in_words():
    text = "Exports jumped 37.7% to $130.4 billion."
    found = [change_of(text, number, "en") for number in StatedNumbers(text, "en").numbers]
    assert found == [AmountChange("by", "up"), None]  # the verb goes with the number beside it
    assert AmountChange("to", "down").words("4.6%") == "down to 4.6%"
    assert Bound("under").words("40 million") == "less than 40 million"


@pytest.mark.parametrize("lang", [*source_languages(), "en"])
def test_no_word_stands_in_two_lists_of_a_language(lang: str):
    table = load_yaml(Path(changes.__file__).parents[1] / "data" / "changes.yaml")[lang]
    lists = {name: words for name, words in table.items() if name != "near"}  # which softens what also bounds
    for (one, words), (other, others) in combinations(lists.items(), 2):
        assert not set(words) & set(others), (one, other)


def test_a_language_without_words_for_it_has_no_changes():
    assert other_changes(StatedNumbers("12", "lo"), StatedNumbers("rose by 12", "en")) == []
