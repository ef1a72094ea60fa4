"""Metrics that do not count how Vietnamese names are spelled: Việt Nam, Viet Nam and Vietnam are one name.

Which spelling is right is a question of house style; a reference has one and a good translation may have another. Both
sides are folded the same way and the score has a name and a signature of its own, beside the raw one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from pipeline.files.plain_yaml import load_yaml
from pipeline.metrics.base import Metric, add_to_signature
from pipeline.text.vietnamese import strip_marks

VERSION = 1
_TABLE = Path(__file__).with_name("place_names.yaml")


def fold_names(text: str) -> str:
    """`text` without marks on Latin letters (Tô Lâm: To Lam), and with the names of `data/place_names.yaml` joined
    (Viet Nam, Viet-Nam, VietNam: Vietnam). Everything else stays, capitals too (VIET NAM: VIETNAM).
    """
    names, pattern = _names()
    return pattern.sub(lambda match: _cased(names[_key(match[0])], match[0]), strip_marks(text))


class NamesFolded:
    """A metric over texts whose names are folded."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self.name = f"{metric.name} (names folded)"
        self.higher_better = metric.higher_better

    @property
    def signature(self) -> str:
        """See Metric."""
        return add_to_signature(self._metric.signature, {"names": f"folded-v{VERSION}"})

    def statistics(
        self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], sources: Sequence[str] | None
    ) -> NDArray[Any]:
        """See Metric; names are folded first."""
        return self.corrected(self._metric.statistics(hypotheses, references, sources), hypotheses, references)

    def corrected(
        self, plain: NDArray[Any], hypotheses: Sequence[str], references: Sequence[Sequence[str]]
    ) -> NDArray[Any]:
        """The same, given the statistics of the metric without folding: most segments have no name to fold."""
        ours = [fold_names(text) for text in hypotheses]
        theirs = [[fold_names(text) for text in stream] for stream in references]
        changed = [
            row
            for row, text in enumerate(ours)
            if text != hypotheses[row]
            or any(stream[row] != as_given[row] for stream, as_given in zip(theirs, references, strict=True))
        ]
        found = plain.copy()
        if changed:
            streams = [[stream[row] for row in changed] for stream in theirs]
            found[changed] = self._metric.statistics([ours[row] for row in changed], streams, None)
        return found

    def aggregate(self, sums: NDArray[Any]) -> Any:
        """See Metric."""
        return self._metric.aggregate(sums)


def _key(name: str) -> str:
    return re.sub(r"[\W_]", "", name).lower()


def _cased(name: str, found: str) -> str:
    return name.upper() if found.isupper() else name


@cache
def _names() -> tuple[dict[str, str], re.Pattern[str]]:
    """The joined name of each spelling (letters only, lower case), and a pattern of those with a capital."""
    names: dict[str, str] = {}
    patterns = []
    for joined, spellings in load_yaml(_TABLE)["names"].items():
        for spelling in [joined, *spellings]:
            names[_key(spelling)] = joined
            words = [f"[{word[0]}{word[0].lower()}]{word[1:]}" for word in spelling.split()]
            words[0] = spelling[0] + words[0][words[0].index("]") + 1 :]
            patterns += [r"[\s-]?".join(words), r"[\s-]?".join(spelling.upper().split())]
    return names, re.compile(rf"\b(?:{'|'.join(sorted(patterns, key=len, reverse=True))})\b")
