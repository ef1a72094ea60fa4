import json
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from pipeline.cli_score import score_command
from pipeline.errors import InputError, UsageError
from pipeline.scorers.metrics import METRICS, corpus_metrics, read_lines, score_files

REFERENCE = [
    "The cabinet approved the budget on Tuesday.",
    "Floods have hit twelve provinces in the north.",
    "The two countries will open a new border crossing.",
    "Exports of durian rose by a third last year.",
]
GOOD = [
    "The cabinet approved a budget on Tuesday.",
    "Floods hit twelve northern provinces.",
    "Both countries will open a new border crossing.",
    "Durian exports rose by a third last year.",
]
BAD = ["Cabinet budget.", "Water in provinces of the north.", "Two lands open crossing.", "Durian sold more."]


@pytest.fixture
def files(tmp_path):
    paths = []
    for name, lines in (("good", GOOD), ("bad", BAD), ("ref", REFERENCE)):
        path = tmp_path / f"{name}.en"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        paths.append(path)
    return paths


def sacrebleu(*arguments):
    command = [sys.executable, "-m", "sacrebleu", *map(str, arguments)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_scores_and_signatures_are_those_of_the_sacrebleu_command(files):
    good, _, reference = files
    theirs = sacrebleu(
        reference, "-i", good, "-m", "bleu", "chrf", "ter", "-w", 4, "--confidence-n", 200, "--confidence"
    )
    ours = corpus_metrics(GOOD, [REFERENCE], ("bleu", "chrf", "ter"), confidence=200)
    for mine, other in zip(ours, theirs, strict=True):
        assert mine.name == other["name"]
        assert mine.signature == other["signature"]
        assert mine.score == pytest.approx(other["score"], abs=1e-4)
        assert mine.mean == pytest.approx(other["confidence_mean"], abs=1e-4)
        assert mine.ci == pytest.approx(other["confidence_var"], abs=1e-4)


def test_paired_randomisation_is_that_of_the_sacrebleu_command(files):
    good, bad, reference = files
    theirs = sacrebleu(reference, "-i", good, bad, "-m", "chrf", "--paired-ar", "--paired-ar-n", 10000)
    baseline, other = score_files([good, bad], reference, ("chrf",), paired="ar")
    assert baseline.metrics[0].p_value is None
    assert other.metrics[0].p_value == pytest.approx(theirs[1]["chrF2"]["p_value"])
    assert "ar:10000|seed:12345" in other.metrics[0].signature


def test_paired_bootstrap_takes_the_number_of_resamples(files):
    good, bad, reference = files
    _, other = score_files([good, bad], reference, ("bleu", "chrf"), confidence=100, paired="bs")
    assert all("bs:100|seed:12345" in score.signature for score in other.metrics)
    assert all(0 < score.p_value <= 1 and score.ci >= 0 for score in other.metrics)


def test_two_references():
    (score,) = corpus_metrics(GOOD, [REFERENCE, GOOD], ("bleu",))
    assert score.score == pytest.approx(100)
    assert score.signature.startswith("nrefs:2|")


def test_word_order_makes_chrf_plus_plus():
    chrf, plus = corpus_metrics(GOOD, [REFERENCE], ("chrf", "chrf++"))
    assert (chrf.name, plus.name) == ("chrF2", "chrF2++")
    assert chrf.score != plus.score
    assert chrf.ci is None


def test_unequal_counts_name_both(tmp_path, files):
    short = tmp_path / "short.en"
    short.write_text("One line.\n")
    with pytest.raises(InputError, match=r"1 lines.*4"):
        score_files([files[0], short], files[2])
    with pytest.raises(InputError, match=r"4 lines.*1"):
        corpus_metrics(GOOD, [REFERENCE[:1]])


def test_empty_files(tmp_path):
    empty = tmp_path / "empty.en"
    empty.write_text("")
    with pytest.raises(InputError, match="empty"):
        score_files([empty], empty)


def test_impossible_requests(files):
    with pytest.raises(UsageError, match="two systems"):
        score_files([files[0], files[0]], files[2], paired="bs")
    with pytest.raises(UsageError, match="one resample"):
        score_files([files[0]], files[2], confidence=1)
    with pytest.raises(UsageError, match=r"'comet'.*\n.*ter"):
        score_files([files[0]], files[2], ("comet",))


def test_a_file_named_twice_counts_once(files):
    good, bad, reference = files
    assert [system.name for system in score_files([good, bad, good], reference, ("bleu",))] == [str(good), str(bad)]


def test_only_line_feeds_end_lines(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes("a\u2028b\x85c\r\n\nd\x0be".encode())
    assert read_lines(path) == ["a\u2028b\x85c", "", "d\x0be"]


def test_bytes_that_are_not_utf8(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes(b"fine\ncaf\xe9\n")
    with pytest.raises(InputError, match="line 2: byte 8"):
        read_lines(path)
    with pytest.raises(InputError, match="cannot read"):
        read_lines(tmp_path / "missing.txt")


class TestCommand:
    @pytest.fixture
    def invoke(self):
        app = typer.Typer()
        app.command()(score_command)
        return lambda *arguments: CliRunner().invoke(app, [str(a) for a in arguments])

    def test_json(self, invoke, files):
        good, bad, reference = files
        result = invoke("--hyp", good, "--hyp", bad, "--ref", reference, "--json", "--metric", "bleu")
        systems = json.loads(result.stdout)["systems"]
        assert [system["name"] for system in systems] == [str(good), str(bad)]
        (metric,) = systems[0]["metrics"]
        assert set(metric) == {"name", "score", "signature", "ci"}
        assert (metric["name"], metric["ci"]) == ("BLEU", None)

    def test_json_with_p_values(self, invoke, files):
        good, bad, reference = files
        result = invoke("--hyp", good, "--hyp", bad, "--ref", reference, "--json", "--paired", "bs", "--confidence", 50)
        first, second = json.loads(result.stdout)["systems"]
        assert "p_value" not in first["metrics"][0]
        assert 0 < second["metrics"][0]["p_value"] <= 1

    def test_table_has_scores_and_signatures(self, invoke, files, tmp_path):
        odd = tmp_path / "[red]odd.en"
        odd.write_bytes(files[0].read_bytes())
        result = invoke("--hyp", odd, "--ref", files[2], *(x for name in METRICS for x in ("--metric", name)))
        (bleu, *_) = corpus_metrics(GOOD, [REFERENCE], ("bleu",))
        assert f"{bleu.score:.1f}" in result.stdout
        assert f"BLEU|{bleu.signature}" in result.stdout.replace("\n", "")
        assert "[red]" in result.stdout
        assert "TER" in result.stdout


def test_intervals_exist_even_where_resamples_match_nothing():
    found = corpus_metrics(
        ["xx yy", "The cabinet approved the budget on Tuesday."], [["a b c d", REFERENCE[0]]], METRICS, 200
    )
    assert all(score.ci is not None and score.mean is not None for score in found)
