"""What speaks for or against a sentence boundary at a space of Thai text: named signs with values.

Thai marks no sentence end, so nothing is decisive: characters, words and parts of speech on both sides, lengths up to
the neighbouring spaces, quotations, and what the rules of `thai` say. Words are pythainlp's (newmm), parts of speech
its averaged perceptron's (orchid_ud).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import log, log2

from pipeline.text.patterns import LONG_NUMBER
from pipeline.text.thai import boundary_scores, phrases

Sign = tuple[str, float]
Word = tuple[str, str]

LONGEST = 8
"""Characters of the longest string next to a space that is a sign."""

_SPACES = re.compile(r"\s+")
_NONE: Word = ("", "")
_SAID = "กล่าว"


@dataclass(frozen=True, slots=True)
class _ThaiLine:
    """One line: the stretches between its spaces, where each starts, their words, and what is open or ruled where."""

    text: str
    starts: list[int]
    parts: list[str]
    words: list[list[Word]]
    quoted: list[bool]
    bracketed: list[bool]
    ruled: dict[int, float]


def signs(text: str) -> Iterator[tuple[int, list[Sign]]]:
    """For each space inside a line of `text`: where the stretch after it begins, and the signs that are seen there."""
    lines = [(offset, _line(raw)) for offset, raw in _stretches(text)]
    heads = frozenset(line.words[0][0][0] for _, line in lines)
    density = log(len(text) / (text.count(" ") + 1)) / 3 if text else 0.0
    for offset, line in lines:
        for at in range(1, len(line.parts)):
            found = _around(line, at) + _lengths(line, at) + _rules(line, at)
            found.append(("density", density))
            if line.words[at][0][0] in heads:
                found.append(("head", 1.0))
            yield offset + line.starts[at], found


def _stretches(text: str) -> Iterator[tuple[int, str]]:
    """The lines with something in them, without outer spaces, each with its start in the text."""
    offset = 0
    for raw in text.split("\n"):
        if raw.strip():
            yield offset + len(raw) - len(raw.lstrip()), raw.strip()
        offset += len(raw) + 1


def _line(text: str) -> _ThaiLine:
    gaps = [match.span() for match in _SPACES.finditer(text)]
    starts = [0, *(end for _, end in gaps)]
    parts = [text[start:end] for start, end in zip(starts, [*(start for start, _ in gaps), len(text)], strict=True)]
    spans = phrases(text)
    scores = boundary_scores(text, spans)
    ruled = {start: log(score / (1 - score)) for (start, _), score in zip(spans[1:], scores, strict=True)}
    quoted, bracketed = _open(parts)
    return _ThaiLine(text, starts, parts, _words(text, starts), quoted, bracketed, ruled)


def _words(text: str, starts: list[int]) -> list[list[Word]]:
    """Words and parts of speech of the stretches that begin at `starts`; a word with a space in it is in the first."""
    # Imported here because PyThaiNLP takes long to load.
    from pythainlp.tokenize import word_tokenize

    from pipeline.text.thai_tags import universal_tags
    from pipeline.text.thai_trees import thai_dictionary

    found: list[list[Word]] = [[] for _ in starts]
    place = at = 0
    whole = not LONG_NUMBER.search(text)
    words = word_tokenize(text, custom_dict=thai_dictionary(), engine="newmm-safe", join_broken_num=whole)
    for word, tag in universal_tags(words):
        while at + 1 < len(starts) and place >= starts[at + 1]:
            at += 1
        if word.strip():
            found[at].append((word.strip(), tag))
        place += len(word)
    return [words or [_NONE] for words in found]


def _open(parts: list[str]) -> tuple[list[bool], list[bool]]:
    """For each stretch, whether a quotation, and whether a bracket, that began before it is still open."""
    quoted, bracketed = [], []
    quote, depth = False, 0
    for part in parts:
        quoted.append(quote)
        bracketed.append(depth > 0)
        for char in part:
            if char in "“‘«":
                quote = True
            elif char in "”’»":
                quote = False
            elif char == '"':
                quote = not quote
            depth += (char in "([") - (char in ")]")
    return quoted, bracketed


def _around(line: _ThaiLine, at: int) -> list[Sign]:
    """Characters, words and parts of speech on the two sides of the space before stretch `at`."""
    left, right = line.parts[at - 1], line.parts[at]
    found: list[Sign] = []
    for size in range(1, LONGEST + 1):
        if len(left) >= size:
            found.append((f"l{size} {left[-size:]}", 0.5))
        if len(right) >= size:
            found.append((f"r{size} {right[:size]}", 0.5))
    before, after = [_NONE, *line.words[at - 1]], [*line.words[at], _NONE, _NONE]
    (word2, tag2), (word1, tag1) = before[-2:]
    (next1, then1), (next2, then2), (_, then3) = after[:3]
    first, first_tag = line.words[at - 1][0]
    second_tag = line.words[at - 1][1][1] if len(line.words[at - 1]) > 1 else ""
    verbs, then_verbs = (min([tag for _, tag in line.words[i]].count("VERB"), 3) for i in (at - 1, at))
    verb = next((i for i, (_, tag) in enumerate(line.words[at]) if tag in ("VERB", "AUX")), -1)
    found += (
        (f"lw {word1}", 1.0), (f"lw2 {word2} {word1}", 1.0), (f"l2 {word2}", 0.7),
        (f"rw {next1}", 1.0), (f"rw2 {next1} {next2}", 1.0), (f"r2 {next2}", 0.7),
        (f"lt {tag1}", 1.0), (f"lt2 {tag2} {tag1}", 1.0),
        (f"rt {then1}", 1.0), (f"rt2 {then1} {then2}", 1.0), (f"rt3 {then1} {then2} {then3}", 1.0),
        (f"tt {tag1} {then1}", 1.0), (f"tw {tag1} {next1}", 1.0), (f"wt {word1} {then1}", 1.0),
        (f"first {first}", 0.7), (f"firsts {first_tag} {second_tag}", 0.7), (f"end {after[-3][0]}", 0.5),
        (f"verbs left {verbs}", 1.0), (f"verbs right {then_verbs}", 1.0), (f"verb at {min(verb, 6)}", 1.0),
        (f"said {_SAID in left} {_SAID in right}", 1.0),
    )  # fmt: skip
    if at > 1:
        found.append((f"previous {line.words[at - 2][0][0]}", 0.5))
    if at + 1 < len(line.parts):
        word, tag = line.words[at + 1][0]
        found += ((f"next {word}", 0.7), (f"next tag {tag}", 1.0))
    return found


def _lengths(line: _ThaiLine, at: int) -> list[Sign]:
    left, right = len(line.parts[at - 1]), len(line.parts[at])
    done, rest = line.starts[at] - 1, len(line.text) - line.starts[at]
    left_step, right_step = _step(left), _step(right)
    before2 = f"len l2 {_step(len(line.parts[at - 2]))}" if at > 1 else "first space"
    after2 = f"len r2 {_step(len(line.parts[at + 1]))}" if at + 1 < len(line.parts) else "last space"
    return [
        (f"len l {left_step}", 1.0), (f"len r {right_step}", 1.0), (f"len {left_step // 2} {right_step // 2}", 1.0),
        ("log l", log(left + 1) / 3), ("log r", log(right + 1) / 3),
        ("log done", log(done + 1) / 5), ("log rest", log(rest + 1) / 5),
        (f"done {_step(done)}", 1.0), (f"rest {_step(rest)}", 1.0), (before2, 1.0), (after2, 1.0),
    ]  # fmt: skip


def _rules(line: _ThaiLine, at: int) -> list[Sign]:
    kinds = _kind(line.parts[at - 1][-1]), _kind(line.parts[at][0])
    found: list[Sign] = [(f"kl {kinds[0]}", 1.0), (f"kr {kinds[1]}", 1.0), (f"kk {kinds[0]} {kinds[1]}", 1.0)]
    if line.quoted[at]:
        found += (("quoted", 1.0), (f"quoted {kinds[1]}", 1.0))
    if line.bracketed[at]:
        found.append(("bracketed", 1.0))
    score = line.ruled.get(line.starts[at])
    found += (("veto", 1.0),) if score is None else (("ruled", 1.0), ("rule", score / 2))
    return found


def _kind(char: str) -> str:
    if "ก" <= char <= "๿":
        return "thai"
    if char.isdigit():
        return "9"
    if char.isalpha():
        return "A" if char.isupper() else "a"
    return '"' if char in "\"'“”‘’" else char


def _step(size: int) -> int:
    """Half powers of two."""
    return int(2 * log2(size + 1))
