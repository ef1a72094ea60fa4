"""Find the weights of `pipeline.scorers.damage` from good pairs and the same pairs made bad.

    python scripts/train_damage.py CASES.jsonl PAIRS.tsv --out pipeline/scorers/data/damage.yaml

Takes what `mekong bench filter` takes. For each language and kind one logistic regression (L2, damaged and good pairs
weighing the same) over standardised signs. Its bias is then moved so that .5 is exceeded by one good pair in 1,000 (of
omission, the commonest damage, in 500), as five folds over documents say, in which no document is in training and test
at once; pairs without a document are one fold. The shares of damage over .5 in these folds are printed.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from pipeline import models
from pipeline.aligners.load import load_encoder
from pipeline.bench.filtering import Remembering, as_pair, read_pairs
from pipeline.bench.injection import Good, inject
from pipeline.config import AlignSettings
from pipeline.scorers.signs import signs_of

Rows = NDArray[np.float64]

KINDS = {
    "unrelated": (("shuffled",), ("neighbour",)),
    "omission": (("truncated", "English end"), ("truncated", "English front")),
    "addition": (("truncated", "source end"), ("truncated", "source front")),
    "name_error": (("name swapped",),),
}
"""By kind of the model the kinds and variants of damage that it is to find."""
FOLDS = 5
PENALTY = 3.0
GOOD_OVER_HALF = {"unrelated": 0.001, "omission": 0.002, "addition": 0.001, "name_error": 0.001}
BATCH = 256
VECTORS = ("cosine", "cosine2", "without_", "source_front_cosine", "source_end_cosine", "target_front_cosine")
VECTORS += ("target_end_cosine",)


@dataclass(frozen=True)
class Table:
    """Signs of good and damaged pairs (n, d), what was done to each, and its document's fold."""

    names: list[str]
    signs: Rows
    done: list[tuple[str, ...]]
    folds: NDArray[np.int64]

    def rows(self, kind: str) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """The good rows, and those with damage of the kind."""
        good = np.array([done == ("gold",) for done in self.done])
        bad = np.array([any(done[: len(key)] == key for key in KINDS[kind]) for done in self.done])
        return good, bad


def table(pairs: list[Good], encoder: Remembering | None) -> Table:
    """The signs of the pairs and of all damage that a model is for."""
    wanted = tuple(key for keys in KINDS.values() for key in keys)
    made = [(("gold",), i, good.src_text, good.tgt_text) for i, good in enumerate(pairs)]
    for bad in inject(pairs):
        done = (bad.kind, bad.variant)
        if any(done[: len(key)] == key for key in wanted):
            made.append((done, bad.place, bad.src_text, bad.tgt_text))
    judged = [as_pair(str(i), pairs[i].src_lang, source, target) for _, i, source, target in made]
    signs = [one for at in range(0, len(judged), BATCH) for one in signs_of(judged[at : at + BATCH], encoder)]
    names = sorted(signs[0])
    documents = {name: i % FOLDS for i, name in enumerate(dict.fromkeys(pair.document for pair in pairs))}
    folds = np.array([documents[pairs[i].document] for _, i, _, _ in made])
    return Table(names, np.array([[one[name] for name in names] for one in signs]), [done for done, *_ in made], folds)


def fit(signs: Rows, bad: NDArray[np.bool_]) -> Rows:
    """Weights (d + 1) of the plain signs, the bias last, by Newton's method."""
    mean, spread = signs.mean(axis=0), signs.std(axis=0) + 1e-9
    rows = np.c_[(signs - mean) / spread, np.ones(len(signs))]
    weight = np.where(bad, 0.5 / bad.sum(), 0.5 / (~bad).sum()) * len(bad)
    penalty = np.diag([PENALTY] * signs.shape[1] + [1e-6])
    found = np.zeros(rows.shape[1])
    for _ in range(50):
        likely = 1 / (1 + np.exp(-rows @ found))
        slope = rows.T @ (weight * (bad - likely)) - penalty @ found
        step = np.linalg.solve((rows * (weight * likely * (1 - likely))[:, None]).T @ rows + penalty, slope)
        found += step
        if np.abs(step).max() < 1e-8:
            break
    plain = found[:-1] / spread
    return np.append(plain, found[-1] - plain @ mean)


def model(data: Table, kind: str, columns: list[int]) -> tuple[dict[str, object], str]:
    """The model of a kind from all rows, and what the folds say of it."""
    good, bad = data.rows(kind)
    use = good | bad
    signs = data.signs[:, columns]
    held_out = np.zeros(len(signs))
    for fold in range(FOLDS):
        inside = use & (data.folds != fold)
        weights = fit(signs[inside], bad[inside])
        here = data.folds == fold
        held_out[here] = signs[here] @ weights[:-1] + weights[-1]
    limit = float(np.quantile(held_out[good], 1 - GOOD_OVER_HALF[kind]))
    weights = fit(signs[use], bad[use])
    listed = {data.names[column]: round(float(weights[i]), 3) for i, column in enumerate(columns)}
    note = f"{kind}: {np.mean(held_out[bad] > limit):.3f} of the damage over .5"
    return {"bias": round(float(weights[-1]) - limit, 3), "weights": listed}, note


def main() -> None:
    """Read pairs, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="+", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    pairs = [pair for path in arguments.cases for pair in read_pairs(path)]
    encoder = Remembering(load_encoder(models.entry(AlignSettings().encoder)))
    found: dict[str, dict[str, object]] = {}
    for lang in sorted({pair.src_lang for pair in pairs}):
        data = table([pair for pair in pairs if pair.src_lang == lang], encoder)
        every = list(range(len(data.names)))
        plain = [i for i in every if not data.names[i].startswith(VECTORS)]
        for name, columns in {lang: plain, f"{lang} vectors": every}.items():
            if name == lang or len(plain) < len(every):
                fitted = {kind: model(data, kind, columns) for kind in KINDS}
                found[name] = {kind: one for kind, (one, _) in fitted.items()}
                print(f"{name}:", "; ".join(note for _, note in fitted.values()))
    head = "# Weights of pipeline/scorers/damage.py, made by scripts/train_damage.py; see docs/scoring.md.\n"
    arguments.out.write_text(
        head + yaml.safe_dump({"encoder": encoder.name, "models": found}, sort_keys=False), "utf-8"
    )


if __name__ == "__main__":
    main()
