"""`mekong score` from outside."""

import json

import pytest
import typer
from typer.testing import CliRunner

from pipeline.cli.score import score_command
from pipeline.errors import InputError, UsageError
from pipeline.metrics.base import METRICS, make_metrics
from pipeline.metrics.evaluation import System, evaluate
from tests.stages.score.news import GOOD, REFERENCE, written


@pytest.fixture
def files(tmp_path):
    return written(tmp_path)


@pytest.fixture
def invoke():
    app = typer.Typer()
    app.command()(score_command)

    def call(*arguments):
        return CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=True)

    return call


def test_json(invoke, files):
    good, bad, reference = files
    result = invoke("--hyp", good, "--hyp", bad, "--ref", reference, "--json", "--metric", "bleu")
    systems = json.loads(result.stdout)["systems"]
    assert [system["name"] for system in systems] == [str(good), str(bad)]
    (metric,) = systems[0]["metrics"]
    assert set(metric) == {"name", "score", "signature", "ci"}
    assert (metric["name"], metric["ci"]) == ("BLEU", None)
    assert set(systems[0]) == {"name", "metrics"}


def test_json_has_what_was_asked_for(invoke, files, tmp_path):
    good, bad, reference = files
    documents = tmp_path / "documents"
    documents.write_text("a\na\nb\nb\n")
    result = invoke(
        *("--hyp", good, "--hyp", bad, "--ref", reference, "--format", "json", "--paired", "bs", "--confidence", 50),
        *("--unit", "document", "--documents", documents, "--by", "doc_id", "--fold-names", "--metric", "chrf"),
    )
    first, second = json.loads(result.stdout)["systems"]
    assert [metric["name"] for metric in second["metrics"]] == ["chrF2", "chrF2 (names folded)"]
    assert "p_value" not in first["metrics"][0]
    assert 0 < second["metrics"][0]["p_value"] <= 1
    assert "only 2 documents" in second["metrics"][0]["note"]
    assert [part["name"] for part in first["metrics"][0]["slices"]] == ["a", "b"]


def test_the_table_has_scores_and_signatures(invoke, files):
    good, _, reference = files
    result = invoke("--hyp", good, "--ref", reference, *(x for name in ("bleu", "ter") for x in ("--metric", name)))
    (system,) = evaluate([System("good", GOOD)], [REFERENCE], make_metrics(["bleu", "ter"]))
    for score in system.metrics:
        assert f"{score.score:.1f}" in result.stdout
        assert f"{score.name}|{score.signature}" in result.stdout


def test_realigned_scores_say_so(invoke, files, tmp_path):
    _, _, reference = files
    joined = tmp_path / "joined.en"
    joined.write_text(" ".join(GOOD) + "\n")
    result = invoke("--hyp", joined, "--ref", reference, "--realign", "words", "--metric", "bleu", "--json")
    (system,) = json.loads(result.stdout)["systems"]
    (score,) = evaluate([System("good", GOOD)], [REFERENCE], make_metrics(["bleu"]))[0].metrics
    assert system["metrics"][0]["score"] == score.score
    assert "|realign:words-v1|version:" in system["metrics"][0]["signature"]
    assert system["realignment"] == {
        "beads": 1, "one_to_one": 0, "omissions": 0, "insertions": 0, "share_one_to_one": 0.0,
    }  # fmt: skip
    text = invoke("--hyp", joined, "--ref", reference, "--realign", "words").stdout
    assert "omissions" in text and "0.0%" in text


def test_latex(invoke, files):
    good, bad, reference = files
    text = invoke("--hyp", good, "--hyp", bad, "--ref", reference, "--format", "latex").stdout
    assert text.startswith("\\begin{table}\n") and text.endswith("\\end{table}\n")
    refused = invoke("--hyp", good, "--ref", reference, "--format", "latex", "--by", "doc_id")
    assert isinstance(refused.exception, UsageError)


def test_what_cannot_be_scored_is_refused(invoke, files, tmp_path):
    good, _, reference = files
    short = tmp_path / "short.en"
    short.write_text("One line.\n")
    for arguments, kind in (
        (("--hyp", short, "--ref", reference), InputError),
        (("--hyp", good), UsageError),
        (("--hyp", good, "--ref", reference, "--metric", "commet"), UsageError),
        (("--hyp", good, "--ref", reference, "--confidence", 1), UsageError),
        (("--hyp", good, "--ref", reference, "--unit", "document", "--confidence", 9), UsageError),
    ):
        assert isinstance(invoke(*arguments).exception, kind), arguments


def test_help_names_every_metric(invoke):
    text = " ".join(invoke("--help").stdout.split())
    assert all(name in text for name in METRICS)
