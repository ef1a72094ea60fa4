"""Names of a source text that its English does not have, as far as they can be told.

Three kinds show: words of the lexicon that become a name in English (จีน, Bắc Kinh), letters that Thai spells by their
names (บีบีซี), and Thai that no dictionary has, which is mostly a foreign name (ชูลแมน) and is compared with the English
letter by letter. Each is a sign: translators call a country "the kingdom" and leave out a first name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from itertools import accumulate, islice, pairwise

from pipeline.stages.align.lexicon import Senses
from pipeline.stages.score.name_loss import FoldedWords
from pipeline.stages.score.names import LatinText
from pipeline.stages.score.source_text import SourceText, is_common, single_names
from pipeline.text.patterns import THAI
from pipeline.text.thai_words import dictionary, thai_cutter
from pipeline.text.transliteration import SPOKEN_ACRONYM, stretch_log_odds, unspoken
from pipeline.text.unicode import fold

NAME_MASS = 0.5
"""Share of the senses of a term that are names from which on it is one. Set by hand, as the constants below; the trees
of `damage` were grown over signs made with them, so a change asks for new trees (`scripts/train_damage.py`)."""
EVEN_ODDS = 4.0
"""Log-odds of a transliteration at which a strange stretch is as likely one of the English words as not. Less than in
a whole sentence (`source_text.EVEN_ODDS`), since less is found in a few letters by chance."""
SHORT = 3
"""Characters of the longest known word that can be a part of a strange stretch."""
SHORTEST = 2
"""Characters of the shortest stretch that is looked at: one alone is a slip of the hand."""
MARGIN = 4
"""Characters beside it that may belong to it."""
MOST = 60
"""Strange stretches and English words from which on a text is not looked at for them: each is compared with each."""

_THAI_RUN = re.compile(f"[{THAI}]+")
_WORD = re.compile(r"[^\W\d_]+")
_NO_LATIN = re.compile("[^a-z]")


class English:
    """An English text, ready to be asked for names of its source."""

    def __init__(self, text: str, folded: FoldedWords, latin: LatinText) -> None:
        self.text, self.folded, self.latin = text, folded, latin
        self.words = {*folded.words, *(word.removesuffix("s") for word in folded.words)}

    @cached_property
    def uncommon(self) -> list[str]:
        """The letters of words that may be names, those at the beginning of a sentence too."""
        words = (word for word in _WORD.findall(self.text) if word[0].isupper() or not is_common(word))
        keys = dict.fromkeys(_NO_LATIN.sub("", fold(word)) for word in words)
        return [key for key in keys if len(key) > 1]


def unrendered(source: SourceText, english: English) -> list[float]:
    """How sure it is, for each name that the source seems to have, that the English has it not, 0 to 1."""
    found = [1.0 for _ in _lost_terms(source, english)]
    if source.lang == "th":
        found += [1.0 for _ in _lost_letters(source, english)]
        found += _lost_stretches(source.text, english)
    return found


def _lost_terms(source: SourceText, english: English) -> set[str]:
    """The names that terms of the source become and the English lacks."""
    lost = set()
    for term, senses in zip(source.terms, source.senses, strict=True):
        if senses is None or not english.words.isdisjoint(senses.words):
            continue
        name = _name(source.lang, term, senses.stems)
        if name and not english.latin.has(name):
            lost.add(name)
    return lost


@lru_cache(1 << 14)
def _name(lang: str, term: str, senses: Senses) -> str:
    """The likeliest name that a term of the lexicon becomes, empty where it is no name, or made of unknown pieces."""
    if lang == "th" and term not in dictionary():
        return ""
    names = [(share, word) for word, share in senses if word in single_names()]
    return max(names)[1] if sum(share for share, _ in names) >= NAME_MASS else ""


def _lost_letters(source: SourceText, english: English) -> Iterator[str]:
    """Acronyms that the source spells by the Thai names of their letters and the English has in no form."""
    for found in SPOKEN_ACRONYM.finditer(source.text):
        acronym = unspoken(found[0])
        senses = source.lexicon.of(found[0]) if source.lexicon else None
        known = senses is not None and not english.words.isdisjoint(senses.words)
        if not known and acronym not in english.folded.initials and not english.latin.has(acronym):
            yield acronym


def _lost_stretches(text: str, english: English) -> list[float]:
    stretches = list(islice(strange_stretches(text), MOST + 1))
    if not 0 < len(stretches) <= MOST or not 0 < len(english.uncommon) <= MOST:
        return []
    odds = [stretch_log_odds(word, stretches) for word in english.uncommon]
    return [1 / (1 + math.exp(max(of_one) - EVEN_ODDS)) for of_one in zip(*odds, strict=True)]


def strange_stretches(text: str) -> Iterator[str]:
    """Stretches of Thai that no dictionary has, each with the Thai right beside it, which may belong to it: foreign
    names, mostly, of which the cutter takes parts for words."""
    for thai in _THAI_RUN.findall(SPOKEN_ACRONYM.sub(" ", text)):
        ends = list(accumulate(map(len, thai_cutter().cut(thai)), initial=0))
        strange = [(start, end) for start, end in pairwise(ends) if thai[start:end].strip("ๆฯ") not in dictionary()]
        at = 0
        while at < len(strange):
            start, end = strange[at]
            while at + 1 < len(strange) and strange[at + 1][0] - end <= SHORT:
                at += 1
                end = strange[at][1]
            if end - start >= SHORTEST:
                yield thai[max(0, start - MARGIN) : end + MARGIN]
            at += 1
