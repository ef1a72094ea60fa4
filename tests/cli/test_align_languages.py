"""Which languages `mekong align` takes its two documents for."""

from pathlib import Path

import pytest

from pipeline.cli import align
from pipeline.cli.align import align_command
from pipeline.errors import UsageError
from pipeline.types import Document

VIETNAMESE = "Các nước dự hội nghị: Lào, Campuchia, Việt Nam và Thái Lan. Họ đã ký một bản tuyên bố chung về nước."
ENGLISH = "The countries at the meeting were Laos, Cambodia, Vietnam and Thailand. They signed a statement on water."
FRENCH = "Les pays qui ont participé à la réunion ont signé une déclaration commune sur la gestion des eaux."
THAI = "ประเทศที่เข้าร่วมประชุมได้แก่ ลาว กัมพูชา และเวียดนาม"


@pytest.fixture
def languages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The languages that two texts are aligned in; no encoder is loaded and nothing is aligned."""
    taken: list[str] = []

    def beads(source: Document, target: Document, encoder: object, lexicons: object):
        taken[:] = [source.document.lang, target.document.lang]
        return []

    class Encoder:
        languages = frozenset(("th", "vi", "en"))

    monkeypatch.setattr(align, "load_encoder", lambda entry, *_, **__: Encoder())
    monkeypatch.setattr(align, "load_lexicons", lambda setting: None)
    monkeypatch.setattr(align, "span_beads", beads)

    def of(source: str, target: str, lang: str = "", *overrides: str) -> tuple[str, ...]:
        paths = [tmp_path / "source.txt", tmp_path / "target.txt"]
        for path, text in zip(paths, (source, target), strict=True):
            path.write_text(text, encoding="utf-8")
        align_command(*paths, None, None, overrides, lang=lang, as_json=False, quiet=True)
        return tuple(taken)

    return of


@pytest.mark.parametrize(
    "english",
    [
        "Vientiane, Phnom Penh, Hanoi.",
        "Hà Nội, Đà Nẵng, Huế",
        "Prices rise",
        "Line-up: Đặng Văn Lâm, Quế Ngọc Hải and Đỗ Duy Mạnh",
        "2-1",
        ENGLISH,
    ],
)
@pytest.mark.parametrize(("source", "lang"), [(VIETNAMESE, "vi"), (THAI, "th")])
def test_the_second_document_is_english_unless_it_surely_is_not(languages, source, lang, english):
    assert languages(source, english) == (lang, "en")


@pytest.mark.parametrize("source", ["Vientiane, Phnom Penh, Hanoi.", "2-1", "Joe Biden, Kamala Harris"])
def test_a_first_document_of_names_is_in_latin_letters_vietnamese(languages, source):
    assert languages(source, ENGLISH) == ("vi", "en")


def test_the_language_of_the_source_can_be_said(languages):
    assert languages("Bangkok 2-1", ENGLISH, "th") == ("th", "en")
    assert languages("Bangkok 2-1", ENGLISH, "", "read.lang=th") == ("th", "en")
    with pytest.raises(UsageError, match="--lang is 'fr'"):
        languages(FRENCH, ENGLISH, "fr")


@pytest.mark.parametrize(
    ("source", "target", "told"),
    [
        (VIETNAMESE, VIETNAMESE, "target.txt is vi, not English"),
        (VIETNAMESE, THAI, "target.txt is th, not English"),
        (VIETNAMESE, FRENCH, "target.txt is fr, not English"),
        (ENGLISH, ENGLISH, "source.txt is English"),
        ("Prices rise again", "Giá vàng lại tăng", "source.txt is English"),
        (FRENCH, ENGLISH, "source.txt: the language 'fr' is no source language"),
    ],
)
def test_what_surely_is_in_the_wrong_place_is_refused(languages, source, target, told):
    with pytest.raises(UsageError, match=told):
        languages(source, target)


class TestTranslatingFirst:
    """An encoder that does not know Vietnamese."""

    @pytest.fixture
    def align_them(self, languages, monkeypatch: pytest.MonkeyPatch):
        class Thai:
            languages = frozenset(("th", "en"))

        asked: list[str] = []
        monkeypatch.setattr(align, "load_encoder", lambda entry, *_, **__: Thai())
        monkeypatch.setattr(align, "_bridge", lambda side, *_: asked.append(side.document.lang) or {})

        def of(tmp_path: Path, lexicon: object, **options: bool) -> list[str]:
            monkeypatch.setattr(align, "load_lexicons", lambda setting: lambda lang: lexicon)
            asked.clear()
            paths = [tmp_path / "source.txt", tmp_path / "target.txt"]
            for path, text in zip(paths, (VIETNAMESE, ENGLISH), strict=True):
                path.write_text(text, encoding="utf-8")
            align_command(*paths, None, None, (), as_json=False, quiet=True, **options)
            return list(asked)

        return of

    def test_a_lexicon_is_enough(self, align_them, tmp_path: Path) -> None:
        assert align_them(tmp_path, object()) == []

    def test_without_a_lexicon_it_is_translated(self, align_them, tmp_path: Path) -> None:
        assert align_them(tmp_path, None) == ["vi"]

    def test_it_is_translated_where_that_is_asked_for(self, align_them, tmp_path: Path) -> None:
        assert align_them(tmp_path, object(), translated=True) == ["vi"]

    def test_cases_are_never_translated(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="--translate"):
            align_command(None, None, tmp_path / "c.jsonl", None, (), translated=True, as_json=False, quiet=True)
