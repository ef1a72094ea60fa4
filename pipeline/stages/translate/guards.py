"""What can be wrong with a hypothesis, found without a reference.

General language models wrap translations in talk, refuse, leave things out and loop; dedicated models loop and drop
text. Nothing here decides what becomes of a segment: `translate` does.
"""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.stages.translate.talk import talk, unwrapped
from pipeline.text import data
from pipeline.text.countries import mentions
from pipeline.text.languages import own_scripts
from pipeline.text.numbers import EN_MONTHS, StatedNumbers, compare
from pipeline.text.numbers.changes import other_changes
from pipeline.text.numbers.units import changed_units
from pipeline.text.polarity import NEGATION, lost_words
from pipeline.text.unicode import fold
from pipeline.types import ENGLISH, Ended

WORD = re.compile(r"\w+")

LOOP_COMPRESSION = 2.4
"""zlib ratio from which text counts as a loop (faster-whisper's default; a good sentence has about 1.0 to 1.6)."""
LOOP_MIN_CHARS = 120
"""Shorter texts compress too little to tell; set by hand."""
LOOP_SHARE = 0.34
"""Share of all word 4-grams that one repeated 4-gram may have; set by hand."""
LENGTH_RATIO = (0.3, 3.5)
"""English characters a source character; Thai and Vietnamese news lie near 1 with a standard deviation of .2."""
LENGTH_MIN_CHARS = 25
"""The ratio of a shorter source varies too much to say anything; set by hand."""
STEM = 5
"""A name counts as present when a word begins with its first letters: Russia, Russian; Vietnam, Vietnamese."""
CARRIED = 6
"""Words on end that stand in the English as in the source; titles of books and songs that English keeps are shorter."""
CARRIED_MARKED = 3
"""So many of these are in lower case and have letters that are not ASCII: no names. Both set by hand."""
GENERIC = data.words("country_kinds.txt") | data.words("name_kinds.txt")
"""Words of long official names that the usual short name lacks."""
SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"))
VAGUE = data.words("name_adjectives.txt")
"""Where a name has nothing else of its own, what it is has to be said too: a black market is not the Black Sea."""
LINKS = frozenset(["and", "for", "of", "the"])
OWN_SHARE = 0.5
"""Of a name that has such words, and three others or more, this share of the others will do.
Set by hand. Of 504 references of FLORES dev (Thai and Vietnamese) whose source has a name, 31 lack one by these rules,
and 45 without them (2026-11-29); most of what is left is a wrong reading of the source."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a guard found: how the hypothesis ended, in words, and what a second attempt should be told to include."""

    ended: Ended
    problem: str
    missing: str = ""


def clean(answer: str, source: str, *, chat: bool = True) -> str:
    """The translation inside an answer, on one line; only a chat model's has talk around it that is taken off."""
    return unwrapped(answer, source) if chat else answer.strip().replace("\n", " ")


def findings(
    source: str, lang: str, hypothesis: str, ended: str, names: Sequence[tuple[str, str]] = ()
) -> tuple[Finding, ...]:
    """Everything wrong with `hypothesis` as the English of `source`, worst first; empty when nothing is.

    `ended` is the engine's word ("stop", "length", "failed"); `names` are pairs of a source
    term and its English name, which must appear in a usual form, or as the term where that is in Latin letters.
    """
    if ended == "failed":
        return (Finding("failed", "the engine gave no usable output"),)
    if not hypothesis.strip():
        return (Finding("empty", "no text"),)
    if not WORD.search(hypothesis) and WORD.search(source):
        return (Finding("empty", f"no word in {hypothesis.strip()[:20]!r}"),)
    found = [
        *_talk(source, hypothesis),
        *([Finding("length", "stopped at the bound on output tokens")] if ended == "length" else []),
        *_loop(source, hypothesis),
        *_untranslated(source, hypothesis),
        *_length(source, hypothesis),
        *_numbers(source, lang, hypothesis),
        *_turns(source, lang, hypothesis),
        *_names(names, hypothesis),
    ]
    return tuple(found)


