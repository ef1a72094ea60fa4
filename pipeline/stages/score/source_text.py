"""What a source text says of English words: whether it has them, in letters, in translation or in Thai letters."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property
from itertools import accumulate, chain
from typing import NamedTuple

from rapidfuzz import fuzz, process

from pipeline.stages.align.lexicon import Lexicon, Senses, english_words, source_terms
from pipeline.stages.align.lexicons import load_lexicons
from pipeline.stages.score.names import MANY
from pipeline.stages.translate.glossary import GlossaryEntry, everyday_words, shipped_entries
from pipeline.text import data
from pipeline.text.abbreviations import spelled_out
from pipeline.text.countries import names_by_word
from pipeline.text.languages import language, source_languages
from pipeline.text.numbers import EN_MONTHS
from pipeline.text.thai_words import thai_cutter
from pipeline.text.transliteration import log_odds, spoken
from pipeline.text.unicode import fold
from pipeline.text.vietnamese import strip_marks

CERTAIN = 3
"""By so much the lexicon's probability of a name is multiplied: a term has several senses. Set by hand."""
UNLIKE = 60.0
"""Up to this rapidfuzz ratio two words in Latin letters say nothing of each other; from there to 100 they are ever
surer the same. Set by hand."""
EVEN_ODDS = 6.0
"""Log-odds of a transliteration at which a name is as likely there as not: chance earns some five in a whole sentence,
a transliteration two a letter (`pipeline.text.transliteration.log_odds`). Set by hand."""

OPEN_CLASSES = frozenset(["NOUN", "ADJ", "NUM"])
"""Parts of speech of everyday words that stand in names."""
SHORTEST = 3
"""Characters of the shortest such word; set by hand."""
LONGEST_PART = 4
"""Characters of the longest Thai term that other words have in them by accident (วัด, temple, in จังหวัด, province), so
that it counts only where a word begins and ends. Set by hand."""
ABBREVIATED = 0.5
"""How sure an English acronym is that stands on nothing but an abbreviation of the source (ป.ป.ช., NACC)."""
RENDERINGS = " | "
SURELY_MARKED = 5
"""Vietnamese of so many syllables has marks, where its writer writes them. Set by hand."""

# Of a body or an office: ศปถ., ป.ป.ช.; one or two letters are mostly a title, a month or a unit.
_ABBREVIATION = re.compile(r"(?<![ก-๛.])(?:(?:[ก-ฮ]{1,2}\.){3,}|[ก-ฮ]{3,4}(?![ก-๛]))")
_LATIN = re.compile("[a-z]+")
_NO_LATIN = re.compile("[^a-z]")
_WORD = re.compile(r"[^\W_]+")
_BETWEEN = re.compile(r"[\s.-]")


@cache
def lexicon_for(lang: str) -> Lexicon | None:
    """The shipped lexicon of a language."""
    return load_lexicons("auto")(lang)


@cache
def _glossary_words() -> frozenset[str]:
    """English words that the glossaries write small."""
    entries = chain.from_iterable(map(shipped_entries, source_languages()))
    return frozenset(word for entry in entries if not entry.is_name for word in entry.english.split() if word.islower())


@cache
def known_words() -> frozenset[str]:
    """English words that are no names when they are capitalised: all that the lexicons and glossaries write small."""
    lexicon = lexicon_for("vi")
    senses = lexicon.senses.values() if lexicon else ()
    return _glossary_words() | {word for several in senses for word, _ in several}


@cache
def single_names() -> frozenset[str]:
    """Names of one English word in the glossaries and gazetteers, folded, that none of them has as a common word."""
    entries = chain.from_iterable(map(shipped_entries, source_languages()))
    english = {entry.english for entry in entries if entry.is_name and len(entry.english.split()) == 1}
    names = frozenset(fold(name) for name in english if not name.isupper())
    return names - _glossary_words() - set(map(fold, EN_MONTHS))


def is_common(word: str) -> bool:
    """Whether a capitalised word is known as a common word too."""
    low = fold(word)
    return low in known_words() or _stem(low) in known_words()


