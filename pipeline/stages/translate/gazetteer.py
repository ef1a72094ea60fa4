"""Gazetteers: people, places and organisations of the news, in English, in Vietnamese, and as Thai papers spell them.

A file is UTF-8 with one name a line: English TAB Vietnamese (empty where it is no other) TAB country (ISO 3166; UN for
bodies of several, XZ for waters and lands of several) TAB Thai spellings, the usual one first, ` | ` between them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pipeline.errors import InputError
from pipeline.files.lines import text_lines
from pipeline.registry.models import shipped
from pipeline.text.patterns import THAI
from pipeline.text.thai_words import dictionary
from pipeline.text.vietnamese import strip_marks

PLACES, ORGANISATIONS = "places.tsv", "organisations.tsv"
FILES = (ORGANISATIONS, "people.tsv", "people_vietnam.tsv", PLACES)
"""The later ones count where two have one name."""
Term = tuple[str, str, str]
"""As it is written, in English, its part of speech."""
BETWEEN = " | "
FREQUENT = 60
"""Uses in the Thai National Corpus up to which a word of the dictionary is a name when it can be one: เลย is "at all"
far more often than Loei. Set by hand, as the constants below."""
SHORT, LONG = 5, 8
"""Characters of the shortest Thai spelling that is believed, and from which on one is that is part of a common word:
ริกา (Riga) stands in America and Costa Rica."""
KINDS = ("จังหวัด", "อำเภอ", "เขต", "แขวง", "เมือง")
"""Before these a place is sure, whatever else its name means."""
_REMEDY = "A line has English, Vietnamese, country and Thai spellings, TAB between them."
_COUNTRY = re.compile("[A-Z]{2}")
_THAI_SPELLING = re.compile(rf"[{THAI}A-Za-z0-9 .-]+")


@dataclass(frozen=True, slots=True)
class Name:
    """One line of a gazetteer; `vietnamese` is empty where papers of Vietnam use the English."""

    english: str
    vietnamese: str
    country: str
    thai: tuple[str, ...]


def read_names(path: Path) -> list[Name]:
    """The names of one file, in order.

    Raises InputError as `text_lines`, and naming the line when it does not have the four fields, a field is empty that
    may not be, is not in NFC or has outer spaces, a Thai spelling is none, or an English name comes twice.
    """
    found: dict[str, Name] = {}
    for where, line in text_lines(path, "gazetteer"):
        fields = line.split("\t")
        if len(fields) != 4:
            raise InputError(f"{where}: {len(fields)} fields, not 4", _REMEDY)
        name = Name(fields[0], fields[1], fields[2], tuple(fields[3].split(BETWEEN)))
        if wrong := _wrong(name):
            raise InputError(f"{where}: {wrong}", _REMEDY)
        if name.english in found:
            raise InputError(f"{where}: {name.english!r} is there twice", "Put all Thai spellings into one line.")
        found[name.english] = name
    return list(found.values())


def _wrong(name: Name) -> str:
    fields = (name.english, name.vietnamese, *name.thai)
    if not name.english.isascii() or not _COUNTRY.fullmatch(name.country):
        return f"{name.english!r} is not in ASCII, or {name.country!r} is no country"
    odd = next((field for field in fields if field != unicodedata.normalize("NFC", field).strip()), None)
    odd = odd or next((spelling for spelling in name.thai if not _THAI_SPELLING.fullmatch(spelling)), None)
    return "" if odd is None and name.english and all(name.thai) else f"{odd or 'an empty field'!r} is no name"


@cache
def names_of(file: str) -> tuple[Name, ...]:
    """The names of one of FILES."""
    return tuple(read_names(shipped() / "names" / file))


def shipped_names() -> tuple[Name, ...]:
    """The names that come with the program."""
    return tuple(name for file in FILES for name in names_of(file))


@cache
def names_in_thai() -> tuple[Term, ...]:
    """Thai spellings with the English, each as sure as can be: none that is a common word as well."""
    return tuple(_in_thai())


def _in_thai() -> Iterator[Term]:
    running = "\n".join(sorted(common_words()))
    for file in FILES:
        pos = _part_of_speech(file)
        for name in names_of(file):
            for spelling in name.thai:
                if len(spelling) >= LONG or (len(spelling) >= SHORT and spelling not in running):
                    yield spelling, name.english, pos
                elif file == PLACES:
                    yield from ((kind + spelling, name.english, pos) for kind in KINDS)
                joined = spelling.replace(" ", "")
                if name.country == "VN" and joined != spelling and len(joined) >= SHORT and joined not in running:
                    yield joined, name.english, pos


@cache
def names_in_vietnamese() -> tuple[Term, ...]:
    """Vietnamese names with the English, where that is more than the name without its marks."""
    return tuple(
        (name.vietnamese, name.english, _part_of_speech(file))
        for file in FILES
        for name in names_of(file)
        if name.vietnamese and strip_marks(name.vietnamese) != name.english
    )


def _part_of_speech(file: str) -> str:
    """A body has several English names, so that none is asked for: a hint, not a name (see `glossary`)."""
    return "NOUN" if file == ORGANISATIONS else "PROPN"


@cache
def common_words() -> frozenset[str]:
    """Thai words of the dictionary that the Thai National Corpus has more than FREQUENT times."""
    from pythainlp.corpus import tnc

    return frozenset(word for word, uses in tnc.word_freqs() if uses > FREQUENT and word in dictionary())
