"""The store under everything that can happen to a run folder, in any order (a state machine of hypothesis).

What must hold: a shard is absent, or is one state that was committed, whole, under the key it was committed with.
Damage is told and never used. Nothing of others is removed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pipeline.errors import StoreError
from pipeline.files.claim import CLAIMS, Part
from pipeline.files.store import TEMPORARY, Store
from tests.support.dying import Disk


@dataclass(frozen=True)
class Cell:
    """A row."""

    number: int
    text: str


State = tuple[str, tuple[Cell, ...]] | None
"""A key and rows, or nothing."""
SHARDS = st.integers(0, 2)
STATES = st.tuples(
    st.sampled_from(("key a", "key b", "key c")),
    st.lists(st.builds(Cell, st.integers(0, 9), st.text(max_size=20)), max_size=4).map(tuple),
)
CALL = st.integers(1, 12)
"""Which call that changes the disk is the last; no method makes more of them."""
PARTS = st.sampled_from((None, Part(1, 2), Part(2, 2)))
FOREIGN = (".notes.tmp", "mine/.important.tmp", "shards/.draft.tmp", "shards/read/.list.tmp", "corpus/notes.txt")
STAGE, OTHER = "read", "answers"


class StoreMachine(RuleBasedStateMachine):
    """`possible` are the states that a shard may be in: after a kill two, until somebody looks."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="mekong-store-"))
        self.possible: dict[tuple[str, int], list[State]] = {}
        self.damaged: set[tuple[str, int]] = set()
        self.holders: dict[Part | None, tuple[ExitStack, Store]] = {}

    @initialize()
    def others_have_files_here(self) -> None:
        for name in FOREIGN:
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(name)

    def teardown(self) -> None:
        for stack, _ in self.holders.values():
            stack.close()
        shutil.rmtree(self.root)

    # -- writing ---------------------------------------------------------------------------------------------------

    @rule(shard=SHARDS, state=STATES, stage=st.sampled_from((STAGE, OTHER)))
    def commit(self, stage: str, shard: int, state: State) -> None:
        assert state
        self._store.commit(stage, shard, *state)
        self._is(stage, shard, state)

    @rule(shard=SHARDS, state=STATES, call=CALL)
    def commit_until_killed(self, shard: int, state: State, call: int) -> None:
        assert state
        disk = Disk(kill_at=call)
        with disk.ruling():
            self._store.commit(STAGE, shard, *state)
        self._may_be(STAGE, shard, state, sure=not disk.died)

    @rule(shard=SHARDS, state=STATES, call=CALL)
    def commit_until_the_disk_is_full(self, shard: int, state: State, call: int) -> None:
        assert state
        before = self._temporary()
        disk, told = Disk(full_at=call), False
        with disk.ruling():
            try:
                self._store.commit(STAGE, shard, *state)
            except StoreError as error:
                told = "No space left" in error.problem
        assert told == disk.was_full
        assert self._temporary() == before
        self._may_be(STAGE, shard, state, sure=not disk.was_full)

    @rule(shard=SHARDS, state=STATES)
    def two_write_one_shard(self, shard: int, state: State) -> None:
        """One is killed in the middle, while the other writes the same shard from beginning to end."""
        assert state
        disk = Disk(kill_at=3)
        with disk.ruling():
            Store(self.root).commit(STAGE, shard, "key c", [Cell(0, "of the other")])
        self.commit(STAGE, shard, state)

    # -- removing --------------------------------------------------------------------------------------------------

    @rule(shard=SHARDS, call=CALL)
    def remove_until_killed(self, shard: int, call: int) -> None:
        disk = Disk(kill_at=call)
        with disk.ruling():
            self._store.remove(STAGE, shard)
        self._may_be(STAGE, shard, None, sure=not disk.died)

    @rule(call=CALL)
    def discard_until_killed(self, call: int) -> None:
        disk = Disk(kill_at=call)
        with disk.ruling():
            self._store.discard(OTHER)
        for shard in range(3):
            self._may_be(OTHER, shard, None, sure=not disk.died)

    # -- holding ---------------------------------------------------------------------------------------------------

    @rule(part=PARTS)
    def claim(self, part: Part | None) -> None:
        store, stack = Store(self.root), ExitStack()
        if any(part is None or held is None or part == held for held in self.holders):
            with pytest.raises(StoreError, match="in use by process"):
                stack.enter_context(store.claimed(part))
            return
        stack.enter_context(store.claimed(part))
        self.holders[part] = stack, store
        if part is None:
            assert not self._temporary()
            assert len(list((self.root / CLAIMS).glob("*.json"))) == 1

    @rule(part=PARTS, call=CALL)
    def claim_until_killed(self, part: Part | None, call: int) -> None:
        with Disk(kill_at=call).ruling(), suppress(StoreError), Store(self.root).claimed(part):
            pass

    @precondition(lambda self: self.holders)
    @rule(data=st.data())
    def let_go(self, data: Any) -> None:
        stack, _ = self.holders.pop(data.draw(st.sampled_from(list(self.holders))))
        stack.close()

    @precondition(lambda self: self.holders)
    @rule(data=st.data())
    def a_holder_is_killed(self, data: Any) -> None:
        stack, store = self.holders.pop(data.draw(st.sampled_from(list(self.holders))))
        with Disk(kill_at=1).ruling():
            stack.close()
        assert store.claim
        os.close(store.claim._handle)  # which a kill does, and with it goes the lock

    # -- what happens to a folder ----------------------------------------------------------------------------------

    @precondition(lambda self: self._there())
    @rule(data=st.data(), place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
    def a_bit_flips(self, data: Any, place: float, bit: int) -> None:
        path = self._one_of_them(data)
        content = bytearray(path.read_bytes())
        content[int(place * len(content))] ^= 1 << bit
        path.write_bytes(content)

    @precondition(lambda self: self._there())
    @rule(data=st.data(), kept=st.floats(0, 1, exclude_max=True))
    def a_file_is_cut(self, data: Any, kept: float) -> None:
        path = self._one_of_them(data)
        os.truncate(path, int(kept * path.stat().st_size))

    @precondition(lambda self: self._there())
    @rule(data=st.data())
    def a_file_is_deleted(self, data: Any) -> None:
        stage, shard = data.draw(st.sampled_from(self._there()))
        _file(self.root, stage, shard).unlink()
        self._is(stage, shard, None)

    @rule(seconds=st.sampled_from((-(10**6), 10**6)))
    def the_clock_is_set(self, seconds: int) -> None:
        for path in self.root.rglob("*"):
            at = path.stat().st_mtime + seconds
            os.utime(path, (at, at))

    # -- what must hold --------------------------------------------------------------------------------------------

    @invariant()
    def a_shard_is_what_was_committed(self) -> None:
        store = Store(self.root)
        for (stage, shard), states in self.possible.items():
            if (stage, shard) in self.damaged:
                _damage_is_not_used(store, stage, shard, states)
                continue
            record = store.record(stage, shard)
            found: State = None
            if record is not None:
                rows = tuple(store.rows(stage, shard, Cell))
                assert store.load(stage, shard, record.key, Cell) == list(rows) and record.rows == len(rows)
                assert store.load(stage, shard, "no such key", Cell) is None
                found = record.key, rows
            assert found in states
            states[:] = [found]
            assert (shard in store.committed(stage)) == (found is not None)

    @invariant()
    def nothing_of_others_is_removed(self) -> None:
        for name in FOREIGN:
            assert not (self.root / "shards").exists() or (self.root / name).read_text() == name

    # -- helpers ---------------------------------------------------------------------------------------------------

    @property
    def _store(self) -> Store:
        """That of a holder, where there is one; else one that nobody holds, as in a process that makes shards."""
        return next((store for _, store in self.holders.values()), Store(self.root))

    def _is(self, stage: str, shard: int, state: State) -> None:
        self.possible[stage, shard] = [state]
        self.damaged.discard((stage, shard))

    def _may_be(self, stage: str, shard: int, state: State, sure: bool) -> None:
        """It is `state` now, or where that is not `sure` as before."""
        if sure:
            self._is(stage, shard, state)
            return
        self.possible.setdefault((stage, shard), [None]).append(state)

    def _there(self) -> list[tuple[str, int]]:
        """Shards that are there, as they were committed."""
        return sorted(name for name, states in self.possible.items() if states != [None] and name not in self.damaged)

    def _one_of_them(self, data: Any) -> Path:
        """The file of a shard that is damaged from now on."""
        name = data.draw(st.sampled_from(self._there()))
        self.damaged.add(name)
        return _file(self.root, *name)

    def _temporary(self) -> set[Path]:
        return {path for path in self.root.rglob(".*") if TEMPORARY.fullmatch(path.name)}


def _file(root: Path, stage: str, shard: int) -> Path:
    return Store(root)._path(stage, shard)


def _damage_is_not_used(store: Store, stage: str, shard: int, states: list[State]) -> None:
    """Rows that come out are those that went in; another key may make a shard that is to be made again."""
    for key in ("key a", "key b", "key c"):
        with suppress(StoreError):
            found = store.load(stage, shard, key, Cell)
            assert found is None or any(state and tuple(found) == state[1] for state in states)
    with suppress(StoreError):
        found = store.rows(stage, shard, Cell)
        assert any(state and tuple(found) == state[1] for state in states)


TestStore = StoreMachine.TestCase
TestStore.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
