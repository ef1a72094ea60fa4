"""The metrics of sacreBLEU, as its own command computes them."""

import json
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF, TER

from pipeline.errors import UsageError
from pipeline.metrics.base import add_to_signature, make_metrics
from pipeline.metrics.evaluation import System, evaluate
from tests.stages.score.news import BAD, GOOD, REFERENCE, news, worse, written

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def files(tmp_path):
    return written(tmp_path)


def sacrebleu(*arguments):
    command = [sys.executable, "-m", "sacrebleu", *map(str, arguments)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_scores_and_signatures_are_those_of_the_sacrebleu_command(files):
    good, _, reference = files
    theirs = sacrebleu(
        reference, "-i", good, "-m", "bleu", "chrf", "ter", "-w", 4, "--confidence-n", 200, "--confidence"
    )
    (ours,) = evaluate([System("good", GOOD)], [REFERENCE], make_metrics(["bleu", "chrf", "ter"]), confidence=200)
    for mine, other in zip(ours.metrics, theirs, strict=True):
        assert mine.name == other["name"]
        assert mine.signature == other["signature"]
        assert mine.score == pytest.approx(other["score"], abs=1e-4)
        assert mine.mean == pytest.approx(other["confidence_mean"], abs=1e-4)
        assert mine.ci == pytest.approx(other["confidence_var"], abs=1e-4)


@pytest.mark.parametrize(("paired", "metric"), [("bs", "bleu"), ("ar", "chrf")])
def test_p_values_are_those_of_the_sacrebleu_command(files, paired, metric):
    good, bad, reference = files
    theirs = sacrebleu(reference, "-i", good, bad, "-m", metric, f"--paired-{paired}")
    systems = [System("good", GOOD), System("bad", BAD)]
    baseline, other = evaluate(systems, [REFERENCE], make_metrics([metric]), paired=paired)
    assert baseline.metrics[0].p_value is None
    assert other.metrics[0].p_value == pytest.approx(theirs[1][other.metrics[0].name]["p_value"])


def test_sacrebleu_is_of_the_minor_version_whose_inside_is_known():
    """Another one needs the test below, and then another pin in pyproject.toml."""
    assert metadata.version("sacrebleu").split(".")[:2] == ["2", "6"]
    pins = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    assert "sacrebleu==2.6.*" in pins


@pytest.mark.parametrize("kind", [BLEU, CHRF, TER])
@pytest.mark.parametrize("streams", [1, 2])
def test_what_is_used_of_the_inside_of_sacrebleu_is_as_it_was(kind, streams):
    """`StringMetric` hands over references once, and adds up statistics itself."""
    references = [REFERENCE, BAD][:streams]
    metric, public = kind(), kind()
    assert metric._ref_cache is None
    metric._ref_cache = metric._cache_references(references)
    rows = metric._extract_corpus_statistics(GOOD, None)
    assert len(rows) == len(GOOD) and {len(row) for row in rows} == {len(rows[0])}
    assert all(isinstance(number, int | float) for row in rows for number in row)
    sums = [sum(column) for column in zip(*rows, strict=True)]
    assert metric._compute_score_from_stats(sums).score == public.corpus_score(GOOD, references).score
    assert str(metric.get_signature()) == str(public.get_signature())
    # The references are those in the cache, whatever was asked before.
    metric._ref_cache = metric._cache_references([GOOD])
    assert metric._extract_corpus_statistics(GOOD, None) != rows


@pytest.mark.parametrize("name", ["bleu", "chrf", "chrf++", "ter"])
def test_scores_follow_from_the_sums_of_the_statistics(name):
    reference = news(12)
    system = worse("x", reference, 0.3, 1)
    (metric,) = make_metrics([name])
    statistics = metric.statistics(system.segments, [reference], None)
    assert len(statistics) == 12
    halves = np.array([statistics[:6].sum(0), statistics[6:].sum(0)])
    for half, cut in zip(metric.aggregate(halves), (slice(6), slice(6, 12)), strict=True):
        (alone,) = evaluate([System("x", system.segments[cut])], [reference[cut]], make_metrics([name]))
        assert half == alone.metrics[0].score
    assert metric.aggregate(halves.sum(0)) == metric.aggregate(statistics.sum(0))


def test_two_references():
    (system,) = evaluate([System("good", GOOD)], [REFERENCE, GOOD], make_metrics(["bleu"]))
    assert system.metrics[0].score == pytest.approx(100)
    assert system.metrics[0].signature.startswith("nrefs:2|")


def test_word_order_makes_chrf_plus_plus():
    (system,) = evaluate([System("good", GOOD)], [REFERENCE], make_metrics(["chrf", "chrf++"]))
    chrf, plus = system.metrics
    assert (chrf.name, plus.name) == ("chrF2", "chrF2++")
    assert chrf.score != plus.score
    assert chrf.ci is None


def test_a_metric_is_made_once_and_must_be_known():
    assert [metric.name for metric in make_metrics(["ter", "bleu", "ter"])] == ["TER", "BLEU"]
    with pytest.raises(UsageError, match=r"'commet'.*\n.*ter"):
        make_metrics(["bleu", "commet"])


def test_the_version_stays_last_in_a_signature():
    assert add_to_signature("nrefs:1|version:2", {"a": 1, "b": "x"}) == "nrefs:1|a:1|b:x|version:2"
    assert add_to_signature("nrefs:1", {"a": 1}) == "nrefs:1|a:1"
