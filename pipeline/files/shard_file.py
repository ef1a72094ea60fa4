"""One shard as one file: its commit record, then its rows.

The file is two frames of the Zstandard format (RFC 8878): a skippable one that holds the record as JSON, and one with
the rows, JSONL. So one rename commits both, `zstd -dc` and every reader of .jsonl.zst shows the rows, and what a shard
was made from is known from its first bytes.
"""

from __future__ import annotations

import hashlib
import os
import struct
from pathlib import Path

import msgspec
import zstandard

from pipeline.files.damage import NOT_JSON

SUFFIX = ".jsonl.zst"
ZSTD_LEVEL = 3
SKIPPABLE = 0x184D2A50
"""The first of the sixteen magic numbers of frames that readers leave out."""
HEAD = struct.Struct("<II")
"""Magic number, and length of the frame's content."""
MOST = 4096
"""Bytes of a record; one that says more is no record."""


class DamagedShard(ValueError):
    """A file is not what `pack` made."""


class ShardRecord(msgspec.Struct, frozen=True):
    """What a shard is: the key that says what it was made from, how many rows it has, the hash of its second frame."""

    key: str
    rows: int
    sha256: str


def pack(key: str, rows: int, text: bytes) -> bytes:
    """The file of a shard with so many rows, which are the lines of `text`."""
    frame = zstandard.ZstdCompressor(level=ZSTD_LEVEL).compress(text)
    record = msgspec.json.encode(ShardRecord(key, rows, hashlib.sha256(frame).hexdigest())) + b"\n"
    return HEAD.pack(SKIPPABLE, len(record)) + record + frame


def read_record(path: Path) -> ShardRecord:
    """The record of a shard, without its rows.

    Raises DamagedShard when there is none in the file, OSError when it cannot be read.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)  # a run that goes on looks at tens of thousands of them
    try:
        return _record(os.read(handle, HEAD.size + MOST))[0]
    finally:
        os.close(handle)


def unpack(data: bytes) -> bytes:
    """The lines of a whole file of a shard.

    Raises DamagedShard when they are not those that were committed.
    """
    record, at = _record(data)
    if hashlib.sha256(frame := data[at:]).hexdigest() != record.sha256:
        raise DamagedShard("the rows do not fit the commit record")
    try:
        text = zstandard.ZstdDecompressor().decompressobj().decompress(frame)
    except zstandard.ZstdError as error:
        raise DamagedShard(str(error)) from error
    if (rows := text.count(b"\n")) != record.rows:
        raise DamagedShard(f"it has {rows} rows and says that it has {record.rows}")
    return text


def _record(data: bytes) -> tuple[ShardRecord, int]:
    """The record at the start of a file, and where the rows begin."""
    if len(data) < HEAD.size:
        raise DamagedShard(f"it has {len(data)} bytes")
    magic, length = HEAD.unpack_from(data)
    if magic != SKIPPABLE or length > MOST:
        raise DamagedShard("it does not begin with a commit record")
    try:
        return msgspec.json.decode(data[HEAD.size : HEAD.size + length], type=ShardRecord), HEAD.size + length
    except NOT_JSON as error:
        raise DamagedShard(f"its commit record is no such thing: {error}") from error
