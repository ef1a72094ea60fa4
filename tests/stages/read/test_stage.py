import gzip
import os
import random

import orjson
import pytest
import zstandard

from pipeline.config.settings import ReadSettings
from pipeline.errors import InputError
from pipeline.files.lines import open_lines
from pipeline.stages.read.stage import NO_OFFSET, Reader
from pipeline.types import Document, Reject

EN = "The ministry said on Monday that exports had grown for the ninth month in a row."
VI = "Bộ cho biết hôm thứ Hai rằng xuất khẩu đã tăng tháng thứ chín liên tiếp."
TH = "กระทรวงกล่าวเมื่อวันจันทร์ว่าการส่งออกเติบโตติดต่อกันเป็นเดือนที่เก้า"


def read(*paths, **settings):
    found = list(Reader(ReadSettings(**settings)).read(map(str, paths)))
    return [x for x in found if isinstance(x, Document)], [x for x in found if isinstance(x, Reject)]


def row(text=EN, **more):
    return orjson.dumps({"text": text, **more}) + b"\n"


def put(path, data):
    path.write_bytes(data)
    return path


def test_a_text_file_is_one_document_and_its_language_is_detected(tmp_path):
    for name, text in (("a.txt", EN), ("b.txt", VI), ("c.TXT", TH)):
        put(tmp_path / name, f"{text}\r\n\r\n{text}\n".encode())
    documents, rejects = read(tmp_path)
    assert not rejects
    assert [d.lang for d in documents] == ["en", "vi", "th"]
    assert documents[0].text == f"{EN}\n\n{EN}\n"
    assert documents[0].source.path == f"{tmp_path.name}/a.txt"
    assert documents[0].source.line == 0


def test_known_keys_of_a_row_are_fields_and_the_rest_is_meta(tmp_path):
    line = row(id="x1", lang="vi", date="2025-05-05", url="u", licence="CC0-1.0", section="biz", score=0.5, tags=["a"])
    (document,), rejects = read(put(tmp_path / "a.jsonl", line), licence="none")
    assert not rejects
    assert (document.id, document.lang) == ("x1", "vi")
    assert (document.source.date, document.source.url, document.source.licence) == ("2025-05-05", "u", "CC0-1.0")
    assert document.source.line == 1
    assert document.meta == {"section": "biz", "score": "0.5", "tags": '["a"]'}


def test_settings_fill_what_a_row_does_not_state(tmp_path):
    (document,), _ = read(put(tmp_path / "a.jsonl", row("x y z")), lang="vi", licence="CC0-1.0")
    assert (document.lang, document.source.licence) == ("vi", "CC0-1.0")


@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz", "jsonl.zst"])
def test_lines_of_plain_and_compressed_files(tmp_path, kind):
    lines = [row(f"{EN} {i}", id=i) for i in range(3000)]
    half = b"".join(lines[:1500]), b"".join(lines[1500:])
    pack = {"jsonl": bytes, "jsonl.gz": gzip.compress, "jsonl.zst": zstandard.ZstdCompressor().compress}[kind]
    documents, rejects = read(put(tmp_path / f"a.{kind}", b"".join(map(pack, half))))
    assert not rejects
    assert [d.id for d in documents] == [str(i) for i in range(3000)]
    assert [d.source.line for d in documents] == list(range(1, 3001))


