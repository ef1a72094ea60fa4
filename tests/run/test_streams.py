"""Test sets from plain lines, JSONL and run folders."""

import gzip
import json

import pytest
import zstandard

from pipeline.errors import InputError, UsageError
from pipeline.files.store import Store, write_bytes
from pipeline.metrics.realign import BeadCounts, Realigner
from pipeline.run.streams import read_lines, read_streams
from pipeline.stages.align.pairs import Group
from pipeline.types import Pair, Segment, Translation


@pytest.fixture
def write(tmp_path):
    def made(name, rows):
        path = tmp_path / name
        lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    return made


def run_folder(root, hypotheses, reference=("The reference.", "Another one.")):
    """A finished run with one Thai article of two segments."""
    root.mkdir()
    store = Store(root)
    segments = [Segment(f"d:{n}", "d", n, n, n * 5, n * 5 + 4, f"ต้น{n}", "body") for n in range(2)]
    made = [Translation(s.id, text, "m", -0.1, 4, 4, "stop", 1) for s, text in zip(segments, hypotheses, strict=True)]
    pairs = [
        Pair(f"p{n}", "d", "e", "th", (s.id,), (), (), (), s.text, text, "aligned", 0.1)
        for n, (s, text) in enumerate(zip(segments, reference, strict=True))
    ]
    for stage, rows in (("segment", segments), ("translate", made), ("align", pairs)):
        store.commit(stage, 0, "key", rows)
    write_bytes(root / "config.yaml", b"read: {paths: [x]}\n")
    write_bytes(root / "manifest.json", b'{"shards": 1}')
    return root


def test_plain_lines_in_their_order(write):
    found = read_streams([write("a.en", ["x", "", "y"])], [write("r.en", ["p", "q", "r"])]).matched()
    assert found.systems[0].segments == ("x", "", "y")
    assert found.references == (("p", "q", "r"),)
    assert (found.sources, found.documents, found.slices) == (None, None, None)


def test_only_line_feeds_end_lines(tmp_path):
    path = tmp_path / "lines.txt"
    path.write_bytes("a\u2028b\x85c\r\n\nd\x0be".encode())
    assert read_lines(path) == ["a\u2028b\x85c", "", "d\x0be"]


def test_a_byte_order_mark_is_no_text(tmp_path):
    (tmp_path / "h.jsonl").write_bytes(b'\xef\xbb\xbf{"text": "a"}\n')
    (tmp_path / "r.en").write_bytes(b"\xef\xbb\xbfb\n")
    found = read_streams([tmp_path / "h.jsonl"], [tmp_path / "r.en"]).matched()
    assert (found.systems[0].segments, found.references) == (("a",), (("b",),))


def test_bytes_that_are_not_utf8(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes(b"fine\ncaf\xe9\n")
    with pytest.raises(InputError, match="line 2: byte 8"):
        read_lines(path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    with pytest.raises(InputError, match="line 2: byte 11"):
        read_lines(path)
    with pytest.raises(InputError, match="cannot read"):
        read_lines(tmp_path / "missing.txt")


def test_a_file_named_twice_counts_once(write):
    good, bad, reference = write("g", ["x"]), write("b", ["y"]), write("r", ["z"])
    assert [s.name for s in read_streams([good, bad, good], [reference]).matched().systems] == [str(good), str(bad)]


def test_one_jsonl_may_hold_all_sides(write):
    path = write("all.jsonl", [{"source": "ก", "translation": "a", "reference": "b", "doc_id": 7, "topic": "t"}])
    found = read_streams([path], [path], path, by="topic").matched()
    assert (found.systems[0].segments, found.references, found.sources) == (("a",), (("b",),), ("ก",))
    assert (found.documents, found.slices) == (("7",), ("t",))


def test_the_text_of_a_translations_file_is_its_source(write):
    path = write("translations.jsonl", [{"source": "samples/x.txt", "text": "ก", "translation": "a"}])
    assert read_streams([path], [path], path).matched().sources == ("ก",)


def test_ids_decide_where_both_sides_have_them(write):
    reference = write("r.jsonl", [{"id": n, "text": f"r{n}", "doc_id": f"d{n}"} for n in (1, 2, 3)])
    hypothesis = write("h.jsonl", [{"id": n, "text": f"h{n}"} for n in (3, 1, 2)])
    plain = write("h.en", ["a", "b", "c"])
    found = read_streams([hypothesis, plain], [reference]).matched()
    assert [system.segments for system in found.systems] == [("h1", "h2", "h3"), ("a", "b", "c")]
    assert found.documents == ("d1", "d2", "d3")
    for rows, problem in (((3, 1), "no segment '2'"), ((3, 1, 2, 4), "no segment '4'"), ((1, 1, 2), "id twice")):
        odd = write("odd.jsonl", [{"id": n, "text": "h"} for n in rows])
        with pytest.raises(InputError, match=problem):
            read_streams([odd], [reference]).matched()


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (['{"text": "a"}', "{"], "line 2 is not JSON"),
        (["[1]"], "line 1 is no JSON object"),
        ([{"words": "a"}], "line 1 has no hypothesis"),
        ([{"mt": "a", "text": "b"}, {"text": "b"}], "line 2 has no text under 'mt'"),
        ([{"text": 5}], "line 1 has no text under 'text'"),
        ([{"text": "a", "id": 1}, {"text": "b"}], "line 2 has no 'id'"),
        ([{"text": "a", "id": 1.5}, {"text": "b", "id": 2}], "line 1 has no 'id'"),
        ([{"text": "a"}, {"text": "b", "doc_id": "d"}], "line 1 has no 'doc_id'"),
        ([], "empty"),
    ],
)
def test_jsonl_that_cannot_be_used(write, rows, problem):
    with pytest.raises(InputError, match=problem):
        read_streams([write("h.jsonl", rows)], [write("r", ["x"])])


