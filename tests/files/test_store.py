"""The run folder: what is visible is exactly what was committed."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import StoreError
from pipeline.files.store import CLAIM, Store, digest, plain, replacing, to_json, write_lines


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    spans: tuple[tuple[int, int], ...] = ()
    score: float | None = None


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


def test_data_without_record_does_not_exist(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.commit("read", 0, "k", [Row("a")])
    (tmp_path / "shards/read/000000.json").unlink()
    assert store.load("read", 0, "k", Row) is None


def test_damaged_data_is_an_error_not_a_result(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.commit("read", 0, "k", [Row("a")])
    data = tmp_path / "shards/read/000000.jsonl.zst"
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(StoreError, match="does not fit"):
        store.load("read", 0, "k", Row)


def test_rows_of_another_version_are_an_error(tmp_path: Path) -> None:
    Store(tmp_path).commit("read", 0, "k", [{"other": 1}])
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


def test_claim_refuses_a_living_holder_and_takes_over_a_dead_one(tmp_path: Path) -> None:
    program = textwrap.dedent(
        f"""
        import sys, time
        from pathlib import Path
        from pipeline.files.store import Store
        with Store(Path({str(tmp_path)!r})).claimed():
            print("held", flush=True)
            time.sleep(60)
        """
    )
    holder = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert holder.stdout and holder.stdout.readline() == "held\n"
    with pytest.raises(StoreError, match=f"in use by process {holder.pid}"), Store(tmp_path).claimed():
        pass
    (tmp_path / ".left.tmp").touch()
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with Store(tmp_path).claimed():
        assert not (tmp_path / ".left.tmp").exists()
    assert not (tmp_path / CLAIM).exists()


def test_claim_of_another_host_is_never_taken(tmp_path: Path) -> None:
    (tmp_path / CLAIM).write_bytes(to_json({"host": "elsewhere", "pid": os.getpid(), "started": "1"}))
    with pytest.raises(StoreError, match="elsewhere"), Store(tmp_path).claimed():
        pass


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
        writer = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        assert writer.stdout
        first = writer.stdout.readline()
        try:
            writer.wait(timeout=delay)
        except subprocess.TimeoutExpired:
            writer.send_signal(signal.SIGKILL)
        announced += [int(line) for line in [first, *writer.stdout] if line.endswith("\n")]
        writer.wait()
        store = Store(tmp_path)
        assert len(set(announced)) == len(announced)
        for shard in announced:
            found = store.load("read", shard, "k", Row)
            assert found == [Row(str(shard))] * 50
