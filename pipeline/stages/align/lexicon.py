"""Lexicons: which English words a term of another language becomes, and how often.

Where no encoder knows a language, its text is compared with English by the English words that a lexicon expects of it.
Terms are words and pairs of neighbouring words: much of the vocabulary of Vietnamese is written as two syllables.

A file is gzipped UTF-8 text: a line with format, version, language and number of terms, separated by TAB, then one term
a line, in order of code points: term TAB word=thousandths SPACE word=thousandths ...
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ModelError
from pipeline.files.store import write_bytes
from pipeline.registry.models import shipped
from pipeline.text.languages import language
from pipeline.text.thai_words import thai_cutter
from pipeline.text.unicode import fold, tones_placed

Rows = NDArray[np.float64]
Senses = tuple[tuple[str, float], ...]

FORMAT = "mekong-lexicon"
VERSION = 1
ENDING = "-en.tsv.gz"
MOST_BYTES = 100_000_000
"""What a file may hold when unpacked."""

_WORD = re.compile(r"[^\W\d_]+")
_ENGLISH_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_SENSE = re.compile(r"([a-z]+(?:'[a-z]+)?)=(\d{1,4})")
_LANG = re.compile(r"[a-z]{2,3}")
_REMEDY = "Make it again with `mekong models lexicon`."


def english_words(text: str) -> list[str]:
    """The words of an English text in order, folded, without a possessive ending."""
    return [word.removesuffix("'s") for word in _ENGLISH_WORD.findall(fold(text))]


def source_words(text: str, lang: str) -> list[str]:
    """The words (syllables in Vietnamese) of a normalised text in order, in small letters and one tone style.

    Thai is cut into words by its dictionary, see `pipeline.text.thai_words`.
    """
    content = text.lower()
    if language(lang).words == "thai":
        return [word for word in thai_cutter().cut(content) if word[0].isalpha()]
    return _WORD.findall(tones_placed(content, lang, "old"))


def source_terms(text: str, lang: str) -> list[str]:
    """The words of a normalised text, and its pairs of neighbouring words."""
    words = source_words(text, lang)
    return [*words, *map(" ".join, pairwise(words))]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """For each term its English words with their probabilities, which add up to at most 1."""

    lang: str
    senses: Mapping[str, Senses]

    def expected(self, text: str) -> dict[str, float]:
        """How much of each English word is expected in a normalised text; a term that the lexicon does not have stands
        for itself."""
        found: dict[str, float] = {}
        for term in source_terms(text, self.lang):
            for word, probability in self.senses.get(term, ((term, 1.0),)):
                found[word] = found.get(word, 0.0) + probability
        return found

    def write(self, path: Path) -> None:
        """Write the file, the same bytes for the same lexicon. Raises StoreError."""
        lines = [f"{FORMAT}\t{VERSION}\t{self.lang}\t{len(self.senses)}"]
        for term in sorted(self.senses):
            senses = (f"{word}={round(1000 * probability)}" for word, probability in self.senses[term])
            lines.append(f"{term}\t{' '.join(senses)}")
        write_bytes(path, gzip.compress("".join(f"{line}\n" for line in lines).encode(), 9, mtime=0))


def word_rows(src: Sequence[Mapping[str, float]], tgt: Sequence[Mapping[str, int]]) -> tuple[Rows, Rows]:
    """How much of each English word of `tgt` is expected in the units of one side (`Lexicon.expected`), and how often
    each is found in those of the English, shapes (n, d) and (m, d), to be added up over spans.

    A word weighs less the more units of `tgt` have it.
    """
    carriers = Counter(word for unit in tgt for word in unit)
    column = {word: i for i, word in enumerate(sorted(carriers))}
    weight = np.log1p(len(tgt) / np.array([carriers[word] for word in column] or [1]))

    def rows(units: Sequence[Mapping[str, float]]) -> Rows:
        found = np.zeros((len(units), len(weight)))
        for row, unit in zip(found, units, strict=True):
            known = list(unit.keys() & column.keys())
            row[[column[word] for word in known]] = [unit[word] for word in known]
        return found

    return rows(src) * weight, rows(tgt) * weight


def shipped_lexicons() -> dict[str, Path]:
    """The lexicons that come with the program, by language."""
    return {path.name.removesuffix(ENDING): path for path in sorted((shipped() / "lexicon").glob(f"*{ENDING}"))}


def read_lexicon(path: Path) -> Lexicon:
    """Read a lexicon file.

    Raises ModelError when it cannot be read or unpacked, has another format or version, is cut off, or holds a line
    that is no entry.
    """
    head, *lines = _lines(path)
    fields = head.split("\t")
    if fields[:2] != [FORMAT, str(VERSION)]:
        raise ModelError(f"{path} is no lexicon of version {VERSION}; it begins with {head[:60]!r}", _REMEDY)
    if len(fields) != 4 or not _LANG.fullmatch(fields[2]) or fields[3] != str(len(lines)):
        raise ModelError(f"{path} has {len(lines)} terms, but begins with {head[:60]!r}", _REMEDY)
    senses: dict[str, Senses] = {}
    for number, line in enumerate(lines, 2):
        term, _, listed = line.partition("\t")
        found = tuple(_sense(part, f"{path}, line {number}") for part in listed.split(" "))
        total = sum(probability for _, probability in found)
        if not term or term in senses or total > 1.0 + len(found) / 1000:
            raise ModelError(f"{path}, line {number} is a wrong entry: {line[:60]!r}", _REMEDY)
        senses[term] = found
    return Lexicon(fields[2], senses)


def _lines(path: Path) -> list[str]:
    try:
        with gzip.open(path) as stream:
            data = stream.read(MOST_BYTES + 1)
        text = data.decode("utf-8")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise ModelError(f"the lexicon {path} cannot be read: {error}", _REMEDY) from error
    if len(data) > MOST_BYTES:
        raise ModelError(f"the lexicon {path} holds more than {MOST_BYTES:,} bytes", _REMEDY)
    return text.removesuffix("\n").split("\n")


def _sense(part: str, where: str) -> tuple[str, float]:
    match = _SENSE.fullmatch(part)
    if not match:
        raise ModelError(f"{where}: {part[:60]!r} is not word=thousandths", _REMEDY)
    return match[1], int(match[2]) / 1000
