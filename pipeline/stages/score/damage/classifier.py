"""How likely it is that a pair was damaged, from many weak signs.

For each kind of damage a sum of small decision trees (gradient boosting, Friedman 2001) tells it from good pairs; see
`features` for what it reads and `scripts/train_damage.py` for how the trees were grown. Several signs
that mean little alone - a text somewhat short, no final mark, a number that is missing - are a strong one together;
thresholds on each would have to be so wide that nothing is caught (compare Zipporah, Xu and Koehn 2017, D17-1319, and
bicleaner, Sánchez-Cartagena et al. 2018, W18-6488).
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import orjson
from numpy.typing import NDArray

from pipeline.stages.score.base import Context
from pipeline.types import Pair

if TYPE_CHECKING:
    from pipeline.engines.encoders.base import Encoder
    from pipeline.engines.forced.decoder import Reading
    from pipeline.stages.score.damage.features import Signs
    from pipeline.stages.score.damage.forced import Readings

_TREES = Path(__file__).with_name("damage.json.gz")
KINDS = ("unrelated", "omission", "addition", "name_error")


@dataclass(frozen=True, slots=True)
class Trees:
    """Log-odds of one kind of damage: `bias` and the sum of what each tree says.

    The nodes of all trees in one row, each tree in pre-order from its place in `roots`. A node compares the sign of
    column `sign` with `number`: the next node if it is not larger, else the one `skip` further. A leaf has `sign` -1,
    and its log-odds are `number`.
    """

    bias: float
    roots: NDArray[np.int64]
    sign: NDArray[np.int64]
    number: NDArray[np.float64]
    skip: NDArray[np.int64]

    def log_odds(self, signs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of each row (n, d) of signs."""
        at = np.tile(self.roots, (len(signs), 1))
        rows = np.arange(len(signs))[:, None]
        while np.any(inner := self.sign[at] >= 0):
            further = np.where(signs[rows, self.sign[at]] > self.number[at], self.skip[at], 1)
            at = np.where(inner, at + further, at)
        odds: NDArray[np.float64] = self.bias + self.number[at].sum(axis=1)
        return odds


@dataclass(frozen=True, slots=True)
class Model:
    """The trees of each kind of damage, and the signs that their columns are."""

    signs: tuple[str, ...]
    kinds: dict[str, Trees]


def trees_of(data: dict[str, Any]) -> Trees:
    """From the lists that `scripts/train_damage.py` writes."""
    roots, sign, skip = (np.array(data[name], np.int64) for name in ("roots", "sign", "skip"))
    return Trees(data["bias"], roots, sign, np.array(data["number"], np.float64), skip)


def table_of(signs: Sequence[Signs], names: Sequence[str]) -> NDArray[np.float64]:
    """Rows (n, d) of the named signs, to 6 decimals: the last bits of a float, which differ between machines, must not
    decide."""
    return np.round(np.array([[one[name] for name in names] for one in signs]), 6)


@cache
def _data() -> Any:
    return orjson.loads(gzip.decompress(_TREES.read_bytes()))


@cache
def _models() -> dict[str, Model]:
    """By language, with ` vectors` after it where sentence vectors are to be had, and ` reading` where a language model
    has read the pair."""
    return {
        name: Model(tuple(one["signs"]), {kind: trees_of(trees) for kind, trees in one["kinds"].items()})
        for name, one in _data()["models"].items()
    }


class Signals:
    """The signs of the last batch, which all damage scorers of a run share."""

    def __init__(self, encoder: Encoder | None, readings: Readings) -> None:
        # Cosines of another encoder and probabilities of another model are on another scale.
        self.encoder = encoder if encoder and encoder.name == _data()["encoder"] else None
        self.readings = readings if readings.reader and readings.reader.name == _data()["reader"] else None
        self._pairs: Sequence[Pair] = ()
        self._signs: list[Signs] = []

    def of(self, pairs: Sequence[Pair]) -> list[Signs]:
        """The signs of each pair."""
        from pipeline.stages.score.damage.features import signs_of
        from pipeline.stages.score.damage.forced import reading_signs

        if pairs is not self._pairs:
            self._signs = signs_of(pairs, self.encoder)
            for pair, signs, reading in zip(pairs, self._signs, self._readings_of(pairs), strict=True):
                if reading is not None:
                    signs |= reading_signs(pair, reading)
            self._pairs = pairs
        return self._signs

    def _readings_of(self, pairs: Sequence[Pair]) -> Sequence[Reading | None]:
        return self.readings.of(pairs) if self.readings else [None] * len(pairs)


class Damage:
    """How likely one kind of damage is, 0 to 1; at .5 one good pair in 1,000 is taken for damaged.

    Of omissions, the commonest damage, it is one in 500; where a language model has read the pair, up to six in 1,000.

    `unrelated`: the English belongs to another sentence; `omission`: a third of it is gone; `addition`: a third of the
    source is gone; `name_error`: a name is another. None where a side is empty.
    """

    version: ClassVar[int] = 5

    def __init__(self, kind: str, signals: Signals) -> None:
        self.name = kind
        self.signals = signals

    @property
    def signature(self) -> str:
        encoder = self.signals.encoder
        used = f"{encoder.name}|weights:{encoder.fingerprint}" if encoder else "none"
        read = self.signals.readings.used if self.signals.readings else "none"
        return f"model:trees|encoder:{used}|reader:{read}|lexicon:shipped|version:{self.version}"

    def score(self, pairs: Sequence[Pair], context: Context) -> list[float | None]:
        found: list[float | None] = [None] * len(pairs)
        signs = self.signals.of(pairs)
        rows: dict[str, list[int]] = {}
        for i, pair in enumerate(pairs):
            if pair.src_text.strip() and pair.tgt_text.strip():
                rows.setdefault(self._model_name(pair, signs[i]), []).append(i)
        for name, places in rows.items():
            if model := _models().get(name):
                odds = model.kinds[self.name].log_odds(table_of([signs[i] for i in places], model.signs))
                for i, probability in zip(places, 1 / (1 + np.exp(-odds)), strict=True):
                    found[i] = float(probability)
        return found

    def _model_name(self, pair: Pair, signs: Signs) -> str:
        name = pair.src_lang + " vectors" * ("cosine" in signs)
        read = _models().get(f"{name} reading") if "read_word_gain" in signs else None
        # A reading is no sign of every kind of damage.
        return f"{name} reading" if read and self.name in read.kinds else name
