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

from pipeline.stages.score.base import Columns, Context, is_whole
from pipeline.stages.score.damage.coverage import Signs
from pipeline.stages.score.damage.features import signs_of
from pipeline.stages.score.damage.forced import Readings, reading_signs
from pipeline.stages.score.damage.habits import without_habits
from pipeline.stages.score.pair_facts import PairFacts
from pipeline.types import Pair

if TYPE_CHECKING:
    from pipeline.engines.encoders.base import Encoder

_TREES = Path(__file__).with_name("damage.json.gz")
KINDS = ("unrelated", "omission", "addition", "name_error")
READ = " reading"
"""What the names of models end with that read pairs ask for."""


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
        at = np.tile(self.roots, len(signs))
        first = np.repeat(np.arange(len(signs)) * signs.shape[1], len(self.roots))
        values, walking = signs.ravel(), np.arange(len(at))
        while len(walking := walking[self.sign[at[walking]] >= 0]):
            node = at[walking]
            further = values[first[walking] + self.sign[node]] > self.number[node]
            at[walking] = node + np.where(further, self.skip[node], 1)
        odds: NDArray[np.float64] = self.bias + self.number[at].reshape(len(signs), len(self.roots)).sum(axis=1)
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


class Damage:
    """How likely each kind of damage is, 0 to 1; over the limits of `balanced` lies one good pair in 400 to 1,500.

    Where a language model has read the pair, up to six in 1,000 lie over .5.

    `unrelated`: the English belongs to another sentence; `omission`: a third of it is gone; `addition`: a third of the
    source is gone; `name_error`: a name is another. None where a side is empty. Final marks and capitals that the pairs
    scored together lack by habit (`habits`) are no sign.
    """

    version: ClassVar[int] = 10

    def __init__(self, encoder: Encoder | None, readings: Readings) -> None:
        # Cosines of another encoder and probabilities of another model are on another scale.
        self.encoder = encoder if encoder and encoder.name == _data()["encoder"] else None
        self.readings = readings if readings.reader and readings.reader.name == _data()["reader"] else None

    @property
    def signatures(self) -> dict[str, str]:
        """Of each kind of damage; the encoder and the reader are in it, where they are used."""
        used = f"{self.encoder.name}|weights:{self.encoder.fingerprint}" if self.encoder else "none"
        read = self.readings.used if self.readings else "none"
        signature = f"model:trees|encoder:{used}|reader:{read}|lexicon:shipped|version:{self.version}"
        return dict.fromkeys(KINDS, signature)

    def score(self, facts: Sequence[PairFacts], context: Context) -> Columns:
        """A column for each kind. Raises EngineError when the encoder or the reader fails."""
        columns: Columns = {kind: [None] * len(facts) for kind in KINDS}
        groups: dict[str, list[tuple[int, Signs]]] = {}
        for i, (pair_facts, pair_signs) in enumerate(zip(facts, self._signs(facts), strict=True)):
            if is_whole(pair_facts.pair):
                groups.setdefault(_signs_name(pair_facts.pair, pair_signs), []).append((i, pair_signs))
        for name, group in groups.items():
            for kind, odds in _odds(name, [pair_signs for _, pair_signs in group]).items():
                for (i, _), probability in zip(group, (1 / (1 + np.exp(-odds))).tolist(), strict=True):
                    columns[kind][i] = probability
        return columns

    def _signs(self, facts: Sequence[PairFacts]) -> list[Signs]:
        """The signs of each pair, those of its reading among them where it was read."""
        signs = without_habits(facts, signs_of(facts, self.encoder))
        if self.readings:
            for pair_facts, pair_signs, reading in zip(facts, signs, self.readings.of(facts), strict=True):
                if reading is not None:
                    pair_signs |= reading_signs(pair_facts.pair, reading)
        return signs


def _signs_name(pair: Pair, signs: Signs) -> str:
    """Which signs there are, as `_models` names them."""
    return pair.src_lang + " vectors" * ("cosine" in signs) + READ * ("read_word_gain" in signs)


def _odds(name: str, signs: Sequence[Signs]) -> dict[str, NDArray[np.float64]]:
    """The log-odds (n,) of each kind of damage that the trees for these signs tell."""
    odds: dict[str, NDArray[np.float64]] = {}
    # A reading is no sign of every kind of damage; of the others the trees without it tell.
    for model in filter(None, map(_models().get, dict.fromkeys([name, name.removesuffix(READ)]))):
        table = table_of(signs, model.signs)
        odds |= {kind: trees.log_odds(table) for kind, trees in model.kinds.items() if kind not in odds}
    return odds
