"""The run folder: what is visible is exactly what was committed."""

import itertools
import math
import signal
import struct
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from pipeline.errors import StoreError
from pipeline.files.store import Store, digest, plain, replacing, to_json, write_lines


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    spans: tuple[tuple[int, int], ...] = ()
    score: float | None = None


@dataclass
class Named:
    """A row inside another, without slots."""

    row: Row
    scores: dict[str, float | None]


class Entry(BaseModel):
    """Settings."""

    name: str
    sizes: tuple[int, ...]


rows = st.builds(
    Row,
    st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9))).map(tuple),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
)


@given(st.lists(rows, max_size=8))
def test_rows_come_back_as_they_were(tmp_path_factory: pytest.TempPathFactory, written: list[Row]) -> None:
    store = Store(tmp_path_factory.mktemp("run"))
    store.commit("score", 3, "k", written)
    assert store.load("score", 3, "k", Row) == written
    assert store.load("score", 3, "other", Row) is None
    assert store.load("score", 4, "k", Row) is None


@given(rows, st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.none() | st.floats(width=64)))
def test_rows_are_written_as_plain_data_is(row: Row, scores: dict[str, float | None]) -> None:
    value = Named(row, scores)
    if any(score is not None and not math.isfinite(score) for score in scores.values()):
        with pytest.raises(StoreError, match="JSON cannot hold"):
            to_json(value)
    else:
        assert to_json(value) == orjson.dumps(plain(value))
        assert to_json(value, indent=True) == orjson.dumps(plain(value), option=orjson.OPT_INDENT_2)


@pytest.mark.parametrize(
    "value", [{1: Row("a")}, {"rows": (Row(str(n)) for n in range(3))}, Entry(name="a", sizes=(1, 2))]
)
def test_what_is_no_dataclass_is_made_plain(value: Any) -> None:
    assert b'"' in to_json(value)
    with pytest.raises(StoreError, match="date, which is not plain data"):
        to_json([value, date(2025, 5, 5)])


def test_numbers_keep_their_bytes() -> None:
    """What was written by an earlier version is compared with what this one writes, byte by byte."""
    numbers = [0.1, -0.0, 1.0, 1e15, 1e16, -1e22, 1e-5, 1.5e-6, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308]
    assert to_json(numbers) == (
        b"[0.1,-0.0,1.0,1000000000000000.0,1e+16,-1e+22,0.00001,1.5e-6,5e-324,2.2250738585072014e-308,"
        b"1.7976931348623157e+308]"
    )


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False)))
def test_numbers_come_back_bit_for_bit(tmp_path_factory: pytest.TempPathFactory, numbers: list[float]) -> None:
    store = Store(tmp_path_factory.mktemp("run"))
    store.commit("score", 0, "k", [Row("a", (), number) for number in numbers])
    found = [row.score for row in store.rows("score", 0, Row)]
    assert [struct.pack("d", number) for number in found] == [struct.pack("d", number) for number in numbers]


SHARD = "shards/read/000000.jsonl.zst"


def test_every_damaged_byte_of_a_shard_is_an_error_or_another_key(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.commit("read", 0, "k", [Row("a"), Row("b")])
    data = (tmp_path / SHARD).read_bytes()
    for place, bit in itertools.product(range(len(data)), (4, 128)):  # with the last one it is no UTF-8
        (tmp_path / SHARD).write_bytes(data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :])
        try:
            found = store.load("read", 0, "k", Row)
        except StoreError as error:
            assert SHARD in error.problem
        else:
            assert found is None and store.key("read", 0) != "k"


