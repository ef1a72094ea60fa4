"""The first stage over a run folder: the input as shards of documents, unless it is as it was.

What was read stays valid as long as the files seem the same: a week-long run that goes on, and each part of one, need
not read a billion lines to find out that nothing is new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from pipeline.config.settings import Config
from pipeline.errors import InputError
from pipeline.files.claim import one_at_a_time
from pipeline.files.spool import Spool
from pipeline.files.store import Store, to_json, write_bytes
from pipeline.run import keys
from pipeline.run import shards as kinds
from pipeline.run.fingerprint import input_key
from pipeline.run.folder import rejects_path, write_rejects
from pipeline.run.order import Placed, Placement, cut, read_order, write_order
from pipeline.run.shards import Shards
from pipeline.stages.read.stage import Reader
from pipeline.types import Document, Reject

FILE = "input.json"
"""Beside the order of the shards: the key of the input that they are of."""
LOCK = "reading.lock"


def read_input(config: Config, store: Store, warn: Callable[[str], None], check: Callable[[], None]) -> list[Placed]:
    """Read the input, cut it into shards of documents, commit those that changed; which shards there are, in order.

    Of several processes that have parts of the folder one reads, and the others find it done. `warn` is told what is
    passed over, `check` raises to stop. Raises InputError when there is no document.
    """
    reader = Reader(config.read, warn)
    store.shard_root.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(store.shard_root / LOCK):
        files = reader.files(config.read.paths)
        key, state = input_key(config, files), store.shard_root / FILE
        if key and _is_read(store, key):
            return read_order(store.root)
        state.unlink(missing_ok=True)
        placed = _read(reader, files, config, store, check)
        if key:
            write_bytes(state, to_json(key) + b"\n")
    return placed


def _is_read(store: Store, key: str) -> bool:
    """Whether what lies in the folder is all of the input with that key."""
    state = store.shard_root / FILE
    if not state.is_file() or state.read_bytes() != to_json(key) + b"\n" or not rejects_path(store.root).is_file():
        return False
    placed = read_order(store.root)
    return bool(placed) and all(store.record(kinds.DOCUMENTS.stage, one.slot) for one in placed)


def _read(
    reader: Reader, files: Sequence[Path], config: Config, store: Store, check: Callable[[], None]
) -> list[Placed]:
    rejects = Spool()
    placement = Placement(read_order(store.root))
    placed: list[Placed] = []
    for documents in cut(_documents(reader, files, rejects, check), config.run.shard_chars):
        placed.append(placement.place(keys.texts_key(documents)))
        key, alone = keys.documents_key(documents), Shards(store, 1, [placed[-1].slot])
        if not alone.done(kinds.DOCUMENTS, 0, key):
            alone.commit(kinds.DOCUMENTS, 0, key, documents)
    write_rejects((msgspec.json.decode(rejects[number], type=Reject) for number in range(len(rejects))), store.root)
    if not placed:
        raise InputError(
            f"no document in {', '.join(config.read.paths)} ({len(rejects)} rejected)",
            f"See {rejects_path(store.root)} for the reasons.",
        )
    write_order(placed, store.root)
    return placed


def _documents(reader: Reader, files: Sequence[Path], rejects: Spool, check: Callable[[], None]) -> Iterator[Document]:
    """What there is to read; what is rejected is put aside."""
    for item in reader.read_files(files):
        check()  # one file may take hours
        if isinstance(item, Reject):
            rejects.append(to_json(item))
        else:
            yield item
