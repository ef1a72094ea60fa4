"""The table of languages: what it says of those that are shipped, what is refused, and what holds without an entry."""

from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.registry.models import shipped
from pipeline.text import languages, patterns
from pipeline.text.language import detect
from pipeline.text.unicode import normalise, tones_placed
from tests.support.languages import add_language, copied_lists

CHEROKEE = {"name": "Cherokee", "script": "\u13a0-\u13ff\uab70-\uabbf"}


def test_the_order_of_the_table_is_that_of_messages() -> None:
    assert tuple(languages.table()) == ("th", "vi", "en")
    assert languages.source_languages() == ("th", "vi")
    assert languages.alternatives(["th", "vi", "auto"]) == "th, vi or auto"
    assert languages.alternatives(["th"]) == "th"


def test_every_file_that_an_entry_names_is_there() -> None:
    for entry in languages.table().values():
        glossaries = [("glossary", name) for name in (entry.glossary, entry.everyday_words)]
        for room, name in (("boundaries", entry.boundaries), *glossaries):
            assert not name or (shipped() / room / name).is_file()


def test_thai_is_the_same_in_the_table_and_in_patterns() -> None:
    thai = languages.language("th")
    assert (thai.script, thai.letters) == (patterns.THAI, patterns.THAI_LETTERS)


def test_words_of_a_language_are_seen_by_its_script() -> None:
    thai, vietnamese = languages.language("th"), languages.language("vi")
    assert thai.has_words("5 บาท") and not thai.has_words("5 baht")
    assert vietnamese.has_words("5 đồng") and not vietnamese.has_words("5.000 - 7")
    assert thai.remains("He said สวัสดี ครับ to ไทย.") == ["สวัสดี ครับ", "ไทย"]
    assert vietnamese.remains("Hà Nội") == []


def test_a_language_without_an_entry_is_read_as_english_is() -> None:
    unknown = languages.language("xx")
    assert (unknown.name, unknown.script, unknown.words, unknown.sentence_words) == ("xx", "", "spaced", "english")
    assert normalise("hòa \u200bbình", "xx").text == "hòa bình"
    assert tones_placed("hòa", "xx", "new") == "hòa" and tones_placed("hòa", "vi", "new") == "hoà"


def test_an_entry_with_a_script_of_its_own_is_detected_and_listed(tmp_path: Path) -> None:
    text = "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ and a few names: Tahlequah"
    assert detect(text) != "chr"
    with copied_lists(tmp_path) as lists:
        add_language(lists, "chr", **CHEROKEE)
        assert detect(text) == "chr"
        assert detect("ประเทศไทย") == "th" and detect("The weather was fine.") == "en"
        assert languages.source_languages() == ("th", "vi", "chr")
    assert languages.source_languages() == ("th", "vi")


def test_an_alias_leads_to_its_code(tmp_path: Path) -> None:
    with copied_lists(tmp_path) as lists:
        add_language(lists, "fil", name="Filipino", aliases=["tl"])
        assert languages.known_code("tl") == "fil" and languages.known_code("fr") == "fr"
        assert detect("Nakikipagtulungan ang pamahalaan sa mga magsasaka ng palay") == "fil"


@pytest.mark.parametrize(
    ("code", "entry", "told"),
    [
        ("Khmer", {"name": "Khmer"}, "'Khmer' is no language"),
        ("km", {"script": "\u1780-\u17ff"}, "'km' is no language"),
        ("km", {"name": "Khmer", "scripts": "x"}, "scripts = 'x'"),
        ("km", {"name": "Khmer", "sentence_marks": "no"}, "sentence_marks = 'no'"),
        ("km", {"name": "Khmer", "words": "khmer"}, "no rule 'khmer' for words"),
        ("km", {"name": "Khmer", "script": "\u17ff-\u1780"}, "no class of characters"),
    ],
)
def test_a_wrong_entry_is_refused(tmp_path: Path, code: str, entry: dict, told: str) -> None:
    with copied_lists(tmp_path) as lists:
        add_language(lists, code, **entry)
        with pytest.raises(ConfigError) as caught:
            languages.table()
    assert told in str(caught.value)