def test_a_shard_that_is_cut_short_is_an_error(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.commit("read", 0, "k", [Row("a"), Row("b")])
    data = (tmp_path / SHARD).read_bytes()
    for length in range(len(data)):
        (tmp_path / SHARD).write_bytes(data[:length])
        with pytest.raises(StoreError, match="damaged"):
            store.load("read", 0, "k", Row)


def test_a_shard_is_a_zstandard_file_of_its_rows(tmp_path: Path) -> None:
    Store(tmp_path).commit("read", 0, "k", [Row("a"), Row("b")])
    with zstandard.open(tmp_path / SHARD, "rb") as stream:
        assert [orjson.loads(line)["id"] for line in stream.read().splitlines()] == ["a", "b"]


@pytest.mark.parametrize("content", ["{}", "[]", "null", '{"key":"k","rows":0}', '{"key":1,"rows":0,"sha256":""}', "{"])
def test_what_is_no_commit_record_is_an_error(tmp_path: Path, content: str) -> None:
    Store(tmp_path).commit("read", 0, "k", [])
    (tmp_path / SHARD).write_bytes(struct.pack("<II", 0x184D2A50, len(content)) + content.encode())
    with pytest.raises(StoreError, match="damaged"):
        Store(tmp_path).record("read", 0)


def test_temporary_files_of_others_stay(tmp_path: Path) -> None:
    others = [tmp_path / ".notes.tmp", tmp_path / "project/.important.tmp", tmp_path / "shards/.a.1.tmp"]
    ours = [tmp_path / ".a.jsonl.12-0123abcd.tmp", tmp_path / "shards/read/.000000.jsonl.zst.7-89abcdef.tmp"]
    for path in (*others, *ours):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"a")
    (tmp_path / ".folder.12-0123abcd.tmp").mkdir()
    with Store(tmp_path).claimed():
        assert all(path.exists() for path in others) and not any(path.exists() for path in ours)


@pytest.mark.parametrize(
    "row",
    [{"other": 1}, {"id": 1}, {"id": "a", "spans": [[1]]}, {"id": "a", "spans": [[1, 2.5]]}, {"id": "a", "score": "1"}],
)
def test_rows_of_another_version_are_an_error(tmp_path: Path, row: dict[str, Any]) -> None:
    Store(tmp_path).commit("read", 0, "k", [row])
    with pytest.raises(StoreError, match="another version"):
        Store(tmp_path).load("read", 0, "k", Row)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_json_lacks_are_refused(tmp_path: Path, number: float) -> None:
    with pytest.raises(StoreError):
        Store(tmp_path).commit("score", 0, "k", [Row("a", (), number)])
    assert Store(tmp_path).record("score", 0) is None


def test_digest_ignores_key_order_and_sees_values() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})
    assert digest("ab", "c") != digest("a", "bc")
    assert digest(Row("a")) == digest({"id": "a", "spans": [], "score": None})


def test_failed_write_leaves_the_old_file_and_no_temporary(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    write_lines(path, [{"n": 1}])
    with pytest.raises(RuntimeError):
        write_lines(path, _failing())
    assert path.read_bytes() == b'{"n":1}\n'
    assert [p.name for p in tmp_path.iterdir()] == ["a.jsonl"]


def _failing() -> Iterator[dict[str, int]]:
    yield {"n": 2}
    raise RuntimeError("no more")


def test_full_disk_is_our_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No space left"), replacing(tmp_path / "a") as temporary:
        temporary.write_bytes(b"x")
        with open("/dev/full", "wb", buffering=0) as full:
            full.write(b"x")
    assert list(tmp_path.iterdir()) == []


def test_plain_refuses_objects() -> None:
    with pytest.raises(StoreError, match="object"):
        plain([object()])


def test_kills_lose_and_double_nothing(tmp_path: Path) -> None:
    """A writer is killed at random moments; every commit that it announced is there, whole, and nothing else is."""
    program = textwrap.dedent(
        f"""
        from pathlib import Path
        from pipeline.files.store import Store
        store = Store(Path({str(tmp_path)!r}))
        with store.claimed():
            for shard in range(400):
                if store.record("read", shard) is None:
                    store.commit("read", shard, "k", [{{"id": str(shard), "spans": [], "score": None}}] * 50)
                    print(shard, flush=True)
        """
    )
    announced: list[int] = []
    for delay in (0.30, 0.02, 0.05, 0.01, 0.04, 0.03):
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout
            first = writer.stdout.readline()
            try:
                writer.wait(timeout=delay)
            except subprocess.TimeoutExpired:
                writer.send_signal(signal.SIGKILL)
            announced += [int(line) for line in [first, *writer.stdout] if line.endswith("\n")]
        store = Store(tmp_path)
        assert len(set(announced)) == len(announced)
        for shard in announced:
            found = store.load("read", shard, "k", Row)
            assert found == [Row(str(shard))] * 50
