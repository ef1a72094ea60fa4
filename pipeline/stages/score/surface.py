"""Scores of the surface: lengths, endings, what was left as it was, what goes round in circles."""

from __future__ import annotations

import re
import zlib
from collections import Counter

import numpy as np
from rapidfuzz import fuzz

from pipeline.stages.score.base import Context, PairScorer
from pipeline.stages.score.pair_facts import PairFacts
from pipeline.text import data
from pipeline.text.patterns import THAI_LETTERS, either
from pipeline.text.polarity import lost_negation, lost_verbs
from pipeline.text.unicode import EMOJI, fold
from pipeline.text.vietnamese import is_syllable, strip_marks

USUAL_RATIO = {"th": 1.11, "vi": 1.04}
"""Source characters for one English character, spaces apart, over the news of NTREX-128."""
LONGEST = 500
"""Words of the longest phrase whose repetition is looked for, many times those of a sentence."""
WINDOW = 256
"""Bytes on end that zlib is given: of English news at most .50 is saved in any 256, in texts of up to 25,000 characters
(NTREX and FLORES dev, joined); of a whole text of 1,000 characters and more often .50 and up."""
COMPARED = 20_000
"""Characters, more than a page of a newspaper has."""

_QUOTE = re.compile(r"[\"“”„«»]|''|``")
_WORD = re.compile(r"\w+")
_THAI_LETTER = re.compile(f"[{THAI_LETTERS}]")
_THAI_RUN = re.compile(f"[{THAI_LETTERS}]+")
FINAL = re.compile(r"[.!?…。][\"'”’»)\]]*$")
DANGLING = re.compile(rf"\b(?:{either(data.words('english_dangling.txt'))})$")


class LengthRatio(PairScorer):
    """How far the lengths are from the usual ratio: 1 as usual, 2 when one side is twice as long as it should be.

    Characters without spaces, since Thai has no words to count (Gale and Church 1993 also count characters).
    `smoothing` characters are added to both sides, because short texts vary more.
    """

    name = "length_ratio"

    def __init__(self, smoothing: float = 5.0) -> None:
        self.smoothing = smoothing

    @property
    def settings(self) -> dict[str, object]:
        """What the score depends on."""
        usual = {f"ratio_{lang}": ratio for lang, ratio in USUAL_RATIO.items()}
        return {"unit": "char", "spaces": "no", "abbreviations": "spelled", **usual, "smooth": f"add{self.smoothing:g}"}

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        ratio = _shortness(facts, self.smoothing)
        return max(ratio, 1 / ratio)


class Ending(PairScorer):
    """1 when the English ends like a whole text, 0 when it seems to break off.

    It breaks off at a comma and at a word that cannot end a sentence. A missing final mark alone says little, since
    headlines have none; it counts where the English is also shorter than its source asks for, by a factor of `short`,
    and the Vietnamese source has a mark or, Thai having none to compare, the English has `words` words or more.
    """

    name = "ending"

    def __init__(self, words: int = 12, short: float = 1.2) -> None:
        self.words, self.short = words, short

    @property
    def settings(self) -> dict[str, object]:
        """What the score depends on."""
        return {"words": self.words, "short": self.short}

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        pair = facts.pair
        target, words = pair.tgt_text.rstrip(), _WORD.findall(pair.tgt_text)
        if not words:
            return None
        if target[-1] in ",;-–—(":
            return 0.0
        if FINAL.search(target):
            return 1.0
        if DANGLING.search(target):
            return 0.0
        if pair.src_lang == "vi":
            suspicious = FINAL.search(pair.src_text.rstrip()) is not None
        else:
            suspicious = len(words) >= self.words
        return float(not (suspicious and _shortness(facts, smoothing=5.0) > self.short))


class Copy(PairScorer):
    """How alike source and English are as strings, 0 to 1: 1 when the source was handed back.

    Normalised Indel similarity of the folded texts (rapidfuzz `ratio`), of their first COMPARED characters: what
    repeats them hands all of them back, and the time grows with the product of the lengths.
    """

    name = "copy"
    version = 2

    @property
    def settings(self) -> dict[str, object]:
        """What the score depends on."""
        return {"similarity": "indel", "case": "folded", "marks": "folded", "first": COMPARED}

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        return fuzz.ratio(facts.source.folded[:COMPARED], facts.target_folded[:COMPARED]) / 100


class Untranslated(PairScorer):
    """Share of the English that is still source language, 0 to 1.

    Thai: Thai letters among all letters. Vietnamese: words with Vietnamese marks among all words, names apart, which
    English papers in Vietnam write with their marks (see `remains`).
    """

    name = "untranslated"
    version = 2

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        pair = facts.pair
        if pair.src_lang == "th":
            thai = len(_THAI_LETTER.findall(pair.tgt_text))
            others = sum(map(str.isalpha, _THAI_LETTER.sub("", pair.tgt_text) if thai else pair.tgt_text))
            return thai / (thai + others) if thai + others else None
        words = len(_WORD.findall(pair.tgt_text))
        return len(remains(pair.src_text, pair.tgt_text, pair.src_lang)) / words if words else None


