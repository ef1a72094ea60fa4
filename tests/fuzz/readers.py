"""What is fuzzed: every reader of files that others wrote, with the good files that the broken ones are made of."""

from __future__ import annotations

import gzip
import io
import json
import os
import sqlite3
import tempfile
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import pyarrow
import pyarrow.parquet

from pipeline.config.load import load_config, settings_from
from pipeline.config.settings import ReadSettings
from pipeline.engines.base import Hypothesis
from pipeline.files.owner import RUN, Owner, check_made_by
from pipeline.files.shard_file import pack
from pipeline.files.store import Store, to_json
from pipeline.files.tables import texts
from pipeline.registry import models
from pipeline.run.folder import read_rejects, read_settings
from pipeline.run.manifest import FilterManifest, Manifest, finished_shards
from pipeline.run.memory_file import KnownSegment, Maker, MemoryFile
from pipeline.run.names import read_settled
from pipeline.run.order import Placed, read_order
from pipeline.run.shards import SCORED, Shards
from pipeline.run.streams import read_stream
from pipeline.stages.align.lexicon import Lexicon, read_lexicon
from pipeline.stages.filter.decisions import Decisions, decide
from pipeline.stages.read.pairs import corpora
from pipeline.stages.read.stage import Reader
from pipeline.stages.translate.glossary import read_glossary
from pipeline.types import Pair, Reject, Scored

TH = "นายกรัฐมนตรีเดินทางถึงกรุงฮานอยเมื่อวันที่ 5 พฤษภาคม 2568"
VI = "Thủ tướng Chính phủ đã đến Hà Nội ngày 5 tháng 5 năm 2025."
EN = "The prime minister arrived in Hanoi on May 5, 2025."
PAIR = Pair("p1", "d1", "e1", "th", ("s1",), ("t1",), ((0, 9),), ((0, 9),), TH, EN, "aligned", 0.5)


@dataclass(frozen=True)
class FuzzedReader:
    """`read` takes the path of a file called `name`; `seeds` are good files, `near` what it needs beside it."""

    label: str
    name: str
    seeds: tuple[bytes, ...]
    read: Callable[[Path], Any]
    endings: tuple[str, ...] = ("",)
    near: Callable[[Path], None] = lambda folder: None
    made: Callable[[Random], bytes] | None = None
    """Makes good files of its own, where a format has more in it than a change of bytes finds."""
    packing: str = ""
    """How the file is compressed whatever its name."""

    def good(self) -> tuple[bytes, ...]:
        """The good files; of a model's folder, the file of that name."""
        return self.seeds or (_tiny_model()[Path(self.name).name],)


def _all(rows: Iterable[Any]) -> None:
    deque(rows, maxlen=0)


def _jsonl(*rows: Any) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


DOCUMENTS = ({"id": "a", "text": f"{TH}\n\n{TH}", "lang": "th", "date": "2025-05-05", "url": "u", "n": [1, {"k": 2}]},
             {"text": VI, "licence": "MIT"}, {"text": EN, "lang": "en", "date": 20250505})  # fmt: skip
