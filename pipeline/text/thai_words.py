"""The words of Thai text, by the dictionary that PyThaiNLP brings and words of our own.

The cut is maximal matching bounded by character clusters ("newmm"), here by nlpO3, PyThaiNLP's own implementation of it
in Rust, five times as fast. It cuts the Thai of 22,000 sentences (FLORES dev, NTREX, 20,000 others) in the same places
but for a full stop in 5; Latin words are words whatever sign stands before them, which newmm joins to them.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from functools import cache
from itertools import accumulate, count, pairwise
from pathlib import Path

import nlpo3

from pipeline.errors import EngineError
from pipeline.text.patterns import THAI

_NUMBERS = count()
_STRETCH = re.compile(rf"(?P<thai>[{THAI}][{THAI} .-]*)|[^{THAI}]+")
"""Thai with what stands inside words of the dictionary, and the rest, which the dictionary has no say in."""
_OTHER = re.compile(r"[A-Za-z-]+|[^\W\d_]+|\d+(?:[.,]\d+)*|[ \t]+|.", re.DOTALL)
"""Latin letters as newmm takes them, letters of other scripts, numbers, blanks, and each other character alone."""


_ONE_CLUSTER = re.compile("เ[ก-ฮ](?:[ก-ฮ]ี[่-๋]?ย(?=[ก-ฮเ-ไ]|$)|ี[่-๋]?ย[ก-ฮ]์)")
"""What PyThaiNLP takes for one cluster and nlpO3 does not: เหงียน (Nguyen), เตวียน (Tuyen), เคียร์. There is no other
difference over all pairs of consonants before 22 rimes."""


class ThaiCutter:
    """Cuts Thai text into words. One that is made stays in memory, some 50 MB, as long as the process."""

    def __init__(self, words: Iterable[str]) -> None:
        self._name = f"mekong {next(_NUMBERS)}"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "words.txt"
            path.write_text("\n".join(sorted(words)), encoding="utf-8")
            said, loaded = nlpo3.load_dict(str(path), self._name)
        if not loaded:
            raise EngineError(f"nlpO3 does not take the dictionary of Thai words: {said}. Install mekong anew.")

    def cut(self, text: str) -> list[str]:
        """The words, numbers, blanks and other characters of `text` in order; together they are `text`."""
        words: list[str] = []
        for match in _STRETCH.finditer(text):
            words += self._thai(match[0]) if match["thai"] else _OTHER.findall(match[0])
        return words

    def _thai(self, stretch: str) -> list[str]:
        words = nlpo3.segment(stretch, self._name)
        within = {place for cluster in _ONE_CLUSTER.finditer(stretch) for place in range(*cluster.span())[1:]}
        if not within:
            return words
        cuts = [0, *(end for end in accumulate(map(len, words)) if end not in within)]
        return [stretch[start:end] for start, end in pairwise(cuts)]


@cache
def dictionary() -> frozenset[str]:
    """PyThaiNLP's words."""
    from pythainlp.corpus import thai_words

    return frozenset(thai_words())


@cache
def thai_cutter(*more: str) -> ThaiCutter:
    """By PyThaiNLP's words and `more`."""
    return ThaiCutter({*dictionary(), *more})
