"""Which of several systems translates best, by sentence vectors, and how sure that order is.

An order is trusted by paired bootstrap resampling (Koehn 2004, W04-3250): the segments are drawn again with
replacement, the same ones for every system, and the share of draws that keep an order is its confidence. It says
whether the order would hold on other segments of that kind, not whether the measure is right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.engines.encoders.base import Encoder, Vectors
from pipeline.errors import InputError, UsageError
from pipeline.metrics.embedding import (
    FEWEST_PEERS,
    cosines,
    encoder_signature,
    peer_similarity,
    require_language,
    text_vectors,
)
from pipeline.run.streams import read_lines

SEED = 12345
VERSION = 1


@dataclass(frozen=True, slots=True)
class Place:
    """One system in an order.

    `better` is the share of resamples in which it scores above the next system, None for the last one. `recorded` is
    the score that another metric gave it, None where none was given.
    """

    system: str
    score: float
    better: float | None
    recorded: float | None


@dataclass(frozen=True, slots=True)
class Ranking:
    """The systems by one measure, best first.

    `confidence` is the share of resamples that give exactly this order. With recorded scores, `tau` is Kendall's tau-b
    between them and ours, and `as_recorded` the share of resamples that give their order.
    """

    measure: str
    signature: str
    places: tuple[Place, ...]
    confidence: float
    tau: float | None
    as_recorded: float | None


def rank_files(
    encoder: Encoder,
    hypotheses: Sequence[Path],
    source: Path | None,
    reference: Path | None,
    recorded: str | None,
    resamples: int,
) -> list[Ranking]:
    """Rank files of one segment a line by every measure that can be taken: SimPeers, SimSrc, SimRef.

    SimPeers takes three systems, the others the source or the reference. `recorded` is the ending of the files beside
    the hypotheses that hold one number each, as `comet` for x.en.comet beside x.en.
    Raises UsageError when nothing can be measured or the encoder does not know the source language, InputError on
    unreadable or unequal files.
    """
    systems = list(dict.fromkeys(hypotheses))
    if len(systems) < 2 or (len(systems) < FEWEST_PEERS and source is None and reference is None):
        raise UsageError(
            f"{len(systems)} systems cannot be ranked by one another", "Give three --hyp, or two with --src or --ref."
        )
    texts = _equally_long([path for path in (*systems, source, reference) if path is not None])
    if source is not None:
        require_language(encoder, texts[source])
    known = [read_score(Path(f"{path}.{recorded}")) for path in systems] if recorded else None
    signature = f"{encoder_signature(encoder)}|resamples:{resamples}|seed:{SEED}|version:{VERSION}"
    names = _short(systems)
    scores = _scores(encoder, systems, texts, source, reference)
    return [rank(name, signature, names, found, known, resamples) for name, found in scores.items()]


def rank(
    measure: str,
    signature: str,
    names: Sequence[str],
    scores: NDArray[np.float64],
    recorded: Sequence[float] | None,
    resamples: int,
) -> Ranking:
    """The order of the systems by the means of `scores`, shape (systems, segments), with its confidence.

    Equal means keep the order in which the systems are given.
    """
    means = scores.mean(axis=1)
    order = np.argsort(-means, kind="stable").tolist()
    drawn = resampled_means(scores, resamples)
    above = [drawn[:, one] > drawn[:, other] for one, other in pairwise(order)]
    places = tuple(
        Place(
            names[system],
            float(means[system]),
            float(above[at].mean()) if at < len(above) else None,
            recorded[system] if recorded else None,
        )
        for at, system in enumerate(order)
    )
    return Ranking(
        measure,
        signature,
        places,
        confidence=float(np.all(above, axis=0).mean()),
        tau=kendall_tau(means.tolist(), recorded) if recorded else None,
        as_recorded=_share_in_order(drawn, recorded) if recorded else None,
    )


def resampled_means(scores: NDArray[np.float64], resamples: int) -> NDArray[np.float64]:
    """Means over segments drawn with replacement, shape (resamples, systems); one draw for all systems."""
    segments = scores.shape[1]
    random = np.random.default_rng(SEED)
    means = np.empty((resamples, len(scores)))
    for row in means:
        counts = np.bincount(random.integers(segments, size=segments), minlength=segments)
        # Not a matrix product, which rounds equal rows differently: equal systems must stay equal.
        row[:] = (scores * counts).sum(axis=1) / segments
    return means


def kendall_tau(left: Sequence[float], right: Sequence[float]) -> float | None:
    """Kendall's tau-b of two scorings of the same systems, -1 to 1; None where one of them is all ties."""
    pairs = list(combinations(range(len(left)), 2))
    signs = [(np.sign(left[i] - left[j]), np.sign(right[i] - right[j])) for i, j in pairs]
    untied = [sum(1 for pair in signs if pair[side]) for side in (0, 1)]
    if not all(untied):
        return None
    return float(sum(one * other for one, other in signs) / np.sqrt(untied[0] * untied[1]))


def read_score(path: Path) -> float:
    """The number that a file holds. Raises InputError when it holds anything else."""
    try:
        score = float(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", "--recorded takes files beside --hyp.") from error
    except ValueError as error:
        raise InputError(f"{path} does not hold one number", "--recorded takes files with a score each.") from error
    if not np.isfinite(score):
        raise InputError(f"{path} holds {score}, not a finite number", "--recorded takes files with a score each.")
    return score


def _scores(
    encoder: Encoder,
    systems: Sequence[Path],
    texts: dict[Path, list[str]],
    source: Path | None,
    reference: Path | None,
) -> dict[str, NDArray[np.float64]]:
    """The scores of the segments by each measure, shape (systems, segments)."""
    vectors = [text_vectors(encoder, texts[path]) for path in systems]

    def against(path: Path) -> NDArray[np.float64]:
        other: Vectors = text_vectors(encoder, texts[path])
        return np.stack([cosines(own, other) for own in vectors]).astype(np.float64)

    measures: dict[str, Callable[[], NDArray[np.float64]]] = {}
    if len(systems) >= FEWEST_PEERS:
        measures["SimPeers"] = lambda: peer_similarity(vectors)
    if source is not None:
        measures["SimSrc"] = lambda: against(source)
    if reference is not None:
        measures["SimRef"] = lambda: against(reference)
    return {name: measure() for name, measure in measures.items()}


def _share_in_order(drawn: NDArray[np.float64], recorded: Sequence[float]) -> float:
    """The share of resamples in which every system with a higher recorded score is above every one with a lower."""
    inverted = [
        drawn[:, i] <= drawn[:, j]
        for i in range(len(recorded))
        for j in range(len(recorded))
        if recorded[i] > recorded[j]
    ]
    return 1.0 - float(np.any(inverted, axis=0).mean()) if inverted else 1.0


def _equally_long(paths: Sequence[Path]) -> dict[Path, list[str]]:
    texts = {path: read_lines(path) for path in paths}
    first = paths[0]
    for path, lines in texts.items():
        if len(lines) != len(texts[first]):
            raise InputError(
                f"{path} has {len(lines)} lines, {first} has {len(texts[first])}", "Line n must belong to line n."
            )
    return texts


def _short(paths: Sequence[Path]) -> list[str]:
    """File names where they tell the systems apart, else whole paths."""
    names = [path.name for path in paths]
    return names if len(set(names)) == len(names) else [str(path) for path in paths]
