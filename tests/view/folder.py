"""A run folder with scored pairs, made without any model."""

from __future__ import annotations

from pathlib import Path

import yaml

from pipeline.files.store import Store
from pipeline.types import Document, Pair, Scored, Source

HOSTILE = "<img src=x onerror=\"document.title='gone'\"><script>document.title='gone'</script>"
ENGLISH = [
    "The boat left the pier at dawn.",
    "Rice was dear this week.",
    "A heron stood in the field.",
    f"The sign read {HOSTILE} and nothing else.",
    "The boat came back at dusk.",
    "The boat left the pier at dawn.",
]
THAI = ["เรือออกเช้า", "ข้าวแพง", "นกยืนอยู่", "ป้าย", "เรือกลับเย็น", "เรือออกเช้า"]


def scored(number: int, english: str = "", similarity: float | None = None) -> Scored:
    """Pair `pNUMBER` of document `dNUMBER // 3`; its similarity falls with its number, the fourth has none."""
    value = similarity if similarity is not None else (None if number == 3 else 0.9 - number / 10)
    pair = Pair(
        id=f"p{number}",
        src_doc=f"d{number // 3}",
        tgt_doc="",
        src_lang="th",
        src_segments=(f"d{number // 3}:{number}",),
        tgt_segments=(),
        src_spans=((0, 5),),
        tgt_spans=(),
        src_text=THAI[number % len(THAI)],
        tgt_text=english or ENGLISH[number % len(ENGLISH)],
        origin="translated",
        cost=0.0,
    )
    return Scored(pair, {"similarity": value, "length_ratio": 1.0 + number / 100})


def run_folder(folder: Path, rows: list[Scored] | None = None, size: int = 4) -> Path:
    """Commit the pairs in shards of `size`; the rule keeps similarities of .55 and more (p0 to p3)."""
    rows = [scored(number) for number in range(6)] if rows is None else rows
    folder.mkdir(parents=True, exist_ok=True)
    rules = {"similarity": {"min": 0.55}}
    (folder / "config.yaml").write_text(yaml.safe_dump({"name": "boats", "filter": {"rules": rules}}))
    store = Store(folder)
    for shard, start in enumerate(range(0, len(rows), size)):
        mine = rows[start : start + size]
        names = sorted({row.pair.src_doc for row in mine})
        store.commit("read", shard, "k", [Document(name, "th", "x", Source(f"in/{name}.txt")) for name in names])
        store.commit("score", shard, f"key-{shard}", mine)
    return folder
