"""The languages that mekong knows, as `data/languages.yaml` lists them: names, scripts, which rules they are read by.

A new source language is an entry there and the files it names. What has no entry, and what an entry leaves out, is
read as English is: Latin letters, words between spaces, sentences that end in a mark, numbers by Western rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from pipeline.errors import ConfigError
from pipeline.files.plain_yaml import load_yaml
from pipeline.text import data
from pipeline.types import ENGLISH

RULES = {
    "detection": ("", "vietnamese", "english"),
    "normalisation": ("", "thai", "vietnamese"),
    "words": ("spaced", "thai"),
    "countries": ("", "thai", "vietnamese"),
}
"""The rules that are written in code, by the field of `LanguageEntry` that chooses one."""

_CODE = re.compile(r"[a-z]{2,3}")
_PARTS = re.compile(r"[-_.@]")
_LATIN = "A-Za-z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff"


@dataclass(frozen=True, slots=True)
class LanguageEntry:
    """What is known of one language.

    `code` is ISO 639, `name` English, `aliases` are other codes for it (that of three letters, a detector's). `script`
    are the characters of a script that English does not share, as inside the brackets of a regular expression, empty
    for Latin letters; `letters` those of them that are letters and marks.

    `detection` is the rule that tells it among languages of Latin letters, `normalisation` what is mended in its
    spelling, `words` how words are found, `countries` how names of countries are. `tone_styles`: its tone marks have an
    old and a new placement. `sentence_marks`: sentences end in a mark; `sentence_words` begins the names of the word
    lists that say which full stops do not end one. `boundaries` and `glossary` are files under `models/`, and
    `everyday_words` one beside the latter, empty where there is none; a lexicon is found by its name. `home` is the
    ISO 3166 code of the country that its newspapers need not name, `abbreviations` the list of what those of its news
    stand for, `name_words` the list of how it writes words of English names that it translates (Earth, House).
    """

    code: str
    name: str
    aliases: tuple[str, ...] = ()
    script: str = ""
    letters: str = _LATIN
    detection: str = ""
    normalisation: str = ""
    words: str = "spaced"
    tone_styles: bool = False
    sentence_marks: bool = True
    sentence_words: str = "english"
    boundaries: str = ""
    countries: str = ""
    glossary: str = ""
    everyday_words: str = ""
    home: str = ""
    abbreviations: str = ""
    name_words: str = ""

    def has_words(self, text: str) -> bool:
        """Whether a text holds anything in the script of the language; any letter will do for Latin letters."""
        return _pattern(f"[{self.script}]" if self.script else r"[^\W\d_]").search(text) is not None

    def remains(self, text: str) -> list[str]:
        """The stretches of `text`, spaces inside included, in a script of its own; none for Latin letters."""
        return _pattern(rf"[{self.script}]+(?:\s*[{self.script}]+)*").findall(text) if self.script else []

    def letter(self) -> re.Pattern[str]:
        """Matches one letter or mark of the script."""
        return _pattern(f"[{self.letters}]")

    def letters_of(self, text: str) -> tuple[int, str]:
        """How many letters and marks of the script `text` has, and the rest of it."""
        rest = _pattern(f"[{self.letters}]+").sub("", text)
        return len(text) - len(rest), rest


_pattern = cache(re.compile)


@cache
def table() -> Mapping[str, LanguageEntry]:
    """All languages by code, in the order of the file.

    Raises ConfigError where an entry has an unknown key, a rule that is not written or a script that is no character
    class.
    """
    path = data.FOLDER / "languages.yaml"
    entries = load_yaml(path)
    if not isinstance(entries, dict) or ENGLISH not in entries:
        raise ConfigError(f"{path} has no entry {ENGLISH!r}", "A file of languages maps codes to entries.")
    return {code: _language(code, entry, f"{path}, {code!r}") for code, entry in entries.items()}


def _language(code: Any, entry: Any, where: str) -> LanguageEntry:
    kinds = {field.name: field.type for field in fields(LanguageEntry) if field.name != "code"}
    if not isinstance(code, str) or not _CODE.fullmatch(code) or not isinstance(entry, dict) or "name" not in entry:
        raise ConfigError(f"{where} is no language", "An entry is a code of two or three letters with a name.")
    for key, value in entry.items():
        kind = {"str": str, "bool": bool}.get(str(kinds.get(key)), list)
        if key not in kinds or not isinstance(value, kind):
            raise ConfigError(f"{where}: {key} = {value!r}", f"An entry may have {', '.join(kinds)}.")
        if key in RULES and value not in RULES[key]:
            raise ConfigError(
                f"{where}: no rule {value!r} for {key}", f"There are {', '.join(filter(None, RULES[key]))}."
            )
    letters = entry.get("letters", entry.get("script", _LATIN))
    made = LanguageEntry(code, **{**entry, "letters": letters, "aliases": tuple(entry.get("aliases", ()))})
    try:
        re.compile(f"[{made.script}{made.letters}]")
    except re.error as error:
        raise ConfigError(
            f"{where}: {made.script!r} is no class of characters: {error}", "Write \\u0E00-\\u0E7F."
        ) from error
    return made


def language(code: str) -> LanguageEntry:
    """The language with this code; one without an entry has its code for a name and no rules of its own."""
    return table().get(code) or LanguageEntry(code, code)


def source_languages() -> tuple[str, ...]:
    """The codes of the languages that are translated from, in the order of the table."""
    return tuple(code for code in table() if code != ENGLISH)


def own_scripts() -> tuple[LanguageEntry, ...]:
    """The languages whose script English does not share."""
    return tuple(entry for entry in table().values() if entry.script)


@cache
def scripts() -> tuple[LanguageEntry, ...]:
    """A language of each script of the table."""
    return tuple({entry.letters: entry for entry in table().values()}.values())


def known_code(code: str) -> str:
    """The code in the table of a language as files write it: "en" of "EN", "eng", "en-US", "eng_Latn", "en_GB.UTF-8".

    A language without an entry comes out as the first part of its code, in lower case.
    """
    first = _PARTS.split(code.strip().lower(), maxsplit=1)[0]
    return next((entry.code for entry in table().values() if first in (entry.code, *entry.aliases)), first)


def alternatives(options: Iterable[str]) -> str:
    """The options as an error names them: "th, vi or auto"."""
    *first, last = options
    return f"{', '.join(first)} or {last}" if first else last
