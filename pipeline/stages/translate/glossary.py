"""Glossaries: what a term of the source language is called in English.

Layers, a later one overriding an earlier: pythainlp's transliteration dictionary (Thai), CLDR names of territories,
languages, currencies and months (through Babel), the gazetteers under `models/names/`, the files shipped under
`models/glossary/`, the user's files.
A file is UTF-8 with one entry a line: term TAB English TAB part of speech (Universal POS).
Everyday words have a file of their own: they are never hints, and tell which letters belong to no term.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pipeline.errors import InputError
from pipeline.files.lines import text_lines
from pipeline.registry.models import shipped
from pipeline.stages.translate.gazetteer import names_in_thai, names_in_vietnamese
from pipeline.stages.translate.spelling import vietnamese_names
from pipeline.text.countries import country_codes, mentions
from pipeline.text.languages import language
from pipeline.text.patterns import THAI
from pipeline.text.unicode import tones_placed

_OPEN, _CLOSED = ["NOUN", "PROPN", "VERB", "ADJ", "ADV", "NUM"], ["PRON", "DET", "AUX", "ADP", "CCONJ", "SCONJ", "PART"]
POS = frozenset([*_OPEN, *_CLOSED, "INTJ"])
WORD = re.compile(r"\w+|[^\w\s]|\s+")
SURE_NAME = 6
"""A Thai name of this length ends where it ends, even where the segmenter sees another word: คาซัคสถานที่. The word for
language before it does not count: ภาษาการทูต, language of diplomacy, does not begin with the language Ga."""
SHORT_PART = 3
"""Characters of the shortest part of a name that counts as a word; set by hand."""
DEPENDENT = re.compile(r"[\u0e30-\u0e3a\u0e45\u0e47-\u0e4e]|\w[\u0e4c]|[A-Za-z]")
"""What cannot begin a Thai word."""
THAI_CHARACTER = re.compile(f"[{THAI}]")
LANGUAGE = "ภาษา"
"""What Thai writes before the name of a language."""


@dataclass(frozen=True, slots=True)
class GlossaryEntry:
    """One line of a glossary."""

    term: str
    english: str
    pos: str

    @property
    def is_name(self) -> bool:
        """Whether the English must appear as it is in a translation."""
        return self.pos == "PROPN"


def read_glossary(path: Path) -> list[GlossaryEntry]:
    """The entries of one file, in order.

    Raises InputError naming the line when a line does not have the three fields, the part of speech is unknown, a
    field is not in NFC or has outer spaces, or a term comes twice.
    """
    entries: dict[str, GlossaryEntry] = {}
    for where, line in text_lines(path, "glossary"):
        entry = _parse(line, where)
        if entry.term in entries:
            raise InputError(f"{where}: the term {entry.term!r} comes twice", "Keep the dominant sense.")
        entries[entry.term] = entry
    return list(entries.values())


def _parse(line: str, where: str) -> GlossaryEntry:
    parts = line.split("\t")
    remedy = "A line is: term TAB English TAB part of speech, for example 'เลขาธิการ\\tGeneral Secretary\\tNOUN'."
    if len(parts) != 3 or not all(parts):
        raise InputError(f"{where}: {len(parts)} fields in {line!r}", remedy)
    if parts[2] not in POS:
        raise InputError(f"{where}: unknown part of speech {parts[2]!r}", f"One of: {' '.join(sorted(POS))}.")
    if any(part != unicodedata.normalize("NFC", part).strip() for part in parts):
        raise InputError(f"{where}: {line!r} is not in NFC or has outer spaces", remedy)
    return GlossaryEntry(*parts)


def folder() -> Path:
    """The folder of the shipped files."""
    return shipped() / "glossary"


class Glossary:
    """Entries of one language, found in text by longest match between word boundaries.

    `everyday` are words that every model knows. They are found like others, so that no term is read across or inside
    them (ลัง, a crate, in กำลัง), and are no hints; a term of `entries` goes before them. `own` are the user's, which
    go before all.
    """

    def __init__(
        self,
        lang: str,
        entries: Iterable[GlossaryEntry],
        everyday: Iterable[GlossaryEntry] = (),
        own: Iterable[GlossaryEntry] = (),
    ) -> None:
        self.lang = lang
        self._thai = language(lang).words == "thai"
        self._layers = [{self._key_of(entry): entry for entry in layer} for layer in (everyday, entries, own)]
        words, terms, self._own = self._layers
        self.entries: dict[str, GlossaryEntry] = words | terms | self._own
        self._everyday = words.keys() - terms.keys() - self._own.keys()
        self._longest = max(map(len, self.entries), default=0)
        self._starts = frozenset(key[0] for key in self.entries)
        self._bounds = self._boundary_finder()
        self._frequency = _thai_frequencies() if self._thai else {}

    @classmethod
    def load(cls, lang: str, extra: Sequence[Path] = ()) -> Glossary:
        """All layers for `lang`, none for a language without a shipped file; `extra` are the user's files."""
        own = _layers(lang, _sure_languages(lang)) if language(lang).glossary else []
        return cls(lang, own, everyday_words(lang), [entry for path in extra for entry in read_glossary(path)])

    def with_names(self, names: Sequence[GlossaryEntry]) -> Glossary:
        """This glossary with names of the user's that go before all."""
        words, terms, own = (layer.values() for layer in self._layers)
        return Glossary(self.lang, terms, words, [*own, *names]) if names else self

    def entry(self, term: str) -> GlossaryEntry | None:
        """The entry of a term that was a hint; None for a name that the document spelled, or that was read by its
        syllables."""
        return self.entries.get(self._form(term)) or self.entries.get(self._form(term).casefold())

    def _key_of(self, entry: GlossaryEntry) -> str:
        # Vietnamese common words are capitalised at the start of a sentence; names keep their case, so that
        # "Hòa Bình" the province stays apart from "hòa bình" peace. Both forms of key live in one table.
        form = self._form(entry.term)
        return form if entry.is_name or self._thai else form.casefold()

    def _form(self, text: str) -> str:
        """`text` as it is looked up: Hoà Bình and Hòa Bình are one name. The length stays."""
        return tones_placed(text, self.lang, "new")

    def _boundary_finder(self) -> Callable[[str], set[int]]:
        if not self._thai:
            return _word_boundaries
        from pythainlp.tokenize import Tokenizer

        # The parts of a name too: นายเหงียน is one unknown word otherwise. PyThaiNLP's own dictionary is not asked: it
        # has compounds as one word whose parts are terms here, and a tenth of these would not be found.
        words = {part for key in self.entries for part in key.split(" ")}
        known = [part for part in words if len(part) >= SHORT_PART or part in self._everyday]
        tokenizer = Tokenizer(custom_dict=known, engine="newmm", keep_whitespace=True)
        return lambda text: _ends(tokenizer.word_tokenize(text))

    def matches(self, text: str) -> Iterator[tuple[int, GlossaryEntry]]:
        """Entries found from left to right, longest first, with the offset of each; no two overlap."""
        text = self._form(text)
        bounds = self._bounds(text) | {0, len(text)}
        at = 0
        while at < len(text):
            entry = self._longest_at(text, at, bounds) if at in bounds else None
            if entry:
                yield at, entry
            at += len(entry.term) if entry else 1

    def _longest_at(self, text: str, at: int, bounds: set[int]) -> GlossaryEntry | None:
        if text[at] not in self._starts and text[at].casefold() not in self._starts:
            return None
        for end in range(min(len(text), at + self._longest), at, -1):
            found = self.entries.get(text[at:end]) or self.entries.get(text[at:end].casefold())
            if not found or (found.is_name and self._form(found.term) != text[at:end]):
                continue
            own = end - at - len(LANGUAGE) * text.startswith(LANGUAGE, at)
            if end in bounds or (found.is_name and own >= SURE_NAME and not DEPENDENT.match(text, end)):
                return found
        return None

    def hints(self, text: str, limit: int, spelled: Mapping[str, str] = MappingProxyType({})) -> list[GlossaryEntry]:
        """At most `limit` entries that occur in `text`, the rarest kept, in order of appearance, each once.

        `spelled` are names with the English that the document gives them; they go before all but the user's own. The
        name of a country is none where it is part of another name (Nguyễn Thị Mỹ Duyên).
        """
        meant = {code for mention in mentions(text, self.lang) for code in mention.codes}
        matches = list(self.matches(text))
        names = dict(self._spelled(text, spelled, matches)) if spelled else {}
        within = {place for at, entry in names.items() for place in range(at, at + len(entry.term))}
        found: dict[str, tuple[int, GlossaryEntry]] = {entry.term: (at, entry) for at, entry in names.items()}
        terms = ((at, entry) for at, entry in matches if self._key_of(entry) not in self._everyday)
        for at, entry in chain(terms, self._read_names(text)):
            codes = country_codes(entry.term, self.lang)
            if at not in within and (not codes or codes & meant):
                found.setdefault(entry.term, (at, entry))
        rarest = sorted(found.values(), key=lambda item: self._rank(item[1]))[:limit]
        return [entry for _, entry in sorted(rarest, key=lambda item: item[0])]

    def _spelled(
        self, text: str, spelled: Mapping[str, str], matches: Sequence[tuple[int, GlossaryEntry]]
    ) -> Iterator[tuple[int, GlossaryEntry]]:
        """Names of the document in a text, each where it first stands by itself: in no longer one, in no longer term
        of the glossary, and in none of the user's."""
        taken: set[int] = set()
        bounds = self._bounds(text) if self._thai else set()
        for term in sorted(spelled, key=len, reverse=True):
            longer = [(at, entry) for at, entry in matches if len(entry.term) > len(term) or self._is_own(entry)]
            closed = taken.union(*(range(at, at + len(entry.term)) for at, entry in longer))
            form = re.escape(self._form(term))
            for found in re.finditer(form if self._thai else rf"(?<![\w-]){form}(?![\w-])", self._form(text)):
                ends = not self._thai or found.end() in bounds or not DEPENDENT.match(text, found.end())
                if closed.isdisjoint(range(*found.span())) and ends:
                    taken.update(range(*found.span()))
                    yield found.start(), GlossaryEntry(term, spelled[term], "PROPN")
                    break

    def _is_own(self, entry: GlossaryEntry) -> bool:
        return self._key_of(entry) in self._own

    def _read_names(self, text: str) -> Iterator[tuple[int, GlossaryEntry]]:
        """Vietnamese names in Thai letters that no gazetteer has, by their syllables: likely, so not asked for."""
        for at, written, english in vietnamese_names(text) if self._thai else ():
            if written not in self.entries:
                yield at, GlossaryEntry(written, english, "NOUN")

    def _rank(self, entry: GlossaryEntry) -> tuple[int, int, int, str]:
        """Names first, then what is rare in the Thai National Corpus, then what is long."""
        return (not entry.is_name, self._frequency.get(entry.term, 0), -len(entry.term), entry.term)