PAIRS = (
    {"id": "a", "src": TH, "tgt": EN, "src_lang": "th", "scores": {"margin": 1.1}, "src_spans": [[0, 5]]},
    {"src_text": VI, "tgt_text": EN, "src_lang": "vi", "origin": "translated", "model": "m"},
    {"translation": {"th": TH, "en": EN}},
    {"translation": {"language": ["vi", "en"], "translation": [VI, EN]}},
)
TMX = f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE tmx SYSTEM "tmx14.dtd">
<tmx version="1.4"><header srclang="th" adminlang="en" datatype="plaintext"/><body>
<!-- a <tu> in words --><tu tuid="1"><tuv xml:lang="th"><seg>{TH} <ph>x</ph><hi>y</hi></seg></tuv>
<tuv xml:lang="en"><seg>{EN} &amp; more</seg></tuv></tu>
<tu tuid="2"><prop type="x">1</prop><tuv lang="vi"><seg><![CDATA[{VI}]]></seg></tuv>
<tuv xml:lang="en"><seg>{EN}</seg></tuv></tu><tu/>
</body></tmx>
""".encode()
TMX_PREFIXED = TMX.replace(b"<tu", b"<t:tu").replace(b"</tu", b"</t:tu").replace(b"<tmx ", b"<tmx xmlns:t='u' ")
CELLS: tuple[Any, ...] = (
    TH, EN, VI, "", None, 1, -1, 1.5, float("nan"), True, b"\xff", date(2025, 5, 5), datetime(2025, 5, 5, tzinfo=UTC),
    [TH], [[1]], {"th": TH, "en": EN}, Decimal("1.5"), {"language": ["th"], "translation": [TH]},
)  # fmt: skip
TYPES = (
    pyarrow.string(), pyarrow.large_string(), pyarrow.string_view(), pyarrow.binary(), pyarrow.int64(),
    pyarrow.float32(), pyarrow.date64(), pyarrow.timestamp("ns"), pyarrow.timestamp("s", "Asia/Bangkok"),
    pyarrow.duration("us"), pyarrow.time64("ns"), pyarrow.decimal128(20, 3), pyarrow.bool_(), pyarrow.null(),
    pyarrow.list_(pyarrow.string()), pyarrow.map_(pyarrow.string(), pyarrow.int32()),
    pyarrow.struct([("th", pyarrow.string()), ("en", pyarrow.string())]),
    pyarrow.dictionary(pyarrow.int32(), pyarrow.string()), pyarrow.month_day_nano_interval(),
)  # fmt: skip
COLUMNS = ("text", "id", "lang", "date", "url", "src", "tgt", "src_text", "tgt_text", "translation", "th", "scores")


def _parquet(table: pyarrow.Table, **options: Any) -> bytes:
    stream = io.BytesIO()
    pyarrow.parquet.write_table(table, stream, **options)
    return stream.getvalue()


def odd_table(rng: Random) -> bytes:
    """A good Parquet file of columns that nobody expects."""
    columns, rows = {}, rng.randint(1, 4)
    for name in rng.sample(COLUMNS, rng.randint(1, 6)):
        try:
            values = [rng.choice(CELLS)] * rows if rng.random() < 0.5 else rng.choices((TH, None, 2**40, 1.5), k=rows)
            columns[name] = pyarrow.array(values, rng.choice(TYPES) if rng.random() < 0.7 else None)
        except (pyarrow.ArrowException, ValueError, TypeError, OverflowError, AttributeError):
            columns[name] = pyarrow.array([TH] * rows)
    try:
        return _parquet(pyarrow.table(columns), compression=rng.choice(["zstd", "none", "snappy"]))
    except (pyarrow.ArrowException, OverflowError):
        return _parquet(pyarrow.table({"text": [TH]}))


def _documents(path: Path) -> None:
    _all(Reader(ReadSettings(), lambda _: None).read([str(path)]))


def _one_document(path: Path) -> None:
    Reader(ReadSettings()).read_one(path)


def _pairs(path: Path) -> None:
    limit = ReadSettings().max_line_bytes
    for corpus in corpora([path], "th"):
        for row in corpus.read(limit):
            if not isinstance(row, Reject):
                to_json(row)  # what is read must be something that can be kept


def _kept_documents(path: Path) -> None:
    for row in Reader(ReadSettings(), lambda _: None).read([str(path)]):
        to_json(row)


def _moses(path: Path) -> None:
    english = path.with_suffix(".en")
    english.write_bytes(f"{EN}\n".encode() * 3)
    (corpus,) = corpora([path, english], "")
    _all(corpus.read(ReadSettings().max_line_bytes))


def _entries(path: Path) -> None:
    models.entries(path.parent)


def _decisions(path: Path) -> None:
    found = Decisions(path.parent, lambda _: None)
    found.refresh()
    found.of(PAIR)


def _memory(path: Path) -> None:
    with MemoryFile(path) as memory:
        memory.find([b"\0" * 16, b"\1" * 16])
        memory.holdings()
        _all(memory.each())


def _memory_seed(rows: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "memory.sqlite"
        with MemoryFile.opened(path) as memory:
            known = [KnownSegment(bytes([n]) * 16, TH, Hypothesis(EN, -0.5, 9, 9, "stop")) for n in range(rows)]
            memory.keep(Maker("i", "th", "m", "engine"), known)
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA journal_mode=DELETE").fetchall()
        connection.close()
        return path.read_bytes()


ROWS = to_json(Scored(PAIR, {"similarity": 0.5, "margin": None})) + b"\n"
SHARD = pack("k", 1, ROWS)


def _shard(path: Path) -> None:
    shards = Shards(Store(path.parent.parent.parent), 1)
    shards.size(SCORED, 0)
    shards.done(SCORED, 0, "k")
    shards.key(SCORED, 0)
    shards.scored(0)


def _shard_rows(path: Path) -> None:
    """Under a record whose hash fits: what another version, or somebody, wrote."""
    rows = path.read_bytes()
    path.write_bytes(pack("k", rows.count(b"\n"), rows))
    _shard(path)


def _order(path: Path) -> None:
    read_order(path.parent.parent)
    Shards.stated(path.parent.parent, 1)


def _manifest(path: Path) -> None:
    finished_shards(path.parent)
    Manifest.read(path.parent)


def _filter_manifest(path: Path) -> None:
    FilterManifest.read(path.parent)


def _streams(path: Path) -> None:
    read_stream(path, "reference", {"id", "doc_id"})


def _overrides(path: Path) -> None:
    settings_from([path.read_bytes().decode("utf-8", "replace")])


def _lock(path: Path) -> None:
    entry = next(iter(models.entries().values())).model_copy(update={"name": path.parent.name})
    with patch.dict(os.environ, MEKONG_MODELS=str(path.parent.parent)):
        models.read_lock(entry)
        models.locate(entry)
        models.fingerprint(entry)


@cache
def _tiny_model() -> dict[str, bytes]:
    from tests.support import tiny

    with tempfile.TemporaryDirectory() as folder:
        tiny.BUILDERS["marian"](Path(folder))
        return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.is_file()}


def _beside_model(folder: Path) -> None:
    for name, data in _tiny_model().items():
        (folder / name).write_bytes(data)


def _checkpoint(path: Path) -> None:
    from pipeline.engines.mekong.checkpoint import read_checkpoint
    from pipeline.engines.weights import count_weights
    from pipeline.registry.sources import refuse_code

    refuse_code(path.parent)
    count_weights(path.parent)
    read_checkpoint(path.parent)


def _needs(path: Path) -> None:
    from pipeline.engines.load import Plan
    from pipeline.engines.needs import need

    need(next(iter(models.entries().values())), path.parent, Plan("mekong", "cpu", "float32", 1, 1), 1)


def _owner(path: Path) -> None:
    check_made_by(path.parent, RUN)
    Owner(RUN, "1", 1, ("a",)).check(path.parent, [], whole=True, begun=True)


def _run_folder(folder: Path) -> None:
    (folder / "folder.json").write_bytes(to_json(Owner(RUN, "1", 1, ("a",))))


PACKED = ("", "", ".gz", ".zst")
GLOSSARY = "เลขาธิการ\tGeneral Secretary\tNOUN\nฮานอย\tHanoi\tPROPN\n".encode()
NAMES = "# Names\nฮานอย\tHanoi\t3\tHanoi\nNguyễn Văn An\tNguyen Van An\t12\tNguyen Van Ann\n".encode()
CONFIG = b"""name: news
read: {paths: [articles], licence: CC0-1.0, max_rejects: 5}
translate:
  num_beams: 2
  memory: "off"
