"""Whether a name in Latin letters stands in a Thai text in Thai letters.

The name is aligned, letter by letter and gaps allowed, with the stretch of the text that suits it best (local in the
text, global in the name; Smith and Waterman 1981). Letters are compared by log-odds: how much more often the two stand
for each other in known transliterations than they meet by chance. They come from a stochastic transducer whose
probabilities were found by expectation maximisation (Ristad and Yianilos 1998), see `scripts/train_transliteration.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.files.plain_yaml import load_yaml
from pipeline.text.data import entries
from pipeline.text.patterns import either

_TABLE = Path(__file__).parent / "data" / "transliteration_th.yaml"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
_SPOKEN = dict(zip(LETTERS, entries("thai_letter_names.txt"), strict=True))
"""What the letters are called in Thai, for CNN as ซีเอ็นเอ็น."""
_LETTER_OF = {called: letter for letter, called in _SPOKEN.items()}
_CALLED = either(_LETTER_OF)
SPOKEN_ACRONYM = re.compile(rf"(?:{_CALLED}){{2,6}}(?![\u0e30-\u0e3a\u0e45\u0e47-\u0e4e])")
"""Two to six letters by their Thai names."""


@dataclass(frozen=True, slots=True)
class LetterTable:
    """Log-odds: `pairs` (26, n) of a Latin with a Thai letter, `silent` (26,) of a Latin letter without a Thai one,
    `added` (n,) of a Thai letter without a Latin one. `places` are the columns of the Thai letters."""

    pairs: NDArray[np.float64]
    silent: NDArray[np.float64]
    added: NDArray[np.float64]
    places: dict[str, int]


@cache
def table() -> LetterTable:
    """The shipped table."""
    data = load_yaml(_TABLE)
    pairs = np.array([data["pairs"][letter] for letter in LETTERS])
    silent = np.array([data["silent"][letter] for letter in LETTERS])
    return LetterTable(pairs, silent, np.array(data["added"]), {char: i for i, char in enumerate(data["thai"])})


BARRIER = -1e6
"""What it costs to go from one stretch to the next: more than any name earns."""


def log_odds(name: str, text: str) -> float:
    """Log-odds of the best stretch of `text` against chance; 0 for a text without Thai letters, less for a poor match.

    `name` are letters from a to z. A transliteration earns about two a letter, chance some five in a whole sentence.
    """
    return stretch_log_odds(name, [text])[0]


def stretch_log_odds(name: str, stretches: Sequence[str]) -> list[float]:
    """The same of each of several texts."""
    known = table()
    columns: list[int] = []
    added = [0.0]
    spans: list[tuple[int, int]] = []
    for stretch in stretches:
        places = [known.places[char] for char in stretch if char in known.places]
        if columns or spans:
            columns.append(-1)
            added.append(BARRIER)
        spans.append((len(columns), len(columns) + len(places)))
        columns += places
        added += known.added[places].tolist()
    if not columns:
        return [0.0] * len(stretches)
    odds = known.pairs[:, columns]
    odds[:, np.array(columns) < 0] = BARRIER
    sums = np.cumsum(added)
    row = np.zeros(len(sums))
    for letter in name:
        place = ord(letter) - ord("a")
        reached = row + known.silent[place]
        np.maximum(reached[1:], row[:-1] + odds[place], out=reached[1:])
        # The best over all numbers of Thai letters skipped before each place.
        row = np.maximum.accumulate(reached - sums) + sums
    return [float(row[start : end + 1].max()) if end > start else 0.0 for start, end in spans]


def spoken(acronym: str) -> str:
    """The names of the letters in Thai: CNN is ซีเอ็นเอ็น."""
    return "".join(_SPOKEN[letter] for letter in acronym.lower())


def unspoken(acronym: str) -> str:
    """The letters, small, of a match of SPOKEN_ACRONYM."""
    return "".join(_LETTER_OF[called] for called in re.findall(_CALLED, acronym))