HYPOTHESES = [{"id": "2", "hypothesis": "Rain fell."}, {"id": "1", "hypothesis": "The cat sat."}]


@pytest.mark.parametrize("name", ["h.JSONL", "h.json", "h.ndjson", "h.jsonl.gz", "h.jsonl.ZST", "h.json.gz"])
def test_json_is_read_as_json_whatever_the_case_of_its_name(tmp_path, write, name):
    lines = b"".join(json.dumps(row).encode() + b"\n" for row in HYPOTHESES)
    array = json.dumps(HYPOTHESES, indent=1).encode()
    reference = write("r.jsonl", [{"id": 1.0, "ref": "A cat."}, {"id": 2.0, "ref": "Rain."}])
    for data in (lines, array) if ".json" in name and "jsonl" not in name else (lines,):
        if name.endswith("gz"):
            data = gzip.compress(data)
        elif name.endswith("ZST"):
            data = zstandard.ZstdCompressor().compress(data)
        (tmp_path / name).write_bytes(data)
        found = read_streams([tmp_path / name], [reference]).matched()
        assert found.systems[0].segments == ("The cat sat.", "Rain fell.")


def test_compressed_lines(tmp_path, write):
    path = tmp_path / "h.en.gz"
    path.write_bytes(gzip.compress(b"a\nb\n"))
    assert read_streams([path], [write("r.en", ["x", "y"])]).matched().systems[0].segments == ("a", "b")
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match="damaged"):
        read_lines(path)


@pytest.mark.parametrize("name", ["h.en", "h", "h.txt.gz", "h.tmx", "h.parquet"])
def test_json_and_pairs_are_never_taken_for_text(tmp_path, write, name):
    data = b"\n" + b"".join(json.dumps(row).encode() + b"\n" for row in HYPOTHESES)
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    with pytest.raises(InputError, match=r"holds JSON, not text|holds pairs"):
        read_streams([tmp_path / name], [write("r", ["x", "y"])])


def test_documents_from_a_file(write):
    hypothesis, reference = write("h", ["a", "b"]), write("r", ["x", "y"])
    documents = write("d", ["one", "two"])
    found = read_streams([hypothesis], [reference], documents=documents, by="doc_id").matched()
    assert found.documents == found.slices == ("one", "two")
    with pytest.raises(InputError, match="1 lines"):
        read_streams([hypothesis], [reference], documents=write("d", ["one"]))


def test_no_key_to_slice_by(write):
    with pytest.raises(UsageError, match="'topic'"):
        read_streams([write("h", ["a"])], [write("r", ["x"])], by="topic").matched()


