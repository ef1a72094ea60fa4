"""Text from data reaches a terminal as text."""

from __future__ import annotations

import io
import logging
import sys
from pathlib import Path

import pytest
from rich.table import Table

from pipeline.cli.main import Warnings
from pipeline.files.progress import Progress
from pipeline.files.terminal import console, harmless, put, tell
from tests.support.runs import mekong

HOSTILE = "a\x1b[2Jb\x07c\x9b1md\u202ee\u2066f\x7fg\rh\ud800"
SHOWN = r"a\x1b[2Jb\x07c\x9b1md\u202ee\u2066f\x7fg\x0dh\ud800"


class Terminal(io.StringIO):
    """Says that it is one."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "shown"), [(HOSTILE, SHOWN), ("ก\tb\nế", "ก\tb\nế"), ("ab\u200dc\u200b", "ab\u200dc\u200b"), ("", "")]
)
def test_commands_are_written_out_and_text_stays(text: str, shown: str) -> None:
    assert harmless(text) == shown


def test_what_is_piped_on_is_the_text_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, expected in ((io.StringIO(), "a\x1b[2J\n"), (Terminal(), "a\\x1b[2J\n")):
        monkeypatch.setattr(sys, "stdout", stream)
        put("a\x1b[2J")
        assert stream.getvalue() == expected


def test_tables_warnings_and_progress_show_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    out, err = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    table = Table("name")
    table.add_row("x\x1b[2Jy", style="red")
    console().print(table)
    assert r"x\x1b[2Jy" in out.getvalue() and "\x1b[31m" in out.getvalue() and "\x1b[2J" not in out.getvalue()
    progress = Progress(err)
    progress.say(HOSTILE)
    progress.warn(HOSTILE)
    tell(HOSTILE)
    Warnings().emit(logging.makeLogRecord({"msg": "%s", "args": (HOSTILE,)}))
    assert err.getvalue().count(SHOWN) == 4 and "\x1b[2J" not in err.getvalue() and "\u202e" not in err.getvalue()


def test_an_error_that_names_a_file_is_harmless(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert mekong(monkeypatch, "run", tmp_path / "\x1b[2J\u202e.yaml") == 2
    said = capfd.readouterr().err
    assert r"\x1b[2J\u202e.yaml" in said and "\x1b" not in said and "\u202e" not in said
