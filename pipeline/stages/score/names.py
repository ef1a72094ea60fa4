"""Whether names that need no translation are still there."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz import fuzz, process

from pipeline.stages.score.base import Context, PairScorer
from pipeline.text import data
from pipeline.text.patterns import MAIL, URL_START, either
from pipeline.text.unicode import fold
from pipeline.text.vietnamese import is_syllable, strip_marks
from pipeline.types import Pair

SIMILAR = 83.0
STEM = 4

_ADDRESS = re.compile(rf"{URL_START}[^\s<>\"'”’)\]]+|{MAIL}|(?<!\w)@\w{{3,}}")
_LATIN = re.compile(r"[A-Za-zÀ-ɏḀ-ỹ0-9](?:[A-Za-zÀ-ɏḀ-ỹ0-9]|[.'’-](?=[A-Za-zÀ-ɏḀ-ỹ0-9]))*")
# Letters and digits together that English writes in another way or spells out.
_QUANTITY = re.compile(
    r"[\d.,]+(?:[kcm]?m[23²³]?|[kmg]?g|ha|mph|km/?h|[ap]m|st|nd|rd|th|tr|tỷ|USD|VND|VNĐ|THB|baht|[a-zđCFMB]?)"
    r"|[kcm]?m[23]|[Qq][1-4]|T[1-9]|\d+h\d*|\d+x\d+"
)
_UNITS = data.words("latin_units.txt")
_FAMILY = data.words("vietnamese_family_names.txt")
_FAMILY_NAME = re.compile(rf"\b(?:{either(_FAMILY)})(?: [A-ZĐÀ-Ỹ][a-zđà-ỹ]+){{1,3}}\b")


class NameAgreement(PairScorer):
    """Share of the names in Latin letters that the English keeps, 0 to 1; None where the source has fewer than two.

    A single name that is missing says little: the Oscars are the Academy Awards, and a country may become an adjective.

    Thai source: words in Latin letters. Vietnamese source: capitalised words that cannot be Vietnamese syllables, and
    names of persons with a common family name. Both: web and mail addresses, letters mixed with digits (F-16, 5G).
    Compared without marks, case, spaces and hyphens. A word of 5 letters and more may be spelled a little differently
    (one letter in six) or have another ending (Mexico, Mexicans).
    """

    name = "name_agreement"
    FEWEST = 2

    @property
    def settings(self) -> dict[str, object]:
        shared = {"case": "folded", "marks": "folded"}
        return {**shared, "similar": f"{SIMILAR:g}", "stem": STEM, "fewest": self.FEWEST}

    def one(self, pair: Pair, context: Context) -> float | None:
        names = kept_names(pair.src_text, pair.src_lang)
        if len(names) < self.FEWEST:
            return None
        return (len(names) - len(lacking(names, pair.tgt_text))) / len(names)


class UrlAgreement(PairScorer):
    """Share of the source's web and mail addresses that the English has too, 0 to 1; None where it has none.

    Compared without scheme, www, case and what ends a sentence.
    """

    name = "url_agreement"

    def one(self, pair: Pair, context: Context) -> float | None:
        ours = {_bare(address) for address in _ADDRESS.findall(pair.src_text)}
        theirs = {_bare(address) for address in _ADDRESS.findall(pair.tgt_text)}
        return len(ours & theirs) / len(ours) if ours else None


def _bare(address: str) -> str:
    return re.sub(r"^(?:https?://)?(?:www\.)?", "", address.lower()).rstrip(".,;:!?/")


def missing_names(pair: Pair) -> list[str]:
    """The names of the source, as `kept_names` finds them, that the English does not keep."""
    return lacking(kept_names(pair.src_text, pair.src_lang), pair.tgt_text)


def lacking(names: Sequence[str], text: str) -> list[str]:
    """Those of `names` that `text` does not have, compared as for `NameAgreement`."""
    words = {_squeeze(word) for word in _LATIN.findall(text)}
    words |= {word.removesuffix("s") for word in words}
    whole = _squeeze(text)
    return [name for name in names if not _found(_squeeze(name), words, whole)]


def _found(name: str, words: set[str], whole: str) -> bool:
    if name in words or (len(name) >= 4 and name in whole):
        return True
    if len(name) <= STEM:
        return False
    if any(word.startswith(name[:STEM]) for word in words):
        return True
    return process.extractOne(name, words, scorer=fuzz.ratio, score_cutoff=SIMILAR) is not None


def kept_names(text: str, lang: str) -> list[str]:
    """The distinct names of `text` that a translation into English should keep, in order."""
    names = _ADDRESS.findall(text)
    rest = _ADDRESS.sub(" ", text)
    if lang == "vi":
        names += _FAMILY_NAME.findall(rest)
        rest = _FAMILY_NAME.sub(" ", rest)
    names += [word for word in _LATIN.findall(rest) if _is_kept(word, lang)]
    return list(dict.fromkeys(names))


def _is_kept(word: str, lang: str) -> bool:
    low = word.lower()
    if len(word) < 2 or low in _UNITS or word.isdigit() or _QUANTITY.fullmatch(word):
        return False
    if any(char.isdigit() for char in word):
        return any(char.isalpha() for char in word) and strip_marks(word) == word
    if lang != "vi":
        return True
    plain = strip_marks(word)
    return plain == word and len(word) > 2 and word[0].isupper() and not word.isupper() and not is_syllable(low)


def _squeeze(text: str) -> str:
    return re.sub(r"[\W_]", "", fold(text))
