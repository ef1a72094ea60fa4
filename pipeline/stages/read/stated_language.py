"""Whether a corpus is in the language that it is said to be in, told from its first pairs."""

from __future__ import annotations

from collections import Counter
from itertools import islice

from pipeline.errors import UsageError
from pipeline.stages.read.pairs import Corpus, Given
from pipeline.text.language import detect, is_sure
from pipeline.text.languages import language, source_languages
from pipeline.types import ENGLISH

FIRST = 100
"""Pairs that are looked at; set by hand, as the other constants here."""
FEWEST = 5
"""Texts from which on a corpus is believed to be in another language, where that is more than HALF of them."""
HALF = 0.5


def check_language(corpus: Corpus, limit: int) -> None:
    """Look at the first pairs of `corpus`, lines of more than `limit` bytes apart.

    Single lines in another language are for the rule `source_language`. Raises UsageError where more than half of the
    sources that a language can be told of are in another one that is translated from, or in English.
    """
    pairs = [row.pair for row in islice(corpus.read(limit), FIRST) if isinstance(row, Given)]
    told = [(pair.src_lang, detect(pair.src_text)) for pair in pairs if is_sure(pair.src_text)]
    (stated, found), count = Counter(told).most_common(1)[0] if told else (("", ""), 0)
    if count < max(FEWEST, HALF * len(told)) or stated == found or found not in (*source_languages(), ENGLISH):
        return
    where = f"{corpus.path}: {count} of the first {len(pairs)} sources look {language(found).name}"
    if found == ENGLISH:
        raise UsageError(f"{where}, not {language(stated).name}", "Put the source first and its English second.")
    raise UsageError(f"{where}, stated is {language(stated).name}", f"Give `--lang {found}`, or state it in the file.")