def _talk(source: str, hypothesis: str) -> list[Finding]:
    said = talk(source, hypothesis)
    return [Finding("refused", said)] if said else []


def loop_share(text: str) -> float:
    """How far `text` repeats itself, 0 to 1: the share of its word 4-grams taken by the most frequent, if repeated."""
    words = WORD.findall(text.casefold())
    grams = Counter(tuple(words[i : i + 4]) for i in range(len(words) - 3))
    count = max(grams.values(), default=0)
    return count / sum(grams.values()) if count > 1 else 0.0


def compression(text: str) -> float:
    """Bytes of `text` a byte of its zlib form; high for text that repeats itself."""
    data = text.encode()
    return len(data) / len(zlib.compress(data)) if data else 0.0


def _loop(source: str, hypothesis: str) -> list[Finding]:
    words = WORD.findall(hypothesis.casefold())
    runs = max(map(len, _runs(words)), default=0)
    if runs >= 4 and fold(words[0]) not in fold(source):
        return [Finding("looped", f"one word {runs} times in a row")]
    packed = compression(hypothesis) if len(hypothesis) >= LOOP_MIN_CHARS else 0.0
    if packed > LOOP_COMPRESSION and packed > compression(source):
        return [Finding("looped", f"compresses {packed:.1f} to 1")]
    # A phrase is there no oftener than each of its words, which are counted faster.
    often = len(words) >= 12 and max(Counter(words).values()) > LOOP_SHARE * (len(words) - 3)
    if often and loop_share(hypothesis) > LOOP_SHARE:
        return [Finding("looped", "one phrase over and over")]
    return []


def _runs(words: Sequence[str]) -> list[list[str]]:
    runs: list[list[str]] = []
    for word in words:
        if runs and runs[-1][0] == word:
            runs[-1].append(word)
        else:
            runs.append([word])
    return runs


def _untranslated(source: str, hypothesis: str) -> list[Finding]:
    left = [(entry.name, part) for entry in own_scripts() for part in entry.remains(hypothesis)]
    letters = sum(len(part) for _, part in left)
    if letters > 0.5 * len(hypothesis) or (len(source) > 20 and fold(source) == fold(hypothesis)):
        return [Finding("copied", "the source, not a translation")]
    found = [Finding("incomplete", f"{name} left: {part}", f"English for {part}") for name, part in left[:3]]
    carried = _carried(source, hypothesis)
    return [*found, *([Finding("incomplete", f"left as in the source: {carried}")] if carried else [])]


def _carried(source: str, hypothesis: str) -> str:
    """The first CARRIED words on end that a source in Latin letters and the English have alike, and that are no names,
    where such runs are two thirds of the English or more; else empty. A title that English keeps is less."""
    if hypothesis.isascii():
        return ""
    words, ours = WORD.findall(hypothesis), WORD.findall(source)
    known = {tuple(ours[at : at + CARRIED]) for at in range(len(ours) - CARRIED + 1)}
    carried: set[int] = set()
    for at in range(len(words) - CARRIED + 1):
        run = tuple(words[at : at + CARRIED])
        if run in known and sum(word[0].islower() and not word.isascii() for word in run) >= CARRIED_MARKED:
            carried.update(range(at, at + CARRIED))
    first = min(carried, default=0)
    return " ".join(words[first : first + CARRIED]) if carried and 3 * len(carried) >= 2 * len(words) else ""


def _length(source: str, hypothesis: str) -> list[Finding]:
    if len(source) < LENGTH_MIN_CHARS:
        return []
    ratio = len(hypothesis) / len(source)
    if LENGTH_RATIO[0] <= ratio <= LENGTH_RATIO[1]:
        return []
    return [Finding("incomplete", f"{ratio:.2f} English characters a source character")]


