"""A corpus must be in the language that it is said to be in."""

from pathlib import Path

import pytest

from pipeline.errors import UsageError
from pipeline.stages.read.pairs import corpora
from pipeline.stages.read.stated_language import check_language

DATA = Path(__file__).resolve().parents[2] / "data"


def news(lang: str, number: int) -> list[list[str]]:
    rows = [row.split("\t") for row in (DATA / f"news_{lang}.tsv").read_text("utf-8").splitlines()]
    return [row for row in rows if len(row) == 2][:number]


def check(path: Path, lang: str) -> None:
    for corpus in corpora([path], lang):
        check_language(corpus, 100_000)


def table(folder: Path, rows: list[list[str]]) -> Path:
    path = folder / "crawl.tsv"
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(("lang", "said", "remedy"), [("th", "vi", "--lang th"), ("vi", "th", "--lang vi")])
def test_another_source_language_is_told(lang: str, said: str, remedy: str, tmp_path: Path) -> None:
    path = table(tmp_path, news(lang, 60))
    with pytest.raises(UsageError, match="of the first 60 sources look") as raised:
        check(path, said)
    assert remedy in raised.value.remedy
    check(path, lang)


@pytest.mark.parametrize("lang", ["th", "vi"])
def test_exchanged_columns_are_told(lang: str, tmp_path: Path) -> None:
    path = table(tmp_path, [row[::-1] for row in news(lang, 60)])
    with pytest.raises(UsageError, match="English") as raised:
        check(path, lang)
    assert "source first" in raised.value.remedy


def test_some_lines_in_another_language_are_for_the_filter(tmp_path: Path) -> None:
    check(table(tmp_path, [*news("vi", 30), *news("th", 20)]), "vi")


def test_what_nothing_can_be_told_of_passes(tmp_path: Path) -> None:
    check(table(tmp_path, [["5 + 7", "12"], ["Hà Nội", "Ha Noi"], ["Nguyễn Văn An", "Nguyen Van An"]] * 20), "th")


def test_a_moses_file_of_another_language_is_refused(tmp_path: Path) -> None:
    for code in ("th", "en"):
        (tmp_path / f"dev.{code}").write_text("x\n")
    with pytest.raises(UsageError, match="ends in th, --lang is vi"):
        corpora([tmp_path / "dev.th", tmp_path / "dev.en"], "vi")