class Repetition(PairScorer):
    """How much the English goes round in circles, 0 to 1: the larger of two measures.

    What zlib saves, 1 - compressed / plain bytes (0 for short texts), at the place where it saves most, WINDOW bytes
    wide, since it saves the more of any text the longer that is; and the largest share of words that one phrase of 1
    to `order` words covers by being there `times` times or more (texts of fewer than `words` words: 0).
    """

    name = "repetition"
    version = 2

    def __init__(self, order: int = 6, times: int = 3, words: int = 8) -> None:
        self.order, self.times, self.words = order, times, words

    @property
    def settings(self) -> dict[str, object]:
        """What the score depends on."""
        return {"zlib": "level9", "window": WINDOW, "order": self.order, "times": self.times, "words": self.words}

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        data = facts.pair.tgt_text.encode()
        if not data:
            return None
        starts = range(0, max(1, len(data) - WINDOW // 2), WINDOW // 2)
        saved = max(_saved(data[start : start + WINDOW]) for start in starts)
        return max(0.0, saved, self._covered(facts.target_folded))

    def _covered(self, text: str) -> float:
        words = _WORD.findall(text)
        best = 0.0
        if len(words) < self.words:
            return best
        for order in range(1, self.order + 1):
            phrases = Counter(tuple(words[i : i + order]) for i in range(len(words) - order + 1))
            count = max(phrases.values(), default=0)
            if count < self.times:
                break  # a longer phrase is there no oftener than the words it begins with
            best = max(best, min(1.0, count * order / len(words)))
        return best


def _saved(data: bytes) -> float:
    return 1 - len(zlib.compress(data, 9)) / len(data)


class RepeatedPhrase(PairScorer):
    """Words of the longest phrase of the English that stands twice in a row, 0 where none does; None without words.

    Decoders stutter so, and hands that cut and paste. A word said twice ("very very", "had had") is 1. Marks belong to
    their words: a quotation taken up by the next clause is no repetition. Phrases of more than LONGEST words are not
    looked for, so that the time grows with the length of the text only.
    """

    name = "repeated_phrase"

    @property
    def settings(self) -> dict[str, object]:
        """What the score depends on."""
        return {"longest": LONGEST}

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        words = facts.target_folded.split()
        if not words:
            return None
        order = {word: place for place, word in enumerate(dict.fromkeys(words))}
        if len(order) == len(words):
            return 0.0
        places = np.array([order[word] for word in words])
        for size in range(min(len(words) // 2, LONGEST), 0, -1):
            # A phrase stands twice in a row where so many words in a row are those so many places further on.
            same = places[:-size] == places[size:]
            if same.sum() >= size:
                runs = np.concatenate([[0], np.cumsum(same)])
                if (runs[size:] - runs[:-size] == size).any():
                    return float(size)
        return 0.0


class QuoteAgreement(PairScorer):
    """Quotation marks of the side that has fewer over those of the other, 0 to 1; None where neither has any.

    Single marks are left out, for they are apostrophes.
    """

    name = "quote_agreement"

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        ours, theirs = (len(_QUOTE.findall(text)) for text in (facts.pair.src_text, facts.pair.tgt_text))
        return min(ours, theirs) / max(ours, theirs) if ours or theirs else None


class EmojiAgreement(PairScorer):
    """Share of the source's emoji that the English keeps, 0 to 1; None where it has none.

    Each counts once, however often it stands there, in whatever skin tone and order.
    """

    name = "emoji_agreement"

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        ours, theirs = (set(EMOJI.findall(text)) for text in (facts.pair.src_text, facts.pair.tgt_text))
        return len(ours & theirs) / len(ours) if ours else None


def remains(source: str, english: str, lang: str) -> list[tuple[int, int]]:
    """The spans of the `english` of a pair that are still the language of `source`, as `Untranslated` counts them.

    A capitalised Vietnamese syllable is a name, and does not remain, where the text is English otherwise: it has a word
    that Vietnamese could not have and the source has not.
    """
    if lang == "th":
        return [match.span() for match in _THAI_RUN.finditer(english)]
    marked = [match for match in _WORD.finditer(english) if _is_marked_syllable(match[0])]
    if _has_english(source, english):
        marked = [match for match in marked if not match[0][0].isupper()]
    return [match.span() for match in marked]


def _is_marked_syllable(word: str) -> bool:
    plain = strip_marks(word)
    return plain != word and is_syllable(plain.lower())


def _has_english(source: str, english: str) -> bool:
    ours = set(_WORD.findall(fold(source)))
    theirs = (word for word in _WORD.findall(english) if word.isalpha() and len(word) > 1)
    return any(_is_foreign(word) and fold(word) not in ours for word in theirs)


def _is_foreign(word: str) -> bool:
    plain = strip_marks(word)
    return plain == word and not is_syllable(plain.lower())


def _shortness(facts: PairFacts, smoothing: float) -> float:
    """How many times longer the English should be than it is; below 1 it is too long."""
    expected = facts.source_length / USUAL_RATIO.get(facts.pair.src_lang, 1.0)
    return (expected + smoothing) / (facts.target_length + smoothing)


class VerbLost(PairScorer):
    """How many kinds of verbs that turn a sentence about (forbid, prevent, deny) are in the source alone."""

    name = "verb_lost"
    version = 2

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        pair = facts.pair
        return float(len(lost_verbs(pair.src_text, pair.src_lang, pair.tgt_text)))


class NegationLost(PairScorer):
    """1 where the source denies something and the English has no word that could say so."""

    name = "negation_lost"

    def score_pair(self, facts: PairFacts, context: Context) -> float | None:
        """The score that the class describes, of one pair."""
        pair = facts.pair
        return float(bool(lost_negation(pair.src_text, pair.src_lang, pair.tgt_text)))
