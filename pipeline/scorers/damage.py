"""How likely it is that a pair was damaged, from many weak signs.

For each kind of damage a logistic regression tells it from good pairs; see `pipeline.scorers.signs` for what it reads
and `scripts/train_damage.py` for how its weights were found. Several signs that mean little alone - a text somewhat
short, no final mark, a number that is missing - are a strong one together; thresholds on each would have to be so wide
that nothing is caught (compare Zipporah, Xu and Koehn 2017, D17-1319, and bicleaner, Sánchez-Cartagena et al. 2018,
W18-6488).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pipeline.config import load_yaml
from pipeline.scorers.base import Context
from pipeline.types import Pair

if TYPE_CHECKING:
    from pipeline.aligners.encoders import Encoder
    from pipeline.scorers.signs import Signs

_WEIGHTS = Path(__file__).parent / "data" / "damage.yaml"
KINDS = ("unrelated", "omission", "addition", "name_error")


@dataclass(frozen=True, slots=True)
class Model:
    """Log-odds of one kind of damage: `bias` and the sum of weights times signs."""

    bias: float
    weights: Mapping[str, float]

    def probability(self, signs: Signs) -> float:
        """0 to 1."""
        odds = self.bias + sum(weight * signs[name] for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, odds))))


@cache
def _data() -> Any:
    return load_yaml(_WEIGHTS)


@cache
def _models() -> dict[str, dict[str, Model]]:
    """By language, and ` vectors` after it where sentence vectors are to be had; then by kind."""
    return {
        name: {kind: Model(one["bias"], one["weights"]) for kind, one in kinds.items()}
        for name, kinds in _data()["models"].items()
    }


class Signals:
    """The signs of the last batch, which all damage scorers of a run share."""

    def __init__(self, encoder: Encoder | None) -> None:
        # Cosines of another encoder are on another scale.
        self.encoder = encoder if encoder and encoder.name == _data()["encoder"] else None
        self._pairs: Sequence[Pair] = ()
        self._signs: list[Signs] = []

    def of(self, pairs: Sequence[Pair]) -> list[Signs]:
        """The signs of each pair."""
        from pipeline.scorers.signs import signs_of

        if pairs is not self._pairs:
            self._signs = signs_of(pairs, self.encoder)
            self._pairs = pairs
        return self._signs


class Damage:
    """How likely one kind of damage is, 0 to 1; at .5 one good pair in 1,000 is taken for damaged.

    Of omissions, the commonest damage, it is one in 500.

    `unrelated`: the English belongs to another sentence; `omission`: a third of it is gone; `addition`: a third of the
    source is gone; `name_error`: a name is another. None where a side is empty.
    """

    version: ClassVar[int] = 1

    def __init__(self, kind: str, signals: Signals) -> None:
        self.name = kind
        self.signals = signals

    @property
    def signature(self) -> str:
        encoder = self.signals.encoder
        used = f"{encoder.name}|weights:{encoder.fingerprint}" if encoder else "none"
        return f"model:logistic|encoder:{used}|lexicon:shipped|version:{self.version}"

    def score(self, pairs: Sequence[Pair], context: Context) -> list[float | None]:
        return [self._one(pair, signs) for pair, signs in zip(pairs, self.signals.of(pairs), strict=True)]

    def _one(self, pair: Pair, signs: Signs) -> float | None:
        if not pair.src_text.strip() or not pair.tgt_text.strip():
            return None
        models = _models()
        model = models.get(f"{pair.src_lang} vectors") if "cosine" in signs else models.get(pair.src_lang)
        return model[self.name].probability(signs) if model else None
