"""Long passes tell where they stand and stop when they are asked to."""

from io import StringIO

import pytest

from pipeline.errors import Interrupted
from pipeline.files.progress import Progress
from pipeline.run.stop import Stop
from pipeline.run.watch import Watch


def test_a_pass_is_announced_before_its_first_row_and_counted_to_its_last() -> None:
    told = StringIO()
    rows = Watch(Progress(told)).each("filter", 3, "pairs", iter("abc"))
    assert next(rows) == "a"
    assert "0/3 pairs" in told.getvalue()
    assert list(rows) == ["b", "c"]
    assert "3 pairs in" in told.getvalue()


def test_a_wish_to_stop_is_heard_before_the_next_row() -> None:
    stop, seen = Stop(), []
    with pytest.raises(Interrupted):
        for row in Watch(Progress(quiet=True), stop).each("write", 9, "pairs", range(9)):
            seen.append(row)
            stop.asked = row == 3
    assert seen == [0, 1, 2, 3]
