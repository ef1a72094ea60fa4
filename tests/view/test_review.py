"""Which pairs the page gets, and what becomes of its decisions."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError, StoreError
from pipeline.files.store import Store, to_json
from pipeline.stages.filter.decisions import Decisions, decide
from pipeline.types import Translation
from pipeline.view.review import Changed, Review
from tests.view.folder import run_folder, scored


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return run_folder(tmp_path / "run")


@pytest.fixture
def review(folder: Path) -> Review:
    return Review(folder, pytest.fail)


def ids(review: Review, **query: Any) -> list[str]:
    """The pairs of a choice, in order, collected over pages of two."""
    found: list[str] = []
    after = -1
    while True:
        page = review.pairs({name: str(value) for name, value in query.items()} | {"limit": "2", "after": str(after)})
        if not page["rows"]:
            assert page["total"] == len(found) and page["left"] == 0
            return found
        found += [row["pair"] for row in page["rows"]]
        after = page["rows"][-1]["number"]


def body(review: Review, pair: str, keep: bool | None) -> bytes:
    row = next(row for row in review.pairs({"limit": "200"})["rows"] if row["pair"] == pair)
    return to_json({"pair": pair, "text": row["text"], "keep": keep})


def test_pairs_can_be_chosen_sorted_and_found(review: Review) -> None:
    assert ids(review) == ["p0", "p1", "p2", "p3", "p4", "p5"]
    assert ids(review, show="rejected") == ["p4", "p5"] == ids(review, reason="similarity")
    assert ids(review, reason="duplicate") == ["p5"]
    assert ids(review, document="d1", show="kept") == ["p3"]
    assert ids(review, origin="aligned") == [] == ids(review, lang="vi")
    assert ids(review, search="  BOAT ") == ["p0", "p4", "p5"] and ids(review, search="ข้าว") == ["p1"]
    assert ids(review, sort="similarity") == ["p5", "p4", "p2", "p1", "p0", "p3"], "without the score comes last"
    assert ids(review, sort="similarity", order="descending") == ["p0", "p1", "p2", "p4", "p5", "p3"]
    assert ids(review, order="descending") == ["p5", "p4", "p3", "p2", "p1", "p0"]
    row = review.pairs({"after": "4"})["rows"][0]
    assert row["reasons"] == ("similarity 0.4 < 0.55", "duplicate of p0") and row["document"] == "d1.txt"


@pytest.mark.parametrize(
    "wrong",
    [{"show": "some"}, {"limit": "0"}, {"limit": "x"}, {"sort": "beauty"}, {"path": "/etc"}, {"search": "x" * 1001}],
)
def test_a_wrong_question_is_refused(review: Review, wrong: dict[str, str]) -> None:
    with pytest.raises(InputError):
        review.pairs(wrong)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from([True, False, None])), max_size=8))
def test_decisions_show_at_once_and_count(tmp_path_factory: pytest.TempPathFactory, made) -> None:
    review = Review(run_folder(tmp_path_factory.mktemp("run")), pytest.fail)
    expected: dict[str, bool | None] = dict.fromkeys(ids(review))
    for number, keep in made:
        answer = review.decide(body(review, f"p{number}", keep))
        expected[f"p{number}"] = keep
        values = list(expected.values())
        assert answer["progress"] == {"pairs": 6, "accepted": values.count(True), "rejected": values.count(False)}
    by_rule = {"p0", "p1", "p2", "p3"}
    kept = [name for name, keep in expected.items() if (name in by_rule if keep is None else keep)]
    assert ids(review, show="kept") == kept
    assert ids(review, show="undecided") == [name for name, keep in expected.items() if keep is None]
    again = Review(review.folder, pytest.fail)
    assert [row["decision"] for row in again.pairs({})["rows"]] == list(expected.values())


def test_paging_goes_on_where_it_was_when_pairs_leave_the_choice(review: Review) -> None:
    page = review.pairs({"show": "undecided", "limit": "2"})
    for row in page["rows"]:
        review.decide(body(review, row["pair"], True))
    after = str(page["rows"][-1]["number"])
    page = review.pairs({"show": "undecided", "limit": "2", "after": after})
    assert ([row["pair"] for row in page["rows"]], page["total"], page["left"]) == (["p2", "p3"], 4, 2)


def test_what_the_guards_of_translation_found_is_told(tmp_path: Path) -> None:
    marked = replace(scored(1), scores={"guard": 0.0})
    folder = run_folder(tmp_path / "run", [scored(0), marked])
    made = [Translation(f"d0:{n}", "x", "m", None, 1, 1, "incomplete", 1, (f"missing number {n}",)) for n in range(2)]
    Store(folder).commit("translate", 0, "k", made)
    rows = Review(folder, pytest.fail).pairs({})["rows"]
    assert rows[1]["problems"] == ["something is missing", "missing number 1"]


def test_decisions_of_another_process_are_seen(review: Review, folder: Path) -> None:
    other = Decisions(folder, pytest.fail)
    other.append(decide(scored(1).pair, False))
    other.append(decide(scored(99).pair, False))
    other.append(decide(scored(2, "Texts that the run no longer has.").pair, False))
    assert review.pairs({})["progress"] == {"pairs": 6, "accepted": 0, "rejected": 1}
    other.path.unlink()
    assert review.pairs({})["progress"]["rejected"] == 0


@pytest.mark.parametrize(
    "wrong",
    [b"", b"[]", b'{"pair": "p0"}', b'{"pair": "p0", "text": "", "keep": "yes"}',
     b'{"pair": "p0", "text": "", "keep": 1}',
     b'{"pair": "nobody", "text": "", "keep": true}', b'{"pair": "p0", "text": "", "keep": true, "path": "/etc"}',
     b'{"pair": "\\ud800", "text": "", "keep": true}', b"\xff"],
)  # fmt: skip
def test_what_is_no_decision_is_refused_and_not_written(review: Review, folder: Path, wrong: bytes) -> None:
    with pytest.raises(InputError):
        review.decide(wrong)
    assert not review.decisions.path.exists()


def test_a_run_that_changed_meanwhile_takes_no_decision(review: Review, folder: Path) -> None:
    data = body(review, "p0", True)
    with pytest.raises(Changed, match="texts"):
        review.decide(data.replace(b'"text":"', b'"text":"0'))
    last = body(review, "p5", True)
    fresh = Review(folder, pytest.fail)
    Store(folder).commit("score", 1, "another-key", [scored(4), scored(5)])
    with pytest.raises(Changed, match="made anew"):
        fresh.pairs({})
    with pytest.raises(Changed, match="made anew"):
        fresh.decide(last)
    assert not review.decisions.path.exists()


def test_folders_that_cannot_be_viewed_say_why(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no run folder"):
        Review(tmp_path / "nowhere", pytest.fail)
    with pytest.raises(StoreError, match="no scored pairs"):
        Review(run_folder(tmp_path / "early", rows=[]), pytest.fail)
    torn = run_folder(tmp_path / "torn")
    (torn / "shards/score/000001.jsonl.zst").write_bytes(b"")
    with pytest.raises(StoreError, match="is damaged"):
        Review(torn, pytest.fail)
    (torn / "manifest.json").write_text('{"shards": 3}')
    with pytest.raises(StoreError, match="no shard 2"):
        Review(torn, pytest.fail)
