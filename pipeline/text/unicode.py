"""Unicode clean-up that remembers where every character came from.

NFC only, never NFKC: compatibility folding takes the Thai sara am (U+0E33) apart and changes half of all Thai
sentences. Every rule is a replacement inside a short match, so the map back to the original stays exact to a few
characters.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from pipeline.text import thai_marks, vietnamese
from pipeline.text.languages import language

Replacement = str | Callable[[re.Match[str]], str]
Rule = tuple[re.Pattern[str], Replacement]

INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff"
)
SPACES = "\t\v\f\r\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
CONTROLS = "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"

# More marks on one letter than any language writes; unbounded runs would make composing quadratic.
MARKS = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1"
    "\u0eb4-\u0ebc\u0ec8-\u0ecd\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
)
MOST_MARKS = 16

RULES: tuple[Rule, ...] = (
    (re.compile(f"[{INVISIBLE}{CONTROLS}]+"), ""),
    (re.compile(f"[ {SPACES}]*[{SPACES}][ {SPACES}]*|  +"), " "),
)
# Last, because the rules of a language may leave spaces behind.
EDGES: tuple[Rule, ...] = ((re.compile(r" {2,}"), " "), (re.compile(r"(?m)^ +| +$"), ""))
LANGUAGE_RULES: dict[str, tuple[Rule, ...]] = {"": (), "thai": thai_marks.RULES, "vietnamese": vietnamese.RULES}

EMOJI = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}"
    "|[\u231a\u231b\u23e9-\u23f3\u23f8-\u23fa\u2600-\u2604\u2611-\u2618\u261d-\u2639\u263a\u2648-\u2653\u2665\u267b\u2692-\u26fd"
    "\u2705\u2708-\u270d\u2728\u2744\u274c\u274e\u2753-\u2757\u2763\u2764\u2795-\u2797\u2b50\u2b55"
    "\U0001f004\U0001f0cf\U0001f18e-\U0001f19a\U0001f300-\U0001f3fa\U0001f400-\U0001f64f\U0001f680-\U0001f6ff"
    "\U0001f7e0-\U0001f7eb\U0001f90c-\U0001f9ff\U0001fa70-\U0001faff]"
)
"""One emoji of those that Unicode draws in colour, a flag as one: without skin tones, joiners and variation selectors,
which normalisation removes, and without marks that lists and tables use (check marks, stars, arrows)."""

_PLAIN = str.maketrans(
    {
        **dict.fromkeys("‘’‚‛′´`ʼ＇", "'"),
        **dict.fromkeys("“”„‟″«»＂", '"'),
        **dict.fromkeys("‐‑‒–—―−﹣－", "-"),
        **dict(zip("๐๑๒๓๔๕๖๗๘๙", "0123456789", strict=True)),
        "…": "...",
    }
)
_NOT_PLAIN = re.compile(f"[{re.escape(''.join(map(chr, _PLAIN)))}]")
_CLEAN = re.compile("[!-~]+(?: [!-~]+)*")
"""One line of ASCII in which no rule of any language finds anything: most of the English."""
_PILE = re.compile(f"([{MARKS}]{{{MOST_MARKS}}})[{MARKS}]+")
_LATIN_MARKS = re.compile("[\u0300-\u036f]")


@dataclass(frozen=True, slots=True)
class Normalised:
    """A cleaned text and the way back: `text[i]` begins at `offsets[i]` of the original.

    `offsets` never decreases and has one entry more than `text`, the length of the original. An original character
    that was removed counts to the character before it. `breaks` are the places in `text` where a zero-width space
    stood between two visible characters: some writers of Thai set it between words.
    """

    text: str
    offsets: tuple[int, ...]
    breaks: tuple[int, ...] = ()

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original that `text[start:end]` was made from; removed characters after it included."""
        return self.offsets[start], self.offsets[end]

    def inverse(self, start: int, end: int) -> tuple[int, int]:
        """The shortest span of `text` whose original covers what is left of `original[start:end]`."""
        first = bisect_left(self.offsets, start)
        if first == len(self.offsets) or self.offsets[first] != start:
            first = max(0, first - 1)
        last = bisect_left(self.offsets, end)
        return first, max(first, min(last, len(self.text)))


def normalise(text: str, lang: str) -> Normalised:
    """Clean `text` (any text; `lang` adds the rules of its normalisation) and keep the map to the original.

    Line feeds stay. Other controls and zero-width characters go, every kind of space becomes one plain space, spaces
    at the edges of lines go, combining sequences are composed (NFC). Applying it to its own output changes nothing.
    """
    if _CLEAN.fullmatch(text):
        return Normalised(text, tuple(range(len(text) + 1)))
    original = text
    offsets = list(range(len(text) + 1))
    rules = RULES + LANGUAGE_RULES[language(lang).normalisation] + EDGES
    while True:
        before = text
        text = _compose(_replace(text, offsets, _PILE, r"\1"), offsets)
        for pattern, replacement in rules:
            text = _replace(text, offsets, pattern, replacement)
        if text == before:
            return Normalised(text, tuple(offsets), _breaks(original, text, offsets))


