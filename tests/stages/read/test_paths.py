"""What of a folder is read, and what is said of the rest."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest
import zstandard

from pipeline.config.settings import ReadSettings
from pipeline.errors import ConfigError, InputError
from pipeline.files import lines
from pipeline.files.owner import RUN, Owner
from pipeline.files.plain_yaml import load_yaml
from pipeline.stages.read.pairs import corpora
from pipeline.stages.read.paths import expand
from pipeline.stages.read.stage import Reader
from pipeline.types import Document, Reject

RAIN = b"Heavy rain fell on the capital on Monday, police said. Roads were flooded."


def test_compressed_text_in_any_case_is_read_and_the_rest_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(RAIN)
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(RAIN))
    (tmp_path / "c.TXT.ZST").write_bytes(zstandard.ZstdCompressor().compress(RAIN))
    for name in ("c.docx", "d.DOCX", "notes", "table.tsv", ".hidden"):
        (tmp_path / name).write_bytes(RAIN)
    os.mkfifo(tmp_path / "pipe.txt")
    warnings: list[str] = []
    found = list(Reader(ReadSettings(), warnings.append).read([str(tmp_path)]))
    assert [type(x) for x in found] == [Document] * 3
    (warning,) = warnings
    for words in ("6 in folders", "2 .docx", "1 without a suffix", "1 .tsv", "1 hidden", "1 no file", str(tmp_path)):
        assert words in warning
    assert ".jsonl" in warning.partition("read are")[2]


def test_output_of_ours_is_never_input(tmp_path: Path) -> None:
    out = tmp_path / "out" / "news"
    (out / "shards").mkdir(parents=True)
    for name in ("a.txt", "out/news/translations.jsonl", "out/news/shards/000001.jsonl.zst"):
        (tmp_path / name).write_bytes(RAIN)
    Owner(RUN, "1", 1, (".",)).mark(out)
    for given in (str(tmp_path), f"{tmp_path}/**", f"{tmp_path}/*", f"{tmp_path}/**/*.*"):
        found = expand([given])
        assert found.files == [tmp_path / "a.txt"]
        assert "output of `mekong run`" in found.passed_over_text()
    with pytest.raises(InputError, match="is output of `mekong run`, which is never read"):
        expand([str(out)])
    Owner(RUN, "1", 1, (".",)).mark(tmp_path)  # as with --out in the folder of the articles
    with pytest.raises(InputError, match="is output"):
        expand([str(tmp_path)])


@pytest.mark.parametrize("name", ["a.txt", "a.jsonl", "a.json", "a.parquet", "a.txt.gz", "a.jsonl.zst", "a.tmx"])
def test_devices_and_pipes_behind_links_are_set_aside(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    for target in ("/dev/zero", "/dev/urandom", "/dev/null", str(tmp_path / "pipe")):
        link = tmp_path / name
        link.symlink_to(target)
        (found,) = Reader(ReadSettings()).read([str(link)])
        assert isinstance(found, Reject) and ("pipe" in found.reason or "file type" in found.reason)
        with pytest.raises(InputError, match="is no file"):
            corpora([link], "th")
        link.unlink()


def test_a_file_that_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MOST_WHOLE", 1 << 22)
    with pytest.raises(InputError, match="more than"):
        lines.read_whole(Path("/dev/zero"), "")
    with pytest.raises(ConfigError, match="bytes"):
        load_yaml(Path("/dev/zero"))


def test_what_folders_share_is_counted_once(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(RAIN)
    (tmp_path / "a.docx").write_bytes(RAIN)
    found = expand([str(tmp_path), str(tmp_path / "*"), str(tmp_path)])
    assert found.files == [tmp_path / "a.txt", tmp_path / "a.docx"] and len(found.passed_over) == 1


def test_nothing_is_passed_over_without_folders(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(RAIN)
    found = expand([str(tmp_path / "a.docx")])
    assert found.passed_over_text() == "" and found.files == [tmp_path / "a.docx"]


def test_a_folder_with_nothing_to_read_exists_all_the_same(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file that can be read: it is empty"):
        expand([str(tmp_path)])
    (tmp_path / "docx").mkdir()
    (tmp_path / "docx" / "a.docx").write_bytes(RAIN)
    for given in (tmp_path, tmp_path / "docx", tmp_path / "do*"):
        with pytest.raises(InputError, match=r"passed over are 1 in folders: 1 \.docx \(such as .*a\.docx\)"):
            expand([str(given)])


def test_a_damaged_text_and_a_pipe_by_name_are_set_aside(tmp_path: Path) -> None:
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(RAIN)[:-9])
    os.mkfifo(tmp_path / "b.txt")
    found = list(Reader(ReadSettings()).read([str(tmp_path / "a.txt.gz"), str(tmp_path / "b.txt")]))
    assert all(isinstance(x, Reject) for x in found)
    assert [word in x.reason for x, word in zip(found, ("damaged", "pipe"), strict=True) if isinstance(x, Reject)]


@pytest.mark.parametrize("name", ["article.th", "article", "article.th.gz", "a.en-US", "article.md", "a.v1.2", "A.TXT"])
def test_one_document_of_a_file_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(RAIN) if name.endswith(".gz") else RAIN)
    assert Reader(ReadSettings()).read_one(path).text == RAIN.decode()


def test_one_document_of_json(tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.json"):
        (tmp_path / name).write_bytes(b'{"text": "' + RAIN + b'", "lang": "eng"}')
        assert Reader(ReadSettings()).read_one(tmp_path / name).lang == "en"


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.tmx", RAIN, "holds pairs"),
        ("a.TSV.gz", RAIN, "holds pairs"),
        ("a.jsonl", b'{"text": "a b", "lang": "en"}\n' * 2, "more than one document"),
        ("a.jsonl", b"\n", "no document"),
        ("a.json", b"[5]", "line 1: no JSON object"),
        ("a.th", b"\xff", "not UTF-8"),
        ("a.th", b"", "empty"),
        ("a.th.gz", RAIN, "damaged"),
    ],
)
def test_what_is_not_one_document_is_refused(tmp_path: Path, name: str, data: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=words):
        Reader(ReadSettings()).read_one(tmp_path / name)


def test_a_folder_and_nothing_are_no_document(tmp_path: Path) -> None:
    for path, words in ((tmp_path, "is a folder"), (tmp_path / "none.th", "does not exist")):
        with pytest.raises(InputError, match=words):
            Reader(ReadSettings()).read_one(path)
