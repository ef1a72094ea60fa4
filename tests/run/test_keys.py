"""The keys of shards: what changes them, what does not, and that they are those of run folders that are there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pipeline.config.settings import AlignSettings, SegmentSettings, TranslateSettings
from pipeline.engines.base import Request
from pipeline.run import keys
from pipeline.stages.read.pairs import Given
from pipeline.types import Document, DocumentPair, Pair, Source

DOCUMENT = Document("d", "vi", "Xin chào.", Source("in/a.txt", 3), {"k": "v"})
BOUNDARY_MODELS = {"en": "1", "th": "2", "vi": "3"}
TRANSLATE = TranslateSettings(model="m", workers=2, threads=3, glossary=("a.tsv",))
REQUEST = Request("x", "vi", (("a", "b"),))
PAIR = Pair("p", "d", "e", "vi", (), (), ((0, 3),), (), "Xin", "Hello", "aligned", None)
GIVEN = Given(PAIR, Source("a"), Source("b"), "m")
JUDGED = DocumentPair("d", "e", 0.9, 0.8, 0.7, 1.0, "parallel")
SIGNATURES = {"similarity": "version:1"}

Key = Callable[..., str]
BASES: dict[Key, tuple[Any, ...]] = {
    keys.documents_key: ([DOCUMENT],),
    keys.texts_key: ([DOCUMENT],),
    keys.segments_key: ("d0", SegmentSettings(), BOUNDARY_MODELS),
    keys.translator_key: ("identity", TRANSLATE, ["g0"]),
    keys.translations_key: ("t0", "s0"),
    keys.again_key: ("t0", 1),
    keys.answer_key: ("t0", 1, 7, REQUEST),
    keys.document_pairs_key: (["s0", "s1"], ["t0", "t1"], AlignSettings(), ["e", "l"]),
    keys.profiles_key: ("t0", ["e", "l"]),
    keys.judge_key: (["e", "l"],),
    keys.evidence_key: ("j0", "d0", "e0"),
    keys.judged_key: (["e0", "e1"],),
    keys.counterparts_key: ([JUDGED], ["s0"], AlignSettings(), ["e", "l"]),
    keys.pairs_key: ("m0", "t0"),
    keys.scored_key: ("p0", SIGNATURES),
    keys.given_key: ([GIVEN],),
    keys.scored_given_key: ("g0", SIGNATURES),
}
GOLDEN: dict[Key, str] = {
    keys.documents_key: "1c798ec0573f6e03c9cbbab931ca07a1",
    keys.texts_key: "3320fda4ec9af48ad2fedb7e2aa87b31",
    keys.segments_key: "3cc68fdfbc984d81b86ac879fef047a8",
    keys.translator_key: "981a882d3604745c45e60b7c37ee8895",
    keys.translations_key: "a9ca0464728202ea3bde70e257b62aa1",
    keys.again_key: "27f5cfa742789fffd961dacebd5a069f",
    keys.answer_key: "24c8f5fef0f4820dee5a2115f8e68471",
    keys.document_pairs_key: "aacb6a2a88dc27c5e75921be88a3341e",
    keys.profiles_key: "47ff43044318fc09472dc2e9e6494d28",
    keys.judge_key: "9f0b5ab89d730c57a4822ac8028da063",
    keys.evidence_key: "90e549af92a5dbc1c41624c8a1956ed6",
    keys.judged_key: "c8626b446ef23a40f54ec6c25d5ec348",
    keys.counterparts_key: "d963df207a763946cb56c2ddbea1b4e1",
    keys.pairs_key: "d3d5bfdccff00a1cdcb1887172c32ee1",
    keys.scored_key: "b82d6f5ee18bee1f09a1cbc37452192d",
    keys.given_key: "535594949380e6d09597aeace0ee9130",
    keys.scored_given_key: "819a95fb78280731025bd305f708c236",
}
"""Of the bases, with the versions below. A run folder made before a change of these is done again from there on."""
VERSIONS = {"SEGMENT_VERSION": 2, "TRANSLATE_VERSION": 5, "MATCH_VERSION": 1, "ALIGN_VERSION": 3, "SCORE_VERSION": 2}

CHANGES: list[tuple[Key, int, Any]] = [
    (keys.documents_key, 0, []),
    (keys.documents_key, 0, [DOCUMENT, DOCUMENT]),
    *(
        (keys.documents_key, 0, [replace(DOCUMENT, **{name: value})])
        for name, value in (
            ("id", "e"),
            ("lang", "th"),
            ("text", "Xin chào!"),
            ("source", Source("in/a.txt", 4)),
            ("meta", {}),
        )
    ),
    *(
        (keys.texts_key, 0, [replace(DOCUMENT, **{name: value})])
        for name, value in (("id", "e"), ("lang", "th"), ("text", "Xin chào!"))
    ),
    (keys.texts_key, 0, [DOCUMENT, DOCUMENT]),
    (keys.segments_key, 0, "d1"),
    (keys.segments_key, 1, SegmentSettings(max_chars=100)),
    (keys.segments_key, 2, BOUNDARY_MODELS | {"th": "9"}),
    (keys.translator_key, 0, "other"),
    (keys.translator_key, 1, TRANSLATE.model_copy(update={"retries": 0})),
    (keys.translator_key, 1, TRANSLATE.model_copy(update={"max_hints": 1})),
    (keys.translator_key, 1, TRANSLATE.model_copy(update={"batch_rows": 7})),
    (keys.translator_key, 2, ["g0", "g1"]),
    (keys.translator_key, 2, []),
    (keys.translations_key, 0, "t1"),
    (keys.translations_key, 1, "s1"),
    (keys.again_key, 0, "t1"),
    (keys.again_key, 1, 2),
    (keys.again_key, 1, 0),
    (keys.answer_key, 0, "t1"),
    (keys.answer_key, 1, 2),
    (keys.answer_key, 2, 8),
    (keys.answer_key, 3, replace(REQUEST, missing=("25",))),
    (keys.document_pairs_key, 0, ["s1", "s0"]),
    (keys.document_pairs_key, 1, ["t0"]),
    (keys.document_pairs_key, 2, AlignSettings(mine=True)),
    (keys.document_pairs_key, 3, ["e", "k"]),
    (keys.profiles_key, 0, "t1"),
    (keys.profiles_key, 1, ["e", "k"]),
    (keys.judge_key, 0, ["e", "k"]),
    (keys.evidence_key, 0, "j1"),
    (keys.evidence_key, 1, "d1"),
    (keys.evidence_key, 2, "e1"),
    (keys.judged_key, 0, ["e0"]),
    (keys.counterparts_key, 0, [replace(JUDGED, relation="comparable")]),
    (keys.counterparts_key, 1, ["s1"]),
    (keys.counterparts_key, 2, AlignSettings(mine=True)),
    (keys.counterparts_key, 3, ["e", "k"]),
    (keys.pairs_key, 0, "m1"),
    (keys.pairs_key, 1, "t1"),
    (keys.scored_key, 0, "p1"),
    (keys.scored_key, 1, {"similarity": "version:2"}),
    (keys.scored_key, 1, SIGNATURES | {"copy": "version:1"}),
    (keys.given_key, 0, [replace(GIVEN, model="n")]),
    (keys.given_key, 0, [replace(GIVEN, columns=("wiki",))]),
    (keys.given_key, 0, [replace(GIVEN, pair=replace(PAIR, tgt_text="Hi"))]),
    (keys.scored_given_key, 0, "g1"),
    (keys.scored_given_key, 1, {}),
]
NO_CHANGES: list[tuple[Key, int, Any]] = [
    (keys.counterparts_key, 0, [replace(JUDGED, similarity=0.8, bead_score=0.1)]),
    (keys.texts_key, 0, [replace(DOCUMENT, source=Source("in/a.txt", 4, licence="CC0-1.0"), meta={})]),
    (keys.segments_key, 2, BOUNDARY_MODELS | {"vi": "9", "en": "9"}),
    (keys.translator_key, 1, TRANSLATE.model_copy(update={"workers": 8, "threads": 16, "memory": "off"})),
    (keys.translator_key, 1, TRANSLATE.model_copy(update={"glossary": ("elsewhere/a.tsv",)})),
]


def with_argument(key: Key, place: int, value: Any) -> str:
    arguments = list(BASES[key])
    arguments[place] = value
    return key(*arguments)


@pytest.mark.parametrize("key", BASES, ids=lambda key: key.__name__)
def test_run_folders_that_are_there_are_not_done_again(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, version in VERSIONS.items():
        monkeypatch.setattr(keys, name, version)
    assert key(*BASES[key]) == GOLDEN[key]


@pytest.mark.parametrize(("key", "place", "value"), CHANGES, ids=lambda value: getattr(value, "__name__", None))
def test_what_an_output_rests_on_changes_its_key(key: Key, place: int, value: Any) -> None:
    assert with_argument(key, place, value) != key(*BASES[key])


@pytest.mark.parametrize(("key", "place", "value"), NO_CHANGES, ids=lambda value: getattr(value, "__name__", None))
def test_what_no_output_rests_on_does_not(key: Key, place: int, value: Any) -> None:
    assert with_argument(key, place, value) == key(*BASES[key])


def test_every_key_is_in_the_table() -> None:
    assert {name for name in vars(keys) if name.endswith("_key")} == {key.__name__ for key in BASES}


@pytest.mark.parametrize(
    ("version", "key"),
    [
        ("SEGMENT_VERSION", keys.segments_key),
        ("TRANSLATE_VERSION", keys.translator_key),
        ("ALIGN_VERSION", keys.document_pairs_key),
        ("MATCH_VERSION", keys.document_pairs_key),
        ("MATCH_VERSION", keys.profiles_key),
        ("ALIGN_VERSION", keys.judge_key),
        ("ALIGN_VERSION", keys.counterparts_key),
        ("SCORE_VERSION", keys.scored_key),
        ("SCORE_VERSION", keys.scored_given_key),
    ],
)
def test_a_raised_version_of_a_stage_changes_its_key(version: str, key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    before = key(*BASES[key])
    monkeypatch.setattr(keys, version, 99)
    assert key(*BASES[key]) != before
