"""Parts of speech of Thai words, as PyThaiNLP's averaged perceptron (Collins 2002, W02-1001) for ORCHID tells them.

The weights and the answers are PyThaiNLP's; only the sums are made in another way. All weights are whole thousandths,
so they are kept as whole numbers, a row of all tags for each feature: the sums of such rows are exact in whatever order
they are made, and what does not depend on the tags before a word is summed for all words at once. Where two tags have
the same sum, PyThaiNLP's own sum of floats decides, as it would have done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray
from pythainlp.tag import PerceptronTagger, orchid
from pythainlp.tag.perceptron import _ORCHID_PATH

Tagged = list[tuple[str, str]]
_Row = NDArray[np.int32]

SCALE = 1000
"""What makes a whole number of every weight."""
TOGETHER = 1 << 10
"""Words whose rows are held at once, so that a long line needs no more memory than a short one."""
KEPT = 1 << 14
"""Words whose features are remembered: most words of a batch are met again."""


def universal_tags(words: list[str]) -> Tagged:
    """Each word with its part of speech in the names of Universal Dependencies, as by `pos_tag` of PyThaiNLP with the
    corpus orchid_ud."""
    if not words:
        return []
    tagged: Tagged = orchid.post_process(_tagger().tag(orchid.pre_process(words)), to_ud=True)
    return tagged


@cache
def _tagger() -> OrchidTagger:
    return OrchidTagger()


class OrchidTagger(PerceptronTagger):
    """PyThaiNLP's tagger for ORCHID, some ten times as fast, with the same answers."""

    def __init__(self) -> None:
        super().__init__(_ORCHID_PATH)
        self._labels: list[str] = sorted(self.model.classes)
        column = {label: i for i, label in enumerate(self._labels)}
        weights = self.model.weights
        # Row 0 is for the features that the model does not have.
        self._rows = np.zeros((1 + len(weights), len(column)), np.int32)
        self._row_of: dict[str, int] = {name: row for row, name in enumerate(weights, 1)}
        filled = [row for row, named in enumerate(weights.values(), 1) for _ in named]
        columns = [column[label] for named in weights.values() for label in named]
        values = [weight for named in weights.values() for weight in named.values()]
        self._rows[filled, columns] = np.rint(np.array(values) * SCALE)
        self._of_tags: dict[tuple[str, str], _Row] = {}
        self._features = lru_cache(KEPT)(self._rows_of)

    def tag(self, tokens: Iterable[str]) -> Tagged:
        """Each word with its tag; one that is not known gets the tag with the largest sum, from left to right."""
        words = list(tokens)
        context = [*self.START, *map(self._normalize, words), *self.END]
        known = list(map(self.tagdict.get, words))
        sums = self._without_tags(words, context, [i for i, tag in enumerate(known) if not tag])
        before2, before = reversed(self.START)
        found: Tagged = []
        for i, (word, tag) in enumerate(zip(words, known, strict=True)):
            if not tag:
                row = self._row_of.get(f"i-1 tag+i word {before} {context[i + len(self.START)]}", 0)
                total = (next(sums) + self._tags(before, before2) + self._rows[row]).tolist()
                most = max(total)
                if total.count(most) == 1:
                    tag = self._labels[total.index(most)]
                else:
                    tag = self.model.predict(self._get_features(i, word, context, before, before2))
            found.append((word, tag))
            before2, before = before, tag
        return found

    def _without_tags(self, words: Sequence[str], context: Sequence[str], asked: Sequence[int]) -> Iterator[_Row]:
        """For each of the words `asked` for the sum (tags,) of its features that no tag is part of."""
        for first in range(0, len(asked), TOGETHER):
            rows = []
            for i in asked[first : first + TOGETHER]:
                far, near, own, after, beyond = map(self._features, context[i : i + 5])
                start = self._features(words[i])
                rows.append((*start[:2], own[2], *near[3:5], far[5], *after[6:8], beyond[8]))
            yield from self._rows[rows].sum(axis=1, dtype=np.int32)

    def _rows_of(self, word: str) -> tuple[int, ...]:
        """The rows of a word's features as the word itself (3), as the one before (2), before that (1), after (2) and
        after that (1)."""
        end = word[-3:]
        names = (
            f"i suffix {end}", f"i pref1 {word[0]}", f"i word {word}", f"i-1 word {word}", f"i-1 suffix {end}",
            f"i-2 word {word}", f"i+1 word {word}", f"i+1 suffix {end}", f"i+2 word {word}",
        )  # fmt: skip
        return tuple(self._row_of.get(name, 0) for name in names)

    def _tags(self, before: str, before2: str) -> _Row:
        """The sum (tags,) of what the two tags before a word say, and of what is always said."""
        key = before, before2
        if key not in self._of_tags:
            names = ("bias", f"i-1 tag {before}", f"i-2 tag {before2}", f"i tag+i-2 tag {before} {before2}")
            self._of_tags[key] = self._rows[[self._row_of.get(name, 0) for name in names]].sum(axis=0, dtype=np.int32)
        return self._of_tags[key]
