"""Documents to segments: the units that are translated.

A line of text is a paragraph, and is cut into sentences: at their marks, in a language without such marks (Thai) at the
likeliest spaces by the shipped boundary model. Nothing is dropped: every character that is no space and survives
normalisation is in exactly one segment.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from pipeline.config.settings import SegmentSettings
from pipeline.stages.segment import boundaries
from pipeline.stages.segment.layout import kinds
from pipeline.text.languages import language, table
from pipeline.text.sentences import sentences
from pipeline.text.unicode import Normalised, normalise
from pipeline.types import Document, Segment

VERSION = 3

Span = tuple[int, int]
_CLAUSE_ENDS = re.compile(r"[,;:–—…](?=\s)|[;:](?=[^\W\d])")
_SPACES = re.compile(r"(?<!\d)\s|\s(?!\d)")
_SIGN_OFF = re.compile(r"[\W_]+|[-–—(] ?[A-Z]{2,6}(?:/[A-Z]{2,6})*[).]?")
NEAR = 60
"""Characters around the middle that are looked at where there is no space; set by hand."""
EDGE = 0.2
"""A long sentence is cut at least this share of its length away from its ends; set by hand."""


def segment(documents: Iterable[Document], settings: SegmentSettings) -> Iterator[Segment]:
    """Yield the segments of all documents, in order; ids are the document's id and a running number.

    A line without any visible character is no paragraph. Segments are at most twice `settings.max_chars` long.
    """
    for document in documents:
        yield from _segments(document, settings.max_chars)


def _segments(document: Document, max_chars: int) -> Iterator[Segment]:
    lines = list(_paragraphs(document))
    found_kinds = kinds([line.text for _, line in lines])
    index = 0
    for paragraph, ((line_start, line), kind) in enumerate(zip(lines, found_kinds, strict=True)):
        whole = kind == "caption" and len(line.text) <= 2 * max_chars
        units = [(0, len(line.text))] if whole else split(line.text, document.lang, max_chars, line.breaks)
        for (start, end), (original_start, original_end) in zip(units, _originals(line, units), strict=True):
            span = _trimmed(document.text, line_start + original_start, line_start + original_end)
            text = line.text[start:end]
            yield Segment(f"{document.id}:{index:04d}", document.id, index, paragraph, *span, text, kind)
            index += 1


def _paragraphs(document: Document) -> Iterator[tuple[int, Normalised]]:
    """The lines that hold text, normalised, each with its start in the document."""
    start = 0
    for line in document.text.split("\n"):
        normal = normalise(line, document.lang)
        if normal.text:
            yield start, normal
        start += len(line) + 1


def _originals(line: Normalised, units: list[Span]) -> Iterator[Span]:
    """The stretch of the original line that each unit was made from; together they are the whole line."""
    starts = [0, *(line.offsets[start] for start, _ in units[1:]), line.offsets[-1]]
    yield from pairwise(starts)


def _trimmed(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def split(text: str, lang: str, max_chars: int, breaks: Sequence[int] = ()) -> list[Span]:
    """The spans of the units of one line of normalised text, in order.

    Thai sentences are at most `max_chars` long where they have spaces. What is longer than twice that is cut at clause
    marks, else at spaces, else (Thai) between words, else anywhere between two letters. `breaks` are places between
    words that the author marked (`Normalised.breaks`).
    """
    learned = lang in learned_languages()
    spans = boundaries.load(lang).segments(text, max_chars) if learned else sentences(text, lang)
    whole = _attached(text, spans)
    return [piece for start, end in whole for piece in _pieces(text, start, end, 2 * max_chars, lang, breaks)]


def learned_languages() -> tuple[str, ...]:
    """The codes of the languages that are cut by a boundary model."""
    return tuple(code for code, entry in table().items() if entry.boundaries and not entry.sentence_marks)


def _attached(text: str, spans: list[Span]) -> list[Span]:
    """Give what says nothing alone (a lone quotation mark, the sign of an agency) to the unit before it."""
    found: list[Span] = []
    for start, end in spans:
        if found and _SIGN_OFF.fullmatch(text, start, end):
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _pieces(text: str, start: int, end: int, limit: int, lang: str, breaks: Sequence[int]) -> Iterator[Span]:
    """`text[start:end]` in pieces of at most `limit` characters, cut near the middle again and again."""
    waiting = [(start, end)]
    while waiting:
        start, end = waiting.pop()
        if end - start <= limit:
            yield start, end
            continue
        cut = _cut(text, start, end, lang, breaks)
        left, right = _trimmed(text, start, cut), _trimmed(text, cut, end)
        waiting += [right, left]


def _cut(text: str, start: int, end: int, lang: str, breaks: Sequence[int]) -> int:
    """The best place to cut, near the middle."""
    middle = (start + end) // 2
    margin = int(EDGE * (end - start)) + 1
    for pattern in (_CLAUSE_ENDS, _SPACES):
        places = [match.end() for match in pattern.finditer(text, start + margin, end - margin)]
        if places:
            return min(places, key=lambda place: abs(place - middle))
    near = range(max(start + margin, middle - NEAR), min(end - margin, middle + NEAR))
    places = [place for place in breaks if place in near and _between_letters(text, place)]
    places = places or (_word_ends(text, near) if language(lang).words == "thai" else [])
    places = places or [place for place in near if _between_letters(text, place)]
    return min(places, key=lambda place: abs(place - middle), default=middle)


def _word_ends(text: str, near: range) -> list[int]:
    """Where Thai words end; the tokenizer is started a little before, so that it has found its feet."""
    from pythainlp.tokenize import word_tokenize

    from pipeline.text.thai_trees import thai_dictionary

    place = max(0, near.start - NEAR)
    found = []
    for word in word_tokenize(text[place : near.stop], custom_dict=thai_dictionary(), engine="newmm-safe"):
        place += len(word)
        found.append(place)
    return [place for place in found[:-1] if place in near and _between_letters(text, place)]


def _between_letters(text: str, place: int) -> bool:
    """Whether a cut here parts neither a letter from its marks nor a number."""
    if place >= len(text) or unicodedata.category(text[place]).startswith("M"):
        return False
    return not (text[place - 1] in "0123456789.," and text[place].isdigit())