class TestRunFolder:
    def test_translations_stand_against_the_aligned_english(self, tmp_path):
        run = run_folder(tmp_path / "a", ["One.", "Two."])
        found = read_streams([run], [], by="lang").matched()
        assert found.systems[0].segments == ("One.", "Two.")
        assert found.references == (("The reference.", "Another one."),)
        assert (found.documents, found.slices) == (("d", "d"), ("th", "th"))
        assert read_streams([run], [run], run).matched().sources == ("ต้น0", "ต้น1")

    def test_runs_are_compared_on_one_reference(self, tmp_path):
        runs = [run_folder(tmp_path / name, [name, name]) for name in "ab"]
        assert [s.segments for s in read_streams(runs, []).matched().systems] == [("a", "a"), ("b", "b")]
        other = run_folder(tmp_path / "c", ["c", "c"], ["Other", "English."])
        with pytest.raises(InputError, match="not the same reference"):
            read_streams([runs[0], other], [])

    def test_a_folder_without_a_finished_run(self, tmp_path, write):
        with pytest.raises(InputError, match=r"no manifest\.json"):
            read_streams([tmp_path], [])
        with pytest.raises(UsageError, match="no reference"):
            read_streams([write("h", ["a"])], [])

    def test_groups_carry_what_a_test_set_needs(self):
        assert set(Group.__slots__) >= {"hypothesis", "reference", "source"}


class TestRealigned:
    REFERENCE = ["Floods hit the north.", "A court fined an airline.", "", "Durian exports rose again."]

    def test_blank_lines_divide_documents(self, write):
        hypothesis = write("h", ["Floods hit the north. A court", "fined an airline.", "", "", "Durian exports rose."])
        streams = read_streams([hypothesis], [write("r", self.REFERENCE)], write("s", ["ก", "ข", "", "ค"]), by="doc_id")
        found, counts = streams.realigned(Realigner())
        assert found.systems[0].segments == (
            "Floods hit the north.", "A court fined an airline.", "Durian exports rose.",
        )  # fmt: skip
        assert found.references == (tuple(text for text in self.REFERENCE if text),)
        assert (found.sources, found.documents) == (("ก", "ข", "ค"), ("1", "1", "2"))
        assert found.slices == found.documents
        assert counts == [BeadCounts(2, 1, 0, 0)]

    def test_ids_of_documents_are_matched(self, write):
        names = ["n", "n", "x", "d"]
        reference = write(
            "r.jsonl", [{"text": t, "doc_id": d, "k": d * 2} for t, d in zip(self.REFERENCE, names, strict=True)]
        )
        rows = [("Durian exports rose.", "d"), ("Floods hit the north. A court fined an airline.", "n")]
        hypothesis = write("h.jsonl", [{"text": text, "doc_id": name} for text, name in rows])
        found, _ = read_streams([hypothesis], [reference], by="k").realigned(Realigner())
        assert found.systems[0].segments[2] == "Durian exports rose."
        assert (found.documents, found.slices) == (("n", "n", "d"), ("nn", "nn", "dd"))
        odd = write("o.jsonl", [{"text": "Floods.", "doc_id": "n"}])
        with pytest.raises(InputError, match="no document 'd'"):
            read_streams([odd], [reference]).realigned(Realigner())

    def test_documents_and_sides_must_fit(self, write):
        reference = write("r", self.REFERENCE)
        with pytest.raises(InputError, match=r"1 documents.*2"):
            read_streams([write("h", ["Floods."])], [reference]).realigned(Realigner())
        with pytest.raises(InputError, match="cut alike"):
            read_streams([write("h", ["Floods."])], [reference, write("q", ["x"])]).realigned(Realigner())
        with pytest.raises(InputError, match="empty"):
            read_streams([write("h", [""])], [reference]).realigned(Realigner())

    def test_ids_put_references_and_source_in_order(self, write):
        rows = [{"id": n, "text": text} for n, text in enumerate(["Floods came.", "Roads closed.", "Schools too."])]
        other = [{"id": row["id"], "text": f"{row['text']} Again."} for row in rows]
        sides = [write("r.jsonl", rows), write("q.jsonl", other[::-1])]
        source = write("s.jsonl", [{"id": row["id"], "src": f"s{row['id']}"} for row in rows[::-1]])
        hypothesis = write("h", ["Floods came. Roads closed.", "Schools too."])
        found, _ = read_streams([hypothesis], sides, source).realigned(Realigner())
        assert found.references[1] == tuple(row["text"] for row in other)
        assert found.sources == ("s0", "s1", "s2")

    def test_a_document_without_any_hypothesis_is_left_out_of_it(self, write):
        reference = write(
            "r.jsonl", [{"text": t, "doc_id": d} for d, t in (("a", "One."), ("b", "Two."), ("b", "Three."))]
        )
        hypothesis = write("h.jsonl", [{"text": t, "doc_id": d} for d, t in (("a", "One."), ("b", ""))])
        found, (counts,) = read_streams([hypothesis], [reference]).realigned(Realigner())
        assert found.systems[0].segments == ("One.", "", "")
        assert counts == BeadCounts(3, 1, 2, 0)
