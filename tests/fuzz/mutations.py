"""Broken files from good ones: bytes, tokens and fields are changed by a generator of random numbers with a seed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from random import Random
from typing import Any

import zstandard

MOST_BYTES = 60_000
"""Of a mutated file before it is compressed: what is too slow shows at that size too."""
BYTES = (
    b"\0", b"\xff", b"\x80", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1b[2J", b"\xc2\x9b", b"\xe2\x80\xae",
    b"\r", b"\n", b"\r\n", b"\xe2\x80\xa8", b"\t", b"\\", b'"', b"'", b"\\ud800", b"\\u0000", b"%s", b"{}", b"${x}",
)  # fmt: skip
NUMBERS = (b"-1", b"0", b"NaN", b"1e400", b"-0.0", b"1" * 40, b"9" * 5000, b"9223372036854775808", b"0x10", b"1_000")
NESTED = (b"[" * 300, b"{" * 300, b'{"a":' * 260, b"[" * 250 + b"]" * 250, b"[" * 1100 + b"]" * 1100, b"- " * 300)
WORDS = (
    b"null", b"true", b"false", b"Infinity", b"*a", b"&a", b"!!python/object/apply:os.system", b"<<: ", b"? ",
    b"---\n", b"...", b"2024-13-45", b"2024-12-31T25:00:00Z", b"1:60", b"\xef\xbc\x91", b"<!--", b"-->",
    b"<![CDATA[", b"]]>", b"<!DOCTYPE x [",
    b"<!ENTITY a 'b'>", b"&a;", b"&#0;", b"&#x110000;", b"<tu>", b"</tu>", b"<tu/>",
    b"<tuv xml:lang=", b"</tmx>", b"<?x", b"?>", b"xmlns:x='y'", b"<tmx>", b"<seg>", b"</seg>", b"encoding='utf-7'",
    b"encoding='zlib'",
)  # fmt: skip
TOKENS = (*BYTES, *NUMBERS, *NESTED, *WORDS)
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 2**63, -(2**63), 10**30, 1e308, "", " ", "\0", "\x1b[31m", "\u202e", "x" * 3000,
    [], {}, [[]], [None], {"": None}, {"a": {"b": [1]}}, ["th", "en"], "th", "en", "../../x", 20241305, "2024-13-45",
)  # fmt: skip


def mutated(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """Other bytes than `data`, made of it and of the `others`, 1 to 4 changes away."""
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
        data = rng.choice(_CHANGES)(data, others, rng)[:MOST_BYTES]
    return data


def _cut(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    return data[: rng.randint(0, len(data))]


def _flipped(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4) if data else 0):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _with_token(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    at = rng.randint(0, len(data))
    return data[:at] + rng.choice(TOKENS) + data[at + rng.choice((0, 0, 1, 5)) :]


def _repeated(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    start, end = sorted((rng.randint(0, len(data)), rng.randint(0, len(data))))
    return data[:end] + data[start:end] * rng.choice((1, 2, 50, 3000)) + data[end:]


def _without(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    start, end = sorted((rng.randint(0, len(data)), rng.randint(0, len(data))))
    return data[:start] + data[end:]


def _spliced(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    other = rng.choice(others)
    return data[: rng.randint(0, len(data))] + other[rng.randint(0, len(other)) :]


def _lines_moved(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    lines = data.split(b"\n")
    lines.insert(rng.randint(0, len(lines)), rng.choice(lines))
    return b"\n".join(lines)


def _field_changed(data: bytes, _: Sequence[bytes], rng: Random) -> bytes:
    """A value or a key of one JSON value of the file becomes another; a file without JSON stays as it is."""
    lines = [data] if data.lstrip()[:1] == b"[" or b"\n " in data else data.split(b"\n")
    number = rng.randrange(len(lines))
    try:
        value = json.loads(lines[number])
    except (ValueError, RecursionError):
        return data
    lines[number] = json.dumps(_changed(value, rng), ensure_ascii=rng.random() < 0.5).encode(errors="surrogatepass")
    return b"\n".join(lines)


def _changed(value: Any, rng: Random) -> Any:
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        what = rng.random()
        if what < 0.1:
            return {name: inner for name, inner in value.items() if name != key}
        if what < 0.2:
            return {(str(rng.choice(ODD)) if name == key else name): inner for name, inner in value.items()}
        return value | {key: _changed(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = rng.randrange(len(value))
        return [*value[:at], _changed(value[at], rng), *value[at + 1 :]]
    return rng.choice(ODD)


_CHANGES = (
    _cut, _flipped, _flipped, _with_token, _with_token, _with_token, _repeated, _without, _spliced, _lines_moved,
    _field_changed, _field_changed, _field_changed,
)  # fmt: skip


def packed(data: bytes, ending: str, rng: Random) -> bytes:
    """`data` compressed as the ending says, one time in three damaged."""
    if ending == ".gz":
        data = gzip.compress(data, 1, mtime=0)
    elif ending == ".zst":
        data = zstandard.ZstdCompressor().compress(data)
    return rng.choice((_cut, _flipped, _without))(data, (), rng)[: 2 * MOST_BYTES] if rng.random() < 0.33 else data
