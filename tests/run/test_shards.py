"""What is read of a run folder, and how little of it is held."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import StoreError
from pipeline.files.store import Store
from pipeline.run.shards import DOCUMENTS, SCORED, SEGMENTS, SHARDS_HELD, TRANSLATIONS, Shards
from pipeline.types import Document, Segment, Source, Translation
from tests.view.folder import run_folder

COUNT = SHARDS_HELD + 3


@pytest.fixture
def shards(tmp_path: Path) -> Shards:
    """In each shard a Thai document of two segments, the second translated, and an English one."""
    made = Shards(Store(tmp_path), COUNT)
    for n in made.numbers:
        thai, english = f"th{n}", f"en{n}"
        documents = [Document(thai, "th", "ก ข", Source("a")), Document(english, "en", f"Text {n}.", Source("b"))]
        segments = [Segment(f"{thai}:{i}", thai, i, 0, 2 * i, 2 * i + 1, "กข"[i], "body") for i in range(2)]
        segments.append(Segment(f"{english}:0", english, 0, 0, 0, 7, f"Text {n}.", "body"))
        made.commit(DOCUMENTS, n, "k", documents)
        made.commit(SEGMENTS, n, "k", segments)
        made.commit(TRANSLATIONS, n, "k", [Translation(f"{thai}:1", "B", "m", None, 1, 1, "stop", 1)])
    return made


def test_a_document_comes_with_its_own_segments_and_translations(shards: Shards) -> None:
    thai, english = shards.sides(1)
    assert [segment.id for segment in thai.segments] == ["th1:0", "th1:1"]
    assert {key: made.text for key, made in thai.translations.items()} == {"th1:1": "B"}
    assert [segment.text for segment in english.segments] == ["Text 1."] and not english.translations


def test_documents_are_found_over_all_shards(shards: Shards) -> None:
    assert shards.source_places == [(n, 0) for n in range(COUNT)]
    assert shards.english_places == [(n, 1) for n in range(COUNT)]
    assert shards.side(shards.english_place("en5")).document.id == "en5"
    with pytest.raises(KeyError):
        shards.english_place("th5")


def test_few_shards_are_held_and_those_are_read_once(shards: Shards, monkeypatch: pytest.MonkeyPatch) -> None:
    places = shards.english_places
    read: list[int] = []
    segments = shards.segments
    monkeypatch.setattr(shards, "segments", lambda number: read.append(number) or segments(number))
    for n in (0, 1, 0, 1):
        assert shards.side(places[n]).document.id == f"en{n}"
    assert read == [0, 1]
    for n in range(COUNT):
        assert shards.side(places[n]).document.id == f"en{n}"
    assert shards.side(places[0]).document.id == "en0" and read.count(0) == 2


def test_what_shards_once_held_is_there_until_it_is_swept(shards: Shards, tmp_path: Path) -> None:
    fewer = Shards(Store(tmp_path), 2, [COUNT - 1, 0])
    assert len(list(fewer.left_over(SEGMENTS))) == COUNT - 2 and not list(shards.left_over(SEGMENTS))
    assert next(iter(fewer.left_over(DOCUMENTS)))()[0].id == "th1"
    fewer.sweep()
    assert not list(fewer.left_over(SEGMENTS))


def test_a_shard_is_done_under_its_key_only(shards: Shards) -> None:
    assert shards.done(SEGMENTS, 0, "k") and not shards.done(SEGMENTS, 0, "other")
    assert not shards.done(SCORED, 0, "k") and shards.size(SCORED, 0) == 0
    assert shards.size(SEGMENTS, 0) == 3
    with pytest.raises(StoreError, match="no shard 0 of score"):
        shards.key(SCORED, 0)


def test_a_run_that_is_not_finished_is_read_as_far_as_it_is_scored(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "run")
    assert Shards.scored_in(folder, None).numbers == range(2)
    assert Shards.scored_in(folder, 1).numbers == range(1)
    with pytest.raises(StoreError, match="no scored pairs"):
        Shards.scored_in(tmp_path, None)
