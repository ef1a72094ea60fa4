"""The run folder: the only module that writes run data.

A shard is a list of rows with a key. It is one file, `shards/<stage>/000012.jsonl.zst`: its commit record (key, number
of rows, hash) and its rows, see `pipeline.files.shard_file`. Every file is written under a temporary name of its own,
flushed to disk, renamed, and the folder flushed, so a kill at any moment leaves either the old state or the new one,
and of several that write one shard the last one wins, whole. What this does not promise: a disk that lies about
flushing.

Rows are written by orjson, whose way to write a float is that of all files that mekong has made (msgspec has 1e16 where
it has 1e+16), and read by msgspec, which checks the types of dataclasses while it parses.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import math
import os
import re
import secrets
import shutil
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec
import orjson
from pydantic import BaseModel

from pipeline.errors import StoreError
from pipeline.files.claim import Claim, Part, claimed
from pipeline.files.damage import NOT_JSON
from pipeline.files.shard_file import SUFFIX, DamagedShard, ShardRecord, pack, read_record, unpack

T = TypeVar("T")
BLOCK = 1 << 16
TEMPORARY = re.compile(r"\..+\.\d+-[0-9a-f]{8}\.tmp")
"""What `replacing` calls a file that is not whole: no other process has that name, on this host or another."""
_NOT_FINITE = re.compile(rb"\xcb[\x7f\xff][\xf0-\xff]")
"""How MessagePack writes NaN and the infinities, for which orjson writes null: a double (0xcb) whose exponent is all
ones. Bytes of other numbers may look the same."""


def plain(value: Any) -> Any:
    """`value` as plain JSON data; dataclasses and settings become dictionaries in field order.

    Raises StoreError on NaN and infinities: JSON has no word for them, and orjson would silently write null.
    """
    if isinstance(value, float):
        if not math.isfinite(value):
            raise StoreError(f"a row holds the number {value}, which JSON cannot hold", "Report this as a bug.")
        return value
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, BaseModel):
        return plain(value.model_dump())
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, Iterable):
        return [plain(v) for v in value]
    raise StoreError(f"a row holds a {type(value).__name__}, which is not plain data", "Report this as a bug.")


def to_json(value: Any, *, indent: bool = False) -> bytes:
    """One JSON value, UTF-8, no line end; `indent` for people. The bytes are those of `plain(value)`.

    Raises StoreError as `plain` does.
    """
    option = orjson.OPT_INDENT_2 if indent else 0
    try:
        line = orjson.dumps(value, _fields, option | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME)
    except TypeError:  # not only dataclasses and plain data
        return orjson.dumps(plain(value), option=option)
    if b"null" in line and _NOT_FINITE.search(msgspec.msgpack.encode(value)):
        return orjson.dumps(plain(value), option=option)
    return line


def _fields(value: Any) -> dict[str, Any]:
    """What orjson writes for a dataclass; TypeError for anything else."""
    return {name: getattr(value, name) for name in _names(cast(Hashable, type(value)))}


@cache
def _names(kind: Hashable) -> tuple[str, ...]:
    return tuple(f.name for f in fields(cast(Any, kind)))


def digest(*values: Any) -> str:
    """A stable 128-bit hexadecimal hash of plain data (BLAKE2b over canonical JSON)."""
    data = orjson.dumps(plain(values), option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@cache
def _decoder(kind: Hashable) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(cast(type[Any], kind))


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success flush it to disk and rename it over `path`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritten(path, error) from error
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        yield temporary
        with temporary.open("rb") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
        flush_folder(path.parent)
    except OSError as error:
        raise _unwritten(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _unwritten(path: Path, error: OSError) -> StoreError:
    return StoreError(
        f"cannot write {path}: {error.strerror or error}", "Free some space or choose another folder with --out."
    )


def write_bytes(path: Path, data: bytes) -> None:
    """Write a whole file durably."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_lines(path: Path, rows: Iterable[Any]) -> None:
    """Write rows as JSONL, durably, one row in memory at a time."""
    with replacing(path) as temporary, temporary.open("wb") as stream:
        for row in rows:
            stream.write(to_json(row) + b"\n")


def is_json(data: bytes) -> bool:
    """Whether `data` is one JSON value; an object that was cut short never is."""
    try:
        orjson.loads(data)
    except ValueError:
        return False
    return True


def append_line(path: Path, row: Any) -> None:
    """Append a row to a JSONL file, durably and in one write; other processes that do so wait their turn.

    A last line that a kill cut short is removed first. Links are not followed. Raises StoreError when the row cannot
    be written; the file is then as it was.
    """
    line = to_json(row) + b"\n"
    try:
        new = not path.exists()
        handle = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            tail = _last_line(handle)
            if is_json(tail):
                line = b"\n" + line
            elif tail:
                os.ftruncate(handle, os.fstat(handle).st_size - len(tail))
            end = os.fstat(handle).st_size
            if os.write(handle, line) < len(line):
                os.ftruncate(handle, end)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(handle)
        finally:
            os.close(handle)
        if new:
            flush_folder(path.parent)
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror}", "Free some space, or make it writable.") from error


