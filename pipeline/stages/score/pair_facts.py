"""What several scorers ask of one pair."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache

from pipeline.stages.score.name_loss import (
    Countries,
    FoldedWords,
    lost_names,
    unnamed,
    without_glosses,
    without_money,
)
from pipeline.stages.score.names import LatinText, kept_names, placed_names
from pipeline.stages.score.source_text import SourceText, single_names
from pipeline.stages.score.unrendered import English, unrendered
from pipeline.text.countries import mentions
from pipeline.text.languages import language
from pipeline.text.numbers import Number, StatedNumbers, compare
from pipeline.text.numbers.changes import OtherChange, other_changes
from pipeline.text.numbers.units import ChangedUnit, changed_units
from pipeline.text.unicode import fold
from pipeline.types import ENGLISH, Pair

TEXTS = 256
"""Texts that are remembered, some 20 kB each: a segment is the source of a translated pair and, soon after, of an
aligned one, and a good translation is word for word what an English article has."""


class PairFacts:
    """The numbers, names, countries and lengths of a pair, each worked out when first asked for, and once.

    One is made for each pair of a batch and handed to all scorers (`stage.score`); nothing here depends on settings. A
    fact of one scorer alone stays with it.
    """

    def __init__(self, pair: Pair) -> None:
        self.pair = pair

    @cached_property
    def spelled_out(self) -> str:
        """The source without outer spaces and with its abbreviations spelled out, for a sentence encoder."""
        return self.source.spelled_out.strip()

    @cached_property
    def source_length(self) -> int:
        """Characters of the source without white space, its abbreviations spelled out, as English spells them out."""
        return solid_length(self.spelled_out)

    @cached_property
    def target_length(self) -> int:
        """Characters of the English without white space."""
        return solid_length(self.pair.tgt_text)

    @cached_property
    def source(self) -> SourceText:
        """The source, to be asked for English words, which raises ModelError where the lexicon cannot be read."""
        return _source_text(self.pair.src_text, self.pair.src_lang)

    @cached_property
    def target_folded(self) -> str:
        """The English for loose comparison, see `pipeline.text.unicode.fold`."""
        return fold(self.pair.tgt_text)

    @cached_property
    def target_words(self) -> FoldedWords:
        """The words of the English for loose comparison."""
        return FoldedWords(self.target_folded)

    @cached_property
    def target_latin(self) -> LatinText:
        """The English, to be asked for names of the source."""
        return LatinText(self.pair.tgt_text)

    @cached_property
    def source_numbers(self) -> StatedNumbers:
        """The numbers of the source."""
        return _stated_numbers(self.pair.src_text, self.pair.src_lang)

    @cached_property
    def target_numbers(self) -> StatedNumbers:
        """The numbers of the English."""
        return _stated_numbers(self.pair.tgt_text, ENGLISH)

    @cached_property
    def numbers_apart(self) -> tuple[list[Number], list[Number]]:
        """The numbers of the source that the English lacks, and those that it adds."""
        return compare(self.source_numbers, self.target_numbers)

    @cached_property
    def changed_units(self) -> list[ChangedUnit]:
        """The numbers of the source to which the English gives another unit."""
        return changed_units(self.source_numbers, self.target_numbers)

    @cached_property
    def other_changes(self) -> list[OtherChange]:
        """The numbers of the source that the English gives another change: by for to, up for down."""
        return other_changes(self.source_numbers, self.target_numbers)

    @cached_property
    def kept_names(self) -> list[str]:
        """The names of the source that a translation into English should keep."""
        return _kept_names(self.pair.src_text, self.pair.src_lang)

    @cached_property
    def english_names(self) -> list[list[str]]:
        """The names of the English, each as its words."""
        return [words for _, words in _placed_names(self.pair.tgt_text)]

    @cached_property
    def name_places(self) -> list[int]:
        """Where in the English each of its names begins."""
        return [place for place, _ in _placed_names(self.pair.tgt_text)]

    @cached_property
    def unsupported_names(self) -> list[float]:
        """How sure it is, for each name of the English, that the source has none of its words, 0 to 1.

        English names the country that a paper writes from, which the paper need not; but no other country becomes it.
        """
        return [
            0.0 if self._is_home(name) and not self.lost_names else 1 - max(map(self.source.support, name))
            for name in self.english_names
        ]

    @cached_property
    def unsupported_known_names(self) -> list[float]:
        """The same of the words of each name that are known as names; 0 where none is."""
        known = [[word for word in name if fold(word) in single_names()] for name in self.english_names]
        return [
            min(unsupported, 1 - max(map(self.source.support, words))) if words else 0.0
            for words, unsupported in zip(known, self.unsupported_names, strict=True)
        ]

    def _is_home(self, name: Sequence[str]) -> bool:
        home, text = frozenset({language(self.pair.src_lang).home}), " ".join(name)
        if home not in _countries(self.pair.tgt_text, ENGLISH):
            return False
        return any(found.codes == home and found.name == text for found in mentions(text, ENGLISH))

    @cached_property
    def lost_names(self) -> int:
        """How many names of the source the English does not have: those in Latin letters, acronyms, countries.

        What stands in brackets, often a gloss, and texts in capitals are not asked for.
        """
        pair, source = self.pair, without_glosses(self.pair.src_text)
        if source.isupper():
            return 0
        kept = _kept_names(source, pair.src_lang)
        lost = lost_names(source, pair.src_lang, kept, self.target_words, self.target_latin)
        return len(lost) + len(unnamed(_countries(source, pair.src_lang), _countries(pair.tgt_text, ENGLISH)))

    @cached_property
    def unrendered_names(self) -> list[float]:
        """How sure it is, for each name that the source seems to have, that the English has it not, 0 to 1."""
        return unrendered(self.source, English(self.pair.tgt_text, self.target_words, self.target_latin))

    @cached_property
    def added_countries(self) -> int:
        """How many countries of the English the source does not name, its own apart where it has lost no name."""
        pair, target = self.pair, without_money(self.pair.tgt_text)
        added = unnamed(_countries(target, ENGLISH), _countries(pair.src_text, pair.src_lang))
        home = frozenset({language(pair.src_lang).home})
        return len(added if self.lost_names else added - {home})


@lru_cache(TEXTS)
def _source_text(text: str, lang: str) -> SourceText:
    return SourceText(text, lang)


@lru_cache(2 * TEXTS)
def _stated_numbers(text: str, lang: str) -> StatedNumbers:
    return StatedNumbers(text, lang)


@lru_cache(TEXTS)
def _kept_names(text: str, lang: str) -> list[str]:
    return kept_names(text, lang)


@lru_cache(TEXTS)
def _placed_names(text: str) -> list[tuple[int, list[str]]]:
    return list(placed_names(text))


@lru_cache(2 * TEXTS)
def _countries(text: str, lang: str) -> list[Countries]:
    """The countries of a side, or of what is left of it without what is no country there."""
    return [mention.codes for mention in mentions(text, lang)]


def solid_length(text: str) -> int:
    """Characters without white space."""
    return sum(map(len, text.split()))
