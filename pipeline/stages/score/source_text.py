"""Whether the names of the English have something to stand on in the source."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache, lru_cache

from rapidfuzz import fuzz, process

from pipeline.stages.align.lexicon import Lexicon, english_words, source_terms
from pipeline.stages.align.lexicons import load_lexicons
from pipeline.stages.score.base import Context, PairScorer
from pipeline.stages.score.names import missing_names
from pipeline.stages.translate.glossary import shipped_entries
from pipeline.text.countries import mentions, names_by_word
from pipeline.text.transliteration import log_odds, spoken
from pipeline.text.unicode import fold
from pipeline.types import Pair

# A word that is capitalised where no sentence begins, with the words that follow it in the same manner.
_RUN = re.compile(r"(?<=[\w,;)] )[A-Z][\w'’.-]*(?:[ -][A-Z][\w'’.-]*)*")
_WORD = re.compile(r"[A-Za-zÀ-ɏḀ-ỹ]+")
_SHORT = 3
_TITLES = frozenset(
    ["Mrs", "Miss", "Sir", "Dame", "Prof", "Rev", "Hon", "Gen", "Col", "Capt", "Sgt", "Det", "Rep", "Sen", "Gov", "BCE"]
)
"""Titles, and the era that goes with a year."""


def english_names(text: str) -> Iterator[list[str]]:
    """The names of `text` in order, each as its words: runs of words that are capitalised inside a sentence, without
    endings 's, titles, and words of a text in capitals."""
    shouted = len(re.findall(r"\b[A-Z]{4,}\b", text)) > 1
    for run in _RUN.finditer(text):
        words = (re.sub(r"['’]s?$|\.$", "", word) for word in re.split(r"[ -]", run[0]))
        name = [word for word in words if _is_name(word) and not (shouted and word.isupper())]
        if name:
            yield name


def name_spans(text: str) -> list[tuple[int, int]]:
    """Where runs of words that are capitalised inside a sentence begin and end."""
    return [run.span() for run in _RUN.finditer(text)]


def _is_name(word: str) -> bool:
    return len(word) >= _SHORT and word[0].isupper() and word not in _TITLES and _WORD.fullmatch(word) is not None


@cache
def lexicon_for(lang: str) -> Lexicon | None:
    """The shipped lexicon of a language."""
    return load_lexicons("auto")(lang)


@cache
def known_words() -> frozenset[str]:
    """English words that are no names when they are capitalised: all that the lexicons and glossaries write small."""
    found: set[str] = set()
    for lang in ("th", "vi"):
        for entry in shipped_entries(lang):
            if not entry.is_name:
                found |= {word for word in entry.english.split() if word.islower()}
    lexicon = lexicon_for("vi")
    if lexicon:
        found |= {word for senses in lexicon.senses.values() for word, _ in senses}
    return frozenset(found)


def is_common(word: str) -> bool:
    """Whether a capitalised word is known as a common word too."""
    low = fold(word)
    return low in known_words() or _stem(low) in known_words()


@cache
def _terms(lang: str) -> Mapping[str, tuple[str, ...]]:
    """For each English word, folded, the terms of the glossary whose English has it."""
    found: dict[str, set[str]] = {}
    for entry in shipped_entries(lang):
        for word in english_words(entry.english):
            found.setdefault(_stem(word), set()).add(entry.term.casefold())
    for word, names in names_by_word(lang).items():
        found.setdefault(_stem(word), set()).update(names)
    return {word: tuple(sorted(terms)) for word, terms in found.items()}


def _stem(word: str) -> str:
    return word[:-1] if word.endswith("s") and len(word) > 3 else word


class SourceText:
    """A source text, ready to be asked for English words."""

    def __init__(self, text: str, lang: str) -> None:
        self.text, self.lang = text, lang
        self.folded = fold(text)
        self.latin = frozenset(map(_stem, re.findall(r"[a-z]+", self.folded)))
        self.squeezed = re.sub(r"[^a-z]", "", self.folded)
        self.cased = text.casefold()
        self.words = " ".join(["", *re.findall(r"[^\W_]+", self.cased), ""])
        lexicon = lexicon_for(lang)
        self.expected: dict[str, float] = {}
        self.terms = source_terms(text, lang) if lexicon else []
        for term in self.terms:
            for word, probability in lexicon.senses.get(term, ()) if lexicon else ():
                self.expected[_stem(word)] = max(probability, self.expected.get(_stem(word), 0.0))

    def support(self, word: str) -> float:
        """How sure it is that the source has the English `word`, 0 to 1."""
        key = _stem(re.sub(r"[^a-z]", "", fold(word)))
        if key in self.latin or (len(key) > 4 and key in self.squeezed):
            return 1.0
        if any(self._has(term) for term in _terms(self.lang).get(key, ())):
            return 1.0
        found = min(1.0, 3 * self.expected.get(key, 0.0))
        if len(key) > 3:
            near = process.extractOne(key, self.latin, scorer=fuzz.ratio, score_cutoff=60.0)
            found = max(found, (near[1] - 60) / 40 if near else 0.0)
        if self.lang == "th":
            found = max(found, self._in_thai(word, key))
        return found

    def _has(self, term: str) -> bool:
        """Whether the term is there, in Vietnamese as whole words."""
        if self.lang == "th":
            return term in self.cased
        return f" {term} " in self.words

    def _in_thai(self, word: str, key: str) -> float:
        if word.isupper() and len(key) <= 5 and spoken(key) in re.sub(r"[\s.-]", "", self.text):
            return 1.0
        return 1 / (1 + math.exp(6.0 - log_odds(key, self.text)))


