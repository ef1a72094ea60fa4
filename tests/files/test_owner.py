"""Folders know whose they are, and nothing is written into another's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import StoreError
from pipeline.files.owner import FILTER, LAYOUT, MARK, RUN, Owner, check_made_by, owner

MINE = Owner(FILTER, "0.1.0", LAYOUT, ("news/a.tsv", "b.tsv"))
NAMES = ("config.yaml", "corpus")


def check(asking: Owner, folder: Path, *, whole: bool = True, begun: bool = True) -> None:
    before = sorted(folder.rglob("*"))
    try:
        asking.check(folder, NAMES, whole=whole, begun=begun)
    finally:
        assert sorted(folder.rglob("*")) == before


def test_a_new_folder_an_empty_one_and_one_with_other_things_are_free(tmp_path: Path) -> None:
    check(MINE, tmp_path / "new")
    check(MINE, tmp_path)
    (tmp_path / "notes.txt").touch()
    check(MINE, tmp_path)
    assert owner(tmp_path) is None


def test_what_is_marked_reads_back_and_goes_on(tmp_path: Path) -> None:
    MINE.mark(tmp_path)
    assert owner(tmp_path) == MINE
    check(MINE, tmp_path)
    check(replace(MINE, version="0.2.0", inputs=("elsewhere/b.tsv", "moved/a.tsv", "c.tsv")), tmp_path)
    check_made_by(tmp_path, FILTER)
    with pytest.raises(StoreError, match="was made by `mekong filter`"):
        check_made_by(tmp_path, RUN)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (replace(MINE, made_by=RUN), "was made by `mekong run`, this is `mekong filter`"),
        (replace(MINE, layout=LAYOUT + 1, version="9.0.0"), "was made by mekong 9.0.0"),
        (replace(MINE, inputs=("news/a.tsv", "c.tsv")), "made from news/a.tsv, c.tsv and would be replaced"),
    ],
)
def test_what_another_has_made_is_refused(tmp_path: Path, other: Owner, words: str) -> None:
    other.mark(tmp_path)
    with pytest.raises(StoreError, match=words):
        check(MINE, tmp_path)


def test_other_input_is_no_matter_before_work_has_begun_and_a_part_is_enough_where_not_all_is_needed(
    tmp_path: Path,
) -> None:
    replace(MINE, inputs=("x.tsv", "b.tsv")).mark(tmp_path)
    check(replace(MINE, inputs=("c.tsv",)), tmp_path, begun=False)
    check(MINE, tmp_path, whole=False)
    with pytest.raises(StoreError, match=r"x\.tsv"):
        check(replace(MINE, inputs=("c.tsv",)), tmp_path, whole=False)


@pytest.mark.parametrize("name", [*NAMES, MARK])
def test_what_nobody_signed_is_not_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("{}")
    with pytest.raises(StoreError, match=f"has {name} and does not say whose it is"):
        check(MINE, tmp_path)