@cache
def _terms(lang: str) -> Mapping[str, tuple[str, ...]]:
    """For each English word, folded, the terms of the glossary whose English has it, and what names of it become."""
    found: dict[str, set[str]] = {}
    for entry in [*shipped_entries(lang), *_everyday(lang)]:
        for word in english_words(entry.english):
            found.setdefault(_stem(word), set()).add(entry.term.casefold())
    for word, names in names_by_word(lang).items():
        found.setdefault(_stem(word), set()).update(names)
    listed = language(lang).name_words
    for name, renderings in (data.pairs(listed) if listed else {}).items():
        for word in english_words(name):
            found.setdefault(_stem(word), set()).update(renderings.casefold().split(RENDERINGS))
    return {word: tuple(sorted(terms)) for word, terms in found.items()}


def _everyday(lang: str) -> list[GlossaryEntry]:
    """Everyday words that names are made of, and no shorter ones, which stand in other words by accident."""
    return [entry for entry in everyday_words(lang) if entry.pos in OPEN_CLASSES and len(entry.term) >= SHORTEST]


def _stem(word: str) -> str:
    return word[:-1] if word.endswith("s") and len(word) > 3 else word


class WeighedSenses(NamedTuple):
    """What a term of the lexicon becomes: words without an ending s and their probabilities; the words as they are, and
    each with its probability times its weight, of which `mass` is the sum."""

    stems: Senses
    words: frozenset[str]
    weighed: Senses
    mass: float

    def share(self, english: set[str]) -> float:
        """The share of the mass, 0 to 1, that the words have that are among `english`."""
        if self.words.isdisjoint(english):
            return 0.0
        return sum([weight for word, weight in self.weighed if word in english]) / max(self.mass, 1e-9)


class WeighedLexicon:
    """A lexicon whose English words weigh less the more terms have them as a sense."""

    def __init__(self, lexicon: Lexicon) -> None:
        self.lexicon = lexicon
        mass: dict[str, float] = {}
        for senses in lexicon.senses.values():
            for word, probability in senses:
                mass[word] = mass.get(word, 0.0) + probability
        self.weight = {word: 1 / (1 + total) for word, total in mass.items()}
        self._known: dict[str, WeighedSenses] = {}

    @cached_property
    def bare(self) -> WeighedLexicon:
        """The same for texts without marks: a term has the senses of all terms that are written so, each as likely."""
        terms: dict[str, list[Senses]] = {}
        for term, senses in self.lexicon.senses.items():
            terms.setdefault(strip_marks(term), []).append(senses)
        merged: dict[str, Senses] = {}
        for term, several in terms.items():
            sums: dict[str, float] = {}
            for word, probability in chain.from_iterable(several):
                sums[word] = sums.get(word, 0.0) + probability / len(several)
            merged[term] = tuple(sums.items())
        return WeighedLexicon(replace(self.lexicon, senses=merged))

    def of_each(self, terms: Sequence[str]) -> list[WeighedSenses | None]:
        """The senses of each of some terms, as by `of`."""
        listed, known = self.lexicon.senses, self._known.get
        return [(known(term) or self.of(term)) if term in listed else None for term in terms]

    def of(self, term: str) -> WeighedSenses | None:
        """The senses of a term, None where the lexicon does not have it."""
        known = self._known.get(term)
        if known is None and (senses := self.lexicon.senses.get(term)) is not None:
            stems = tuple((_stem(word), probability) for word, probability in senses)
            weighed = tuple((word, probability * self.weight[word]) for word, probability in senses)
            words = frozenset(word for word, _ in senses)
            known = WeighedSenses(stems, words, weighed, sum(share for _, share in weighed))
            self._known[term] = known
        return known


@cache
def weighed_lexicon(lang: str) -> WeighedLexicon | None:
    """The shipped lexicon of a language with its weights, None where there is none. Raises ModelError."""
    lexicon = lexicon_for(lang)
    return WeighedLexicon(lexicon) if lexicon else None


