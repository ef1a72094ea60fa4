"""Train the sentence-boundary models of models/boundaries/ and measure them by cross-validation over documents.

    python scripts/train_boundaries.py --align DIR --parallel DIR --flores DIR --out models/boundaries [--lang th]

DIRs: sentence-aligned documents with gold spans (ntrex-th-clean, ntrex-vi-clean, pud-th, one JSON object a line),
parallel sentences (th-en.tsv.gz, vi-en.tsv.gz), FLORES-200 dev (LANG-en/dev.LANG). Deterministic on one thread.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.stages.segment import features_spaced as spaced_signs
from pipeline.stages.segment import features_thai as thai_signs
from pipeline.stages.segment.boundaries import write
from pipeline.stages.segment.boundary_model import BoundaryModel
from pipeline.text.unicode import normalise

BITS = 17
FOLDS = 5
SEED = 7
# Weight of the squared weights in the loss.
PENALTY = {"th": 5.0, "en": 1.0, "vi": 1.0}
# What a sentence's length counts in `segments`, and what is added to each log-odds; chosen on the folds.
PRIOR = {"th": 0.5, "en": 0.0, "vi": 0.0}
LIFT = {"th": 1.0, "en": 0.0, "vi": 0.0}
# Sentence-like English and Vietnamese beside the news: headings run into sentences. CC-BY-4.0, MPL-2.0.
MANUALS = {"th": (), "en": ("th-en", "d365-ops-th"), "vi": ("vi-en", "libreoffice-help-vi")}
MANUAL_DOCUMENTS = 60

_FINAL = re.compile(r"[.!?…]+([\"'”’»)\]}]*)$")


@dataclass
class Examples:
    """Candidates as rows of hashed signs: row i is `ids` and `values` from `ends[i]` to `ends[i + 1]`."""

    ids: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    ends: list[int] = field(default_factory=lambda: [0])
    labels: list[float] = field(default_factory=list)
    weak: list[bool] = field(default_factory=list)

    def add(self, text: str, boundaries: set[int], lang: str, domain: str = "") -> None:
        """All candidates of a text, given the offsets where its sentences begin.

        With a `domain` (manuals, altered text) signs count twice, as themselves and as signs of the domain (Daume 2007,
        "Frustratingly easy domain adaptation"): what is special about it is learned apart, and not kept.
        """
        found = thai_signs.signs(text) if lang == "th" else spaced_signs.signs(text, lang)
        for at, signs in found:
            if domain:
                signs = signs + [(f"{domain}: {name}", value) for name, value in [*signs, ("", 1.0)]]
            self.ids += [crc32(name.encode()) & ((1 << BITS) - 1) for name, _ in signs]
            self.values += [value for _, value in signs]
            self.ends.append(len(self.ids))
            self.labels.append(float(at in boundaries))
            self.weak.append(_FINAL.search(text[:at].rstrip()[-8:]) is None)


def joined(sentences: Iterable[str], glue: Iterable[str]) -> tuple[str, set[int]]:
    """The sentences as one text, and where those begin that follow a space."""
    text, starts = "", set()
    for sentence, between in zip(sentences, glue, strict=False):
        if text:
            text += between
            if between == " ":
                starts.add(len(text))
        text += sentence
    return text, starts


def gold(path: Path, side: str) -> list[tuple[list[str], list[str]]]:
    """Documents: the sentences of each, normalised, and what stands before each (space or line feed)."""
    found = []
    for row in map(json.loads, path.read_text("utf-8").splitlines()):
        text, lang = row[f"{side}_text"], row[f"{side}_lang"]
        spans = row[f"{side}_spans"]
        breaks = [""] + ["\n" if "\n" in text[a[1] : b[0]] else " " for a, b in pairwise(spans)]
        sentences = [normalise(text[start:end], lang).text for start, end in spans]
        found.append((sentences, breaks))
    return found


def variants(
    sentences: list[str], rng: random.Random, count: int, strip: float
) -> Iterator[tuple[list[str], list[str]]]:
    """The document again with a fifth of its sentences left out, other line breaks and some final marks gone."""
    for _ in range(count):
        kept = [sentence for sentence in sentences if rng.random() > 0.2]
        kept = [_FINAL.sub(r"\1", sentence) if rng.random() < strip else sentence for sentence in kept]
        share = rng.choice((0, 0.2, 0.4))
        yield kept, ["\n" if rng.random() < share else " " for _ in kept]


def groups(sentences: list[str], lang: str, rng: random.Random, sizes: tuple[int, int]) -> Iterator[list[str]]:
    """Runs of consecutive sentences, normalised."""
    done = 0
    while done < len(sentences):
        size = rng.randint(*sizes)
        yield [normalise(sentence, lang).text for sentence in sentences[done : done + size]]
        done += size


def news(document: tuple[list[str], list[str]], lang: str, rng: random.Random) -> Examples:
    """Examples of a gold document as it is and in variants."""
    found = Examples()
    sentences, breaks = document
    found.add(*joined(sentences, breaks), lang)
    if lang == "th":
        found.add(*joined(sentences, [" "] * len(sentences)), lang)
        return found
    for strip, count in ((0.0, 4), (0.15, 2)):
        for version in variants(sentences, rng, count, strip):
            found.add(*joined(*version), lang, "stripped" if strip else "")
    return found


def others(args: argparse.Namespace, lang: str, rng: random.Random) -> Examples:
    """Examples that are not of the news documents: short texts without headlines, and manuals."""
    found = Examples()
    if lang != "vi":
        for sentences, breaks in gold(args.align / "pud-th.jsonl", "src" if lang == "th" else "tgt"):
            found.add(*joined(sentences, breaks), lang)
    folder = args.flores / ("vi-en" if lang == "vi" else "th-en")
    lines = (folder / f"dev.{lang}").read_text("utf-8").splitlines()
    for group in groups(lines, lang, rng, (2, 5)):
        found.add(*joined(group, [" "] * len(group)), lang)
    if lang == "th":
        return found
    file, source = MANUALS[lang]
    with gzip.open(args.parallel / f"{file}.tsv.gz", "rt", encoding="utf-8") as rows:
        split = [row.rstrip("\n").split("\t") for row in rows]
    manual = list(groups([row[lang == "en"] for row in split if row[2] == source], lang, rng, (6, 14)))
    for group in rng.sample(manual, MANUAL_DOCUMENTS):
        found.add(*joined(group, [rng.choice(" \n") for _ in group]), lang, "manual")
    return found


def fit(parts: list[Examples], lang: str) -> BoundaryModel:
    """Logistic regression with L2 penalty, by L-BFGS."""
    torch.set_num_threads(1)
    offsets = np.cumsum([0, *(len(part.ids) for part in parts[:-1])])
    ends = np.concatenate([np.array(part.ends[:-1]) + shift for part, shift in zip(parts, offsets, strict=True)])
    used, places = np.unique(np.concatenate([part.ids for part in parts]), return_inverse=True)
    rows, starts = torch.tensor(places), torch.tensor(ends.astype(np.int64))
    values = torch.tensor(np.concatenate([part.values for part in parts]), dtype=torch.float32)
    labels = torch.tensor(np.concatenate([part.labels for part in parts]), dtype=torch.float32)
    weights = torch.zeros(len(used), 1, requires_grad=True)
    bias = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights, bias], max_iter=40, history_size=10, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        logits = torch.nn.functional.embedding_bag(rows, weights, starts, mode="sum", per_sample_weights=values)
        loss = torch.nn.functional.binary_cross_entropy_with_logits(logits[:, 0] + bias, labels, reduction="sum")
        loss = loss + PENALTY[lang] / 2 * weights.square().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    table = np.zeros(1 << BITS, dtype=np.float32)
    table[used] = weights.detach().numpy()[:, 0].astype(np.float16)
    return BoundaryModel(lang, table, bias.item(), (4.66, 0.54), PRIOR[lang], LIFT[lang])


def scores(model: BoundaryModel, examples: Examples) -> NDArray[np.float64]:
    """Log-odds of all rows."""
    summed = np.cumsum([0, *(model.weights[examples.ids].astype(np.float64) * examples.values)])
    ends = np.array(examples.ends)
    odds: NDArray[np.float64] = summed[ends[1:]] - summed[ends[:-1]] + model.bias
    return odds


def calibration(odds: NDArray[np.float64], labels: NDArray[np.float64]) -> tuple[float, float]:
    """Slope and shift of the log-odds that fit held-out labels best (Platt 1999), by Newton's method."""
    inputs = np.stack([odds, np.ones_like(odds)], axis=1)
    found = np.array([1.0, 0.0])
    for _ in range(20):
        chance = 1 / (1 + np.exp(-inputs @ found))
        hessian = (inputs * (chance * (1 - chance))[:, None]).T @ inputs
        found -= np.linalg.solve(hessian, inputs.T @ (chance - labels))
    return float(found[0]), float(found[1])


