"""Names in a text: those that a translation keeps as they are, and those of English by their capitals."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache

from rapidfuzz import fuzz, process

from pipeline.text import data
from pipeline.text.numbers import EN_MONTHS
from pipeline.text.patterns import MAIL, URL_START
from pipeline.text.unicode import fold
from pipeline.text.vietnamese import is_syllable, person, strip_marks

SIMILAR = 83.0
"""From this rapidfuzz ratio on two spellings are one name: one letter in six may differ. Set by hand."""
STEM = 4
"""Letters with which another form of a longer name begins (Mexico, Mexicans). Set by hand."""
WORDS = 1 << 14
"""Words that are remembered without marks and case: most words of a batch are met again."""
MANY = 2_000
"""Different words of a text from which on names are found in it as they are spelled or begin, not by likeness: each
name against each word takes minutes in a text of a hundred pages."""

ADDRESS = re.compile(rf"{URL_START}[^\s<>\"'”’)\]]+|{MAIL}|(?<!\w)@\w{{3,}}")
"""A web or mail address, or the name of an account."""
_LATIN = re.compile(r"[A-Za-zÀ-ɏḀ-ỹ0-9](?:[A-Za-zÀ-ɏḀ-ỹ0-9]|[.'’-](?=[A-Za-zÀ-ɏḀ-ỹ0-9]))*")
# Letters and digits together that English writes in another way or spells out.
_QUANTITY = re.compile(
    r"[\d.,]+(?:[kcm]?m[23²³]?|[kmg]?g|ha|mph|km/?h|[ap]m|st|nd|rd|th|tr|tỷ|USD|VND|VNĐ|THB|baht|[a-zđCFMB]?)"
    r"|[kcm]?m[23]|[Qq][1-4]|T[1-9]|\d+h\d*|\d+x\d+"
)
_UNITS = data.words("latin_units.txt")
_FAMILY_NAME = person(3)
_NO_LETTER = re.compile(r"[\W_]")
# A word that is capitalised where no sentence begins, with the words that follow it in the same manner.
_RUN = re.compile(r"(?<=[\w,;)] )[A-Z][\w'’.-]*(?:[ -][A-Z][\w'’.-]*)*")
_WORD = re.compile(r"[A-Za-zÀ-ɏḀ-ỹ]+")
_SHOUTED = re.compile(r"\b[A-Z]{4,}\b")
_POSSESSIVE = re.compile(r"['’]s?$|\.$")
_SHORT = 3
"""Letters of the shortest name that is looked for; two are initials and abbreviations. Set by hand."""
_TITLES = data.words("english_honorifics.txt")
"""Titles, and the era that goes with a year."""


class LatinText:
    """A text, ready to be asked for names in Latin letters."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _words(self) -> set[str]:
        words = set(map(_squeezed_word, _LATIN.findall(self.text)))
        return words | {word.removesuffix("s") for word in words}

    @cached_property
    def _stems(self) -> set[str]:
        return {word[:STEM] for word in self._words}

    @cached_property
    def _whole(self) -> str:
        return _squeeze(self.text)

    def has(self, name: str) -> bool:
        """Whether the name is there without regard to marks, case, spaces and hyphens, in another spelling or form."""
        plain = _squeeze(name)
        if plain in self._words or (len(plain) >= 4 and plain in self._whole):
            return True
        if len(plain) <= STEM:
            return False
        if plain[:STEM] in self._stems:
            return True
        if len(self._words) > MANY:
            return False
        return process.extractOne(plain, self._words, scorer=fuzz.ratio, score_cutoff=SIMILAR) is not None


def lacking(names: Sequence[str], text: str) -> list[str]:
    """Those of `names` that `text` does not have, compared as for `NameAgreement`."""
    other = LatinText(text)
    return [name for name in names if not other.has(name)]


def kept_names(text: str, lang: str) -> list[str]:
    """The distinct names of `text` that a translation into English should keep, in order."""
    names = ADDRESS.findall(text)
    rest = ADDRESS.sub(" ", text)
    if lang == "vi":
        names += _FAMILY_NAME.findall(rest)
        rest = _FAMILY_NAME.sub(" ", rest)
    names += [word for word in _LATIN.findall(rest) if _is_kept(word, lang)]
    return list(dict.fromkeys(names))


def _is_kept(word: str, lang: str) -> bool:
    if lang == "vi" and word.isalpha() and not word[0].isupper():
        return False
    low = word.lower()
    if len(word) < 2 or low in _UNITS or word.isdigit() or _QUANTITY.fullmatch(word):
        return False
    if any(char.isdigit() for char in word):
        return any(char.isalpha() for char in word) and strip_marks(word) == word
    if lang != "vi":
        return True
    plain = strip_marks(word)
    return plain == word and len(word) > 2 and word[0].isupper() and not word.isupper() and not is_syllable(low)


@lru_cache(WORDS)
def _squeezed_word(word: str) -> str:
    return _squeeze(word)


def _squeeze(text: str) -> str:
    return _NO_LETTER.sub("", fold(text))


def english_names(text: str) -> Iterator[list[str]]:
    """The names of `text` in order, each as its words: runs of words that are capitalised inside a sentence, without
    endings 's, titles, and words of a text in capitals."""
    return (words for _, words in placed_names(text))


def placed_names(text: str) -> Iterator[tuple[int, list[str]]]:
    """The same, each with the place where its run begins."""
    shouted = len(_SHOUTED.findall(text)) > 1
    for run in _RUN.finditer(text):
        words = (_POSSESSIVE.sub("", word) for word in re.split(r"[ -]", run[0]))
        name = [word for word in words if _is_name(word) and not (shouted and word.isupper())]
        if name:
            yield run.start(), name


def name_spans(text: str) -> list[tuple[int, int]]:
    """Where runs of words that are capitalised inside a sentence begin and end."""
    return [run.span() for run in _RUN.finditer(text)]


def _is_name(word: str) -> bool:
    if word in _TITLES or word in EN_MONTHS:
        return False
    return len(word) >= _SHORT and word[0].isupper() and _WORD.fullmatch(word) is not None