def test_lines_are_those_of_python(tmp_path):
    rng = random.Random(5)
    data = b"".join(bytes(rng.choices(b"ab\r", k=rng.choice([0, 1, 70_000, 30]))) + b"\n" for _ in range(60)) + b"tail"
    plain = put(tmp_path / "a.jsonl", data)
    packed = put(tmp_path / "a.jsonl.gz", gzip.compress(data))
    for limit in (1, 7, 65_536, 100_000):
        for path in (plain, packed):
            with plain.open("rb") as wanted, open_lines(path) as found:
                for _ in range(300):
                    assert found.readline(limit) == wanted.readline(limit)


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_lines_before_the_damage_of_a_compressed_file_are_kept(tmp_path, kind):
    rng = random.Random(1)
    noise = ["".join(rng.choices("abcdefghij ", k=400)) for _ in range(2000)]
    data = b"".join(row(f"{EN} {text}", id=i) for i, text in enumerate(noise))
    packed = gzip.compress(data) if kind == "gz" else zstandard.ZstdCompressor().compress(data)
    documents, rejects = read(put(tmp_path / f"a.jsonl.{kind}", packed[: len(packed) // 2]), lang="en")
    assert len(documents) > 100
    assert [d.id for d in documents] == [str(i) for i in range(len(documents))]
    (reject,) = rejects
    assert reject.line == len(documents) + 1
    assert reject.offset == sum(len(line) + 1 for line in data.split(b"\n")[: len(documents)])
    assert "damaged" in reject.reason


def test_a_file_that_is_not_compressed_at_all_is_one_reject(tmp_path):
    documents, (reject,) = read(put(tmp_path / "a.jsonl.gz", row()))
    assert not documents
    assert (reject.line, reject.offset) == (1, 0)


def test_a_byte_order_mark_is_no_text(tmp_path):
    put(tmp_path / "a.txt", b"\xef\xbb\xbf" + EN.encode())
    put(tmp_path / "b.jsonl", b"\xef\xbb\xbf" + row())
    documents, rejects = read(tmp_path)
    assert not rejects
    assert [d.text for d in documents] == [EN, EN]


def test_carriage_returns_before_line_feeds_go_also_inside_json(tmp_path):
    data = row(f"{EN}\r\n{EN}").replace(b"\n", b"\r\n")
    (document,), _ = read(put(tmp_path / "a.jsonl", data))
    assert document.text == f"{EN}\n{EN}"


def test_offsets_of_rejects_are_exact_bytes(tmp_path):
    good = row(VI)
    bad = '{"text": "ế", oops}\n'.encode()
    latin = b'{"text": "caf' + b'\xe9"}\n'
    data = b"\xef\xbb\xbf" + good + b"\n" + bad + latin
    documents, rejects = read(put(tmp_path / "a.jsonl", data))
    assert len(documents) == 1
    assert [(r.line, r.offset) for r in rejects] == [(3, data.index(b"oops")), (4, data.index(b"\xe9"))]


def test_a_binary_and_a_latin_1_text_file(tmp_path):
    put(tmp_path / "a.txt", bytes(range(256)) * 4)
    put(tmp_path / "b.txt", "café".encode("latin-1"))
    put(tmp_path / "c.txt", b"abc\0def")
    documents, rejects = read(tmp_path)
    assert not documents
    assert [r.offset for r in rejects] == [0x80, 3, 3]
    assert "UTF-8" in rejects[0].reason
    assert "NUL" in rejects[2].reason


@pytest.mark.parametrize("data", [b"", b" \n\n", b"\xef\xbb\xbf"])
def test_an_empty_text_file_is_rejected_and_an_empty_jsonl_is_not(tmp_path, data):
    put(tmp_path / "a.txt", data)
    put(tmp_path / "a.jsonl", data)
    documents, (reject,) = read(tmp_path)
    assert not documents
    assert reject.path.endswith("a.txt")
    assert "empty" in reject.reason


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
@pytest.mark.parametrize("kind", ["jsonl", "jsonl.gz"])
def test_a_line_of_just_the_limit_passes_and_a_longer_one_does_not(tmp_path, end, kind):
    limit = 300
    fits = row("a " * ((limit - 11) // 2) + "b" * ((limit - 11) % 2))[:-1]
    assert len(fits) == limit
    data = fits.replace(b"a a", b"a ab", 1) + b"\n" + fits + end
    pack = bytes if kind == "jsonl" else gzip.compress
    documents, (reject,) = read(put(tmp_path / f"a.{kind}", pack(data)), max_line_bytes=limit, lang="en")
    assert (reject.line, reject.offset) == (1, 0)
    assert [d.source.line for d in documents] == [2]


def test_a_very_long_line_is_passed_over(tmp_path):
    data = row(id="a") + b'{"text": "' + b"x" * 5_000_000 + b'"}\n' + row(id="b")
    documents, (reject,) = read(put(tmp_path / "a.jsonl", data))
    assert [d.id for d in documents] == ["a", "b"]
    assert (reject.line, reject.offset) == (2, len(row(id="a")))
    assert "5000013 bytes" in reject.reason


def test_a_document_over_its_limit(tmp_path):
    put(tmp_path / "a.txt", EN.encode() * 10)
    put(tmp_path / "b.jsonl", row(EN * 10))
    documents, rejects = read(tmp_path, max_document_bytes=200)
    assert not documents
    assert len(rejects) == 2
    assert all("max_document_bytes" in r.reason for r in rejects)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"body": "x"}', "no 'text'"),
        (b'{"text": null}', "'text' is a NoneType"),
        (b'{"text": 5}', "'text' is a int"),
        (b'{"text": "x", "id": ["a"]}', "'id' is a list"),
        (b'{"text": ""}', "empty"),
        (b'["text"]', "a JSON list"),
        (b'{"text": "abc", "lang": "fr"}', "'fr'"),
        (b'{"text": "a\\u0000b", "lang": "en"}', "NUL"),
        (b'{"text": "\\ud800", "lang": "en"}', "surrogate"),
        (b"[" * 5000, "not JSON"),
    ],
)
def test_rows_that_are_set_aside(tmp_path, line, reason):
    documents, (reject,) = read(put(tmp_path / "a.jsonl", row() + line + b"\n" + row()))
    assert len(documents) == 2
    assert reject.line == 2
    assert reason in reject.reason


def test_a_text_in_another_language_is_set_aside(tmp_path):
    text = "Le président a déclaré que la réunion avait été très utile pour les deux pays."
    documents, (reject,) = read(put(tmp_path / "a.txt", text.encode()))
    assert not documents
    assert "'fr'" in reject.reason


def test_given_ids_are_unique_and_made_ids_are_stable(tmp_path):
    put(tmp_path / "a.jsonl", row(id="x") + row(VI, id="x") + row())
    put(tmp_path / "b.jsonl", row(id="x") + row(VI) + row())
    documents, rejects = read(tmp_path)
    assert [(r.path, r.line) for r in rejects] == [(f"{tmp_path.name}/a.jsonl", 2), (f"{tmp_path.name}/b.jsonl", 1)]
    assert f"{tmp_path.name}/a.jsonl" in rejects[1].reason
    assert len({d.id for d in documents}) == len(documents) == 4
    assert [d.id for d in documents] == [d.id for d in read(tmp_path)[0]]


def test_equal_files_of_one_name_get_different_ids(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        put(tmp_path / folder / "x.txt", EN.encode())
    documents, _ = read(tmp_path)
    assert len({d.id for d in documents}) == 2


def test_parquet(tmp_path):
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table({"text": [EN, None, VI], "id": ["a", "b", None], "n": [1, 2, 3]})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    documents, (reject,) = read(tmp_path / "a.parquet")
    assert [d.lang for d in documents] == ["en", "vi"]
    assert [d.source.line for d in documents] == [1, 3]
    assert documents[0].meta == {"n": "1"}
    assert (reject.line, reject.offset) == (2, NO_OFFSET)
    _, (broken,) = read(put(tmp_path / "b.parquet", b"PAR1 not really"))
    assert (broken.line, broken.offset) == (0, 0)


def test_datasets_folder(tmp_path):
    datasets = pytest.importorskip("datasets")
    data = datasets.Dataset.from_dict({"text": [EN, VI], "id": ["a", "b"]})
    data.save_to_disk(str(tmp_path / "plain"))
    datasets.DatasetDict({"train": data}).save_to_disk(str(tmp_path / "split"))
    assert [d.id for d in read(tmp_path / "plain")[0]] == ["a", "b"]
    assert [d.id for d in read(tmp_path / "split")[0]] == ["a", "b"]
    put(tmp_path / "plain" / "state.json", b"{")
    documents, (reject,) = read(tmp_path / "plain")
    assert not documents
    assert reject.line == 0


def test_what_does_not_exist_is_an_error_with_a_remedy(tmp_path):
    for path in (tmp_path / "none", tmp_path / "none.txt", tmp_path / "*.jsonl"):
        with pytest.raises(InputError) as error:
            read(path)
        assert str(path) in error.value.problem
        assert error.value.remedy


def test_a_dangling_link_is_a_reject_and_reading_goes_on(tmp_path):
    (tmp_path / "a.txt").symlink_to(tmp_path / "gone.txt")
    put(tmp_path / "b.txt", EN.encode())
    documents, (reject,) = read(tmp_path)
    assert len(documents) == 1
    assert reject.path == f"{tmp_path.name}/a.txt"


def test_links_in_circles_pipes_hidden_and_other_files(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "up").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.txt")
    put(tmp_path / ".hidden.txt", EN.encode())
    put(tmp_path / "notes.md", EN.encode())
    put(inner / "a.txt", EN.encode())
    documents, rejects = read(tmp_path)
    assert not rejects
    assert [d.source.path for d in documents] == [f"{tmp_path.name}/inner/a.txt"]
    _, (reject,) = read(tmp_path / "notes.md")
    assert "'.md'" in reject.reason


def test_order_is_that_of_the_paths_then_of_the_names_and_each_file_once(tmp_path):
    for name in ("b.txt", "a.txt", "c.txt"):
        put(tmp_path / name, f"{EN} {name}".encode())
    documents, _ = read(tmp_path / "c.txt", tmp_path / "*.txt", tmp_path)
    assert [d.source.path[-5:] for d in documents] == ["c.txt", "a.txt", "b.txt"]


def test_a_name_that_is_not_utf8_is_told_by_its_bytes(tmp_path):
    (tmp_path / os.fsdecode("ข่าว".encode("tis-620") + b".txt")).write_bytes(EN.encode())
    (tmp_path / os.fsdecode(b"b\xff.jsonl")).write_bytes(b"[]\n")
    documents, (reject,) = read(tmp_path)
    assert documents[0].source.path == f"{tmp_path.name}/\\xa2\\xe8\\xd2\\xc7.txt"
    assert reject.path == f"{tmp_path.name}/b\\xff.jsonl"
    orjson.dumps([documents[0].id, documents[0].source.path, reject.path])
