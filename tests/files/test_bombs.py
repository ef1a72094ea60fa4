"""Small files that would become large ones, or take long: refused or set aside early, and in little memory."""

from __future__ import annotations

import gzip
import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from pipeline.config.settings import ReadSettings
from pipeline.errors import ConfigError
from pipeline.files import json_array, rejects, tmx
from pipeline.files.lines import Inflating, read_whole
from pipeline.files.plain_yaml import DEEPEST, MAX_CONFIG_BYTES, load_yaml
from pipeline.stages.read.pairs import corpora
from pipeline.stages.read.stage import Reader
from pipeline.types import Reject

PATIENCE = 20.0
"""Seconds; each takes less than one on an idle machine, and minutes or hours where it is read to its end."""
MEMORY = 256 << 20
FEW = 300
THAI = "นายกรัฐมนตรีเดินทางถึงกรุงฮานอย"


def packed(unit: bytes, megabytes: int, ending: str) -> bytes:
    """So many megabytes of one unit, compressed block by block."""
    engine = zlib.compressobj(9, wbits=31) if ending == ".gz" else zstandard.ZstdCompressor().compressobj()
    block = unit * ((1 << 20) // len(unit))
    return b"".join(engine.compress(block) for _ in range(megabytes)) + engine.flush()


def timed(read: Callable[[], object]) -> tuple[object, float]:
    """What `read` returns, and the seconds."""
    began = time.monotonic()
    found = read()
    return found, time.monotonic() - began


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is given up sooner."""
    monkeypatch.setattr(rejects, "MOST", FEW)


def rows(path: Path) -> list[object]:
    if path.name.startswith("pairs"):
        return [row for corpus in corpora([path], "th") for row in corpus.read(ReadSettings().max_line_bytes)]
    return list(Reader(ReadSettings(), lambda _: None).read([str(path)]))


@pytest.mark.parametrize("ending", [".gz", ".zst"])
@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("a.jsonl", b"\n"),
        ("a.jsonl", b"x\n"),
        ("a.jsonl", b"x"),
        ("a.json", b" "),
        ("a.json", b'{"text":1},'),
        ("a.txt", b"\n"),
        ("pairs.tsv", b"x\n"),
        ("pairs.tmx", b"<a/>"),
        ("pairs.tmx", b"<tu/>"),
    ],
)
def test_what_unpacks_to_hundreds_of_times_its_size_is_set_aside(
    tmp_path: Path, name: str, unit: bytes, ending: str
) -> None:
    path = tmp_path / f"{name}{ending}"
    path.write_bytes(packed(unit, 64, ending))
    tracemalloc.start()
    try:
        found, seconds = timed(lambda: rows(path))
        memory = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    (reject,) = found
    assert isinstance(reject, Reject) and "unpacks to over 250 times its size" in reject.reason
    assert seconds < PATIENCE and memory < MEMORY


def test_a_bomb_behind_text_costs_what_is_behind_the_text_alone(tmp_path: Path) -> None:
    lines = b"".join(b'{"text": "%d %s"}\n' % (n, THAI.encode()) for n in range(100))
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(lines) + packed(b"\n", 64, ".gz"))
    found = rows(path)
    assert len(found) == 101 and isinstance(found[-1], Reject)


def test_much_repeated_text_is_no_bomb(tmp_path: Path) -> None:
    text = b"".join(
        b"%06d Heavy rain fell on the capital, police said. The visit takes place.\n" % n for n in range(50_000)
    )
    for ending in (".gz", ".zst"):
        data = gzip.compress(text, 9) if ending == ".gz" else zstandard.ZstdCompressor(level=19).compress(text)
        path = tmp_path / f"a{ending}"
        path.write_bytes(data)
        assert len(text) > 3 * Inflating.STRETCH and read_whole(path, "") == text


@pytest.mark.parametrize(
    ("name", "line", "last"),
    [
        ("a.jsonl", b"x\n", "nothing after this place is read"),
        ("pairs.tsv", b"x\n", "nothing after this place is read"),
        ("pairs.tmx", b"<tu/>", "nothing after this place is read"),
        ("pairs.tmx", b"</tu>", "nothing after this place is read"),
    ],
)
def test_a_file_of_nothing_but_trouble_is_given_up(
    few: None, tmp_path: Path, name: str, line: bytes, last: str
) -> None:
    path = tmp_path / name
    path.write_bytes(line * (5 * FEW))
    found = rows(path)
    assert len(found) == FEW + 1 and all(isinstance(row, Reject) for row in found)
    assert last in found[-1].reason and f"{FEW:,} of {FEW:,}" in found[-1].reason


def test_many_bad_lines_among_more_good_ones_are_all_told(few: None, tmp_path: Path) -> None:
    path = tmp_path / "pairs.tsv"
    path.write_bytes((f"{THAI}\tHanoi\n" * 2 + "x\n").encode() * (FEW + 10))
    found = rows(path)
    assert sum(isinstance(row, Reject) for row in found) == FEW + 10


@pytest.mark.parametrize(
    "piece",
    [
        b"<a/>", b"<!---->", b"<?a?>", b"<tmx>", b"<tmx ", b"<!DOCTYPE x>", b"<!DOCTYPE[", b"<a:", b"<", b"<tmx a='",
        b"<tu><![CDATA[", b"<tu><!--", b"<tu ", b"<tu a='", b"<body>", b"</body>", b"<tu><![CDATA[<!--",
    ],
)  # fmt: skip
def test_nothing_in_a_tmx_file_takes_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: bytes) -> None:
    monkeypatch.setattr(tmx, "MAX_BETWEEN_BYTES", 200_000)
    path = tmp_path / "pairs.tmx"
    path.write_bytes(b"<tmx><body>" + piece * (400_000 // len(piece)))
    found, seconds = timed(lambda: rows(path))
    assert isinstance(found[-1], Reject)
    assert seconds < PATIENCE


def test_one_text_many_times_takes_no_longer_each_time(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"text": "a b", "lang": "en"}\n' * 20_000)
    found, seconds = timed(lambda: rows(path))
    assert len({row.id for row in found}) == 20_000 and seconds < PATIENCE


def test_an_array_that_no_memory_should_hold_is_set_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_array, "MAX_BYTES", 1000)
    path = tmp_path / "a.json"
    path.write_bytes(b"[" + b'{"text": "a"},' * 1000)
    (reject,) = rows(path)
    assert "write it as JSON Lines" in reject.reason


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[" * 900_000, "inside each other"),
        ("[" * 300_000 + "]" * 300_000, "inside each other"),
        ("- " * 400_000, "inside each other"),
        ("? " * 400_000, "inside each other"),
        ("{a: " * 200_000, "inside each other"),
        ("\n".join(" " * depth + "a:" for depth in range(1300)), "inside each other"),
        ("".join(f"k{n}: 1\n" for n in range(60_000)), "more than 100000 values"),
        ("\n-" * 490_000, "more than 100000 values"),
        ("[" + "a: b," * 150_000, "more than 100000 values"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "aliases are not allowed"),
        ("*" * 900_000, "not plain YAML"),
        ("a: 2024-13-45", "month must be in 1..12"),
        ("a: 2024-01-01T25:00:00Z", "hour must be in 0..23"),
        ("a: " + "9" * 10_000, "4300 digits"),
        ("a: !!bool x", "not plain YAML"),
        ("a: !!int ''", "not plain YAML"),
        ("a: !!timestamp x", "not plain YAML"),
        ("a: \0", "not plain YAML"),
        ("#" * (MAX_CONFIG_BYTES + 1), "bytes"),
    ],
    ids=range(19),
)
def test_yaml_is_refused_before_it_takes_time_memory_or_the_stack(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(text)

    def load() -> str:
        with pytest.raises(ConfigError, match=words) as caught:
            load_yaml(path)
        return str(caught.value)

    said, seconds = timed(load)
    assert len(str(said)) < 2000
    assert seconds < PATIENCE


def test_yaml_as_deep_as_it_may_be_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("[" * DEEPEST + "]" * DEEPEST + "\n")
    found = load_yaml(path)
    for _ in range(DEEPEST - 1):
        (found,) = found
    assert found == []
    path.write_text("".join(f"k{n}: [{n}]\n" for n in range(200)))
    assert load_yaml(path)["k199"] == [199]
