"""Corpus metrics, computed by sacreBLEU so that anyone can repeat them: BLEU, chrF, chrF++, TER.

Signatures are sacreBLEU's own strings, letter for letter. Resampling uses sacreBLEU's seed (12345 unless the
environment variable SACREBLEU_SEED says otherwise; it is part of the signature).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pipeline.errors import InputError, UsageError

if TYPE_CHECKING:
    from sacrebleu.metrics.base import Metric, Score

PairedTestName = Literal["bs", "ar"]
METRICS = ("bleu", "chrf", "chrf++", "ter")
DEFAULT_METRICS = ("bleu", "chrf", "chrf++")


@dataclass(frozen=True, slots=True)
class MetricScore:
    """One metric of one system, 0 to 100 (TER: 0 and up, less is better).

    `name` is sacreBLEU's ("BLEU", "chrF2", "chrF2++", "TER"). `mean` and `ci` are the mean of the bootstrap resamples
    and half of the 95 % interval around it, None without resampling. `p_value` compares with the first system.
    """

    name: str
    score: float
    signature: str
    mean: float | None = None
    ci: float | None = None
    p_value: float | None = None


@dataclass(frozen=True, slots=True)
class SystemScores:
    """All metrics of one system; the first of a list of systems is the baseline."""

    name: str
    metrics: tuple[MetricScore, ...]


def corpus_metrics(
    hypotheses: Sequence[str],
    references: Sequence[Sequence[str]],
    metrics: Sequence[str] = DEFAULT_METRICS,
    confidence: int = 0,
) -> list[MetricScore]:
    """Score one system: N hypotheses against one or more streams of N references.

    `confidence` is the number of bootstrap resamples for the interval (Koehn 2004), none when it is below 2.
    Raises UsageError on a metric that is not in METRICS, InputError when there is nothing to score or counts differ.
    """
    for stream in references:
        _check_counts("the hypothesis", len(hypotheses), "the reference", len(stream))
    found = []
    for name in metrics:
        metric = _metric(name)
        score = metric.corpus_score(hypotheses, references, n_bootstrap=max(confidence, 1))
        found.append(_result(metric, score, confidence))
    return found


def score_files(
    hypotheses: Sequence[Path],
    reference: Path,
    metrics: Sequence[str] = DEFAULT_METRICS,
    confidence: int = 0,
    paired: PairedTestName | None = None,
) -> list[SystemScores]:
    """Score files of one segment a line; a file that is named twice counts once, the first is the baseline.

    `paired` adds p-values against the baseline: "bs" bootstrap resampling (Koehn 2004; `confidence` resamples, or
    1,000), "ar" approximate randomisation (Riezler and Maxwell 2005; 10,000 trials).
    Raises InputError on unreadable or unequal files, UsageError on a paired test of a single system or one resample.
    """
    if confidence == 1:
        raise UsageError("one resample makes no interval (confidence is 1)", "Use 1000 resamples, or 0 for none.")
    expected = read_lines(reference)
    systems = [(str(path), read_lines(path)) for path in dict.fromkeys(hypotheses)]
    for name, lines in systems:
        _check_counts(name, len(lines), str(reference), len(expected))
    if paired:
        return _paired(systems, expected, metrics, confidence, paired)
    return [
        SystemScores(name, tuple(corpus_metrics(lines, [expected], metrics, confidence))) for name, lines in systems
    ]


def read_lines(path: Path) -> list[str]:
    """The lines of a UTF-8 file, cut at LF only; one CR before it is dropped.

    Raises InputError when the file cannot be read, or with the line of the first byte that is not UTF-8.
    """
    try:
        data = path.read_bytes()
        text = data.decode("utf-8")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}", "Give a text file, one segment a line.") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{path}, line {line}: byte {error.start} is not UTF-8", "Convert the file to UTF-8."
        ) from error
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def _check_counts(name: str, count: int, reference: str, expected: int) -> None:
    if count != expected:
        raise InputError(
            f"{name} has {count} lines, {reference} has {expected}", "Line n of one must be the translation of line n."
        )
    if not count:
        raise InputError(f"{name} is empty", "Give at least one line to score.")


def _metric(name: str) -> Metric:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF
    from sacrebleu.metrics.ter import TER

    makers: dict[str, Callable[[], Metric]] = {
        "bleu": BLEU,
        "chrf": CHRF,
        "chrf++": lambda: CHRF(word_order=2),
        "ter": TER,
    }
    if name not in makers:
        raise UsageError(f"unknown metric {name!r}", f"Metrics: {', '.join(METRICS)}.")
    return _plain_floats(makers[name]())


def _plain_floats(metric: Metric) -> Metric:
    """Make resampled scores Python floats.

    sacreBLEU 2.6 resamples in float32 and returns a Python 0.0 where nothing matches; its mean over both kinds raises
    TypeError on small corpora.
    """
    compute = metric._compute_score_from_stats

    def plain(stats: list[float]) -> Score:
        score: Score = compute(stats)
        score.score = float(score.score)
        return score

    metric._compute_score_from_stats = plain  # type: ignore[method-assign]
    return metric


def _result(metric: Metric, score: Score, confidence: int) -> MetricScore:
    mean, ci = (float(score._mean), float(score._ci)) if confidence > 1 else (None, None)
    return MetricScore(score.name, float(score.score), str(metric.get_signature()), mean, ci)


def _paired(
    systems: Sequence[tuple[str, list[str]]],
    reference: list[str],
    metrics: Sequence[str],
    confidence: int,
    paired: PairedTestName,
) -> list[SystemScores]:
    from sacrebleu.significance import PairedTest, Result

    if len(systems) < 2:
        raise UsageError("a paired test needs two systems, one was given", "Add another --hyp or leave out --paired.")
    test = PairedTest(
        list(systems),
        {name: _metric(name) for name in metrics},
        [reference],
        test_type=paired,
        n_samples=confidence if paired == "bs" else 0,
        n_ar_confidence=confidence if paired == "ar" and confidence else -1,
    )
    signatures, table = test()
    found = []
    for row, (system, _) in enumerate(systems):
        scores = []
        for name, signature in signatures.items():
            cell = table[name][row]
            assert isinstance(cell, Result)  # only the column of system names holds strings
            mean, ci, p_value = (None if x is None else float(x) for x in (cell.mean, cell.ci, cell.p_value))
            scores.append(MetricScore(name, float(cell.score), str(signature), mean, ci, p_value))
        found.append(SystemScores(system, tuple(scores)))
    return found
