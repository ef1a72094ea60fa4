"""Intervals, paired tests over segments and documents, slices, folded names."""

import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.significance import PairedTest

from pipeline.errors import InputError, UsageError
from pipeline.metrics.base import make_metrics
from pipeline.metrics.evaluation import System, evaluate
from tests.stages.score.news import BAD, GOOD, REFERENCE, news, worse

SACREBLEU = {"bleu": BLEU, "chrf": CHRF, "chrf++": lambda: CHRF(word_order=2), "ter": TER}


@pytest.mark.parametrize(("paired", "confidence"), [("bs", 0), ("bs", 150), ("ar", 0), ("ar", 150)])
@pytest.mark.parametrize("references", [1, 2])
def test_segment_resampling_equals_sacrebleu_to_the_last_digit(paired, confidence, references):
    reference = news(8)
    streams = [reference, news(9)[1:]][:references]
    systems = [worse(str(n), reference, share, n) for n, share in enumerate([0.3, 0.35, 0.6])]
    names = list(SACREBLEU) if confidence and references == 1 else ["bleu"]
    if paired == "ar":  # ten thousand trials
        systems, names = systems[:2], [name for name in names if not name.startswith("chrf")]
    signatures, table = PairedTest(
        [(system.name, system.segments) for system in systems],
        {name: SACREBLEU[name]() for name in names},
        streams,
        test_type=paired,
        n_samples=confidence if paired == "bs" else 0,
        n_ar_confidence=confidence if paired == "ar" and confidence else -1,
    )()
    ours = evaluate(systems, streams, make_metrics(names), paired=paired, confidence=confidence)
    for row, system in enumerate(ours):
        for score in system.metrics:
            theirs = table[score.name][row]
            assert score.score == theirs.score
            assert (score.mean, score.ci, score.p_value) == (theirs.mean, theirs.ci, theirs.p_value)
    assert [score.signature for score in ours[0].metrics] == [str(found) for found in signatures.values()]


@pytest.mark.parametrize("paired", ["bs", "ar"])
def test_blocks_of_segments_and_draws_change_no_digit(paired, monkeypatch):
    reference = news(8)
    systems = [worse(str(n), reference, share, n) for n, share in enumerate([0.3, 0.35])]
    at_once = evaluate(systems, [reference], make_metrics(["bleu", "chrf"]), paired=paired, confidence=70)
    monkeypatch.setattr("pipeline.metrics.evaluation.BLOCK", 3)
    monkeypatch.setattr("pipeline.metrics.significance.CHUNK", 100)
    told = []
    in_blocks = evaluate(
        systems, [reference], make_metrics(["bleu", "chrf"]), paired=paired, confidence=70, advance=told.append
    )
    assert in_blocks == at_once
    assert len(told) > 2 and sum(told) == 2 * len(reference)


@pytest.mark.parametrize("references", [1, 2])
@pytest.mark.parametrize("names", [("chrf", "bleu", "chrf++"), ("chrf++", "chrf"), ("chrf",)])
def test_a_metric_scores_the_same_whatever_is_counted_beside_it(names, references, monkeypatch):
    monkeypatch.setattr("pipeline.metrics.evaluation.BLOCK", 5)
    reference = ["Tô Lâm left Việt Nam.", *news(8)]
    streams = [reference, ["He left.", *news(9)[1:]]][:references]
    systems = [
        System("a", ["To Lam left Vietnam.", *worse("a", reference, 0.3, 1).segments[1:]]),
        System("b", reference),
    ]
    told = []
    together = evaluate(systems, streams, make_metrics(names), fold_names=True, confidence=9, advance=told.append)
    alone = [evaluate(systems, streams, make_metrics([name]), fold_names=True, confidence=9) for name in names]
    for row, system in enumerate(together):
        assert system.metrics == tuple(score for found in alone for score in found[row].metrics)
    assert sum(told) == 2 * len(names) * len(reference)
    raw = SACREBLEU["chrf"]().corpus_score(list(systems[0].segments), streams).score
    assert raw == next(score.score for score in together[0].metrics if score.name == "chrF2")


def test_a_new_seed_is_one_for_all_systems(monkeypatch):
    monkeypatch.setenv("SACREBLEU_SEED", "none")
    one, other = evaluate([System("good", GOOD), System("same", GOOD)], [REFERENCE], confidence=10)
    assert [score.mean for score in one.metrics] == [score.mean for score in other.metrics]


