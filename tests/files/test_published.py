"""What is published does not say what the folders of its maker are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config.settings import ReadSettings
from pipeline.files.published import published, published_names, published_settings
from pipeline.stages.read.pairs import Given, corpora
from pipeline.stages.read.stage import Reader
from pipeline.types import Document, Reject

TEXT = "Heavy rain fell on the capital on Monday, police said. Roads were flooded."


@pytest.mark.parametrize(
    ("path", "root", "shown"),
    [
        ("articles/a.txt", "articles", "articles/a.txt"),
        ("a.txt", ".", "a.txt"),
        ("/home/ana/work/news/b/a.txt", "/home/ana/work/news", "news/b/a.txt"),
        ("/home/ana/work/news/a.txt", "/home/ana/work/news/a.txt", "a.txt"),
        ("../../ana/news/a.txt", "../../ana/news", "news/a.txt"),
        ("../a.txt", "..", "a.txt"),
        ("/a.txt", "/", "a.txt"),
    ],
)
def test_a_path_begins_where_the_maker_pointed(path: str, root: str, shown: str) -> None:
    assert published(Path(path), Path(root)) == shown


def test_a_home_folder_is_not_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert published(tmp_path / "b" / "a.txt", tmp_path) == "b/a.txt"


def test_files_of_one_name_stay_apart() -> None:
    found = published_names([Path("/a/x.tsv"), Path("/b/x.tsv"), Path("x.tsv"), Path("/a/x.tsv")])
    assert list(found.values()) == ["x.tsv", "(2) x.tsv", "(3) x.tsv"]


def test_settings_lose_the_folders_in_their_paths() -> None:
    data = {"read": {"paths": ["/home/ana/news", "news"], "licence": "MIT"}, "filter": {"held_out": ("/x/dev.en",)}}
    assert published_settings(data) == {
        "read": {"paths": ["news", "news"], "licence": "MIT"},
        "filter": {"held_out": ["dev.en"]},
    }


def test_documents_pairs_and_rejects_name_no_folder(tmp_path: Path) -> None:
    news = tmp_path / "news"
    (news / "b").mkdir(parents=True)
    (news / "b" / "a.txt").write_text(TEXT)
    (news / "bad.jsonl").write_text('{"text": "a b", "id": "1", "lang": "en"}\n{}\n{"text": "a c", "id": "1"}\n')
    (news / "p.tsv").write_text("ก\tx\nbroken\n")
    found = list(Reader(ReadSettings(), lambda _: None).read([str(news)]))
    given = list(corpora([news / "p.tsv"], "th")[0].read(1000))
    names = {row.source.path for row in found if isinstance(row, Document)}
    assert names == {"news/b/a.txt", "news/bad.jsonl"}
    assert {row.path for row in found if isinstance(row, Reject)} == {"news/bad.jsonl"}
    assert [row.pair.id if isinstance(row, Given) else row.path for row in given] == ["p.tsv:1", "p.tsv"]
    assert str(tmp_path) not in repr([*found, *given])
