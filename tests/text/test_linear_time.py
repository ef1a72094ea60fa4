"""No text makes a search slow: time grows with the length of a run, whatever it is a run of."""

import dataclasses
import functools
import gc
import importlib
import pkgutil
import re
import time
from collections.abc import Callable, Iterator

import pytest

import pipeline
import pipeline.stages
import pipeline.text
from pipeline.stages.align.anchors import anchors
from pipeline.stages.align.lexicon import source_words
from pipeline.stages.score.base import Context
from pipeline.stages.score.scorers import all_scorers
from pipeline.stages.score.stage import score
from pipeline.stages.segment.layout import kinds
from pipeline.stages.translate.talk import talk, unwrapped
from pipeline.text.countries import mentions
from pipeline.text.language import detect
from pipeline.text.numbers import numbers, western
from pipeline.text.sentences import sentences
from pipeline.text.unicode import normalise

LENGTH = 20_000
QUICK = 0.25
"""Seconds of process time under which nobody need ask whether twice the length takes three times as long; what is
quadratic needs several at this length."""
RUNS = {
    "digits": "7",
    "letters": "a",
    "capitals": "A",
    "Vietnamese": "ế",
    "Thai": "ก",
    "marks": "ก่",
    "spaces": " ",
    "underscores": "_",
    "hexadecimal": "0f",
    "points": ".",
    "hyphens": "-",
    "quotes": '"',
    "apostrophes": "'",
    "opening quotes": "“",
    "brackets": "(",
    "at": "@",
    "slashes": "/",
    "line breaks": "\n",
    "decimals": "1.",
    "words": "ab ",
    "initials": "A. ",
    "addresses": "a.-1@",
    "hashtags": "#a,,",
    "notes": "(note ",
    "fences": "```",
}
LISTS = {
    "dates": "5/12 ",
    "Thai dates": "1 มกราคม 2568 ",
    "amounts": "3 tỷ 5 ",
    "Thai amounts": "สามล้านครึ่ง ",
    "numbers in words": "hai trăm ba mươi ",
    "halves": "a quarter million and a half ",
    "countries": "Nga Nga ",
    "Thai countries": "ประเทศไทยลาว",
    "names": "Nguyễn Văn An ",
    "acronyms": "UNHCR ",
    "satang": "2 baht 50 satang ",
}
"""What a list might hold that somebody pasted into one line."""
SCORED_LENGTH = 10_000
WHOLE = {"_ADDRESS", "_AGENCY", "_AGENCY_CREDIT", "_HASHTAGS", "_INITIAL", "_NO_TEXT", "_SENSE", "_SHAPE"}
"""Names of patterns that a whole text must match."""
AT_A_PLACE = {"_AND_HALF", "SCALES", "_RATED"}
"""Names of patterns that are asked for at one place only."""
BOUNDED = {"_GLOSS", "_PLACE", "_WORD_BEFORE", "NO_TEXT", "_TAG"}
"""Names of patterns for what has a bracket that closes, for lines of bounded length, for the few letters before a word
and for names of fields."""
SEARCHES: dict[str, Callable[[str], object]] = {
    "numbers th": lambda text: numbers(text, "th"),
    "numbers vi": lambda text: numbers(text, "vi"),
    "numbers en": lambda text: numbers(text, "en"),
    "western": lambda text: western(text, "th"),
    "detect": detect,
    "normalise th": lambda text: normalise(text, "th"),
    "normalise vi": lambda text: normalise(text, "vi"),
    "countries": lambda text: mentions(text, "en"),
    "sentences": lambda text: sentences(text, "vi"),
    "kinds": lambda text: kinds([text]),
    "lexicon th": lambda text: source_words(text, "th"),
    "lexicon vi": lambda text: source_words(text, "vi"),
    "anchors": lambda text: anchors(text, "th"),
    "talk": lambda text: talk("ก", text),
    "unwrapped": lambda text: unwrapped(text, "ก"),
}


@functools.cache
def patterns() -> dict[str, Callable[[str], object]]:
    """Every pattern that a module of the texts or of a stage holds, alone or in a table, used as it is used there."""
    found: dict[str, Callable[[str], object]] = {}
    for package in (pipeline.text, pipeline.stages):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for name, value in vars(importlib.import_module(module.name)).items():
                for pattern in inside(value) if name not in BOUNDED else ():
                    found[f"{module.name}.{name} {pattern.pattern[:30]}"] = use(name, pattern)
    return found


def use(name: str, pattern: re.Pattern[str]) -> Callable[[str], object]:
    if name in WHOLE:
        return pattern.fullmatch
    return pattern.match if name in AT_A_PLACE else lambda text: list(pattern.finditer(text))


def inside(value: object) -> Iterator[re.Pattern[str]]:
    if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from inside(part)
    elif isinstance(value, tuple | list):
        for part in value:
            yield from inside(part)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from inside(getattr(value, field.name))


def slow(search: Callable[[str], object], unit: str, full: int = LENGTH) -> bool:
    """Whether twice the length takes more than three times as long, each of three times that it is asked."""
    return all(_slow(search, unit, full) for _ in range(3))


def _slow(search: Callable[[str], object], unit: str, full: int) -> bool:
    def took(length: int) -> float:
        text = (unit * length)[:length]
        gc.disable()  # a collection of all that the libraries made would be taken for the search
        try:
            start = time.process_time()
            search(text)
            return time.process_time() - start
        finally:
            gc.enable()

    # A tenth first: what is quadratic is seen there, before it takes minutes.
    if took(full // 10) > QUICK:
        return True
    once = took(full)
    return once > QUICK and took(2 * full) > 3 * once


@pytest.mark.parametrize("unit", RUNS.values(), ids=RUNS)
def test_every_pattern_is_linear(unit: str) -> None:
    searches = patterns()
    assert len(searches) > 100
    assert [name for name, search in searches.items() if slow(search, unit)] == []


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
def test_every_search_is_linear(search: Callable[[str], object]) -> None:
    search("1")  # loads its lists
    assert [name for name, unit in RUNS.items() if slow(search, unit)] == []


@pytest.mark.parametrize("lang", ["th", "vi"])
def test_every_score_is_linear(lang: str) -> None:
    scorers = all_scorers()

    def scores(text: str) -> None:
        list(score([pipeline.make_pair(f"a {text}", text, lang)], scorers, Context()))

    scores("1")
    assert [name for name, unit in (RUNS | LISTS).items() if slow(scores, unit, SCORED_LENGTH)] == []
