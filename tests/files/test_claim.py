"""Holding a folder: alone or a part of it, against living, dead and silent holders, on this host and on others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from pipeline.errors import StoreError
from pipeline.files import claim as claims
from pipeline.files.claim import CLAIMS, LOCK, Claimant, Part, claimed
from pipeline.files.store import Store


def left(folder: Path, holder: Claimant, age: float = 0.0) -> Path:
    """A claim that nobody has locked, last touched so many seconds ago."""
    path = folder / CLAIMS / f"{holder.pid}-0123abcd.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / LOCK).touch()
    path.write_bytes(msgspec.json.encode(holder))
    at = time.time() - age
    os.utime(path, (at, at))
    return path


def standing(folder: Path) -> list[str]:
    return [path.name for path in (folder / CLAIMS).glob("*.json")]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claims that are silent and looked at again sooner."""
    monkeypatch.setattr(claims, "LOOK_AGAIN", 0.01)
    monkeypatch.setattr(claims, "SILENT", 0.3)
    monkeypatch.setattr(claims, "BEAT", 0.02)


def test_a_living_holder_is_refused_and_a_dead_one_taken_over(tmp_path: Path) -> None:
    program = textwrap.dedent(
        f"""
        import time
        from pathlib import Path
        from pipeline.files.claim import claimed
        with claimed(Path({str(tmp_path)!r})):
            print("held", flush=True)
            time.sleep(60)
        """
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout and holder.stdout.readline() == "held\n"
        with pytest.raises(StoreError, match=f"in use by process {holder.pid}\n"), claimed(tmp_path):
            pass
        holder.send_signal(signal.SIGKILL)
    with claimed(tmp_path):
        assert len(standing(tmp_path)) == 1
    assert standing(tmp_path) == []


def test_a_folder_is_held_once_within_a_process_and_free_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), claimed(tmp_path):
        with pytest.raises(StoreError, match=f"in use by process {os.getpid()}"), claimed(tmp_path):
            pass
        assert len(standing(tmp_path)) == 1
        raise RuntimeError
    with claimed(tmp_path):
        pass


def test_parts_share_a_folder_and_nobody_else_gets_in(tmp_path: Path) -> None:
    with claimed(tmp_path, Part(1, 3)), claimed(tmp_path, Part(3, 3)):
        for other in (Part(1, 3), Part(2, 4), None):
            with pytest.raises(StoreError, match=r"in use by process \d+ \(part"), claimed(tmp_path, other):
                pass
        with claimed(tmp_path, Part(2, 3)):
            assert len(standing(tmp_path)) == 3
    with claimed(tmp_path), pytest.raises(StoreError, match="in use"), claimed(tmp_path, Part(1, 3)):
        pass


def test_a_run_on_a_cluster_waits_for_parts_that_end_and_for_nobody_else(tmp_path: Path, quick: None) -> None:
    said: list[str] = []
    part = ExitStack()
    part.enter_context(claimed(tmp_path, Part(1, 2)))
    with pytest.raises(StoreError, match=r"in use by process \d+ \(part"), claimed(tmp_path, orphans=0.05):
        pass
    threading.Timer(0.3, part.close).start()
    with claimed(tmp_path, None, said.append, orphans=60.0):
        assert said == [f"waiting for process {os.getpid()} (part 1/2), up to 60 seconds"]
        with pytest.raises(StoreError, match="in use"), claimed(tmp_path, None, said.append, orphans=60.0):
            pass
    assert len(said) == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"host": "else'])
def test_a_claim_that_says_nothing_and_nobody_has_locked_is_taken_over(tmp_path: Path, content: bytes) -> None:
    path = left(tmp_path, Claimant("elsewhere", 7))
    path.write_bytes(content)
    with claimed(tmp_path):
        assert not path.exists()


def test_the_claim_of_another_host_holds_until_it_is_silent(tmp_path: Path, quick: None) -> None:
    path, told = left(tmp_path, Claimant("elsewhere", 7)), list[str]()
    began = time.monotonic()
    with claimed(tmp_path, None, told.append):
        assert not path.exists() and time.monotonic() - began > 0.2
    assert "claimed by process 7 on elsewhere" in told[0] and "is gone" in told[-1] and len(told) == 2


def test_another_host_that_gives_a_sign_of_life_is_refused(tmp_path: Path, quick: None) -> None:
    path = left(tmp_path, Claimant("elsewhere", 7))
    alive = threading.Timer(0.1, os.utime, [path])
    alive.start()
    with pytest.raises(StoreError, match="process 7 on elsewhere") as refused, claimed(tmp_path):
        pass
    assert "sign of life" in refused.value.remedy and path.exists()


def test_a_claim_that_was_never_made_is_removed_in_time(tmp_path: Path) -> None:
    old, new = left(tmp_path, Claimant("elsewhere", 7), 300), left(tmp_path, Claimant("elsewhere", 8))
    for path in (old, new):
        path.rename(path.with_suffix(".begun"))
    with claimed(tmp_path):
        assert not old.with_suffix(".begun").exists() and new.with_suffix(".begun").exists()


def test_a_silent_part_on_another_host_does_not_stop_the_other_parts(tmp_path: Path) -> None:
    path = left(tmp_path, Claimant("elsewhere", 7, Part(1, 2)))
    with claimed(tmp_path, Part(2, 2)):
        assert path.exists()


def test_a_holder_touches_its_claim_and_notices_that_it_was_taken_over(tmp_path: Path, quick: None) -> None:
    store = Store(tmp_path)
    with store.claimed():
        (path,) = (tmp_path / CLAIMS).glob("*.json")
        os.utime(path, (1, 1))
        _until(lambda: path.stat().st_mtime > 1)
        store.commit("read", 0, "k", [])
        path.unlink()
        _until(lambda: store.claim is not None and store.claim._lost)
        with pytest.raises(StoreError, match="taken over"):
            store.commit("read", 0, "other", [])
    assert store.key("read", 0) == "k"


def _until(condition) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    pytest.fail("it did not come to that")


class Race:
    """Several that want one folder at the same moment; the one that has it waits until the others were refused."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder, self.count = folder, count
        self.gate, self.over = threading.Barrier(count), threading.Event()
        self.refused: list[int] = []

    def run(self, number: int) -> bool:
        self.gate.wait()
        try:
            with claimed(self.folder):
                assert self.over.wait(10)
            return True
        except StoreError:
            self.refused.append(number)
            if len(self.refused) == self.count - 1:
                self.over.set()
            return False


@pytest.mark.parametrize("stale", [False, True])
def test_of_many_that_begin_at_once_one_holds_the_folder(tmp_path: Path, stale: bool) -> None:
    for attempt in range(30):
        race = Race(tmp_path / str(attempt), 4)
        if stale:
            left(race.folder, Claimant(claims.socket.gethostname(), 4_000_000))
        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(race.run, range(4))) == [False, False, False, True]
