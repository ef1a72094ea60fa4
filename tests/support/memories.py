"""Rows of a translation memory, and ways to spoil its file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.engines.base import Hypothesis
from pipeline.run.memory_file import KnownSegment, Maker

MADE_BY = Maker("identity", "th", "tiny", "here")


def known(n: int = 0, **changes: Any) -> KnownSegment:
    hypothesis = Hypothesis("Good.", -0.0, 3, 2, "stop")
    return replace(KnownSegment(n.to_bytes(16), f"ดี {n}", hypothesis), **changes)


def changed(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
