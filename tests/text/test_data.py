"""The word lists: all that are shipped have the right form, and a wrong form is refused with the place."""

from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.text import data
from tests.support.languages import copied_lists, forget

LISTS = sorted(path.name for path in data.FOLDER.glob("*.txt"))


@pytest.mark.parametrize("name", LISTS)
def test_every_shipped_list_has_the_right_form(name: str) -> None:
    assert data.entries(name)


def refused(folder: Path, text: str, read=data.entries) -> str:
    with copied_lists(folder) as lists:
        (lists / "mine.txt").write_text(text, encoding="utf-8")
        forget()
        with pytest.raises(InputError) as caught:
            read("mine.txt")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a\nb\na\n", "mine.txt:3: 'a' comes twice"),
        ("# two\n\nb\n", "mine.txt:2: '' is empty"),
        ("a \n", "'a ' is empty, not in NFC or has outer spaces"),
        ("e\u0301\n", "mine.txt:1"),
        ("# nothing\n", "is empty"),
    ],
)
def test_a_list_of_a_wrong_form_is_refused(tmp_path: Path, text: str, told: str) -> None:
    assert told in refused(tmp_path, text)


def test_a_set_of_words_must_be_sorted(tmp_path: Path) -> None:
    assert "'a' is out of order" in refused(tmp_path, "b\na\n", data.words)


@pytest.mark.parametrize(
    ("read", "text", "told"),
    [
        (data.values, "1 one\n2 two, one\n", "mine.txt: 'one' is 1 and 2"),
        (data.values, "one 1\n", "no next number in 'one 1'"),
        (data.values, "2 two\n1 one\n", "mine.txt:2: no next number in '1 one'"),
        (data.values, "1 one,two,\n2 \n", "mine.txt:2: '' is empty"),
        (data.values, "1 one,  two\n", "' two' is empty, not in NFC or has outer spaces"),
        (data.pairs, "a\tone\nb\n", "mine.txt:2: no pair in 'b'"),
        (data.pairs, "a\tone\ttwo\n", "mine.txt:1: no pair"),
        (data.pairs, "b\tone\na\ttwo\n", "mine.txt:2: 'a' is out of order"),
        (data.pairs, "\tone\n", "mine.txt:1: '' is empty"),
    ],
)
def test_a_table_or_a_list_of_pairs_of_a_wrong_form_is_refused(tmp_path: Path, read, text: str, told: str) -> None:
    assert told in refused(tmp_path, text, read)


def test_a_missing_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.txt cannot be read"):
        data.entries("none.txt")


def test_a_table_gives_every_word_its_number(tmp_path: Path) -> None:
    with copied_lists(tmp_path) as lists:
        (lists / "mine.txt").write_text("# numbers\n2 two, a pair\n12 dozen\n", encoding="utf-8")
        assert data.values("mine.txt") == {"two": 2, "a pair": 2, "dozen": 12}