filter:
  preset: balanced
  rules:
    similarity: {min: 0.5}
    length_ratio: off
"""
MANIFEST = _json({
    "name": "n", "code": "1", "packages": {"numpy": "2"}, "machine": {"cores": "2"}, "translation": "t", "models": [
        {"name": "m", "role": "translation", "source": "hub", "revision": "1", "fingerprint": "0", "licence": "MIT",
         "commercial": True, "files": {}, "general": False, "trial": False}],
    "signatures": {"similarity": "1"}, "held_out": {"dev.en": "00"}, "counts": {
        "documents": {"th": 2}, "rejected_inputs": 1, "segments": 9, "translations": {"stop": 8}, "document_pairs": {},
        "pairs": {"translated": 8}, "kept": {}, "by_hand": {"accepted": 1, "rejected": 0, "not_applied": 2}},
    "corpus": {"pairs": 0}, "shards": 3, "seconds": {"read": 0.5}, "finished": "2026-01-01T00:00:00Z"})  # fmt: skip
FILTER_MANIFEST = _json(json.loads(MANIFEST) | {
    "encoder": {"name": "e", "fingerprint": "f"}, "inputs": {"a.tsv": "00"}, "seconds": 1.5, "counts": {
        "pairs": 1, "set_aside": 0, "scored_now": 1, "kept": {}, "reasons": {}, "alone": {}}})  # fmt: skip
LOCK = _json({"name": "m", "source": "path:/x", "version": "1", "licence": "MIT", "files": {
    "config.json": {"size": 2, "sha256": "0" * 64}}})  # fmt: skip
TSV = f"{TH}\t{EN}\n{VI}\t{EN}\tmore\tmore\n".encode()
LINES = f"{TH}\r\n{TH}\n\n{TH}\n".encode()
TABLE = _parquet(pyarrow.table({"text": [TH, VI, EN], "id": [1, 2, 3], "date": [date(2025, 5, 5)] * 3}))
PAIR_TABLE = _parquet(pyarrow.table({"src": [TH] * 3, "tgt": [EN] * 3, "score_margin": [1.0, None, 2.0]}))
DECISIONS = b"".join(to_json(decide(PAIR, keep)) + b"\n" for keep in (True, False, None))
REJECTS = to_json(Reject("a.txt", 3, 17, "not UTF-8")) + b"\n"


def _shipped_entry() -> bytes:
    return sorted(models.shipped().glob("*.yaml"))[0].read_bytes()


def _lexicon_seed() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.gz"
        Lexicon("vi", {"hà nội": (("hanoi", 0.9),), "năm": (("year", 0.5), ("five", 0.2))}).write(path)
        return gzip.decompress(path.read_bytes())


READERS = (
    FuzzedReader("documents txt", "a.txt", (LINES, EN.encode()), _documents, PACKED),
    FuzzedReader("documents jsonl", "a.jsonl", (_jsonl(*DOCUMENTS),), _kept_documents, PACKED),
    FuzzedReader("documents json", "a.json", (_json(DOCUMENTS), _jsonl(*DOCUMENTS)), _kept_documents, PACKED),
    FuzzedReader("documents parquet", "a.parquet", (TABLE,), _kept_documents),
    FuzzedReader("document tables", "a.parquet", (TABLE,), _kept_documents, made=odd_table),
    FuzzedReader("one document", "a.jsonl", (_jsonl(DOCUMENTS[0]), LINES), _one_document, PACKED),
    FuzzedReader("pairs tsv", "a.tsv", (TSV,), _pairs, PACKED),
    FuzzedReader("pairs jsonl", "a.jsonl", (_jsonl(*PAIRS),), _pairs, PACKED),
    FuzzedReader("pairs json", "a.json", (_json(PAIRS),), _pairs, PACKED),
    FuzzedReader("pairs parquet", "a.parquet", (PAIR_TABLE,), _pairs),
    FuzzedReader("pair tables", "a.parquet", (PAIR_TABLE,), _pairs, made=odd_table),
    FuzzedReader("pairs tmx", "a.tmx", (TMX, TMX_PREFIXED, TMX.decode().encode("utf-16")), _pairs, PACKED),
    FuzzedReader("pairs moses", "a.th", (LINES,), _moses, PACKED),
    FuzzedReader("texts jsonl", "a.jsonl", (_jsonl(*PAIRS),), lambda path: _all(texts(path)), PACKED),
    FuzzedReader("texts tmx", "a.tmx", (TMX,), lambda path: _all(texts(path)), PACKED),
    FuzzedReader("streams", "a.jsonl", (_jsonl({"id": "1", "ref": EN}, {"id": 2, "ref": EN}),), _streams, PACKED),
    FuzzedReader("stream lines", "a.en", (LINES,), _streams, PACKED),
    FuzzedReader("configuration", "a.yaml", (CONFIG,), load_config),
    FuzzedReader("--set", "set", (b"translate.retries=2", b"filter.rules={similarity: {min: 0.5}}"), _overrides),
    FuzzedReader("registry entry", "m.yaml", (_shipped_entry(),), _entries),
    FuzzedReader("model lock", "store/m/lock.json", (LOCK,), _lock),
    FuzzedReader("model config", "m/config.json", (), _checkpoint, near=_beside_model),
    FuzzedReader("model weights", "m/model.safetensors", (), _checkpoint, near=_beside_model),
    FuzzedReader("model needs", "m/config.json", (), _needs, near=_beside_model),
    FuzzedReader("glossary", "g.tsv", (GLOSSARY,), read_glossary, PACKED),
    FuzzedReader("names", "names.tsv", (NAMES,), lambda path: read_settled(path.parent)),
    FuzzedReader("lexicon", "x.gz", (_lexicon_seed(),), read_lexicon, packing=".gz"),
    FuzzedReader("decisions", "decisions.jsonl", (DECISIONS,), _decisions),
    FuzzedReader("memory", "memory.sqlite", (_memory_seed(2), _memory_seed(60)), _memory),
    FuzzedReader("manifest", "manifest.json", (MANIFEST,), _manifest, near=_run_folder),
    FuzzedReader("filter manifest", "manifest.json", (FILTER_MANIFEST,), _filter_manifest),
    FuzzedReader("order", "shards/order.json", (to_json([Placed(0, "a")]),), _order),
    FuzzedReader("shard", "shards/score/000000.jsonl.zst", (SHARD,), _shard),
    FuzzedReader("shard rows", "shards/score/000000.jsonl.zst", (ROWS,), _shard_rows),
    FuzzedReader("rejects", "rejected.jsonl", (REJECTS,), lambda path: _all(read_rejects(path.parent))),
    FuzzedReader("owner", "folder.json", (to_json(Owner(RUN, "1", 1, ("a",))),), _owner),
    FuzzedReader("run settings", "config.yaml", (CONFIG,), lambda path: read_settings(path.parent)),
)