def _numbers(source: str, lang: str, hypothesis: str) -> list[Finding]:
    stated = StatedNumbers(source, lang), StatedNumbers(hypothesis, ENGLISH)
    missing, added = compare(*stated)
    shown = [
        EN_MONTHS[int(number.value) - 1]
        if number.kind == "month"
        else plain_number(number.value, source[number.start : number.end])
        for number in missing
    ]
    found = [Finding("incomplete", f"missing number {text}", text) for text in dict.fromkeys(shown)]
    # Beside a number that is missing, one that is added stands in its place: one error.
    for number in added if not missing else ():
        text = hypothesis[number.start : number.end]
        instead = _month_of(stated[0]) if number.kind == "day" else ""
        found.append(Finding("incomplete", f"number that the source does not have: {text}", instead))
    for changed in changed_units(*stated):
        amount = f"{source[changed.number.start : changed.number.end]} {changed.unit.name}"
        found.append(Finding("incomplete", f"{amount} became {changed.other.name}", amount))
    for other in other_changes(*stated):
        amount = plain_number(other.number.value, source[other.number.start : other.number.end])
        said, saying = other.other.words(amount), other.change.words(amount)
        found.append(Finding("incomplete", f"{saying} became {said}", saying))
    return found


def _turns(source: str, lang: str, hypothesis: str) -> list[Finding]:
    return [
        Finding(
            "incomplete",
            f"nothing says {lost.word} ({lost.kind})",
            "not" if lost.kind == NEGATION else f"English for {lost.word}",
        )
        for lost in lost_words(source, lang, hypothesis)
    ]


def _month_of(stated: StatedNumbers) -> str:
    """The first month of a source with its year, as English writes it without a day."""
    named = {number.kind: number.value for number in reversed(stated.numbers) if number.kind in ("month", "year")}
    if "month" not in named:
        return ""
    return " ".join([EN_MONTHS[int(named["month"]) - 1], *([str(named["year"])] if "year" in named else [])])


def plain_number(value: object, written: str) -> str:
    """A number as an English reader writes it, for messages; as `written` in the source when it has no plain value."""
    try:
        number = float(str(value))
    except ValueError:
        return written
    if not math.isfinite(number):
        return written
    for scale, word in SCALES:
        if abs(number) >= scale:
            return f"{number / scale:.10g} {word}"
    return f"{int(number)}" if number == int(number) and abs(number) < 10_000 else f"{number:,.10g}"


def _names(names: Sequence[tuple[str, str]], hypothesis: str) -> list[Finding]:
    text = fold(hypothesis)
    words = WORD.findall(text)
    countries = _countries(hypothesis)
    return [
        Finding("incomplete", f"missing name {english}", english)
        for term, english in names
        if not name_present(english, text, words)
        and not (_countries(english) & countries)
        and not (term.isascii() and fold(term) in text)
    ]


def _countries(text: str) -> set[str]:
    """The countries that an English text names, by any of their names or adjectives."""
    return {code for mention in mentions(text, "en") for code in mention.codes}


def name_present(name: str, folded: str, words: Sequence[str]) -> bool:
    """Whether `name` is in the folded text, as it is, by its initials (UN), or by words that begin as its words do
    (demonyms, plurals, possessives)."""
    wanted = fold(name)
    if wanted in folded:
        return True
    every = WORD.findall(wanted)
    parts = [part for part in every if part not in GENERIC]
    if any(len(those) > 1 and "".join(part[0] for part in those) in words for those in (parts, _told(every))):
        return True
    if not parts or VAGUE.issuperset(parts):
        return bool(every) and all(_begun(part, words) or f"{part}s" in words for part in every)
    there = sum(_begun(part, words) for part in parts)
    return there >= (len(parts) if len(parts) in (1, 2, len(every)) else OWN_SHARE * len(parts))


def _told(every: Sequence[str]) -> list[str]:
    """The words of a name that its initials stand for: IOC is the International Olympic Committee."""
    return [part for part in every if part not in LINKS]


def _begun(part: str, words: Sequence[str]) -> bool:
    return part in words if len(part) < STEM - 1 else any(word.startswith(part[:STEM]) for word in words)