def _breaks(original: str, text: str, offsets: Sequence[int]) -> tuple[int, ...]:
    places = sorted({bisect_right(offsets, match.start()) for match in re.finditer("\u200b", original)})
    return tuple(i for i in places if 0 < i < len(text) and not text[i - 1].isspace() and not text[i].isspace())


def one_line(text: str, lang: str) -> str:
    """`text` normalised, its line breaks and indents as single spaces: the form in which the side of a pair is scored
    and written. Applying it to its own output changes nothing."""
    return normalise(text.replace("\n", " "), lang).text


def tones_placed(text: str, lang: str, style: vietnamese.Placement) -> str:
    """`text` (NFC) with its tones where `style` puts them, as it is in a language without such styles."""
    return vietnamese.tone_placement(text, style) if language(lang).tone_styles else text


def same(text: str, lang: str) -> str:
    """`text` in the one form in which two texts count as the same, for comparison only.

    Normalised, case folded, quotes and dashes in ASCII, Thai digits as ASCII digits, Vietnamese tones in the new
    placement. Marks stay: they tell words apart.
    """
    return vietnamese.tone_placement(normalise(text, lang).text.translate(_PLAIN).casefold(), "new")


def fold(text: str) -> str:
    """`text` for loose comparison only: as by `same`, and without Latin marks (đ as d).

    Thai marks stay. The length may change, so offsets do not carry over.
    """
    if text.isascii():
        return text.translate(_PLAIN).lower()
    decomposed = unicodedata.normalize("NFD", _plain(text).casefold())
    bare = _plain(_LATIN_MARKS.sub("", decomposed)).replace("đ", "d").replace("ð", "d")
    return unicodedata.normalize("NFC", bare)


def _plain(text: str) -> str:
    """`text` with quotes, dashes and digits in ASCII; most texts need no translation, which costs far more than to see
    that they need none."""
    return text.translate(_PLAIN) if _NOT_PLAIN.search(text) else text


def _replace(text: str, offsets: list[int], pattern: re.Pattern[str], replacement: Replacement) -> str:
    """Replace in `text` and in `offsets` (changed in place); returns the new text."""
    edits = []
    for match in pattern.finditer(text):
        new = replacement(match) if callable(replacement) else match.expand(replacement)
        if new != match[0]:
            edits.append((match.start(), match.end(), new))
    return _edit(text, offsets, edits) if edits else text


def _edit(text: str, offsets: list[int], edits: Iterable[tuple[int, int, str]]) -> str:
    parts: list[str] = []
    moved: list[int] = []
    done = 0
    for start, end, new in edits:
        parts += (text[done:start], new)
        moved += offsets[done:start]
        moved += _places(text[start:end], offsets[start:end], new)
        done = end
    parts.append(text[done:])
    moved += offsets[done:]
    offsets[:] = moved
    return "".join(parts)


def _places(old: str, places: list[int], new: str) -> list[int]:
    """The original places of `new`, made from `old`.

    Where characters only went, the others keep theirs; else equal ends do, and the middle takes what is left in order.
    """
    there = zip(old, places, strict=True)
    kept = [next((place for char, place in there if char == wanted), -1) for wanted in new]
    if kept and kept[-1] >= 0:
        return kept
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    middle = places[head : len(places) - tail] or places[head : head + 1] or places[-1:]
    wanted = len(new) - head - tail
    inner = [middle[min(i, len(middle) - 1)] for i in range(wanted)]
    return places[:head] + inner + places[len(places) - tail :]


def _compose(text: str, offsets: list[int]) -> str:
    """NFC, cluster by cluster."""
    if unicodedata.is_normalized("NFC", text):
        return text
    starts = [i for i, char in enumerate(text) if i == 0 or _begins(char)]
    edits = []
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        new = unicodedata.normalize("NFC", text[start:end])
        if new != text[start:end]:
            edits.append((start, end, new))
    return _edit(text, offsets, edits)


@cache
def _begins(char: str) -> bool:
    """Whether no composition joins `char` to what stands before it."""
    first = unicodedata.normalize("NFD", char)[0]
    return unicodedata.combining(first) == 0 and first not in _joining()


@cache
def _joining() -> frozenset[str]:
    """Characters of combining class 0 that compose with the one before: Hangul vowels and finals, some Indic vowels."""
    found = {chr(code) for code in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))}
    for code in range(0x900, 0x12000):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            second = chr(int(parts[1], 16))
            if unicodedata.combining(second) == 0:
                found.add(second)
    return frozenset(found)
