"""What speaks for or against a sentence boundary at a space of English or Vietnamese text: named signs with values.

Most boundaries follow a final mark; what is hard are those without one: a headline, a date line or a name that runs
into the sentence after it by a space. So the signs describe the mark, the words on both sides, the stretch since the
last final mark (is it a headline so far?), and what the document says elsewhere about the same words.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from pipeline.text.sentences import sentences

Sign = tuple[str, float]

FAR = 25
"""Words to the right in which words of the stretch on the left are looked for again."""

WORDS = 1 << 14
"""Words whose shape and marks are remembered: most words of a batch are met again."""

_STEPS = (1, 2, 3, 4, 6, 9, 13, 19, 28)
_WORD = re.compile(r"\S+")
_OPENERS = "\"'“‘«([{–—•*-"
_CLOSERS = "\"'”’»)]}"
_FINAL = re.compile(rf"[.!?…]+[{re.escape(_CLOSERS)}]*$")
_BARE = re.compile(r"^[\W_]+|[\W_]+$")
_QUOTING = frozenset('“«([”»)]"')
_RUN = re.compile(r"(.)\1+")
_MARKS = "".join(sorted(set(".!?…,;:-–—/%") | set(_CLOSERS)))
_ONE_KIND = str.maketrans({**dict.fromkeys("\"'”’»", '"'), **dict.fromkeys(")]}", ")"), **dict.fromkeys("–—", "-")})


def signs(text: str, lang: str) -> Iterator[tuple[int, list[Sign]]]:
    """For each space inside a line of `text`: where the word after it begins, and the signs that are seen there."""
    document = _Document(text, lang)
    for number, line in enumerate(document.lines):
        for at in range(1, len(line.words)):
            yield line.starts[at], _at(document, line, number, at)


@dataclass(frozen=True)
class _SpacedLine:
    """One line: its words as written, where each starts in the text, and what is known about each of them."""

    words: list[str]
    starts: list[int]
    ruled: frozenset[int]

    @cached_property
    def bare(self) -> list[str]:
        return [_BARE.sub("", word) or word for word in self.words]

    @cached_property
    def lower(self) -> list[str]:
        return [word.lower() for word in self.bare]

    @cached_property
    def shapes(self) -> list[str]:
        return [shape(word) for word in self.words]

    @cached_property
    def marks(self) -> list[str]:
        return [mark(word) for word in self.words]

    @cached_property
    def finals(self) -> list[int]:
        """Numbers of the words that follow a final mark or begin the line, and the number of words."""
        return [0, *(i + 1 for i, word in enumerate(self.words[:-1]) if _FINAL.search(word)), len(self.words)]

    @cached_property
    def quoted(self) -> list[bool]:
        """For each word, whether a quotation or bracket that began before it is still open."""
        found, depth, straight = [], 0, False
        for word in self.words:
            found.append(straight or depth > 0)
            if _QUOTING.isdisjoint(word):
                continue
            straight ^= word.count('"') % 2 == 1
            depth = max(0, depth + sum(word.count(c) for c in "“«([") - sum(word.count(c) for c in "”»)]"))
        return found


class _Document:
    def __init__(self, text: str, lang: str) -> None:
        ruled = frozenset(start for start, _ in sentences(text, lang))
        self.lines: list[_SpacedLine] = []
        offset = 0
        for raw in text.split("\n"):
            found = [(match[0], offset + match.start()) for match in _WORD.finditer(raw)]
            if found:
                self.lines.append(_SpacedLine([word for word, _ in found], [start for _, start in found], ruled))
            offset += len(raw) + 1
        self.plain = Counter(word for line in self.lines for word in line.bare if word[0].islower())
        self.named = Counter(_names(self.lines))
        self.heads = Counter(line.bare[0] for line in self.lines)
        self.pairs = Counter(pair for line in self.lines for pair in zip(line.bare, line.bare[1:], strict=False))


def _names(lines: list[_SpacedLine]) -> Iterator[str]:
    """Capitalised words straight after a word in lower case: names, whatever stands at the head of a sentence."""
    for line in lines:
        for before, word, written in zip(line.words, line.bare[1:], line.words[1:], strict=False):
            if before[-1].isalpha() and before[0].islower() and written[0].isupper():
                yield word


@lru_cache(WORDS)
def shape(word: str) -> str:
    """The kind of a word by its letters, "Ab", "AB", "ab", "A", "9" or "x", after "q" or "-" for an opening mark."""
    opening = word[0] if word[0] in _OPENERS and len(word) > 1 else ""
    rest = word.lstrip(_OPENERS) or word
    if rest[0].isdigit():
        kind = "9"
    elif rest[0].isupper():
        letters = [char for char in rest if char.isalpha()]
        kind = "A" if len(letters) == 1 else "AB" if all(char.isupper() for char in letters) else "Ab"
    else:
        kind = "ab" if rest[0].isalpha() else "x"
    return ("q" if opening in tuple("\"'“‘«") else "-" if opening else "") + kind


@lru_cache(WORDS)
def mark(word: str) -> str:
    """The punctuation at the end of a word, quotes and brackets as one kind each, runs as one mark; "" for none."""
    tail = word[len(word.rstrip(_MARKS)) :]
    return _RUN.sub(r"\1", tail.translate(_ONE_KIND))[:3] if tail else ""


def _at(document: _Document, line: _SpacedLine, number: int, at: int) -> list[Sign]:
    """The signs at the space before word `at` of a line."""
    left, right = line.lower[at - 1], line.lower[at]
    ending, before, after = line.marks[at - 1], line.shapes[at - 1], line.shapes[at]
    context = f"{ending}|{after}"
    ruled = line.starts[at] in line.ruled
    found = [
        (f"mark {context}", 1.0), (f"rule {ruled} {after}", 1.0), (f"{before} {context}", 1.0),
        (f"left {left}", 0.7), (f"right {right} {after}", 0.7), (f"left {ending} {left}", 0.7),
        (f"ending {left[-3:]} {ending}", 0.5), (f"beginning {right[:3]} {after}", 0.5), (f"pair {left} {right}", 0.5),
    ]  # fmt: skip
    if at + 1 < len(line.words):
        following = line.lower[at + 1]
        found += ((f"next {after} {line.shapes[at + 1]}", 1.0), (f"next {right} {following}", 0.5))
        found.append((f"second {following} {after}", 0.5))
    if at > 1:
        found.append((f"previous {line.shapes[at - 2]} {before} {context}", 0.7))
        found.append((f"earlier {line.lower[at - 2]}", 0.5))
    found.append((f"quoted {line.quoted[at]} {context}", 1.0))
    if after not in ("ab", "x"):
        found += _stretch(document, line, number, at)
    return found


def _stretch(document: _Document, line: _SpacedLine, number: int, at: int) -> list[Sign]:
    """Signs for a boundary before a word that could begin a sentence: the stretch since the last final mark or the
    beginning of the line, and the rest up to the next."""
    start, stop = line.finals[bisect_right(line.finals, at - 1) - 1], line.finals[bisect_right(line.finals, at)]
    kind = "open" if start < at and not _FINAL.search(line.words[at - 1]) else "closed"
    first = "first" if start == 0 else "later"
    top = "below" if number else "top" if len(document.lines) > 1 else "alone"
    size, rest = _step(min(at - start, 30)), _step(min(stop - at, 30))
    found = [
        (f"{kind} {first} {top}", 1.0), (f"{kind} size {size}", 1.0), (f"{kind} rest {rest}", 1.0),
        (f"{kind} {first} {top} size {size}", 1.0),
    ]  # fmt: skip
    if kind == "closed":
        return found
    word, shape_after, shape_before = line.bare[at], line.shapes[at], line.shapes[at - 1]
    plain, named = document.plain[word.lower()] > 0, document.named[word] > (shape_before == "ab")
    lower, shapes = line.lower[start:at], line.shapes[start:at]
    long = [low for low, kind_of_word in zip(lower, shapes, strict=True) if len(low) > 3 or kind_of_word != "ab"]
    again = set(line.lower[at : at + FAR])
    share = sum(low in again for low in long) / max(1, len(long))
    capitals = (len(shapes) - shapes.count("ab")) / len(shapes)
    found += (
        (f"open {first} {shape_after} {shape_before}", 1.0), (f"open {first} {line.marks[at - 1]}", 1.0),
        (f"open known {plain} {named} {shape_before}", 1.0),
        (f"open pair {min(document.pairs[line.bare[at - 1], word], 3)} {shape_before}", 1.0),
        (f"open starts {min(document.heads[word], 2)} {shape_before}", 1.0),
        (f"open {first} {top} again", share), (f"open {first} again {int(4 * share)}", 1.0),
        (f"open {first} {top} capitals", capitals), (f"open {first} capitals {int(5 * capitals)}", 1.0),
    )  # fmt: skip
    if line.lower[at] in lower:
        found.append((f"open {first} repeated", 1.0))
    marks = line.marks[start:at]
    if ":" in marks or ";" in marks:
        found.append((f"open {first} {top} colon", 1.0))
    return found


def _step(size: int) -> int:
    """Sizes in steps that grow: 0, 1, 2, 3, 4-5, 6-8, 9-12, 13-18, 19-27, 28-."""
    return bisect_right(_STEPS, size)
