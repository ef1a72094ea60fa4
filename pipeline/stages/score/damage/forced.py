"""What a language model thinks of a pair, as scores and as signs of damage. See `pipeline.engines.forced.decoder`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, Protocol
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from pipeline.stages.score.base import Columns, Context, is_translated, is_whole
from pipeline.stages.score.names import name_spans
from pipeline.stages.score.pair_facts import PairFacts
from pipeline.types import Pair

if TYPE_CHECKING:
    from pipeline.engines.forced.decoder import LogProbabilities, Reading, Sides
    from pipeline.registry.models import Entry

Numbers = NDArray[np.float64]

FEW = 3
"""Tokens that are looked at together: how a text begins shows in more than its first token, and a name is several."""
SILENT = 0.1
"""A word of which the source tells less, in nats, has nothing there that it translates. Set by hand; the trees for read
pairs were grown with this and FEW, so a change asks for new trees (`scripts/train_damage.py`)."""


class PairReader(Protocol):
    """A language model that reads pairs."""

    name: str
    fingerprint: str

    def read(self, pairs: Sequence[Sides]) -> list[Reading | None]:
        """A reading of each pair; None where there is none."""


def load_reader(entry: Entry | None, device: Literal["auto", "cpu", "cuda"]) -> PairReader | None:
    """The reader of `filter.model`, whose weights are loaded when they are needed; None for None.

    Raises UsageError where the model is no chat model or the device is not there, ModelMissing where the model is not.
    """
    if entry is None:
        return None
    from pipeline.engines.forced.reader import RegisteredReader

    return RegisteredReader(entry, device)


class Readings:
    """Readings of pairs, which all scorers of a run share; none without a reader.

    Translated pairs are not read: a model likes what it wrote itself. A pair is read once for as long as its facts are
    held, which is while its batch is scored.
    """

    def __init__(self, reader: PairReader | None) -> None:
        self.reader = reader
        self._known: WeakKeyDictionary[PairFacts, Reading | None] = WeakKeyDictionary()

    @property
    def used(self) -> str:
        """For signatures."""
        return f"{self.reader.name}|weights:{self.reader.fingerprint}" if self.reader else "none"

    def of(self, facts: Sequence[PairFacts]) -> list[Reading | None]:
        """The reading of each pair, None for those that are not read."""
        unread = [pair_facts for pair_facts in facts if pair_facts not in self._known]
        if unread:
            self._known.update(zip(unread, self._read([pair_facts.pair for pair_facts in unread]), strict=True))
        return [self._known[pair_facts] for pair_facts in facts]

    def _read(self, pairs: Sequence[Pair]) -> list[Reading | None]:
        readings: list[Reading | None] = [None] * len(pairs)
        if self.reader is None:
            return readings
        from pipeline.engines.forced.decoder import Sides

        rows = [i for i, pair in enumerate(pairs) if is_whole(pair) and not is_translated(pair)]
        sides = [Sides(pairs[i].src_text, pairs[i].src_lang, pairs[i].tgt_text) for i in rows]
        for i, reading in zip(rows, self.reader.read(sides), strict=True):
            readings[i] = reading
        return readings


class ReadingScores:
    """Two scores from the readings; None for translated pairs, without a reader, and for pairs too long to read.

    `forced_log_probability`: mean log-probability (natural logarithm, 0 or less) of an English token, the source being
    known.

    `information`: how much the sides tell of each other, in nats by token of the English: the mean of what the
    log-probability of each with the other before it exceeds that without it by; of the English alone in languages that
    are read in one order. Near 0 where the English has nothing to do with the source. Both are estimates of one thing,
    log P(E, S) / P(E) P(S), and where one fails, often on short texts, the other may not.
    """

    versions: ClassVar[dict[str, int]] = {"forced_log_probability": 1, "information": 2}
    """By name; raised with every change that can change a score."""

    def __init__(self, readings: Readings) -> None:
        self.readings = readings

    @property
    def signatures(self) -> dict[str, str]:
        """Of both; the reader and its weights are in them."""
        return {name: f"reader:{self.readings.used}|version:{version}" for name, version in self.versions.items()}

    def score(self, facts: Sequence[PairFacts], context: Context) -> Columns:
        """The two columns."""
        measures = {"forced_log_probability": _mean, "information": _information}
        readings = self.readings.of(facts)
        return {
            name: [None if reading is None else measure(reading) for reading in readings]
            for name, measure in measures.items()
        }


def _mean(reading: Reading) -> float:
    return float(reading.given.mean())


def _information(reading: Reading) -> float:
    told = [float((reading.given - reading.alone).sum())]
    if reading.source_given is not None:
        told.append(float((reading.source_given - reading.source_alone).sum()))
    return sum(told) / len(told) / len(reading.given)


def reading_signs(pair: Pair, reading: Reading) -> dict[str, float]:
    """Signs of damage: where one side is unlikely after the other, where the other tells nothing of it, and whether
    each begins and ends as texts do."""
    signs = {
        "read_english_alone": float(reading.alone[: max(1, len(reading.alone) - 1)].mean()),
        **_side("english", reading.given, reading.alone),
        **_words(pair.tgt_text, reading),
    }
    starts = _means("alone", reading.source_alone.astype(np.float64))
    signs |= {f"read_source_{sign}": starts[sign] for sign in ("alone_start", "alone_starts", "alone_stop")}
    if reading.source_given is not None:
        signs |= _side("source", reading.source_given, reading.source_alone)
    return signs


def _side(side: str, given: LogProbabilities, alone: LogProbabilities) -> dict[str, float]:
    signs: dict[str, float] = {}
    for kind, values in (("given", given.astype(np.float64)), ("gain", (given - alone).astype(np.float64))):
        n = max(1, len(values) - 1)
        signs |= _means(kind, values)
        signs[f"{kind}_third"] = _lowest_mean(values[:n], max(1, n // 3))
        signs[f"{kind}_few"] = _lowest_mean(values[:n], min(FEW, n))
    return {f"read_{side}_{sign}": value for sign, value in signs.items()}


def _means(kind: str, values: Numbers) -> dict[str, float]:
    """Of the text, the line end, the first token, the first few, the first third, the last."""
    n = max(1, len(values) - 1)
    third = max(1, n // 3)
    return {
        kind: float(values[:n].mean()),
        f"{kind}_stop": float(values[-1]),
        f"{kind}_start": float(values[0]),
        f"{kind}_starts": float(values[: min(FEW, n)].mean()),
        f"{kind}_front": float(values[:third].mean()),
        f"{kind}_end": float(values[n - third : n].mean()),
    }


def _lowest_mean(values: Numbers, width: int) -> float:
    """Of all runs of so many tokens."""
    total = np.concatenate([[0.0], np.cumsum(values)])
    return float(((total[width:] - total[:-width]) / width).min())


def _words(english: str, reading: Reading) -> dict[str, float]:
    """Of single words and names of the English."""
    text = " ".join(english.split())
    n = max(1, len(reading.given) - 1)
    given, gain = (values[:n].astype(np.float64) for values in (reading.given, reading.given - reading.alone))
    starts, ends = reading.starts[:n], np.append(reading.starts[1:], len(text))[:n]
    begins = [i == 0 or text[start : start + 1] == " " for i, start in enumerate(starts.tolist())]
    words = np.cumsum(begins) - 1
    word_gain = np.bincount(words, gain)
    return {
        "read_word_given": float(np.bincount(words, given).min()),
        "read_word_gain": float(word_gain.min()),
        "read_silent": float((word_gain < SILENT).mean()),
        **_names(text, starts, ends, given, gain),
    }


def _names(
    text: str, starts: NDArray[np.int64], ends: NDArray[np.int64], given: Numbers, gain: Numbers
) -> dict[str, float]:
    """Of the least likely name: all its tokens, and the first of them. 0 where there is no name."""
    sums, firsts = [(0.0, 0.0)], [(0.0, 0.0)]
    for start, end in name_spans(text):
        inside = np.flatnonzero((ends > start) & (starts < end))
        if len(inside):
            sums.append((float(given[inside].sum()), float(gain[inside].sum())))
            firsts.append((float(given[inside[0]]), float(gain[inside[0]])))
    return {
        "read_name_given": min(value for value, _ in sums),
        "read_name_gain": min(value for _, value in sums),
        "read_name_given_start": min(value for value, _ in firsts),
        "read_name_gain_start": min(value for _, value in firsts),
    }
