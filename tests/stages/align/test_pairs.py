"""Pairs of both roads, and translations beside the English that was aligned with their source."""

from dataclasses import replace

from pipeline.stages.align.pairs import Group, aligned_groups, translated_pairs
from pipeline.types import Document, Pair, Segment, Source, Translation

DOCUMENT = Document("d", "th", "หนึ่ง สอง สาม", Source("d.txt"))
SEGMENTS = [Segment(f"d:{i}", "d", i, 0, i * 5, i * 5 + 4, f"s{i}", "body") for i in range(3)]
BY_ID = {s.id: s for s in SEGMENTS}
MADE = {s.id: Translation(s.id, f"t{s.index}", "m", -0.1, 4, 4, "stop", 1) for s in SEGMENTS}


def aligned(segments: tuple[str, ...], english: str) -> Pair:
    return Pair("p", "d", "e", "th", segments, (), (), (), "s", english, "aligned", 0.1)


def test_skipped_and_empty_translations_make_no_pair() -> None:
    made = MADE | {
        "d:0": replace(MADE["d:0"], ended="skipped"),
        "d:1": replace(MADE["d:1"], text="", ended="empty"),
    }
    pairs = list(translated_pairs(DOCUMENT, SEGMENTS, made))
    assert [(p.id, p.src_spans, p.src_text, p.tgt_text) for p in pairs] == [("d:2:mt", ((10, 14),), "s2", "t2")]


def test_what_a_model_writes_is_normalised_as_found_english_is() -> None:
    made = MADE | {
        "d:0": replace(MADE["d:0"], text="A\u00a0cafe\u0301\u200b"),
        "d:1": replace(MADE["d:1"], text="\u200b"),
    }
    pairs = translated_pairs(DOCUMENT, SEGMENTS, made)
    assert [(pair.id, pair.tgt_text) for pair in pairs] == [("d:0:mt", "A caf\u00e9"), ("d:2:mt", "t2")]


def test_beads_that_share_a_segment_are_joined_until_both_sides_end_together() -> None:
    pairs = [aligned(("d:0",), "a"), aligned(("d:0", "d:1"), "b"), aligned(("d:1",), "c"), aligned(("d:2",), "e")]
    assert aligned_groups(pairs, MADE, BY_ID) == [
        Group("th", "d", "s0 s1", "t0 t1", "a b c"),
        Group("th", "d", "s2", "t2", "e"),
    ]


def test_beads_without_translation_are_left_out() -> None:
    pairs = [aligned(("other",), "a"), aligned(("d:2",), "e")]
    assert [group.hypothesis for group in aligned_groups(pairs, MADE, BY_ID)] == ["t2"]