class SourceText:
    """A source text, ready to be asked for English words; what it is asked for is worked out once."""

    def __init__(self, text: str, lang: str) -> None:
        self.text, self.lang = text, lang
        self._supports: dict[str, float] = {}

    @cached_property
    def folded(self) -> str:
        """The text for loose comparison, see `pipeline.text.unicode.fold`."""
        return fold(self.text)

    @cached_property
    def latin(self) -> frozenset[str]:
        """The words in Latin letters, folded, without an ending s."""
        return frozenset(map(_stem, _LATIN.findall(self.folded)))

    @cached_property
    def lexicon(self) -> WeighedLexicon | None:
        """The lexicon of the language, for texts without marks where this one has none but should."""
        whole = weighed_lexicon(self.lang)
        unmarked = language(self.lang).tone_styles and len(self.text.split()) >= SURELY_MARKED
        return whole.bare if whole and unmarked and strip_marks(self.text) == self.text else whole

    @cached_property
    def spelled_out(self) -> str:
        """The text with its abbreviations spelled out."""
        return spelled_out(self.text, self.lang)

    @cached_property
    def terms(self) -> list[str]:
        """The words and pairs of neighbouring words; none where the language has no lexicon."""
        return source_terms(self.spelled_out, self.lang) if self.lexicon else []

    @cached_property
    def senses(self) -> list[WeighedSenses | None]:
        """What each of `terms` becomes, None for those that the lexicon does not have."""
        return self.lexicon.of_each(self.terms) if self.lexicon else []

    @cached_property
    def expected(self) -> dict[str, float]:
        """For each English word how likely a term of the text becomes it, 0 to 1."""
        likely: dict[str, float] = {}
        known = likely.get
        for senses in filter(None, self.senses):
            for word, probability in senses.stems:
                if probability > known(word, 0.0):
                    likely[word] = probability
        return likely

    @cached_property
    def _squeezed(self) -> str:
        return _NO_LATIN.sub("", self.folded)

    @cached_property
    def _cased(self) -> str:
        return self.text.casefold()

    @cached_property
    def _words(self) -> str:
        """The words between blanks."""
        return " ".join(["", *_WORD.findall(self._cased), ""])

    @cached_property
    def _solid(self) -> str:
        """Without what may stand between the letters of an acronym."""
        return _BETWEEN.sub("", self.text)

    def support(self, word: str) -> float:
        """How sure it is that the source has the English `word`, 0 to 1."""
        if word not in self._supports:
            self._supports[word] = self._support(word)
        return self._supports[word]

    def _support(self, word: str) -> float:
        key = _stem(_NO_LATIN.sub("", fold(word)))
        if key in self.latin or (len(key) > 4 and key in self._squeezed):
            return 1.0
        if any(self._has(term) for term in _terms(self.lang).get(key, ())):
            return 1.0
        sure = min(1.0, CERTAIN * self.expected.get(key, 0.0))
        if len(key) > 3 and len(self.latin) <= MANY:
            near = process.extractOne(key, self.latin, scorer=fuzz.ratio, score_cutoff=UNLIKE)
            sure = max(sure, (near[1] - UNLIKE) / (100 - UNLIKE) if near else 0.0)
        if self.lang == "th":
            sure = max(sure, self._in_thai(word, key))
        return sure

    @cached_property
    def _bounds(self) -> set[int]:
        """Where Thai words begin and end in the text in small letters."""
        return set(accumulate(map(len, thai_cutter().cut(self._cased)), initial=0))

    def _has(self, term: str) -> bool:
        """Whether the term is there, in Vietnamese and where it is a short Thai one as whole words."""
        if self.lang != "th":
            return f" {term} " in self._words
        if term not in self._cased:
            return False
        if len(term) > LONGEST_PART:
            return True
        starts = (found.start() for found in re.finditer(re.escape(term), self._cased))
        return any({start, start + len(term)} <= self._bounds for start in starts)

    def _in_thai(self, word: str, key: str) -> float:
        acronym = word.isupper() and len(key) <= 5
        if acronym and spoken(key) in self._solid:
            return 1.0
        sure = 1 / (1 + math.exp(EVEN_ODDS - log_odds(key, self.spelled_out)))
        return max(sure, ABBREVIATED) if acronym and _ABBREVIATION.search(self.text) else sure