def _last_line(handle: int) -> bytes:
    """What follows the last line feed of a file."""
    tail, at = b"", os.fstat(handle).st_size
    while at and b"\n" not in tail:
        start = max(at - BLOCK, 0)
        tail, at = os.pread(handle, at - start, start) + tail, start
    return tail.rpartition(b"\n")[2]


def flush_folder(folder: Path) -> None:
    """Have the disk know which files the folder holds."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Store:
    """One run folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.shard_root = root / "shards"
        self.claim: Claim | None = None

    @contextmanager
    def claimed(
        self, part: Part | None = None, say: Callable[[str], None] = lambda _: None, orphans: float = 0.0
    ) -> Iterator[None]:
        """Hold the folder for this process, or with others a part of it; see `pipeline.files.claim`.

        Raises StoreError when another process holds it.
        """
        with claimed(self.root, part, say, orphans) as self.claim:
            if part is None:
                self._sweep()
            yield
        self.claim = None

    @property
    def part(self) -> Part | None:
        """The part of the folder that this process holds, None where it is not one of several."""
        return self.claim.part if self.claim else None

    def _sweep(self) -> None:
        """Remove temporary files of ours: the claim is ours, so their writers are gone."""
        places = [self.root, *(path for path in self.root.iterdir() if path.is_dir() and not path.is_symlink())]
        for folder in places:
            pattern = ".*.tmp" if folder == self.root else "**/.*.tmp"
            for path in folder.glob(pattern):
                if TEMPORARY.fullmatch(path.name) and path.is_file():
                    path.unlink(missing_ok=True)

    def _path(self, stage: str, shard: int) -> Path:
        return self.shard_root / stage / f"{shard:06d}{SUFFIX}"

    def commit(self, stage: str, shard: int, key: str, rows: Sequence[Any]) -> None:
        """Make a shard exist, or replace it.

        Raises StoreError when it cannot be written, or the folder is no longer held.
        """
        if self.claim:
            self.claim.check()
        text = b"".join(to_json(row) + b"\n" for row in rows)
        write_bytes(self._path(stage, shard), pack(key, len(rows), text))

    def record(self, stage: str, shard: int) -> ShardRecord | None:
        """The commit record of a shard, None when it was never committed.

        Raises StoreError when it is damaged.
        """
        path = self._path(stage, shard)
        try:
            return read_record(path)
        except FileNotFoundError:
            return None
        except (OSError, DamagedShard) as error:
            raise StoreError(f"{path} is damaged: {error}", f"Delete it to redo shard {shard}.") from error

    def key(self, stage: str, shard: int) -> str:
        """The key of a committed shard.

        Raises StoreError when it was never committed.
        """
        record = self.record(stage, shard)
        if record is None:
            raise StoreError(f"{self.root} has no shard {shard} of {stage}", "Finish it with `mekong run` first.")
        return record.key

    def load(self, stage: str, shard: int, key: str, kind: type[T]) -> list[T] | None:
        """The rows of a committed shard, None when there is no commit under this key.

        Raises StoreError when the data does not fit its record.
        """
        record = self.record(stage, shard)
        if record is None or record.key != key:
            return None
        return self.rows(stage, shard, kind)

    def rows(self, stage: str, shard: int, kind: type[T], only: Sequence[int] | None = None) -> list[T]:
        """The rows of a committed shard, whatever its key; with `only`, those of these numbers.

        Raises StoreError when it is not there, is damaged or was written by another version.
        """
        path = self._path(stage, shard)
        try:
            text = unpack(path.read_bytes())
        except OSError as error:
            raise StoreError(f"{path} cannot be read: {error.strerror}") from error
        except DamagedShard as error:
            raise StoreError(f"{path} is damaged: {error}", "Delete it to redo the shard.") from error
        lines = text.split(b"\n")[:-1]
        if only is not None:
            lines = [lines[number] for number in only]
        decoder = _decoder(cast(Hashable, kind))
        try:
            return [decoder.decode(line) for line in lines]
        except NOT_JSON as error:
            raise StoreError(f"{path} was written by another version: {error}", "Use a new --out.") from error

    def committed(self, stage: str) -> list[int]:
        """The numbers of the shards of a stage that are committed, in order."""
        names = (path.name.removesuffix(SUFFIX) for path in (self.shard_root / stage).glob(f"[0-9]*{SUFFIX}"))
        return sorted(int(name) for name in names if name.isdecimal())

    def remove(self, stage: str, shard: int) -> None:
        """Forget a shard."""
        self._path(stage, shard).unlink(missing_ok=True)

    def stages(self, pattern: str) -> list[str]:
        """The stages with shards whose names fit, in order."""
        return sorted(path.name for path in self.shard_root.glob(pattern) if path.is_dir())

    def discard(self, stage: str) -> None:
        """Forget all shards of a stage."""
        shutil.rmtree(self.shard_root / stage, ignore_errors=True)
