"""Rows that a device made nothing of: a second attempt, told to the user, and never for most rows."""

from dataclasses import replace

import pytest

from pipeline.engines.base import Failure, Output
from pipeline.engines.rescue import FREE_ROWS, NOTE, Call, Rescue
from pipeline.errors import EngineError

DONE = Output((7,), -0.1, "stop")
FAILED = Output((), None, "failed", Failure.NUMBERS)


class Backwards:
    """Answers rows with their tokens backwards; those that begin with 0 have failed."""

    def __init__(self):
        self.asked = []
        self.closed = False

    def generate(self, rows, bounds, minimums, /, *, careful):
        self.asked.append((rows, bounds, minimums, careful))
        return [FAILED if row[0] == 0 else Output(tuple(row[::-1]), -0.5, "stop") for row in rows]

    def close(self):
        self.closed = True


def attempt(rescue, count, failed, start=1, careful=False, minimums=None):
    rows = [[start + number, 5] for number in range(count)]
    outputs = [FAILED if number in failed else DONE for number in range(count)]
    return rescue.again(Call(rows, list(range(count)), minimums, careful), outputs, sorted(failed))


def test_failed_rows_are_asked_for_again_with_their_own_bounds():
    engine = Backwards()
    rescue = Rescue(lambda: engine, "bfloat16 on cuda:0")
    found = attempt(rescue, 6, {1, 4}, careful=True, minimums=[9, 8, 7, 6, 5, 4])
    assert engine.asked == [([[2, 5], [5, 5]], [1, 4], [8, 5], True)]
    assert found == [DONE, Output((5, 2), -0.5, "stop", NOTE), DONE, DONE, Output((5, 5), -0.5, "stop", NOTE), DONE]
    rescue.close()
    assert engine.closed


def test_a_row_that_fails_again_says_so():
    found = attempt(Rescue(Backwards, "x"), 1, {0}, start=0)
    assert found == [replace(FAILED, note="its scores are no numbers, in float32 on the CPU too")]


def test_no_engine_is_loaded_where_nothing_fails():
    def load():
        raise AssertionError

    rescue = Rescue(load, "x")
    assert attempt(rescue, 3, set()) == [DONE] * 3
    rescue.close()


def test_the_user_is_told_at_first_and_whenever_there_are_twice_as_many(caplog):
    rescue = Rescue(Backwards, "float16 on cuda:0")
    for _ in range(9):
        attempt(rescue, 100, {3})
    told = [record.getMessage() for record in caplog.records]
    assert [line.split()[0] for line in told] == ["1", "2", "4", "8"]
    assert told[1].startswith(
        "2 of 200 rows so far have failed in float16 on cuda:0, the last because its scores are no"
    )
    assert {record.levelname for record in caplog.records} == {"WARNING"}


def test_more_than_a_few_are_an_error_before_they_are_decoded():
    engine = Backwards()
    rescue = Rescue(lambda: engine, "float16 on cuda:0")
    attempt(rescue, FREE_ROWS, set(range(FREE_ROWS)))
    with pytest.raises(EngineError, match=r"65 of 164 rows so far .* would take too long"):
        attempt(rescue, 100, {3})
    assert len(engine.asked) == 1


def test_of_many_rows_a_share_may_fail():
    rescue = Rescue(Backwards, "x")
    attempt(rescue, 10_000, set(range(FREE_ROWS)))
    attempt(rescue, 10_000, set(range(100)))
    with pytest.raises(EngineError, match="264 of 20,100 rows"):
        attempt(rescue, 100, set(range(100)))