@cache
def everyday_words(lang: str) -> tuple[GlossaryEntry, ...]:
    """The shipped words that are no hints; none for a language without such a file. Kept as the other layers are."""
    name = language(lang).everyday_words
    return tuple(read_glossary(folder() / name)) if name else ()


def shipped_entries(lang: str) -> list[GlossaryEntry]:
    """The entries that come with the program, later layers last; a term may come more than once."""
    return _layers(lang, (entry for _, entry in _languages(lang))) if language(lang).glossary else []


def _layers(lang: str, languages: Iterable[GlossaryEntry]) -> list[GlossaryEntry]:
    # Languages before territories: what names both (ลาว, Lao and Laos) is the country.
    return [*_loan_words(lang), *languages, *_other_layers(lang)]


@cache
def _loan_words(lang: str) -> tuple[GlossaryEntry, ...]:
    return tuple(transliterations(lang))


@cache
def _other_layers(lang: str) -> tuple[GlossaryEntry, ...]:
    """Kept because scores and hints ask for them several times."""
    return (*_cldr(lang), *_names(lang), *read_glossary(folder() / language(lang).glossary))


def _names(lang: str) -> list[GlossaryEntry]:
    rule = language(lang).countries
    found = names_in_thai() if rule == "thai" else names_in_vietnamese() if rule == "vietnamese" else ()
    english: dict[str, set[str]] = {}
    for term, name, _ in found:
        english.setdefault(term, set()).add(name)
    # Where a name has two spellings (Kiev, Kyiv), neither is asked for.
    return [GlossaryEntry(term, name, pos if len(english[term]) == 1 else "NOUN") for term, name, pos in found]