def average_precision(odds: NDArray[np.float64], labels: NDArray[np.float64]) -> float:
    """Mean over the true candidates of the precision at their rank."""
    ranked = labels[np.argsort(-odds, kind="stable")]
    return float((np.cumsum(ranked) / np.arange(1, len(ranked) + 1))[ranked > 0].mean())


def describe(name: str, odds: NDArray[np.float64], labels: NDArray[np.float64]) -> None:
    """One line of figures: average precision, log-loss, expected and true number of boundaries, F1 at even odds."""
    loss = float(np.mean(np.logaddexp(0, odds) - labels * odds))
    hits = float(labels[odds > 0].sum())
    f1 = 2 * hits / max(1.0, (odds > 0).sum() + labels.sum())
    expected = float((1 / (1 + np.exp(-odds))).sum())
    print(
        f"{name}: {len(labels)} positions, AP {average_precision(odds, labels):.3f}, log-loss {loss:.4f}, "
        f"expected {expected:.0f} of {labels.sum():.0f}, F1 at 0 {f1:.3f}",
        flush=True,
    )


def inner_f1(cases: Iterable[tuple[BoundaryModel, tuple[list[str], list[str]]]], max_chars: int) -> str:
    """Precision, recall and F1 of `segments` at the boundaries that are no line breaks."""
    right = predicted = true = 0
    for model, (sentences, breaks) in cases:
        text, starts = joined(sentences, breaks)
        cuts = {start for start, _ in model.segments(text, max_chars) if start and text[start - 1] != "\n"}
        right, predicted, true = right + len(cuts & starts), predicted + len(cuts), true + len(starts)
    return f"P {right / predicted:.3f} R {right / true:.3f} F1 {2 * right / (predicted + true):.3f}"


