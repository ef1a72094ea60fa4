"""Corpus metrics: what one is, sacreBLEU's (BLEU, chrF, chrF++, TER), and the table of all of them by name.

sacreBLEU computes statistics, scores and signatures, so that anyone can repeat them; signatures are its own strings,
letter for letter. numpy and sacreBLEU are imported where they are used, for the sake of a quick help.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pipeline.errors import UsageError
from pipeline.metrics.model_metrics import MODEL_METRICS, SIMILARITIES, similarity

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from sacrebleu.metrics.base import Metric as SacreBleuMetric

PairedTestName = Literal["bs", "ar"]
Unit = Literal["segment", "document"]
"""What is resampled."""
DEFAULT_METRICS = ("bleu", "chrf", "chrf++")


class Metric(Protocol):
    """A corpus metric whose statistics add up: the sums over segments say all that the score depends on.

    That makes the scores of slices, of documents and of resamples sums of what was computed once.
    """

    @property
    def name(self) -> str:
        """As it is printed: "BLEU", "chrF2", ..."""

    @property
    def signature(self) -> str:
        """`key:value|...|version:...` as sacreBLEU's; complete only when `statistics` has seen the references."""

    @property
    def higher_better(self) -> bool:
        """False for error rates."""

    def statistics(
        self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], sources: Sequence[str] | None
    ) -> NDArray[Any]:
        """What is counted of every segment, (N, k), given N hypotheses, streams of N references and N sources.

        A metric that reads sources raises UsageError where there are none.
        """

    def aggregate(self, sums: NDArray[Any]) -> Any:
        """The score of summed statistics (k,), or the scores (n,) of n sums (n, k)."""


@dataclass(frozen=True, slots=True)
class SliceScore:
    """The score of the segments that share a label."""

    name: str
    segments: int
    score: float


@dataclass(frozen=True, slots=True)
class MetricScore:
    """One metric of one system; BLEU and chrF from 0 to 100, TER 0 and up, less is better.

    `name` is the metric's ("BLEU", "chrF2", "chrF2++", "TER"). `mean` and `ci` are the mean of the bootstrap resamples
    and half of the 95 % interval around it, None without resampling. `p_value` compares with the first system. `note`
    is what has to be said beside the figures.
    """

    name: str
    score: float
    signature: str
    mean: float | None = None
    ci: float | None = None
    p_value: float | None = None
    note: str = ""
    slices: tuple[SliceScore, ...] = ()
    higher_better: bool = True


class StringMetric:
    """A metric of sacreBLEU: it compares strings and needs no source."""

    def __init__(self, metric: SacreBleuMetric, name: str, *, higher_better: bool = True, counted_by: str = "") -> None:
        """`counted_by` names another metric whose statistics begin with those of this one, where there is one reference
        (of several, each metric takes the one that it likes best)."""
        self.name = name
        self.higher_better = higher_better
        self.counted_by = counted_by
        self._metric = metric
        self._references: list[list[str]] = []

    @property
    def signature(self) -> str:
        """See Metric."""
        return str(self._metric.get_signature())

    def of_wider(self, statistics: NDArray[Any], hypothesis: str, reference: str) -> NDArray[Any]:
        """The statistics of this metric, given those of the one that `counted_by` names, and any one segment."""
        own = self.statistics([hypothesis], [[reference]])  # now the signature knows how many references there are
        return statistics[:, : own.shape[1]]

    def statistics(
        self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], sources: Sequence[str] | None = None
    ) -> NDArray[Any]:
        """See Metric; UsageError where there are no references."""
        import numpy as np

        if not references:
            raise UsageError(f"{self.name} needs a reference", "Add --ref FILE, or take metrics that need none.")
        streams = [list(stream) for stream in references]
        if streams != self._references:
            # sacreBLEU would count the n-grams of the references anew for every system.
            self._metric._ref_cache = self._metric._cache_references(streams)
            self._references = streams
        return np.array(self._metric._extract_corpus_statistics(hypotheses, None))

    def aggregate(self, sums: NDArray[Any]) -> Any:
        """See Metric."""
        import numpy as np

        # Numbers of single precision stay so: sacreBLEU computes the scores of bootstrap resamples in it.
        rows = [list(row) if sums.dtype == np.float32 else row.tolist() for row in np.atleast_2d(sums)]
        scores = np.array([self._metric._compute_score_from_stats(row).score for row in rows])
        return float(scores[0]) if sums.ndim == 1 else scores


def _bleu() -> Metric:
    from sacrebleu.metrics.bleu import BLEU

    return StringMetric(BLEU(), "BLEU")


def _chrf() -> Metric:
    from sacrebleu.metrics.chrf import CHRF

    return StringMetric(CHRF(), "chrF2", counted_by="chrF2++")


def _chrf_plus() -> Metric:
    from sacrebleu.metrics.chrf import CHRF

    return StringMetric(CHRF(word_order=2), "chrF2++")


def _ter() -> Metric:
    from sacrebleu.metrics.ter import TER

    return StringMetric(TER(), "TER", higher_better=False)


METRICS: Mapping[str, Callable[[], Metric]] = {
    "bleu": _bleu,
    "chrf": _chrf,
    "chrf++": _chrf_plus,
    "ter": _ter,
    **MODEL_METRICS,
}
"""Every metric by the name that the command line knows; what a metric needs is loaded when it is made."""


def make_metrics(names: Sequence[str]) -> list[Metric]:
    """The metrics of these names, each once, in order; `simsrc:labse` is SimSrc with the encoder labse.

    Raises UsageError on a name that is not in METRICS, ModelMissing where the model of one is not there.
    """
    makers = {name: _maker(name) for name in names}
    return [maker() for maker in makers.values()]


def _maker(name: str) -> Callable[[], Metric]:
    metric, _, encoder = name.partition(":")
    if encoder and metric in SIMILARITIES:
        return partial(similarity, metric, encoder)
    if name not in METRICS:
        raise UsageError(f"unknown metric {name!r}", f"Metrics: {', '.join(METRICS)}.")
    return METRICS[name]


def add_to_signature(signature: str, items: Mapping[str, object]) -> str:
    """`signature` with further items before its version, as sacreBLEU adds its own."""
    added = [f"{key}:{value}" for key, value in items.items()]
    parts = signature.split("|")
    at = next((place for place, part in enumerate(parts) if part.startswith("version:")), len(parts))
    return "|".join([*parts[:at], *added, *parts[at:]])
