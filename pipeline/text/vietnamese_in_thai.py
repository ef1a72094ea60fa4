"""Vietnamese names in Thai letters: which syllables a Thai spelling may stand for, the likeliest first.

A Vietnamese name has few syllables, from a closed inventory; Thai papers write each in several ways
(`data/vietnamese_in_thai.yaml`): มินห์, มิญ and มิง are Minh. Every way is written down beforehand; a spelling is then
cut into known ones at the least cost, where a way costs the more the rarer it is, and a syllable the more the rarer it
is in names (a noisy channel, Knight and Graehl 1998, with costs set by hand).
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pipeline.files.plain_yaml import load_yaml
from pipeline.text.data import values
from pipeline.text.vietnamese import is_syllable

_WAYS = Path(__file__).parent / "data" / "vietnamese_in_thai.yaml"
LATER = 0.6
"""What a way costs more than the one before it in its list; set by hand, as the constants below."""
UNSEEN = 0.2
"""Names that a syllable counts for that no name of the list has."""
MOST = 5
"""Syllables of the longest name."""
KEPT = 8
"""Readings of the first letters that are carried on."""
_SILENT = re.compile(r"[^ห][ิุ]?์")
_UNWRITTEN = re.compile("[็่-๋]")

Reading = tuple[float, tuple[str, ...]]


def readings(thai: str) -> list[str]:
    """Names, in English spelling (Nguyen Xuan Thang), that `thai` may stand for; none where it is no Vietnamese name.

    Spaces are between syllables, but not between all of them: เหงียน ซวน ถัง, เหงวียนซวนถัง.
    """
    found: list[Reading] = [(0.0, ())]
    for part in thai.split():
        ways = _read(sounded(part))
        found = [(cost + more, (*before, *syllables)) for cost, before in found for more, syllables in ways]
        found = sorted(reading for reading in found if len(reading[1]) <= MOST)[:KEPT]
    names = (" ".join(syllable.capitalize() for syllable in syllables) for _, syllables in found if syllables)
    return list(dict.fromkeys(names))


def sounded(thai: str) -> str:
    """Without what tells tones and lengths and without silenced letters; letters that sound alike are one."""
    return _UNWRITTEN.sub("", _SILENT.sub("", thai)).translate(_same())


def _read(part: str) -> list[Reading]:
    """The cheapest readings of `part`, all of it."""
    known, longest = _spellings()
    best: list[list[Reading]] = [[(0.0, ())], *([] for _ in part)]
    for start in range(len(part)):
        for end in range(start + 1, min(len(part), start + longest) + 1):
            ways = known.get(part[start:end], {})
            best[end] += [
                (cost + more, (*before, syllable)) for cost, before in best[start] for syllable, more in ways.items()
            ]
        best[start + 1] = sorted(best[start + 1])[:KEPT]
    return best[-1]


@cache
def _ways() -> Any:
    return load_yaml(_WAYS)


@cache
def _same() -> dict[int, str]:
    return str.maketrans(_ways()["same"])


@cache
def _spellings() -> tuple[Mapping[str, Mapping[str, float]], int]:
    """For every Thai spelling the syllables that it may stand for with their costs, and the longest spelling."""
    names = values("vietnamese_name_syllables.txt")
    total = sum(names.values())
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for onset, written in _ways()["onsets"].items():
        for rime, templates, final, ends in _rimes():
            syllable = onset + rime + final
            if not is_syllable(syllable):
                continue
            rare = -math.log((names.get(syllable, 0) + UNSEEN) / total)
            for i, begin in enumerate(written):
                for j, template in enumerate(templates):
                    for k, end in enumerate(ends):
                        thai = template.replace("C", begin).replace("F", end)
                        cost = rare + LATER * (i + j + k)
                        found[thai][syllable] = min(cost, found[thai].get(syllable, math.inf))
    return found, max(map(len, found))


def _rimes() -> Iterator[tuple[str, list[str], str, list[str]]]:
    """Vowels with their templates, and what may end a syllable after them, with how that is written."""
    ways = _ways()
    for rime, templates in ways["open"].items():
        yield rime, templates, "", [""]
    for rime, templates in ways["closed"].items():
        for final, ends in ways["finals"].items():
            if rime + final not in ways["open"]:
                yield rime, templates, final, ends