def _ends(tokens: Sequence[str]) -> set[int]:
    ends, at = set(), 0
    for token in tokens:
        at += len(token)
        ends.add(at)
    return ends


def _word_boundaries(text: str) -> set[int]:
    return {edge for match in WORD.finditer(text) for edge in match.span()}


@cache
def _thai_frequencies() -> Mapping[str, int]:
    from pythainlp.corpus import tnc

    return dict(tnc.word_freqs())


@cache
def _official() -> frozenset[str]:
    """CLDR's languages that are official in a country, by law or in fact."""
    from babel.core import get_global
    from babel.languages import get_official_languages

    countries = get_global("territory_languages")
    codes = (code for country in countries for code in get_official_languages(country, de_facto=True))
    return frozenset(code.split("_")[0] for code in codes)


def _languages(lang: str) -> Iterator[tuple[str, GlossaryEntry]]:
    """Names of languages that CLDR has in both languages, with the code of the language without script and country."""
    from babel import Locale

    for code, entry in _named(Locale.parse(lang).languages, Locale.parse("en").languages, "PROPN"):
        yield str(code).split("_")[0], entry


def _sure_languages(lang: str) -> list[GlossaryEntry]:
    """Names of languages that are hardly ever another word.

    In Thai every language after `LANGUAGE`, and without it those that are official in a country: the names of others
    are more often another word (Ga and Vai: กา crow, ไว quick) or a syllable of a name.
    """
    languages = list(_languages(lang))
    if language(lang).words != "thai":
        return [entry for _, entry in languages]
    spoken = (replace(entry, term=LANGUAGE + entry.term) for _, entry in languages)
    return [*(entry for code, entry in languages if code in _official()), *spoken]


