"""Every format is read back by an independent reader and compared with `pairs.jsonl`, and that with the rows."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import tracemalloc

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from lxml import etree

from pipeline.config.settings import WriteSettings
from pipeline.errors import StoreError
from pipeline.files.store import plain
from pipeline.files.together import aside, take_places
from pipeline.run.corpus_files import publish_corpus
from pipeline.stages.write import parquet
from pipeline.stages.write.record import make_record
from pipeline.stages.write.stage import remove_stale
from tests.stages.write.rows import FACTS, row, rows

ALL = WriteSettings()


def write(some_rows, out, wanted=ALL, facts=FACTS):
    with aside(out) as fresh:
        counts = publish_corpus(iter(some_rows), wanted, fresh, facts)
        remove_stale(out, take_places(fresh, out))
    return counts


def read_jsonl(path):
    data = path.read_bytes()
    assert data == b"" or data.endswith(b"\n")
    return [json.loads(line) for line in data.split(b"\n")[:-1]]


@given(rows())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_all_formats_hold_the_same_pairs(tmp_path_factory, some_rows):
    out = tmp_path_factory.mktemp("run")
    counts = write(some_rows, out)
    pairs = read_jsonl(out / "corpus/pairs.jsonl")
    kept = [r for r in some_rows if r.verdict.keep]
    assert pairs == [json.loads(json.dumps(plain(make_record(r)))) for r in kept]
    assert {counts[name] for name in ("pairs", "jsonl", "parquet", "moses", "tmx")} == {len(kept)}
    assert counts["rejected"] == len(some_rows) - len(kept) == len(read_jsonl(out / "rejected_pairs.jsonl"))
    check_parquet(out, pairs)
    check_moses(out, pairs)
    check_tmx(out, pairs, counts)


def check_parquet(out, pairs):
    table = pq.read_table(out / "corpus/pairs.parquet")
    found = table.to_pylist()
    for record in found:
        record["scores"] = {name: record.pop(f"score_{name}") for name in FACTS.signatures}
    assert found == pairs


def check_moses(out, pairs):
    for lang in ("th", "vi"):
        mine = [pair for pair in pairs if pair["src_lang"] == lang]
        for side, key in ((lang, "src_text"), ("en", "tgt_text")):
            path = out / f"corpus/corpus.{lang}-en.{side}"
            assert path.exists() == bool(mine)
            if not mine:
                continue
            data = path.read_bytes()
            assert data.count(b"\n") == len(data.decode().splitlines()) == len(mine)
            for line, pair in zip(data.decode().split("\n"), mine, strict=False):
                assert line == re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", pair[key])


def illegal(character):
    return ord(character) < 32 or character in "\ufffe\uffff"


def check_tmx(out, pairs, counts):
    data = (out / "corpus/corpus.tmx").read_bytes()
    assert b"<!DOCTYPE" not in data
    root = etree.fromstring(data, etree.XMLParser(resolve_entities=False, load_dtd=False))
    units = root.findall("body/tu")
    assert len(units) == len(pairs)
    lost = 0
    for unit, pair in zip(units, pairs, strict=True):
        assert [v.get("{http://www.w3.org/XML/1998/namespace}lang") for v in unit.findall("tuv")] == [
            pair["src_lang"],
            "en",
        ]
        for seg, key in zip(unit.findall("tuv/seg"), ("src_text", "tgt_text"), strict=True):
            legal = "".join(c for c in pair[key] if c in "\t\n\r" or not illegal(c))
            assert (seg.text or "") == legal
            lost += len(pair[key]) - len(legal)
        properties = {p.get("type"): p.text for p in unit.findall("prop")}
        scores = {k.removeprefix("x-score-"): float(v) for k, v in properties.items() if k.startswith("x-score-")}
        assert scores == {k: v for k, v in pair["scores"].items() if v is not None}
        assert properties["x-origin"] == pair["origin"] and properties["x-document"] == pair["src_doc"]
        lost += sum(1 for c in pair["licence"] if c not in "\t\n\r" and illegal(c))
    assert counts["tmx_characters_removed"] == lost


def test_tmx_header_is_complete(tmp_path):
    write([row()], tmp_path)
    root = etree.parse(tmp_path / "corpus/corpus.tmx").getroot()
    assert root.tag == "tmx" and root.get("version") == "1.4"
    needed = {"creationtool", "creationtoolversion", "segtype", "o-tmf", "adminlang", "srclang", "datatype"}
    assert needed | {"o-encoding"} == set(root.find("header").attrib)
    assert root.find("body/tu").get("srclang") == "th"


def test_parquet_schema_does_not_depend_on_the_rows(tmp_path):
    write([], tmp_path / "empty")
    write([row(scores={})], tmp_path / "one")
    schemas = [pq.read_schema(tmp_path / name / "corpus/pairs.parquet") for name in ("empty", "one")]
    assert schemas[0].equals(schemas[1])
    assert str(schemas[0].field("score_similarity").type) == "double"
    assert schemas[0].field("score_similarity").nullable and not schemas[0].field("id").nullable
    column = pq.ParquetFile(tmp_path / "one/corpus/pairs.parquet").metadata.row_group(0).column(0)
    assert column.compression == "ZSTD"


def test_same_rows_same_bytes(tmp_path):
    some = [row("a"), row("b", origin="aligned", lang="vi"), row("c", keep=False)]
    for name in ("one", "two"):
        write(some, tmp_path / name)
    digests = [
        {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in (tmp_path / name).rglob("*.*")}
        for name in ("one", "two")
    ]
    assert digests[0] == digests[1] and len(digests[0]) == 9


def test_rejected_pairs_keep_their_reasons(tmp_path):
    write([row("bad", keep=False)], tmp_path)
    (rejected,) = read_jsonl(tmp_path / "rejected_pairs.jsonl")
    assert rejected["reasons"] == ["similarity 0.1 < 0.4"] and rejected["id"] == "bad"
    assert read_jsonl(tmp_path / "corpus/pairs.jsonl") == []


def test_origins_that_are_not_asked_for_are_left_out(tmp_path):
    some = [row("t"), row("a", origin="aligned"), row("ra", origin="aligned", keep=False)]
    counts = write(some, tmp_path, WriteSettings(origins=("translated",)))
    assert [pair["id"] for pair in read_jsonl(tmp_path / "corpus/pairs.jsonl")] == ["t"]
    assert (counts["pairs"], counts["left_out"], counts["rejected"]) == (1, 1, 1)


def test_a_second_write_leaves_nothing_of_the_first(tmp_path):
    write([row("t"), row("v", lang="vi")], tmp_path)
    foreign = tmp_path / "corpus/notes.txt"
    foreign.write_text("mine")
    write([row("t")], tmp_path, WriteSettings(formats=("jsonl", "moses")))
    names = {path.name for path in (tmp_path / "corpus").iterdir()}
    assert names == {"README.md", "pairs.jsonl", "corpus.th-en.th", "corpus.th-en.en", "notes.txt"}


def test_a_failure_midway_leaves_the_old_corpus_and_no_debris(tmp_path):
    write([row("old")], tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.*")}

    def broken():
        yield row("new")
        yield row("new-v", lang="vi")
        raise StoreError("a shard is damaged")

    with pytest.raises(StoreError, match="damaged"):
        write(broken(), tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (row(scores={"length_ratio": float("nan")}), "nan"),
        (row(scores={"unheard_of": 1.0}), "unheard_of"),
    ],
)
def test_rows_that_do_not_fit_are_refused(tmp_path, bad, message):
    with pytest.raises(StoreError, match=message):
        write([bad], tmp_path)


def test_the_licence_of_an_aligned_pair_is_that_of_both_sides(tmp_path):
    some = [
        row("same", origin="aligned", english_licence="CC0-1.0"),
        row("two", origin="aligned"),
        row("none", origin="aligned", english_licence=""),
        row("choice", origin="aligned", english_licence="MIT OR CC0-1.0"),
    ]
    write(some, tmp_path)
    found = [pair["licence"] for pair in read_jsonl(tmp_path / "corpus/pairs.jsonl")]
    assert found == ["CC0-1.0", "CC-BY-4.0 AND CC0-1.0", "", "CC0-1.0 AND (MIT OR CC0-1.0)"]


def test_memory_does_not_grow_with_the_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "GROUP_CHARS", 200_000)

    def peak(count):
        tracemalloc.start()
        write((row(f"p{i}", src="ก" * 2000) for i in range(count)), tmp_path / str(count))
        _, top = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return top

    peak(1)
    assert peak(1_200) < 1.3 * peak(400)


class TestMachineTranslations:
    """Those of a model for trials lie apart, or those of any model where that is asked for."""

    TRIAL = dataclasses.replace(FACTS, models=tuple(dataclasses.replace(m, trial=True) for m in FACTS.models))
    ROWS = (
        row("a", origin="aligned"),
        row("b", origin="translated"),
        row("c", lang="vi", origin="aligned"),
        row("d", origin="translated", keep=False),
    )

    def names(self, folder):
        return [pair["id"] for pair in read_jsonl(folder / "pairs.jsonl")] if folder.is_dir() else None

    @pytest.mark.parametrize(
        ("machine", "trial", "whole", "apart"),
        [
            ("auto", False, ["a", "b", "c"], None),
            ("auto", True, ["a", "c"], ["b"]),
            ("apart", False, ["a", "c"], ["b"]),
            ("together", True, ["a", "b", "c"], None),
        ],
    )
    def test_where_they_go(self, tmp_path, machine, trial, whole, apart):
        counts = write(self.ROWS, tmp_path, WriteSettings(machine=machine), self.TRIAL if trial else FACTS)
        assert self.names(tmp_path / "corpus") == whole
        assert self.names(tmp_path / "corpus/machine") == apart
        assert counts["pairs"] == counts["jsonl"] == counts["tmx"] == 3
        assert counts["machine"] == len(apart or ())
        assert counts["tmx_characters_removed"] == counts["moses_runs_replaced"] == 0
        assert counts["rejected"] == 1

    def test_further_columns_are_in_every_format(self, tmp_path):
        write([dataclasses.replace(self.ROWS[0], columns=("wiki", "a\x00b"))], tmp_path)
        assert read_jsonl(tmp_path / "corpus/pairs.jsonl")[0]["columns"] == ["wiki", "a\x00b"]
        assert pq.read_table(tmp_path / "corpus/pairs.parquet")["columns"].to_pylist() == [["wiki", "a\x00b"]]
        found = etree.parse(tmp_path / "corpus/corpus.tmx").findall(".//prop")
        assert {prop.get("type"): prop.text for prop in found}.items() >= {
            "x-column-3": "wiki",
            "x-column-4": "ab",
        }.items()

    def test_every_format_and_card_says_it(self, tmp_path):
        write(self.ROWS, tmp_path, facts=self.TRIAL)
        folder = tmp_path / "corpus/machine"
        pairs = read_jsonl(folder / "pairs.jsonl")
        assert [pair["model_use"] for pair in pairs] == ["trial"]
        assert pq.read_table(folder / "pairs.parquet")["model_use"].to_pylist() == ["trial"]
        assert 'type="x-model-use">trial<' in (folder / "corpus.tmx").read_text("utf-8")
        assert "a model for trials" in (folder / "README.md").read_text("utf-8")
        card = (tmp_path / "corpus/README.md").read_text("utf-8")
        assert "1 machine translations are not among them" in card and "machine_generated: false" in card

    def test_a_later_write_leaves_nothing_of_the_folder(self, tmp_path):
        write(self.ROWS, tmp_path, facts=self.TRIAL)
        write(self.ROWS, tmp_path, WriteSettings(machine="together"), self.TRIAL)
        assert not (tmp_path / "corpus/machine").exists()

    def test_what_people_put_there_stays(self, tmp_path):
        write(self.ROWS, tmp_path, facts=self.TRIAL)
        (tmp_path / "corpus/machine/notes.txt").write_text("mine")
        write(self.ROWS, tmp_path, WriteSettings(machine="together"), self.TRIAL)
        assert [path.name for path in (tmp_path / "corpus/machine").iterdir()] == ["notes.txt"]
