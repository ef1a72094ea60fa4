"""Made news for measuring whole runs: sentences of the shipped glossaries, in Thai or Vietnamese and in English.

Sentence `number` is the same in every process and says its number, so that who reads it can say what its English is.
Not language anybody would write; but its words are words, its letters as frequent as in texts, and it is no frame that
repeats.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

from pipeline.files.store import write_lines
from pipeline.stages.translate.glossary import folder as glossaries
from pipeline.text.languages import language, source_languages

WORDS = 5, 11
"""Terms of a sentence, fewest and most: 60 to 110 letters, as sentences of news have."""
FIRST = 100_000
"""The number of the first sentence: larger than what else is counted in news."""
SENTENCES = 8
"""Of a document."""
_NUMBER = re.compile(r"\d{3}(?:[.,]\d{3})+")


@cache
def _terms(lang: str) -> list[tuple[str, str]]:
    """Terms with their English, without those whose figures would be read as numbers."""
    rows = (glossaries() / f"{lang}-en.tsv").read_text("utf-8").splitlines()
    pairs = [tuple(row.split("\t")[:2]) for row in rows if row and not row.startswith("#")]
    return [(term, english) for term, english in pairs if not re.search(r"\d", term + english)]


@lru_cache(1024)
def sentence(lang: str, number: int) -> tuple[str, str]:
    """The sentence of that number in `lang`, and in English."""
    chance = random.Random(number)
    chosen = chance.choices(_terms(lang), k=chance.randint(*WORDS))
    at = chance.randrange(1, len(chosen))
    own, english = [term for term, _ in chosen], [word for _, word in chosen]
    own.insert(at, f" {FIRST + number:,} ".replace(",", "," if language(lang).words == "thai" else "."))
    english.insert(at, f"{FIRST + number:,}")
    text = " ".join(english)
    return _joined(own, lang), text[0].upper() + text[1:] + "."


def _joined(words: list[str], lang: str) -> str:
    if language(lang).words == "thai":
        return "".join(words)
    text = " ".join(word.strip() for word in words)
    return text[0].upper() + text[1:] + "."


def numbers_in(text: str) -> list[int]:
    """The numbers of the made sentences that `text` holds."""
    return [int(re.sub(r"\D", "", found)) - FIRST for found in _NUMBER.findall(text)]


def documents(segments: int) -> Iterator[dict[str, str]]:
    """Source documents of some `segments` sentences in all, half of them Thai and half Vietnamese, each with its
    English as a document of its own."""
    langs = source_languages()
    for number in range(segments // (2 * SENTENCES)):
        lang = langs[number % len(langs)]
        first = number * SENTENCES
        pairs = [sentence(lang, first + i) for i in range(SENTENCES)]
        for code, side in (lang, 0), ("en", 1):
            # Two paragraphs: a Thai sentence ends where a line does, or at one space of many.
            texts = [pair[side] for pair in pairs]
            lines = [" ".join(texts[i : i + 2]) for i in range(0, SENTENCES, 2)]
            yield {"id": f"{lang}{number}-{code}", "lang": code, "text": "\n".join(lines)}


def write(segments: int, path: Path) -> None:
    """The documents as JSONL."""
    write_lines(path, documents(segments))