def _cldr(lang: str) -> Iterator[GlossaryEntry]:
    """Other names that CLDR has in both languages; territories last, so that of names alike theirs count."""
    from babel import Locale

    ours, english = Locale.parse(lang), Locale.parse("en")
    months = (ours.months["format"]["wide"], english.months["format"]["wide"])
    short = (ours.months["format"]["abbreviated"], english.months["format"]["wide"])
    tables = [
        (ours.currencies, english.currencies, "NOUN"),
        (*months, "PROPN"),
        (*short, "PROPN"),
        (ours.territories, english.territories, "PROPN"),
    ]
    for mine, theirs, pos in tables:
        yield from (entry for _, entry in _named(mine, theirs, pos))


def _named(mine: Mapping[Any, Any], theirs: Mapping[Any, Any], pos: str) -> Iterator[tuple[Any, GlossaryEntry]]:
    for code, written in mine.items():
        term, name = unicodedata.normalize("NFC", str(written)), theirs.get(code)
        grouping = isinstance(code, str) and code.isdigit()
        if isinstance(name, str) and not grouping and "(" not in f"{term}{name}" and term != name:
            yield code, GlossaryEntry(term, name, pos)


def transliterations(lang: str) -> Iterator[GlossaryEntry]:
    """Loan words and their English, as pythainlp lists them, where there is one English word for the Thai one."""
    if language(lang).words != "thai":
        return
    from pythainlp.corpus.th_en_translit import TRANSLITERATE_DICT

    for term, found in TRANSLITERATE_DICT.items():
        if len(found["en"]) == 1 and len(term) > 3 and THAI_CHARACTER.search(term):
            yield GlossaryEntry(unicodedata.normalize("NFC", term), str(found["en"][0]), "NOUN")
