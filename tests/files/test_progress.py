"""What people are told while they wait."""

import io

import pytest

from pipeline.files.progress import Progress, Task, clock


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.4, "59 s"), (60, "1 min 00 s"), (3599.4, "59 min 59 s"), (7500, "2 h 05 min")],
)
def test_clock(seconds: float, words: str) -> None:
    assert clock(seconds) == words


def test_rate_and_time_left_leave_out_what_an_earlier_run_did() -> None:
    task = Task(Progress(io.StringIO()), "translate", 1000, "tokens")
    task.skip(500)
    task.advance(100)
    line = task.line(10.0)
    assert "60%" in line and "600/1,000 tokens" in line
    assert "10 tokens/s" in line and "40 s left" in line


def test_plain_streams_get_whole_lines_and_quiet_ones_only_warnings() -> None:
    loud, quiet = io.StringIO(), io.StringIO()
    for stream, is_quiet in ((loud, False), (quiet, True)):
        progress = Progress(stream, quiet=is_quiet)
        with progress.task("align", 2, "documents") as task:
            task.advance(2)
        progress.warn("one file was rejected")
    assert loud.getvalue().startswith("align        0%  0/2 documents\nalign      2 documents in 0 s\n")
    assert "\r" not in loud.getvalue()
    assert quiet.getvalue() == "warning: one file was rejected\n"


def test_rows_that_are_made_together_are_counted_together() -> None:
    task = Task(Progress(io.StringIO()), "score", 5, "pairs")
    assert [(row, task.done) for row in task.each("abcde", 2)] == [("a", 0), ("b", 0), ("c", 2), ("d", 2), ("e", 4)]
    assert task.done == 5
