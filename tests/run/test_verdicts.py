"""Pairs with what rules and people say of them."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from pipeline.config.settings import FilterSettings, Rule
from pipeline.errors import ConfigError, Interrupted, StoreError
from pipeline.files.progress import Progress
from pipeline.files.store import Store
from pipeline.run.shards import Shards
from pipeline.run.stop import Stop
from pipeline.run.verdicts import Verdicts, judged
from pipeline.run.watch import Watch
from pipeline.stages.filter.decisions import REJECTED_BY_HAND, Decisions, decide
from pipeline.types import Scored
from tests.view.folder import run_folder, scored

QUIET = Watch(Progress(quiet=True))
RULES = FilterSettings(rules={"similarity": Rule(min=0.55)})


def test_each_pair_keeps_what_it_comes_with_and_few_are_waiting() -> None:
    seen = 0

    def rows() -> Iterator[tuple[str, Scored]]:
        nonlocal seen
        for number in range(6):
            seen += 1
            yield f"place {number}", scored(number)

    for number, (place, row, verdict) in enumerate(judged(rows(), RULES)):
        assert (place, row.pair.id, verdict.pair_id) == (f"place {number}", f"p{number}", f"p{number}")
        assert verdict.keep == (number < 4)
        assert seen <= number + 2


def test_rules_that_cannot_be_are_refused_before_a_pair_is_read() -> None:
    def unread() -> Iterator[tuple[int, Scored]]:
        raise AssertionError
        yield

    with pytest.raises(ConfigError, match="similarty"):
        next(judged(unread(), FilterSettings(rules={"similarty": Rule(min=0.5)})))


def test_decisions_go_before_rules_and_those_that_fit_no_pair_are_counted(tmp_path: Path) -> None:
    folder, said = run_folder(tmp_path / "run"), StringIO()
    decisions = Decisions(folder, pytest.fail)
    for pair, keep in ((scored(0).pair, False), (scored(5).pair, True), (scored(1, "Other English.").pair, False)):
        decisions.append(decide(pair, keep))
    verdicts = Verdicts(Shards.scored_in(folder, None), RULES, decisions, Watch(Progress(said)))
    rows = list(verdicts)
    assert [verdict.keep for _, verdict in rows] == [False, True, True, True, False, True]
    assert rows[0][1].reasons == (REJECTED_BY_HAND,)
    assert [row.pair.id for row, _ in verdicts.of_shard(1)] == ["p4", "p5"]
    assert verdicts.not_applied == 1 and said.getvalue().count("1 of 3 decisions") == 1


def test_pairs_are_decided_once(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run")
    verdicts = Verdicts(Shards.scored_in(folder, None), RULES, Decisions(folder, pytest.fail), QUIET)
    first = list(verdicts)
    Decisions(folder, pytest.fail).append(decide(scored(0).pair, False))
    assert list(verdicts) == first


def test_shards_without_pairs_are_passed_over_and_one_that_was_made_anew_is_said(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run")
    store = Store(folder)
    for number, rows in enumerate(([], [scored(0), scored(5)], [], [scored(1)], [])):
        store.commit("score", number, f"key-{number}", rows)
    verdicts = Verdicts(Shards(store, 5), RULES, Decisions(folder, pytest.fail), QUIET)
    assert [[(row.pair.id, verdict.keep) for row, verdict in verdicts.of_shard(n)] for n in range(5)] == [
        [],
        [("p0", True), ("p5", False)],
        [],
        [("p1", True)],
        [],
    ]
    assert [verdict.pair_id for _, verdict in verdicts] == ["p0", "p5", "p1"]
    assert (verdicts.counts.pairs, verdicts.counts.kept) == ({"translated": 3}, {"translated": 2})
    store.commit("score", 3, "other", [scored(1), scored(2)])
    with pytest.raises(StoreError, match="shard 3"):
        list(verdicts)


def test_a_wish_to_stop_ends_the_deciding(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run")
    watch = Watch(Progress(quiet=True), Stop(asked=True))
    with pytest.raises(Interrupted):
        Verdicts(Shards.scored_in(folder, None), RULES, Decisions(folder, pytest.fail), watch)
