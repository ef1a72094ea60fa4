"""Tables to read and tables for a paper."""

import re
from io import StringIO

import pytest
from rich.console import Console

from pipeline.metrics.base import MetricScore, SliceScore, make_metrics
from pipeline.metrics.evaluation import System, SystemScores, evaluate
from pipeline.metrics.realign import BeadCounts
from pipeline.metrics.tables import latex_escape, latex_table, print_tables
from tests.stages.score.news import BAD, GOOD, REFERENCE


def shown(systems, realigned=(), width=80):
    out = StringIO()
    print_tables(systems, realigned, Console(file=out, markup=False, width=width))
    return out.getvalue()


def scored(*systems):
    """Systems of one metric each value of which is given as (score, p-value)."""
    return [
        SystemScores(name, (MetricScore("TER", score, "nrefs:1", p_value=p, higher_better=False),))
        for name, score, p in systems
    ]


@pytest.fixture(scope="module")
def systems():
    names = ["bleu", "chrf", "chrf++", "ter"]
    both = [System("out/a_1/good.en", GOOD), System("out/b/[red]bad.en", BAD)]
    return evaluate(both, [REFERENCE], make_metrics(names), paired="bs", fold_names=True, slices=list("xxyy"))


def test_the_text_table_fits_a_terminal_and_loses_nothing(systems):
    text = shown(systems, [BeadCounts(10, 8, 1, 0), BeadCounts(4, 4, 0, 0)])
    table, _, signatures = text.partition("BLEU|")
    assert max(map(len, table.splitlines())) <= 80
    for system in systems:
        for score in system.metrics:
            assert f"{score.score:.1f} ± {score.ci:.1f}" in table
            assert score.p_value is None or f"p {score.p_value:.4f}" in table
            assert f"{score.name}|{score.signature}" in text
    assert "good.en" in table and "[red]bad.en" in table and "80.0%" in table
    assert signatures.rstrip().endswith("* differs from good.en, p < 0.05")


def test_names_that_are_long_are_folded_and_not_cut():
    name = "a-very-long-name-" * 6
    text = shown(scored((name, 50.0, None)))
    assert "".join(re.findall(r"[a-z-]+", text.partition("TER|")[0].replace("TER", ""))).startswith("system" + name)


def test_systems_with_files_of_one_name_keep_their_folders():
    text = shown(scored(("a/out.en", 50.0, None), ("b/out.en", 40.0, None)))
    assert "a/out.en" in text and "b/out.en" in text


def test_slices_have_a_table_for_each_metric():
    metric = MetricScore("chrF2", 50.0, "s", slices=(SliceScore("doc-1", 3, 12.34), SliceScore("doc-2", 1, 99.99)))
    text = shown([SystemScores("x", (metric,))])
    assert re.search(r"doc-1 +3 +12\.3", text) and re.search(r"doc-2 +1 +100\.0", text)


def test_metrics_that_count_to_one_have_four_decimals():
    text = shown([SystemScores("x", (MetricScore("SimRef", 0.81236, "s"), MetricScore("BLEU", 8.1236, "s")))])
    assert "0.8124" in text and re.search(r"\b8\.1\b", text)


def test_latex_marks_the_best_and_what_is_significant():
    text = latex_table(scored(("base", 50.0, None), ("good", 40.0, 0.01), ("same", 40.04, 0.2)))
    assert r"base & 50.0 \\" in text
    assert r"good & \textbf{40.0}$^{\dagger}$ \\" in text
    assert r"same & \textbf{40.0} \\" in text
    assert r"$^{\dagger}$ differs from base, p \textless{} 0.05" in text


def test_equal_scores_have_no_star():
    systems = scored(("base", 50.0, None), ("copy", 50.0, 0.0001))
    assert "p 0.0001*" not in shown(systems) and "p 0.0001" in shown(systems)
    assert r"$^{\dagger}$ \\" not in latex_table(systems)


def test_latex_says_how_hypotheses_were_realigned(systems):
    text = latex_table(systems[:1], [BeadCounts(8, 6, 1, 0)])
    assert r"realigned: 8 beads, 75.0\% 1:1, 1 omissions, 0 insertions" in text


def test_latex_has_every_score_and_balanced_groups(systems):
    text = latex_table(systems)
    for system in systems:
        for score in system.metrics:
            assert f"{score.score:.1f}" in text
    assert r"\quad names folded & " in text
    assert text.count(r"\begin{") == text.count(r"\end{") == 2
    bare = re.sub(r"\\[{}\\]", "", text)
    assert bare.count("{") == bare.count("}")
    rows = [line for line in text.split("\n") if line.endswith(r"\\") and " & " in line]
    assert {line.count(" & ") for line in rows} == {4}


def test_every_special_character_is_escaped():
    assert latex_escape("a_b & 5 % #1 $x {y} ~z ^ \\ <u|v>\nw") == (
        r"a\_b \& 5 \% \#1 \$x \{y\} \textasciitilde{}z \textasciicircum{} \textbackslash{} "
        r"\textless{}u\textbar{}v\textgreater{} w"
    )
