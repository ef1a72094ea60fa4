"""Learn how Latin letters stand for Thai ones, for `pipeline.text.transliteration`.

    python scripts/train_transliteration.py --out pipeline/text/data/transliteration_th.yaml

From the names of the glossary, CLDR and pythainlp's transliteration dictionary: expectation maximisation for a
stochastic transducer without memory (Ristad and Yianilos 1998, Learning string-edit distance), whose operations are a
pair of letters, a Latin letter alone and a Thai letter alone. Entries that are translated rather than transliterated
are dropped on the way.
"""

from __future__ import annotations

import argparse
import re
from math import log
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.translate.glossary import shipped_entries, transliterations
from pipeline.text.transliteration import LETTERS
from pipeline.text.unicode import fold

Rows = NDArray[np.float64]

ITERATIONS = 8
SIFTED_AFTER = (3, 5)
LEAST = 0.3
"""Log-odds a letter under which an entry is no transliteration."""
SMOOTHING = 0.3
FLOOR = -9.0


def entries() -> list[tuple[str, str]]:
    """Names in Latin and in Thai letters, of like length."""
    found = set()
    for entry in [*transliterations("th"), *(entry for entry in shipped_entries("th") if entry.is_name)]:
        latin, thai = re.sub(r"[^a-z]", "", fold(entry.english)), re.sub(r"[^\u0e01-\u0e4e]", "", entry.term)
        if 3 <= len(latin) <= 16 and 3 <= len(thai) <= 20 and 0.5 < len(thai) / len(latin) < 2:
            found.add((latin, thai))
    return sorted(found)


def lattice(pairs: Rows, silent: Rows, added: Rows) -> Rows:
    """Summed probability of all ways from the start to each place, shape (n + 1, m + 1)."""
    found = np.zeros((len(silent) + 1, len(added) + 1))
    found[0, 0] = 1.0
    for i in range(len(silent) + 1):
        for j in range(len(added) + 1):
            if i:
                found[i, j] += found[i - 1, j] * silent[i - 1]
            if j:
                found[i, j] += found[i, j - 1] * added[j - 1]
            if i and j:
                found[i, j] += found[i - 1, j - 1] * pairs[i - 1, j - 1]
    return found


def main() -> None:
    """Learn and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    names = entries()
    thai = "".join(sorted({char for _, written in names for char in written}))
    table = learn(names, thai)
    latin_share, thai_share = table.sum(axis=1)[:-1], table.sum(axis=0)[:-1]
    shown = {
        "thai": thai,
        "pairs": np.log(table[:-1, :-1] / latin_share[:, None] / thai_share),
        "silent": np.log(table[:-1, -1] / latin_share),
        "added": np.log(table[-1, :-1] / thai_share),
    }
    arguments.out.write_text(written_as_yaml(shown), "utf-8")


def learn(names: list[tuple[str, str]], thai: str) -> Rows:
    """Joint probabilities, shape (27, n + 1); the last row and column stand for no letter."""
    size = (len(LETTERS) + 1, len(thai) + 1)
    table = np.full(size, 1 / (size[0] * size[1]))
    table[-1, -1] = 0
    for iteration in range(ITERATIONS):
        counts = np.full(size, SMOOTHING)
        odds = []
        for latin, written in names:
            ours, theirs = [LETTERS.index(c) for c in latin], [thai.index(c) for c in written]
            pairs, silent, added = table[np.ix_(ours, theirs)], table[ours, -1], table[-1, theirs]
            ahead = lattice(pairs, silent, added)
            behind = lattice(pairs[::-1, ::-1], silent[::-1], added[::-1])[::-1, ::-1]
            total = ahead[-1, -1]
            np.add.at(counts, np.ix_(ours, theirs), ahead[:-1, :-1] * pairs * behind[1:, 1:] / total)
            np.add.at(counts, (ours, -1), (ahead[:-1] * silent[:, None] * behind[1:]).sum(axis=1) / total)
            np.add.at(counts, (-1, theirs), (ahead[:, :-1] * added * behind[:, 1:]).sum(axis=0) / total)
            chance = np.log(table.sum(axis=1)[ours]).sum() + np.log(table.sum(axis=0)[theirs]).sum()
            odds.append((log(total) - float(chance)) / len(latin))
        counts[-1, -1] = 0
        table = counts / counts.sum()
        print(f"{iteration}: {len(names)} names, log-odds a letter {np.mean(odds):.2f}")
        if iteration in SIFTED_AFTER:
            names = [name for name, value in zip(names, odds, strict=True) if value > LEAST]
    return table


def written_as_yaml(shown: dict[str, object]) -> str:
    """The table with one decimal, a line a letter."""
    lines = [
        "# Log-odds of Latin letters with Thai ones, made by scripts/train_transliteration.py; see docs/scoring.md."
    ]
    lines += [f'thai: "{shown["thai"]}"', "pairs:"]
    lines += [f'  "{c}": {_list(row)}' for c, row in zip(LETTERS, np.asarray(shown["pairs"]), strict=True)]
    lines += ["silent:"]
    lines += [f'  "{c}": {max(FLOOR, x):.1f}' for c, x in zip(LETTERS, np.asarray(shown["silent"]), strict=True)]
    return "\n".join([*lines, f"added: {_list(np.asarray(shown['added']))}", ""])


def _list(row: Rows) -> str:
    return "[" + ", ".join(f"{max(FLOOR, x):.1f}" for x in row) + "]"


if __name__ == "__main__":
    main()
