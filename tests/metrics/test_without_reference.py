import numpy as np
import pytest

from pipeline.errors import InputError, UsageError
from pipeline.metrics.base import make_metrics
from pipeline.metrics.embedding import SimSrc
from pipeline.metrics.evaluation import System, evaluate
from pipeline.run.streams import read_streams
from tests.metrics.test_embedding import ENGLISH, THAI
from tests.support.encoders import LetterEncoder

SYSTEMS = [System("one", tuple(ENGLISH)), System("two", tuple(reversed(ENGLISH)))]


def test_a_metric_that_needs_no_reference_is_scored_and_tested_from_sources():
    found = evaluate(SYSTEMS, [], [SimSrc(LetterEncoder("en", "th"))], sources=THAI, confidence=50, paired="bs")
    score = found[0].metrics[0]
    expected = SimSrc(LetterEncoder("en", "th")).statistics(ENGLISH, [], THAI)[:, 0].mean()
    assert score.score == pytest.approx(expected)
    assert score.ci is not None and found[1].metrics[0].p_value is not None
    assert score.signature.endswith("against:source|encoder:letters|weights:0|version:1")


def test_other_metrics_say_that_they_need_one():
    with pytest.raises(UsageError, match="BLEU needs a reference"):
        evaluate(SYSTEMS, [], make_metrics(["bleu"]), sources=THAI)
    with pytest.raises(InputError, match="one has 2 segments, the source has 1 segments"):
        evaluate(SYSTEMS, [], [SimSrc(LetterEncoder("en", "th"))], sources=THAI[:1])
    with pytest.raises(InputError, match="the reference is empty"):
        evaluate(SYSTEMS, [], [SimSrc(LetterEncoder("en", "th"))])


def test_files_without_a_reference_follow_the_source(tmp_path):
    source, hypothesis, documents = tmp_path / "src.jsonl", tmp_path / "mt.jsonl", tmp_path / "docs"
    source.write_text('{"id": "a", "src": "ก"}\n{"id": "b", "src": "ข"}\n', encoding="utf-8")
    hypothesis.write_text('{"id": "b", "mt": "second"}\n{"id": "a", "mt": "first"}\n')
    documents.write_text("d1\nd2\n")
    found = read_streams([hypothesis], [], source, documents).matched()
    assert (found.references, found.sources, found.documents) == ((), ("ก", "ข"), ("d1", "d2"))
    assert found.systems[0].segments == ("first", "second")
    with pytest.raises(UsageError, match="--src"):
        read_streams([hypothesis], [])


def test_an_encoder_is_named_after_the_metric(tmp_path, monkeypatch):
    monkeypatch.setenv("MEKONG_MODELS", str(tmp_path))
    with pytest.raises(UsageError, match="nosuch"):
        make_metrics(["simref:nosuch"])
    with pytest.raises(UsageError, match="unknown metric 'bleu:labse'"):
        make_metrics(["bleu:labse"])


def test_scores_of_many_sums_come_as_one_array():
    metric = SimSrc(LetterEncoder("en", "th"))
    sums = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert metric.aggregate(sums).tolist() == [0.5, 0.75]