def test_the_seed_is_that_of_sacrebleu(monkeypatch):
    monkeypatch.setenv("SACREBLEU_SEED", "7")
    (system,) = evaluate([System("good", GOOD)], [REFERENCE], confidence=10)
    assert "|bs:10|seed:7|" in system.metrics[0].signature
    monkeypatch.setenv("SACREBLEU_SEED", "seven")
    with pytest.raises(UsageError, match="'seven'"):
        evaluate([System("good", GOOD)], [REFERENCE], confidence=10)


def test_intervals_exist_even_where_resamples_match_nothing():
    (found,) = evaluate(
        [System("x", ["xx yy", REFERENCE[0]])],
        [["a b c d", REFERENCE[0]]],
        make_metrics(list(SACREBLEU)),
        confidence=200,
    )
    assert all(score.ci is not None and score.mean is not None for score in found.metrics)


class TestDocuments:
    REFERENCE = news(60)
    SYSTEMS = [worse("a", REFERENCE, 0.3, 1), worse("b", REFERENCE, 0.36, 2)]
    NAMES = make_metrics(["bleu"])

    def p_value(self, paired, **more):
        _, other = evaluate(self.SYSTEMS, [self.REFERENCE], self.NAMES, paired=paired, **more)
        return other.metrics[0]

    @pytest.mark.parametrize("paired", ["bs", "ar"])
    def test_documents_of_one_segment_are_segments(self, paired):
        alone = self.p_value(paired, unit="document", documents=[str(n) for n in range(60)])
        assert alone.p_value == self.p_value(paired).p_value
        assert alone.signature.replace("|unit:document|documents:60", "") == self.p_value(paired).signature

    def test_the_order_of_segments_does_not_matter_but_their_document_does(self):
        blocks = [str(n // 3) for n in range(60)]
        found = self.p_value("bs", unit="document", documents=blocks)
        assert "|unit:document|documents:20|version:" in found.signature
        assert not found.note
        order = sorted(range(60), key=lambda n: (n % 3, n))
        shuffled = [System(s.name, [s.segments[n] for n in order]) for s in self.SYSTEMS]
        _, other = evaluate(
            shuffled,
            [[self.REFERENCE[n] for n in order]],
            self.NAMES,
            paired="bs",
            unit="document",
            documents=[blocks[n] for n in order],
        )
        assert other.metrics[0].p_value == found.p_value
        assert found.p_value != self.p_value("bs").p_value

    def test_copies_of_a_segment_are_no_further_evidence(self):
        """Ten copies of each sentence as ten documents' worth of text: an interval over segments would shrink."""
        chrf = make_metrics(["chrf"])
        tenfold = [System(s.name, [text for text in s.segments for _ in range(10)]) for s in self.SYSTEMS]
        reference = [text for text in self.REFERENCE for _ in range(10)]
        documents = [str(n // 10) for n in range(600)]
        (once,) = evaluate(self.SYSTEMS[:1], [self.REFERENCE], chrf, confidence=200)
        (naive,) = evaluate(tenfold[:1], [reference], chrf, confidence=200)
        (honest,) = evaluate(tenfold[:1], [reference], chrf, confidence=200, unit="document", documents=documents)
        assert honest.metrics[0].ci == pytest.approx(once.metrics[0].ci, rel=1e-3)
        assert naive.metrics[0].ci < once.metrics[0].ci / 2

    def test_few_documents_are_said_and_make_no_small_p_value(self):
        """Of four documents one trial in eight swaps all or none: no difference can be rarer than that."""
        perfect = [System("best", self.REFERENCE), worse("worst", self.REFERENCE, 0.9, 3)]
        documents = [str(n // 15) for n in range(60)]
        _, other = evaluate(perfect, [self.REFERENCE], self.NAMES, paired="ar", unit="document", documents=documents)
        assert other.metrics[0].p_value == pytest.approx(1 / 8, abs=0.02)
        assert "only 4 documents" in other.metrics[0].note

    def test_one_document_cannot_be_resampled(self):
        with pytest.raises(UsageError, match="1 document "):
            self.p_value("bs", unit="document", documents=["one"] * 60)
        with pytest.raises(UsageError, match="no documents "):
            self.p_value("bs", unit="document")


def test_slices_are_scored_as_if_alone():
    labels = ["a", "b", "a", "b"]
    (system,) = evaluate([System("good", GOOD)], [REFERENCE], slices=labels)
    for place, score in enumerate(system.metrics):
        for part, rows in zip(score.slices, ([0, 2], [1, 3]), strict=True):
            (alone,) = evaluate([System("x", [GOOD[n] for n in rows])], [[REFERENCE[n] for n in rows]])
            assert (part.score, part.segments) == (alone.metrics[place].score, 2)
    assert [part.name for part in system.metrics[0].slices] == ["a", "b"]


def test_folded_names_stand_beside_the_raw_scores():
    reference = ["President Tô Lâm left Việt Nam for Ha Noi on Monday.", *REFERENCE]
    hypothesis = System("x", ["President To Lam left Vietnam for Hanoi on Monday.", *REFERENCE])
    (folded,) = evaluate([hypothesis], [reference], paired=None, fold_names=True)
    (raw,) = evaluate([hypothesis], [reference])
    assert [score for score in folded.metrics if "folded" not in score.name] == list(raw.metrics)
    bleu, same = folded.metrics[:2]
    assert (bleu.name, same.name) == ("BLEU", "BLEU (names folded)")
    assert bleu.score < same.score == pytest.approx(100)
    assert same.signature == bleu.signature.replace("|version", "|names:folded-v1|version")


def test_counts_that_differ_name_both():
    with pytest.raises(InputError, match=r"short has 1 segments.*4"):
        evaluate([System("good", GOOD), System("short", ["One line."])], [REFERENCE])
    with pytest.raises(InputError, match=r"reference 2 has 1 segments.*4"):
        evaluate([System("good", GOOD)], [REFERENCE, REFERENCE[:1]])
    with pytest.raises(InputError, match="documents has 3"):
        evaluate([System("good", GOOD)], [REFERENCE], documents=["a"] * 3)
    with pytest.raises(InputError, match="empty"):
        evaluate([System("good", [])], [[]])


def test_impossible_requests():
    with pytest.raises(UsageError, match="two systems"):
        evaluate([System("good", GOOD)], [REFERENCE], paired="bs")
    with pytest.raises(UsageError, match="one resample"):
        evaluate([System("good", GOOD)], [REFERENCE], confidence=1)
    with pytest.raises(UsageError, match="called x"):
        evaluate([System("x", GOOD), System("x", BAD)], [REFERENCE])
    with pytest.raises(UsageError, match="no system"):
        evaluate([], [REFERENCE])


class CountedWords:
    """A metric that sacreBLEU does not have: the mean number of words."""

    name, signature, higher_better = "Words", "version:1", True

    def statistics(self, hypotheses, references, sources=None):
        return np.array([[len(text.split()), 1] for text in hypotheses], float)

    def aggregate(self, sums):
        return sums[..., 0] / sums[..., 1]


class TestEqualSystems:
    SYSTEMS = [worse("a", news(40), 0.3, 1), System("b", worse("a", news(40), 0.3, 1).segments)]

    def found(self, metrics, **more):
        first, other = evaluate(self.SYSTEMS, [news(40)], metrics, confidence=50, **more)
        assert first.metrics[0].score == other.metrics[0].score
        return first.metrics[0], other.metrics[0]

    @pytest.mark.parametrize("paired", ["bs", "ar"])
    def test_other_metrics_and_documents_do_not_tell_them_apart(self, paired):
        assert self.found([CountedWords()], paired=paired)[1].p_value == 1
        documents = [str(n // 2) for n in range(40)]
        more = {"unit": "document", "documents": documents}
        assert self.found(make_metrics(["bleu"]), paired=paired, **more)[1].p_value == 1

    def test_the_p_value_of_sacrebleu_has_a_note(self):
        first, other = self.found(make_metrics(["bleu"]), paired="ar")
        assert other.p_value < 0.001
        assert "counts no ties" in other.note and not first.note

    def test_without_its_rules_they_are_equal_in_all(self):
        first, other = self.found(make_metrics(["bleu"]), paired="ar", as_sacrebleu=False)
        assert (other.p_value, other.ci, other.mean) == (1, first.ci, first.mean)
        assert "|ties:counted" in other.signature and not other.note
