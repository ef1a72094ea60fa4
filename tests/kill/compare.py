"""A run folder after kills beside that of a run that nobody disturbed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow
import pyarrow.parquet

from pipeline.errors import StoreError
from pipeline.files.claim import CLAIMS, LOCK
from pipeline.files.store import Store
from pipeline.run import shards as kinds
from pipeline.run.journal import ANSWERS, Answer

KINDS = (
    kinds.DOCUMENTS,
    kinds.SEGMENTS,
    kinds.TRANSLATIONS,
    kinds.PROFILES,
    kinds.JUDGED,
    kinds.DOCUMENT_PAIRS,
    kinds.PAIRS,
    kinds.SCORED,
    kinds.ShardKind(ANSWERS, Answer),
)
REMEMBERED = (kinds.PROFILES.stage, kinds.JUDGED.stage)
"""What matching keeps for the next time: where the document pairs themselves are kept, it may be of other settings."""
TIMES = {"manifest.json": ("seconds", "finished"), "seal.json": ("files",)}
"""What differs whenever a run is made: what it took, and when files were written."""
Finding = tuple[str, str]
"""What kind of fault, and where."""


def torn(out: Path) -> Iterator[Finding]:
    """Shards and files that are there and cannot be read."""
    store = Store(out)
    for kind in KINDS:
        for shard in store.committed(kind.stage):
            try:
                store.rows(kind.stage, shard, kind.row)
            except StoreError as error:
                yield "torn", str(error)
    for name, path in _files(out):
        try:
            if path.suffix == ".json":
                orjson.loads(path.read_bytes())
            elif path.suffix == ".jsonl":
                _rows(path)
            elif path.suffix == ".parquet":
                pyarrow.parquet.read_table(path)
        except (ValueError, pyarrow.ArrowException) as error:
            yield "torn", f"{name}: {error}"


def differences(whole: Path, out: Path) -> Iterator[Finding]:
    """What a folder has less, more or otherwise than one that is whole, and what nobody cleared away."""
    left = {str(path.relative_to(out)) for path in out.rglob(".*.tmp")}
    left |= {str(path.relative_to(out)) for path in (out / CLAIMS).iterdir() if path.name != LOCK}
    yield from (("left", name) for name in sorted(left))
    expected, found = dict(_files(whole)), dict(_files(out))
    yield from (("lost", name) for name in sorted(expected.keys() - found.keys()))
    yield from (("doubled", name) for name in sorted(found.keys() - expected.keys() - left))
    other = set(_of_other_settings(whole, out))
    for name in sorted((expected.keys() & found.keys()) - other):
        if _content(expected[name]) != _content(found[name]):
            yield "different", name
            yield from _rows_apart(name, expected[name], found[name])


def _of_other_settings(whole: Path, out: Path) -> Iterator[str]:
    before, after = Store(whole), Store(out)
    for stage in REMEMBERED:
        for shard in after.committed(stage):
            expected, found = before.record(stage, shard), after.record(stage, shard)
            if expected is not None and found is not None and expected.key != found.key:
                yield f"shards/{stage}/{shard:06d}.jsonl.zst"


def _files(out: Path) -> Iterator[tuple[str, Path]]:
    for path in out.rglob("*"):
        if path.is_file() and path.suffix != ".tmp":
            yield str(path.relative_to(out)), path


def _content(path: Path) -> Any:
    data = path.read_bytes()
    if path.name not in TIMES:
        return data
    return {name: value for name, value in orjson.loads(data).items() if name not in TIMES[path.name]}


def _rows(path: Path) -> list[Any]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines(keepends=True) if line]


def _rows_apart(name: str, expected: Path, found: Path) -> Iterator[Finding]:
    if expected.suffix == ".jsonl":
        before, after = (Counter(row.get("id") for row in _rows(path)) for path in (expected, found))
        yield from (("lost", f"{name}: {row}") for row in (before - after).elements())
        yield from (("doubled", f"{name}: {row}") for row in (after - before).elements())


def committed(out: Path) -> dict[tuple[str, int], tuple[str, int]]:
    """The key of every committed shard, and when its files were written; batches of answers apart."""
    store = Store(out)
    found = {}
    for kind in KINDS[:-1]:
        for shard in store.committed(kind.stage):
            record = store.record(kind.stage, shard)
            written = [p.stat().st_mtime_ns for p in (store.shard_root / kind.stage).glob(f"{shard:06d}*")]
            if record is not None:
                found[kind.stage, shard] = record.key, max(written)
    return found


def redone(before: dict[tuple[str, int], tuple[str, int]], out: Path) -> Iterator[Finding]:
    """Shards that were there under the same key and have been made again."""
    after = committed(out)
    for shard, (key, written) in before.items():
        if shard in after and after[shard][0] == key and after[shard][1] != written:
            yield "redone", f"{shard[0]} {shard[1]}"
