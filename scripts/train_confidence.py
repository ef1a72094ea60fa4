"""Fit the weights of `pipeline.stages.score.confidence` on translations that a person has judged.

    pip install scikit-learn
    mekong translate --lang th --model MODEL --json dev.th > dev.th.jsonl        # FLORES-200 dev, lines 1 to 250
    mekong translate --lang vi --model MODEL --json dev.vi > dev.vi.jsonl
    python scripts/train_confidence.py --verdicts scripts/data/judged_flores.tsv \\
        --test tests/data/judged_news.jsonl dev.th.jsonl dev.vi.jsonl

A verdict holds for the translation that was judged and for no other (its hash is in the list), so that translations of
a newer version have to be judged again where they differ; the number of those is printed. One logistic regression a
language, with ridge regularisation on standardised signs, is written to `fitted.json` in the form of the signs as they
are. Printed are the area under the ROC curve in ten folds, and, on the texts of --test, which are not fitted on, that
area and the reliability: the mean confidence of those between two limits, and the share of them that is right.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from pipeline.stages.score.confidence.scorer import FITTED, Odds
from pipeline.stages.score.confidence.signs import SIGNS, signs_of
from pipeline.types import Translation

RIDGE = 0.3
"""scikit-learn's C; from .1 to 1 nothing changes in two digits of the area under the curve."""
LIMITS = (0.0, 0.2, 0.4, 0.6, 0.7, 1.0)
DIGITS = 4
Rows = NDArray[np.float64]


def translations_of(row: dict[str, Any], model: str) -> list[Translation]:
    """The translations in a record of `mekong translate --json`, or of a list of judged translations."""
    return [
        Translation(
            "",
            part["text"],
            model,
            part["logprob"],
            0,
            part["out_tokens"],
            "stop",
            1,
            problems=tuple(part["problems"]),
            hints=tuple((term, english) for term, english in part["hints"]),
        )
        for part in row["segments"]
    ]


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a JSONL file."""
    yield from (orjson.loads(line) for line in path.read_bytes().split(b"\n") if line)


def verdicts_of(path: Path) -> dict[tuple[str, int, str], int]:
    """By language, line and hash of the translation whether it is right."""
    found = {}
    for line in path.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            lang, number, key, right = line.split("\t")
            found[lang, int(number), key] = int(right)
    return found


def area(right: NDArray[np.bool_], probability: Rows) -> float:
    """The area under the ROC curve: how often a right one has more than a wrong one."""
    more = probability[right][:, None] - probability[~right][None]
    return float((more > 0).mean() + (more == 0).mean() / 2)


def fit(signs: Rows, right: NDArray[np.bool_]) -> Odds:
    """A logistic regression over standardised signs (n, d), written for the signs as they are."""
    from sklearn.linear_model import LogisticRegression  # type: ignore[import-not-found]

    mean, spread = signs.mean(axis=0), signs.std(axis=0)
    fitted = LogisticRegression(C=RIDGE).fit((signs - mean) / spread, right)
    weights = fitted.coef_[0] / spread
    bias = float(fitted.intercept_[0] - (weights * mean).sum())
    rounded = {name: round(float(weight), DIGITS) for name, weight in zip(SIGNS, weights, strict=True)}
    return Odds(round(bias, DIGITS), rounded, len(right))


def in_folds(signs: Rows, right: NDArray[np.bool_], folds: int = 10) -> Rows:
    """The probability of each row by weights that were fitted without its fold."""
    found = np.zeros(len(right))
    for fold in range(folds):
        here = np.arange(len(right)) % folds == fold
        weights = fit(signs[~here], right[~here])
        found[here] = [weights.probability(row) for row in signs[here]]
    return found


def reliability(right: NDArray[np.bool_], probability: Rows) -> str:
    """A line for each band of probabilities that has any."""
    lines = []
    for low, high in pairwise(LIMITS):
        here = (probability >= low) & (probability < high)
        if here.any():
            means = f"confidence {probability[here].mean():.2f}, right {right[here].mean():.2f}"
            lines.append(f"    {low:.1f} to {high:.1f}: {here.sum():3d} translations, {means}")
    return "\n".join(lines)


def main() -> None:
    """Read, fit, test, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("translations", nargs="+", type=Path)
    parser.add_argument("--verdicts", type=Path, required=True)
    parser.add_argument("--test", type=Path)
    parser.add_argument("--out", type=Path, default=FITTED)
    arguments = parser.parse_args()
    if importlib.util.find_spec("sklearn") is None:
        parser.error("scikit-learn is not installed, which nothing but training needs: pip install scikit-learn")
    verdicts = verdicts_of(arguments.verdicts)
    rows: dict[tuple[str, str], list[tuple[tuple[float, ...], bool]]] = {}
    unjudged = 0
    for path in arguments.translations:
        for number, row in enumerate(lines_of(path), 1):
            model = row["segments"][0]["model"]
            key = row["lang"], number, hashlib.sha256(row["translation"].encode()).hexdigest()[:16]
            signs = signs_of(row["text"], translations_of(row, model))
            if key not in verdicts or signs is None:
                unjudged += 1
                continue
            rows.setdefault((model, row["lang"]), []).append((signs, bool(verdicts[key])))
    print(f"{unjudged} translations without a verdict")
    found: dict[str, dict[str, Odds]] = {}
    for (model, lang), judged in rows.items():
        table, right = np.array([one for one, _ in judged]), np.array([verdict for _, verdict in judged])
        found.setdefault(model, {})[lang] = fit(table, right)
        curve = area(right, in_folds(table, right))
        print(f"{model}, {lang}: {len(right)} judged, {right.mean():.2f} right, area {curve:.3f} in ten folds")
    if arguments.test:
        test(list(lines_of(arguments.test)), found)
    text = orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"
    arguments.out.write_bytes(text)


def test(rows: list[dict[str, Any]], found: dict[str, dict[str, Odds]]) -> None:
    """Print area and reliability on judged translations that nothing was fitted on."""
    for model, weights in found.items():
        for lang in weights:
            mine = [row for row in rows if (row["model"], row["lang"]) == (model, lang)]
            signs = [signs_of(row["source"], translations_of(row, model)) for row in mine]
            right = np.array([row["verdict"] == "right" for row in mine])
            probability = np.array([weights[lang].probability(one) if one else 0.0 for one in signs])
            print(f"  test, {lang}: {right.mean():.2f} of {len(right)} right, area {area(right, probability):.3f}")
            print(reliability(right, probability))


if __name__ == "__main__":
    main()
