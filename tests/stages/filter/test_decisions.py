"""The file of decisions: what is appended stays, what is damaged is named, what no longer fits is not applied."""

import json
import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import StoreError
from pipeline.files.store import append_line
from pipeline.stages.filter.decisions import FILE, REJECTED_BY_HAND, Decisions, decide
from pipeline.types import Reason, Verdict
from tests.view.folder import scored

PAIRS = [scored(number).pair for number in range(6)]
KEPT = Verdict("p0", True, ())
REFUSED = Verdict("p0", False, (Reason("similarity", "similarity 0.1 < 0.4"), Reason("duplicate", "duplicate of p9")))


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def decisions(tmp_path: Path, said: list[str]) -> Decisions:
    return Decisions(tmp_path, said.append)


def test_no_file_is_no_decision(decisions: Decisions) -> None:
    assert decisions.refresh() == [] and decisions.latest == {}
    assert decisions.applied(PAIRS[0], KEPT) is KEPT


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([True, False, None]))))
def test_the_last_decision_of_a_pair_holds(tmp_path_factory: pytest.TempPathFactory, made) -> None:
    folder = tmp_path_factory.mktemp("run")
    writer, follower = Decisions(folder, print), Decisions(folder, print)
    expected = dict.fromkeys(range(6))
    for number, keep in made:
        writer.append(decide(PAIRS[number], keep))
        expected[number] = keep
        assert [found.keep for found in follower.refresh()] == [keep]
    whole = Decisions(folder, print)
    whole.refresh()
    for reader in (follower, whole):
        assert {number: reader.of(pair) for number, pair in enumerate(PAIRS)} == expected
    assert len(whole.latest) == sum(keep is not None for keep in expected.values())


def test_verdicts_keep_their_promise(decisions: Decisions) -> None:
    decisions.append(decide(PAIRS[0], True))
    decisions.refresh()
    assert decisions.applied(PAIRS[0], REFUSED) == Verdict("p0", True, (), by_hand=True)
    assert decisions.applied(PAIRS[0], KEPT) == Verdict("p0", True, (), by_hand=True)
    decisions.append(decide(PAIRS[0], False))
    decisions.refresh()
    assert decisions.applied(PAIRS[0], KEPT) == Verdict("p0", False, (REJECTED_BY_HAND,), by_hand=True)
    assert decisions.applied(PAIRS[0], REFUSED).reasons == (*REFUSED.reasons, REJECTED_BY_HAND)


@pytest.mark.parametrize("change", [{"src_text": "อื่น"}, {"tgt_text": "Other"}, {"src_lang": "vi"}])
def test_a_decision_is_about_the_texts_that_were_seen(decisions: Decisions, change: dict[str, str]) -> None:
    decisions.append(decide(PAIRS[0], False))
    decisions.refresh()
    assert decisions.of(replace(PAIRS[0], **change)) is None
    assert decisions.of(replace(PAIRS[0], cost=9.0)) is False


@pytest.mark.parametrize("length", [1, 20, 60])
def test_a_line_that_a_kill_cut_short_costs_no_other(decisions: Decisions, said: list[str], length: int) -> None:
    decisions.append(decide(PAIRS[0], False))
    decisions.append(decide(PAIRS[1], True))
    whole = decisions.path.read_bytes()
    decisions.path.write_bytes(whole + whole[:length])
    for _ in range(2):
        decisions.refresh()
    assert [decisions.of(pair) for pair in PAIRS[:2]] == [False, True]
    assert len(said) == 1 and f"{FILE}, line 3 was cut short" in said[0]
    decisions.append(decide(PAIRS[2], True))
    assert [found.pair for found in decisions.refresh()] == ["p2"]
    assert [json.loads(line)["pair"] for line in decisions.path.read_text().splitlines()] == ["p0", "p1", "p2"]


def test_a_last_line_without_its_line_feed_counts(decisions: Decisions, said: list[str]) -> None:
    decisions.append(decide(PAIRS[0], False))
    decisions.path.write_bytes(decisions.path.read_bytes().rstrip(b"\n"))
    decisions.refresh()
    assert decisions.of(PAIRS[0]) is False
    decisions.append(decide(PAIRS[1], True))
    decisions.refresh()
    assert [decisions.of(pair) for pair in PAIRS[:2]] == [False, True] and not said


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ('{"pair": "p1", "keep": 1, "text": "a", "at": "b"}', "keep"),
        ('{"pair": "p1", "keep": true, "text": "a"}', "at"),
        ('{"pair": "p1", "keep": true, "text": "a", "at": "b", "who": "me"}', "who"),
        ("", "line"),
        ("p1 no", "line"),
    ],
)
def test_a_line_that_is_no_decision_is_named(decisions: Decisions, line: str, word: str) -> None:
    decisions.append(decide(PAIRS[0], False))
    decisions.refresh()
    with decisions.path.open("a") as stream:
        stream.write(line + "\n")
    decisions.append(decide(PAIRS[2], False))
    for _ in range(2):
        with pytest.raises(StoreError, match=f"{FILE}, line 2 is no decision.*{word}"):
            decisions.refresh()


def test_another_file_in_its_place_is_read_from_the_start(decisions: Decisions, tmp_path: Path) -> None:
    for pair in PAIRS[:3]:
        decisions.append(decide(pair, False))
    decisions.refresh()
    edited = tmp_path / "edited"
    edited.write_bytes(b"".join(decisions.path.read_bytes().splitlines(keepends=True)[1:]))
    edited.replace(decisions.path)
    before = decisions.restarts
    decisions.refresh()
    assert decisions.restarts == before + 1 and list(decisions.latest) == ["p1", "p2"]


def _append_many(folder: Path, worker: int) -> None:
    decisions = Decisions(folder, print)
    for number in range(40):
        decisions.append(decide(replace(PAIRS[0], id=f"{worker}-{number}" + "x" * 5000), True))


def test_appends_of_several_processes_do_not_mix(tmp_path: Path, decisions: Decisions) -> None:
    workers = [multiprocessing.get_context("fork").Process(target=_append_many, args=(tmp_path, n)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(decisions.refresh()) == 120 == len(decisions.latest)


def test_a_link_is_not_followed(tmp_path: Path, decisions: Decisions) -> None:
    other = tmp_path / "other"
    other.write_text("untouched")
    decisions.path.symlink_to(other)
    with pytest.raises(StoreError, match="cannot write"):
        decisions.append(decide(PAIRS[0], True))
    assert other.read_text() == "untouched"


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    path = tmp_path / "rows.jsonl"
    append_line(path, {"a": 1})
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:5]))
    with pytest.raises(StoreError, match="No space"):
        append_line(path, {"b": 2})
    assert path.read_bytes() == b'{"a":1}\n'