@lru_cache(maxsize=4096)
def source_of(text: str, lang: str) -> SourceText:
    """The source, kept while pairs with it are scored."""
    return SourceText(text, lang)


# Capitals that Vietnamese writes for its own words.
_VIETNAMESE_ACRONYMS = frozenset(
    (
        *("TP", "UBND", "HĐND", "HLV", "CLB", "CSGT", "THPT", "THCS", "GS", "TS", "BS", "PGS", "NXB", "TT", "VN"),
        *("TW", "QH", "CA", "HCM", "BCH", "ĐH", "SV", "NSND", "CHDCND", "LHQ", "TV"),
    )
)
_ACRONYM = re.compile(r"(?<![\w-])[A-Z]{2,6}(?![\w-])")
# A short name that might be a Vietnamese syllable is a person's after a title: ông Kim.
_TITLED = re.compile(r"\b(?:[ôÔ]ng|[bB]à|[cC]ô|[aA]nh|[cC]hị) ([A-Z][a-z]+)\b(?! [A-ZĐ])")
_MONEY = re.compile(r"\b(?:USD|AUD|VND|THB|EUR|GBP|US\$)(?![\w])|\b(?:US|A|S|C|HK)\$")
_GLOSS = re.compile(r"\([^)]*\)")


def lost_names(pair: Pair) -> int:
    """How many names of the source the English does not have: those in Latin letters, acronyms, countries.

    What stands in brackets, often a gloss, and texts in capitals are not asked for.
    """
    source = _MONEY.sub(" ", _GLOSS.sub(" ", pair.src_text))
    if source.isupper():
        return 0
    tgt = fold(pair.tgt_text)
    words = re.findall(r"[a-z0-9]+", re.sub(r"(?<=\b\w)\.(?=\w)", "", tgt))
    initials = "".join(word[0] for word in words)
    asked: set[str] = set()
    if pair.src_lang == "vi":
        acronyms = set(_ACRONYM.findall(source)) - _VIETNAMESE_ACRONYMS
        asked = {name for name in acronyms if name.lower() not in initials} | set(_TITLED.findall(source))
    lost = {name for name in asked if not any(word.startswith(name.lower()) for word in words)}
    named = {name for name in missing_names(replace(pair, src_text=source)) if name.lower() not in initials}
    return len(lost | named) + len(_countries(source, pair.src_lang, pair.tgt_text, "en"))


def added_countries(pair: Pair) -> int:
    """How many countries of the English the source does not name."""
    return len(_countries(_MONEY.sub(" ", pair.tgt_text), "en", pair.src_text, pair.src_lang))


def _countries(text: str, lang: str, other: str, other_lang: str) -> set[frozenset[str]]:
    there = frozenset().union(*_codes(other, other_lang))
    return {codes for codes in _codes(text, lang) if not codes & there}


@lru_cache(maxsize=4096)
def _codes(text: str, lang: str) -> tuple[frozenset[str], ...]:
    return tuple(mention.codes for mention in mentions(text, lang))


def unsupported_names(pair: Pair) -> list[float]:
    """How sure it is, for each name of the English, that the source has none of its words, 0 to 1."""
    source = source_of(pair.src_text, pair.src_lang)
    return [1 - max(map(source.support, name)) for name in english_names(pair.tgt_text)]


class NameSupport(PairScorer):
    """How sure the source has the least sure name of the English, 0 to 1; None where the English has no names.

    Names are words that are capitalised inside a sentence. The source has one that it writes in Latin letters, whose
    translation is in the glossary or the lexicon, or that stands there in Thai letters, see
    `pipeline.text.transliteration`. Names that English translates and no glossary knows look as if they were made
    up; a low score is a sign and no proof.
    """

    name = "name_support"

    def one(self, pair: Pair, context: Context) -> float | None:
        return min((1 - value for value in unsupported_names(pair)), default=None)


class NameChanged(PairScorer):
    """How many names seem to have been replaced: the smaller count of those that the English lost and those it added.

    Lost are names in Latin letters, acronyms and countries; added are names that nothing in the source supports and
    countries. As with numbers, one of each is an error far more often than either alone.
    """

    name = "name_changed"
    version = 2

    def __init__(self, least: float = 0.5) -> None:
        self.least = least

    @property
    def settings(self) -> dict[str, object]:
        return {"unsupported": f"{self.least:g}"}

    def one(self, pair: Pair, context: Context) -> float | None:
        added = sum(value > self.least for value in unsupported_names(pair)) or added_countries(pair)
        lost = lost_names(pair)
        return float(min(lost, added))
