"""The file of a translation memory: several processes, what there is in it, pruning."""

from __future__ import annotations

import multiprocessing
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import StoreError
from pipeline.run import memory_file
from pipeline.run.memory_file import MemoryFile
from tests.support.memories import MADE_BY, changed, known

FAR = date(2020, 1, 1).toordinal()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "memory" / "memory.sqlite"


def fill(path: Path, first: int, start: Any, said: Any) -> None:
    """Of a process: open the memory at the same moment as the others, write and read."""
    try:
        start.wait(30)
        with MemoryFile.opened(path) as file:
            for n in range(40):
                file.keep(MADE_BY, [known(first + n), known(n)])
                file.find([known(m).key for m in range(n)])
        said.put("")
    except BaseException as error:
        said.put(repr(error))
        raise


def test_two_processes_write_at_once(path: Path) -> None:
    context = multiprocessing.get_context("fork")
    start, said = context.Barrier(2), context.SimpleQueue()
    workers = [context.Process(target=fill, args=(path, first, start, said)) for first in (1000, 2000)]
    for worker in workers:
        worker.start()
    assert [said.get(), said.get()] == ["", ""]
    for worker in workers:
        worker.join(30)
    with MemoryFile(path) as file:
        assert len(list(file.each())) == 120
        assert [one.segments for one in file.holdings()] == [120]
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def filled(path: Path) -> MemoryFile:
    """Two models, one in two languages; half of the first was used in 2020."""
    file = MemoryFile.opened(path)
    for number, one in enumerate((MADE_BY, replace(MADE_BY, lang="vi"), replace(MADE_BY, identity="i", model="big"))):
        file.keep(one, [known(number * 100 + n, source=f"{n} " * 100) for n in range(100)])
    changed(path, f"UPDATE segments SET used = {FAR} WHERE rowid <= 50")
    return file


def test_what_there_is_and_when_it_was_used(path: Path) -> None:
    with filled(path) as file:
        found = file.holdings()
        assert [(one.model, one.lang, one.segments) for one in found] == [
            ("big", "th", 100), ("tiny", "th", 100), ("tiny", "vi", 100),
        ]  # fmt: skip
        assert all(one.bytes > 100 * 200 for one in found)
        keys = [known(n).key for n in range(300)]
        _, stale = file.find(keys)
        assert stale == keys[:50]
        file.use(stale)
        assert file.find(keys)[1] == []


@pytest.mark.parametrize("change", ["model = 'a' || char(27)", "model = x'00'", "made_with = char(10)"])
def test_what_goes_to_a_terminal_is_plain_text(path: Path, change: str) -> None:
    with MemoryFile.opened(path) as file:
        file.keep(MADE_BY, [known()])
        changed(path, f"UPDATE makers SET {change}")
        for read in (file.holdings, lambda: list(file.each())):
            with pytest.raises(StoreError, match="damaged"):
                read()


@pytest.mark.parametrize(
    ("asked", "left"),
    [
        ({"model": "tiny"}, [("big", 100)]),
        ({"days": 30}, [("big", 100), ("tiny", 50), ("tiny", 100)]),
        ({"model": "big", "days": 30}, [("big", 100), ("tiny", 100), ("tiny", 100)]),
        ({"model": "nobody"}, [("big", 100), ("tiny", 100), ("tiny", 100)]),
        ({"size": 0}, []),
    ],
)
def test_pruning(path: Path, asked: dict[str, Any], left: list[tuple[str, int]]) -> None:
    with filled(path) as file:
        before = file.size
        gone = file.prune(asked.get("model"), asked.get("days"), asked.get("size"))
        assert [(one.model, one.segments) for one in file.holdings()] == left
        assert gone == 300 - sum(segments for _, segments in left)
        assert (file.size < before) == bool(gone)


def test_pruning_to_a_size_forgets_what_was_not_used_for_longest(path: Path) -> None:
    with filled(path) as file:
        size = file.size
        file.prune(None, None, size * 9 // 10)
        assert file.size <= size * 9 // 10
        left = {one.key for _, one in file.each()}
        old = {known(n).key for n in range(50)}
        assert len(left) > 200 and not old & left, "it takes no more than it needs, and those of 2020 first"
    assert path.stat().st_size <= size * 9 // 10, "the room is given back"


def test_an_output_that_is_no_number_of_ours_is_never_read(path: Path) -> None:
    """A row whose seal is right and whose values are of other types."""
    with MemoryFile.opened(path) as file:
        file.keep(MADE_BY, [known()])
    answer = b'["Good.","x",3,2]'
    seal = memory_file._seal(known().key, known().source, answer)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE segments SET answer = ?, seal = ?", (answer, seal))
    with MemoryFile(path) as file, pytest.raises(StoreError, match="damaged"):
        file.find([known().key])