def train(args: argparse.Namespace, lang: str) -> None:
    """Cross-validate, calibrate on the held-out folds, train on everything, write."""
    path, side = (args.align / f"ntrex-{'vi' if lang == 'vi' else 'th'}-clean.jsonl", "tgt" if lang == "en" else "src")
    documents = gold(path, side)
    order = list(range(len(documents)))
    random.Random(SEED).shuffle(order)
    rng = random.Random(SEED)
    rest = others(args, lang, rng)
    made = [news(document, lang, rng) for document in documents]
    models: dict[int, BoundaryModel] = {}
    odds, labels, weak = [], [], []
    for fold in range(FOLDS):
        held = order[fold::FOLDS]
        model = fit([*(made[i] for i in sorted(set(order) - set(held))), rest], lang)
        unseen = Examples()
        for i in held:
            unseen.add(*joined(*documents[i]), lang)
            models[i] = model
        odds.append(scores(model, unseen))
        labels.append(np.array(unseen.labels))
        weak.append(np.array(unseen.weak))
    z, y, w = np.concatenate(odds), np.concatenate(labels), np.concatenate(weak)
    slope, shift = calibration(z, y)
    describe(f"{lang} held out", z, y)
    describe(f"{lang} calibrated by {slope:.2f}, {shift:.2f}", slope * z + shift, y)
    describe(f"{lang} without a final mark", (slope * z + shift)[w], y[w])
    adjusted = {i: calibrated(model, slope, shift) for i, model in models.items()}
    for budget in (220, 10**6):
        print(f"{lang} segments:", inner_f1(((adjusted[i], documents[i]) for i in order), budget), f"budget {budget}")
    final = calibrated(fit([*made, rest], lang), slope, shift)
    args.out.mkdir(parents=True, exist_ok=True)
    write(final, args.out / f"{lang}.safetensors")


def calibrated(model: BoundaryModel, slope: float, shift: float) -> BoundaryModel:
    """The model with slope * log-odds + shift."""
    weights = (model.weights * slope).astype(np.float16).astype(np.float32)
    return replace(model, weights=weights, bias=slope * model.bias + shift)


def main() -> None:
    """Train the languages that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("align", "parallel", "flores", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--lang", choices=["th", "en", "vi"], action="append")
    args = parser.parse_args()
    for lang in args.lang or ["th", "en", "vi"]:
        train(args, lang)


if __name__ == "__main__":
    main()
